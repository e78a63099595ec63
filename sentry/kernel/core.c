/*
 * core.c - core dumps: who leaves what, and the file.  Runs on the tasks' own
 * threads; struct core is under the task list lock until the dumper is alone
 * with it.
 *
 * Written is what Linux writes as /proc/PID/coredump_filter says; by default private
 * memory that was touched, shared anonymous memory, the first page of programs mapped. Pages that were never touched are holes of the file.
 */
#include "kernel/core.h"

#include "abi/fcntl.h"
#include "abi/fs.h"
#include "abi/mman.h"
#include "abi/resource.h"
#include "kernel/task_table.h"
#include "libipc/log.h"
#include "mm/mm.h"
#include "vfs/vfs.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK (UINT64_C(64) << 10)
#define MAX_AREAS 65000u

/* --- leaving registers ---------------------------------------------------------------- */

void core_begin_locked(struct task *t, const struct linux_siginfo *info)
{
	struct thread_group *tg = t->tg;
	struct core *c;
	struct task *o;

	if (tg->exiting || !tg->rlimits[LINUX_RLIMIT_CORE].cur)
		return;
	c = calloc(1, sizeof(*c));
	if (!c)
		return;
	c->dumper = t;
	c->info = *info;
	TAILQ_FOREACH(o, &tg->tasks, tg_link)
		c->max += !o->leaves_no_core;
	c->left = c->max;
	c->threads = calloc(c->max, sizeof(*c->threads));
	if (!c->threads) {
		free(c);
		return;
	}
	c->n = 1;
	tg->core = c;
}

static uint8_t *own_fp(struct task *t)
{
	struct fpstate *fp = task_fp(t);
	uint8_t *copy = fp ? malloc(fpstate_size()) : NULL;

	if (!copy)
		return NULL;
	platform_fpstate_get(t->ctx, fp);
	fpstate_show(fp);
	memcpy(copy, fp->area, fpstate_size());
	return copy;
}

static void leave_registers(struct task *t, struct core *c)
{
	uint8_t *fp = own_fp(t);
	struct core_thread *th;

	tasks_lock(t->k);
	t->leaves_no_core = true;
	th = &c->threads[t == c->dumper ? 0 : c->n++];
	*th = (struct core_thread){ .tid = t->own_tid, .pending = t->pending->set, .blocked = signal_blocked_locked(t), .regs = t->regs, .fp = fp };
	if (!--c->left)
		sleeper_wake(&c->dumper->sleeper);
	tasks_unlock(t->k);
}

/* --- what is dumped ----------------------------------------------------------------------- */

struct layout {
	struct mm_area *areas;
	char **names; /* of their files; NULL where there is none */
	uint64_t *sizes; /* bytes of each in the file */
	size_t n, max;
};

static int add_area(const struct mm_area *a, void *arg)
{
	struct layout *l = arg;
	struct mm_area *grown;

	if (l->n == l->max) {
		l->max = l->max ? 2 * l->max : 64;
		grown = l->max <= MAX_AREAS ? reallocarray(l->areas, l->max, sizeof(*grown)) : NULL;
		if (!grown)
			return -ENOMEM;
		l->areas = grown;
	}
	l->areas[l->n] = *a;
	if (a->file)
		file_get(a->file);
	l->n++;
	return 0;
}

/* Shared by those who inherited it: anonymous memory, or a file that has no name. */
static bool shared_is_anon(const struct mm_area *a)
{
	struct kstat st;

	return !a->file || (!vfs_getattr(&a->file->path, &st) && !st.nlink);
}

/* Linux: vma_dump_size(). Bytes; filter: MM_CORE_*. */
static uint64_t dumped(const struct mm_area *a, uint32_t filter)
{
	uint64_t all = a->end - a->start;

	if (a->name && !strcmp(a->name, "[vdso]"))
		return all;
	if (a->no_dump || (a->name && !strcmp(a->name, "[vvar]")))
		return 0;
	if (a->shared)
		return filter & (shared_is_anon(a) ? MM_CORE_ANON_SHARED : MM_CORE_FILE_SHARED) ? all : 0;
	if (a->anon && filter & MM_CORE_ANON_PRIVATE)
		return all;
	if (!a->file)
		return 0;
	if (filter & MM_CORE_FILE_PRIVATE)
		return all;
	return filter & MM_CORE_ELF_HEADERS && !a->off && a->prot & LINUX_PROT_READ ? PAGE_SIZE : 0;
}

