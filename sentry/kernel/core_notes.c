/*
 * core_notes.c - the notes of a core file: for each thread its registers, and for
 * the process its numbers, signal, auxiliary vector and mapped files.  Layouts
 * are Linux's (linux/elfcore.h, fs/binfmt_elf.c).
 */
#include "kernel/core.h"

#include "kernel/task_table.h"
#include "mm/mm.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

struct prstatus {
	int32_t signo, code, err;
	int16_t cursig;
	uint64_t pending, blocked;
	int32_t pid, ppid, pgrp, sid;
	uint64_t times[8];
	struct regs regs;
	int32_t fpvalid;
};
_Static_assert(sizeof(struct prstatus) == 336, "as Linux has it");

struct prpsinfo {
	char state, sname, zomb, nice;
	uint64_t flag;
	uint32_t uid, gid;
	int32_t pid, ppid, pgrp, sid;
	char fname[16], psargs[80];
};
_Static_assert(sizeof(struct prpsinfo) == 136, "as Linux has it");

struct buffer {
	uint8_t *at;
	size_t n, max;
	bool failed;
};

static void put(struct buffer *b, const void *data, size_t n)
{
	size_t max = b->max ? b->max : 8192;
	uint8_t *grown;

	while (max < b->n + n)
		max *= 2;
	if (max > b->max) {
		grown = b->failed ? NULL : realloc(b->at, max);
		if (!grown) {
			b->failed = true;
			return;
		}
		b->at = grown;
		b->max = max;
	}
	if (n)
		memcpy(b->at + b->n, data, n);
	b->n += n;
}

static void pad(struct buffer *b)
{
	static const uint8_t zero[4];

	put(b, zero, -b->n & 3);
}

static void note(struct buffer *b, const char *name, uint32_t type, const void *data, size_t n)
{
	const Elf64_Nhdr h = { .n_namesz = (uint32_t)strlen(name) + 1, .n_descsz = (uint32_t)n, .n_type = type };

	put(b, &h, sizeof(h));
	put(b, name, h.n_namesz);
	pad(b);
	put(b, data, n);
	pad(b);
}

static void put_thread(struct buffer *b, const struct core *c, const struct core_thread *th, const struct prpsinfo *ps, bool first)
{
	struct prstatus s = {
		.signo = c->info.signo, .cursig = (int16_t)c->info.signo, .pending = th->pending, .blocked = th->blocked, .pid = th->tid,
		.ppid = ps->ppid, .pgrp = ps->pgrp, .sid = ps->sid, .regs = th->regs, .fpvalid = !!th->fp,
	};

	note(b, "CORE", NT_PRSTATUS, &s, sizeof(s));
	if (first) {
		note(b, "CORE", NT_PRPSINFO, ps, sizeof(*ps));
		note(b, "CORE", NT_SIGINFO, &c->info, sizeof(c->info));
	}
	if (!th->fp)
		return;
	note(b, "CORE", NT_FPREGSET, th->fp, 512);
	note(b, "LINUX", NT_X86_XSTATE, th->fp, fpstate_size());
}

static void describe_process(struct task *t, const struct mm_layout *l, struct prpsinfo *ps)
{
	struct thread_group *tg = t->tg;
	uint64_t len = l->arg_end - l->arg_start;

	*ps = (struct prpsinfo){ .sname = 'R', .uid = t->cred->ruid, .gid = t->cred->rgid, .pid = tg->own_tgid, .nice = (char)t->nice };
	tasks_lock(t->k);
	ps->ppid = tg->parent ? tg_nr(tg->parent, tg->pid_ns) : 0;
	if (tg->pgrp) {
		ps->pgrp = pgrp_nr(tg->pgrp, tg->pid_ns);
		ps->sid = session_nr(tg->pgrp->session, tg->pid_ns);
	}
	memcpy(ps->fname, t->comm, sizeof(t->comm));
	tasks_unlock(t->k);
	len = len < sizeof(ps->psargs) - 1 ? len : sizeof(ps->psargs) - 1;
	len = copy_from_user_partial(t->mm, ps->psargs, UADDR(l->arg_start), len);
	for (uint64_t i = 0; i < len; i++)
		if (!ps->psargs[i])
			ps->psargs[i] = ' ';
}

/* NT_FILE: count, page size; start, end, page offset of each; then their names. */
static void put_files(struct buffer *b, const struct mm_area *areas, char *const *names, size_t n)
{
	uint64_t head[2] = { 0, PAGE_SIZE };
	struct buffer f = { 0 };

	for (size_t i = 0; i < n; i++)
		head[0] += !!names[i];
	put(&f, head, sizeof(head));
	for (size_t i = 0; i < n; i++) {
		const uint64_t row[3] = { areas[i].start, areas[i].end, areas[i].off / PAGE_SIZE };

		if (names[i])
			put(&f, row, sizeof(row));
	}
	for (size_t i = 0; i < n; i++)
		if (names[i])
			put(&f, names[i], strlen(names[i]) + 1);
	if (f.failed)
		b->failed = true;
	else
		note(b, "CORE", NT_FILE, f.at, f.n);
	free(f.at);
}

uint8_t *core_notes(const struct core *c, const struct mm_area *areas, char *const *names, size_t n, size_t *len)
{
	struct task *t = c->dumper;
	struct buffer b = { 0 };
	struct mm_layout l;
	struct prpsinfo ps;

	mm_get_layout(t->mm, &l);
	describe_process(t, &l, &ps);
	put_thread(&b, c, &c->threads[0], &ps, true);
	note(&b, "CORE", NT_AUXV, l.auxv, l.n_auxv * sizeof(l.auxv[0]));
	put_files(&b, areas, names, n);
	for (unsigned i = 1; i < c->n; i++)
		put_thread(&b, c, &c->threads[i], &ps, false);
	if (l.exe)
		file_put(l.exe);
	*len = b.n;
	if (!b.failed)
		return b.at;
	free(b.at);
	return NULL;
}
