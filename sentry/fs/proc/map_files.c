/*
 * map_files.c - /proc/PID/map_files: a link for each mapping of a file, named by its addresses.
 *
 * On the reader's thread; nothing is kept: a mapping is looked for by its addresses each time.
 */
#include "fs/proc/internal.h"

#include "abi/capability.h"

#include <errno.h>
#include <inttypes.h>

struct wanted {
	uint64_t from, to; /* to 0: the first mapping of a file at or above from */
	struct file *file; /* found: a new reference */
};

static int is_wanted(const struct mm_area *a, void *arg)
{
	struct wanted *w = arg;

	if (!a->file || !a->file->path.dentry || (w->to ? a->start != w->from || a->end != w->to : a->start < w->from))
		return 0;
	w->from = a->start;
	w->to = a->end;
	w->file = a->file;
	file_get(w->file);
	return 1;
}

static bool find(struct pctx *c, struct wanted *w)
{
	struct mm *mm = c->t ? task_get_mm(c->t) : NULL;

	if (!mm)
		return false;
	mm_for_each_area(mm, is_wanted, w);
	mm_put(mm);
	return w->file;
}

/* Linux shows whether the file is open for reading and writing. */
static uint32_t link_mode(const struct file *f)
{
	return (f->mode & FILE_READ ? 0400u : 0) | (f->mode & FILE_WRITE ? 0200u : 0);
}

static int follow(struct pctx *c, struct mount **mnt, struct dentry **d)
{
	struct wanted w = { .from = c->node->from, .to = c->node->to };
	struct path p;

	if (!find(c, &w))
		return -ENOENT;
	p = w.file->path;
	path_get(&p);
	file_put(w.file);
	*mnt = p.mnt;
	*d = p.dentry;
	return 0;
}

/* Reading where it leads takes the right to look; going there more: it leads past the directories on the way. */
static int may_follow(struct pctx *c)
{
	struct task *me = task_current();

	return !me || cred_capable(me->cred, LINUX_CAP_CHECKPOINT_RESTORE) || cred_capable(me->cred, LINUX_CAP_SYS_ADMIN) ? 0 : -EPERM;
}

static const struct pentry map_link = { .name = "MAP", .kind = P_MAGIC, .mode = 0400, .follow = follow, .may_follow = may_follow, .flags = PE_PTRACE };

static void fill(struct pnode *out, const struct wanted *w)
{
	out->e = &map_link;
	out->fd = 0; /* what is mapped there may change */
	out->from = w->from;
	out->to = w->to;
	out->mode = link_mode(w->file);
	file_put(w->file);
}

/* Lower-case hexadecimal without leading zeros, of at most 16 digits; *at moves behind it. */
static bool hex(const struct qstr *q, uint32_t *at, uint64_t *v)
{
	uint32_t first = *at;

	for (*v = 0; *at < q->len; ++*at) {
		char ch = q->name[*at];
		int digit = ch >= '0' && ch <= '9' ? ch - '0' : ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;

		if (digit < 0)
			break;
		if (*at - first == 16)
			return false;
		*v = *v << 4 | (unsigned)digit;
	}
	return *at > first && (q->name[first] != '0' || *at == first + 1);
}

int map_files_lookup(struct pctx *c, const struct qstr *name, struct pnode *out)
{
	struct wanted w = { 0 };
	uint32_t at = 0;

	if (!hex(name, &at, &w.from) || at == name->len || name->name[at++] != '-' || !hex(name, &at, &w.to) || at != name->len || !w.to || !find(c, &w))
		return -ENOENT;
	fill(out, &w);
	return 0;
}

/* Positions are addresses in pages. */
bool map_files_next(struct pctx *c, int64_t *pos, char name[32], struct pnode *out)
{
	struct wanted w = { .from = (uint64_t)*pos << PAGE_SHIFT };

	if (!find(c, &w))
		return false;
	snprintf(name, 32, "%" PRIx64 "-%" PRIx64, w.from, w.to);
	*pos = (int64_t)(w.to >> PAGE_SHIFT);
	fill(out, &w);
	return true;
}