static int lay_out(struct task *t, struct layout *l)
{
	struct path root;
	char *buf, *name;
	int r = mm_for_each_area(t->mm, add_area, l);

	if (r)
		return r;
	l->names = calloc(l->n + 1, sizeof(*l->names));
	l->sizes = calloc(l->n + 1, sizeof(*l->sizes));
	buf = malloc(4096);
	if (!l->names || !l->sizes || !buf) {
		free(buf);
		return -ENOMEM;
	}
	fs_context_root(t->fs, &root);
	for (size_t i = 0; i < l->n; i++) {
		l->sizes[i] = dumped(&l->areas[i], mm_core_filter(t->mm));
		name = l->areas[i].file ? vfs_path_from_top(&l->areas[i].file->path, &root, buf, 4096) : NULL;
		l->names[i] = name ? strdup(name) : NULL;
	}
	path_put(&root);
	free(buf);
	return 0;
}

static void layout_free(struct layout *l)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->areas[i].file)
			file_put(l->areas[i].file);
		if (l->names)
			free(l->names[i]);
	}
	free(l->areas);
	free(l->names);
	free(l->sizes);
}

/* --- the file -------------------------------------------------------------------------------- */

struct out {
	struct file *f;
	uint64_t limit;
};

static int put_at(struct out *o, uint64_t pos, void *data, uint64_t n)
{
	struct uio u;
	ssize_t r;

	if (pos >= o->limit)
		return -EFBIG;
	if (n > o->limit - pos)
		n = o->limit - pos;
	uio_kernel(&u, data, n);
	r = file_pwrite(o->f, &u, (int64_t)pos);
	return r < 0 ? (int)r : (uint64_t)r < n ? -ENOSPC : 0;
}

static int put_memory(struct out *o, struct task *t, const struct mm_area *a, uint64_t len, uint64_t pos, uint8_t *buf)
{
	uint64_t at = a->start, end = a->start + len, lo, hi;
	struct mm *mm = t->mm;
	int r = 0;

	if (len && (a->file || a->shared)) /* the parent's, or another's, or nobody's yet */
		mm_ask_objects(mm, at, end);
	while (!r && at < end && mm_next_data(mm, at, end, &lo, &hi)) {
		for (at = lo; !r && at < hi; at += CHUNK) {
			uint64_t n = hi - at < CHUNK ? hi - at : CHUNK;
			ssize_t got = copy_remote(mm, at, buf, n, false);

			if (got > 0)
				r = put_at(o, pos + (at - a->start), buf, (uint64_t)got);
			if (atomic_load(&t->tg->killed_again))
				r = -EINTR;
		}
		at = hi;
	}
	return r;
}

static uint64_t put_headers(struct out *o, const struct layout *l, uint8_t *notes, size_t notes_len, int *r)
{
	uint64_t at = sizeof(Elf64_Ehdr) + (l->n + 1) * sizeof(Elf64_Phdr), data = PAGE_UP(at + notes_len), pos = data;
	Elf64_Phdr *p = calloc(l->n + 1, sizeof(*p));
	Elf64_Ehdr e = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_CORE, .e_machine = EM_X86_64, .e_version = EV_CURRENT, .e_phoff = sizeof(e), .e_ehsize = sizeof(e),
		.e_phentsize = sizeof(*p), .e_phnum = (uint16_t)(l->n + 1),
	};

	if (!p) {
		*r = -ENOMEM;
		return 0;
	}
	p[0] = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = at, .p_filesz = notes_len };
	for (size_t i = 0; i < l->n; i++) {
		const struct mm_area *a = &l->areas[i];
		uint32_t flags = (a->prot & LINUX_PROT_READ ? PF_R : 0) | (a->prot & LINUX_PROT_WRITE ? PF_W : 0) | (a->prot & LINUX_PROT_EXEC ? PF_X : 0);

		p[i + 1] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = flags, .p_offset = pos, .p_vaddr = a->start, .p_filesz = l->sizes[i],
					 .p_memsz = a->end - a->start, .p_align = PAGE_SIZE };
		pos += l->sizes[i];
	}
	*r = put_at(o, 0, &e, sizeof(e));
	*r = *r ? *r : put_at(o, sizeof(e), p, (l->n + 1) * sizeof(*p));
	*r = *r ? *r : put_at(o, at, notes, notes_len);
	free(p);
	return data;
}

static int write_core(struct out *o, const struct core *c, const struct layout *l)
{
	struct task *t = c->dumper;
	uint8_t *buf = malloc(CHUNK), *notes;
	size_t notes_len;
	uint64_t pos;
	int r;

	notes = core_notes(c, l->areas, l->names, l->n, &notes_len);
	if (!buf || !notes) {
		free(buf);
		free(notes);
		return -ENOMEM;
	}
	pos = put_headers(o, l, notes, notes_len, &r);
	for (size_t i = 0; !r && i < l->n; i++) {
		r = put_memory(o, t, &l->areas[i], l->sizes[i], pos, buf);
		pos += l->sizes[i];
	}
	if (!r) /* the last bytes may be a hole */
		r = vfs_truncate_inode(o->f->inode, pos < o->limit ? pos : o->limit, t->cred);
	free(notes);
	free(buf);
	return r;
}

/* A regular file of the program's own, with no other name (core(5)). */
static int open_core(struct task *t, struct file **out)
{
	struct walk w = { .fs = t->fs, .cred = t->cred };
	struct kstat st;
	int r = vfs_open(&w, "core", LINUX_O_CREAT | LINUX_O_RDWR | LINUX_O_NOFOLLOW, 0600, out);

	if (r)
		return r;
	r = vfs_getattr(&(*out)->path, &st);
	if (!r && ((st.mode & LINUX_S_IFMT) != LINUX_S_IFREG || st.nlink > 1 || st.uid != t->cred->fsuid))
		r = -EPERM;
	r = r ? r : vfs_truncate_inode((*out)->inode, 0, t->cred);
	if (r)
		file_put(*out);
	return r;
}

static bool dump(struct task *t, const struct core *c)
{
	struct out o = { .limit = rlimit_get(t, LINUX_RLIMIT_CORE) };
	struct layout l = { 0 };
	int r = mm_dumpable(t->mm) ? open_core(t, &o.f) : -EPERM;

	if (r) {
		log_debug("task %d (%s): no core: error %d", t->tid, t->comm, -r);
		return false;
	}
	r = lay_out(t, &l);
	r = r ? r : write_core(&o, c, &l);
	layout_free(&l);
	file_put(o.f);
	return !r || r == -EFBIG; /* cut at the limit */
}

void core_leave(struct task *t)
{
	struct thread_group *tg = t->tg;
	struct core *c;
	bool dumps, done;

	tasks_lock(t->k);
	c = tg->core;
	dumps = c && c->dumper == t;
	t->leaves_no_core |= !c;
	tasks_unlock(t->k);
	if (!c)
		return;
	leave_registers(t, c); /* if it is another's to dump, it may be gone from here on */
	if (!dumps)
		return;
	tasks_lock(t->k);
	while (c->left) {
		tasks_unlock(t->k);
		wait_sleep_uninterruptible(WAIT_FOREVER);
		tasks_lock(t->k);
	}
	tg->core = NULL;
	tasks_unlock(t->k);
	done = dump(t, c);
	tasks_lock(t->k);
	if (done)
		tg->exit_status |= 0x80;
	tasks_unlock(t->k);
	for (unsigned i = 0; i < c->n; i++)
		free(c->threads[i].fp);
	free(c->threads);
	free(c);
}
