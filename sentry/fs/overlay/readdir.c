/*
 * readdir.c - listing a directory.  One in which nothing was ever changed here is the lower
 * one, read on and on.  Of a merged one a snapshot is made when reading begins at 0; a position
 * counts its entries.  What it is then it stays until reading begins at 0 again.
 */
#include "fs/overlay/internal.h"

#include <stdlib.h>
#include <string.h>

struct entry {
	uint64_t ino;
	uint32_t name, len; /* offset in names */
	unsigned type;
};

struct snapshot {
	struct dirent_sink sink; /* first */
	struct dentry *dir;
	struct entry *e;
	size_t n, room;
	char *names;
	size_t used, size;
	size_t n_lower; /* entries [0, n_lower) came from below, */
	bool sorted; /* and are sorted */
	int error;
	bool only_count; /* emptiness: stop at the first */
};

/* An open directory. */
struct odir {
	struct file *lower; /* owned; in use while there is no snapshot */
	struct snapshot *merged; /* owned; NULL: not read yet, or not merged */
};

static int push(struct snapshot *s, const char *name, size_t len, uint64_t ino, unsigned type)
{
	if (s->n == s->room) {
		size_t room = s->room ? s->room * 2 : 64;
		struct entry *e = reallocarray(s->e, room, sizeof(*e));

		if (!e)
			return -ENOMEM;
		s->e = e;
		s->room = room;
	}
	if (s->size - s->used < len) {
		size_t size = s->size * 2 + 4096;
		char *p = realloc(s->names, size);

		if (!p)
			return -ENOMEM;
		s->names = p;
		s->size = size;
	}
	memcpy(s->names + s->used, name, len);
	s->e[s->n++] = (struct entry){ ino, (uint32_t)s->used, (uint32_t)len, type };
	s->used += len;
	return 0;
}

/* A lower entry: as it is, as it was changed to, or hidden. */
static int from_below(struct dirent_sink *sink, const char *name, size_t len, uint64_t ino, unsigned type, int64_t next)
{
	struct snapshot *s = (struct snapshot *)sink;

	if (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')))
		return 0;
	if (dcache_peek_pinned(s->dir, name, (uint32_t)len, &ino, &type) == 0)
		return 0;
	s->error = push(s, name, len, ino, type);
	return s->error || s->only_count;
}

static int compare(const char *a, uint32_t al, const char *b, uint32_t bl)
{
	int c = memcmp(a, b, al < bl ? al : bl);

	return c ? c : (al > bl) - (al < bl);
}

static int by_name(const void *a, const void *b, void *names)
{
	const struct entry *x = a, *y = b;
	const char *n = names;

	return compare(n + x->name, x->len, n + y->name, y->len);
}

static bool listed(struct snapshot *s, const char *name, uint32_t len)
{
	size_t lo = 0, hi = s->n_lower;

	if (!s->sorted && hi)
		qsort_r(s->e, hi, sizeof(*s->e), by_name, s->names);
	s->sorted = true;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int c = compare(s->names + s->e[mid].name, s->e[mid].len, name, len);

		if (!c)
			return true;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

static void from_here(const struct dentry *d, void *arg)
{
	struct snapshot *s = arg;

	if (!s->error && !listed(s, d->name, d->name_len))
		s->error = push(s, d->name, d->name_len, d->inode->ino, LINUX_DT_OF_MODE(d->inode->mode));
}

static int read_below(struct snapshot *s, struct dentry *lower)
{
	struct file *f;
	size_t before;
	int r = ovl_open_layer(s->dir->inode, lower, LINUX_O_RDONLY | LINUX_O_DIRECTORY, &f);

	if (r)
		return r;
	do {
		before = s->n;
		r = f->ops->readdir ? f->ops->readdir(f, &s->sink) : -ENOTDIR; /* nobody else has f: no pos_mu */
	} while (!r && !s->error && !s->only_count && s->n > before);
	file_put(f);
	return r ? r : s->error;
}

static void free_snapshot(struct snapshot *s)
{
	if (!s)
		return;
	free(s->e);
	free(s->names);
	free(s);
}

static int take(struct dentry *dir, bool only_count, struct snapshot **out)
{
	struct snapshot *s = calloc(1, sizeof(*s));
	struct dentry *lower = onode(dir->inode)->lower;
	int r = 0;

	if (!s)
		return -ENOMEM;
	s->sink.add = from_below;
	s->dir = dir;
	s->only_count = only_count;
	if (lower)
		r = read_below(s, lower);
	if (ovl_is_gone(r) && onode(dir->inode)->own)
		r = 0; /* what was put into it is still there */
	s->n_lower = s->n;
	if (!r && !(only_count && s->n)) {
		dcache_each_pinned(dir, from_here, s);
		r = s->error;
	}
	if (r) {
		free_snapshot(s);
		return r;
	}
	*out = s;
	return 0;
}

int ovl_is_empty(struct dentry *d)
{
	struct snapshot *s;
	int r = take(d, true, &s);

	if (r)
		return r;
	r = s->n == 0;
	free_snapshot(s);
	return r;
}

/* --- open directories ---------------------------------------------------------------- */

int ovl_open_dir(struct file *f)
{
	f->priv = calloc(1, sizeof(struct odir));
	f->ops = &ovl_dir_ops;
	return f->priv ? 0 : -ENOMEM;
}

/* No name below it was ever changed here, nor was it moved: "..", too, is the lower one's. */
static bool is_lower(const struct dentry *d)
{
	return onode(d->inode)->lower && !(d->flags & (DENTRY_PINNED | DENTRY_KEEPS));
}

static int begin(struct odir *od, struct dentry *dir)
{
	struct snapshot *s = NULL;
	int r = 0;

	if (!is_lower(dir))
		r = take(dir, false, &s);
	else if (!od->lower)
		r = ovl_open_layer(dir->inode, onode(dir->inode)->lower, LINUX_O_RDONLY | LINUX_O_DIRECTORY, &od->lower);
	if (r)
		return r;
	free_snapshot(od->merged);
	od->merged = s;
	return 0;
}

static int read_lower(struct file *f, struct file *lower, struct dirent_sink *sink)
{
	int r;

	lower->pos = f->pos; /* nobody else has lower: no pos_mu */
	r = lower->ops->readdir ? lower->ops->readdir(lower, sink) : -ENOTDIR;
	f->pos = lower->pos;
	return r;
}

static void read_merged(struct file *f, const struct snapshot *s, struct dirent_sink *sink)
{
	struct dentry *dir = f->path.dentry;

	if (f->pos == 0) {
		if (sink->add(sink, ".", 1, dir->inode->ino, 4, 1))
			return;
		f->pos = 1;
	}
	if (f->pos == 1) {
		if (sink->add(sink, "..", 2, dir->parent->inode->ino, 4, 2))
			return;
		f->pos = 2;
	}
	for (; f->pos - 2 < (int64_t)s->n; f->pos++) {
		const struct entry *e = &s->e[f->pos - 2];

		if (sink->add(sink, s->names + e->name, e->len, e->ino, e->type, f->pos + 1))
			break;
	}
}

static int ovl_readdir(struct file *f, struct dirent_sink *sink)
{
	struct odir *od = f->priv;
	int r = 0;

	if (f->inode->iflags & INODE_DEAD)
		return -ENOENT;
	if (f->pos == 0 || (!od->merged && !od->lower))
		r = begin(od, f->path.dentry);
	if (!r && !od->merged)
		r = read_lower(f, od->lower, sink);
	else if (!r)
		read_merged(f, od->merged, sink);
	if (!r)
		file_accessed(f);
	return r;
}

static int64_t ovl_dir_llseek(struct file *f, int64_t off, int whence)
{
	return whence == LINUX_SEEK_SET || whence == LINUX_SEEK_CUR ? llseek_size(f, off, whence, 0) : -EINVAL;
}

/* Its attributes; what is listed is the open file's own. */
static int64_t ovl_dir_steady(struct file *f)
{
	const struct onode *o = onode(f->inode);
	struct odir *od = f->priv;

	if (o->own)
		return INT64_MAX;
	if (!od->lower && ovl_open_layer(f->inode, o->lower, LINUX_O_RDONLY | LINUX_O_DIRECTORY, &od->lower))
		return 0;
	return od->lower->ops->steady ? od->lower->ops->steady(od->lower) : 0;
}

static int ovl_dir_fsync(struct file *f, bool data_only) { return 0; }

static void ovl_dir_release(struct file *f)
{
	struct odir *od = f->priv;

	if (od->lower)
		file_put(od->lower);
	free_snapshot(od->merged);
	free(od);
}

const struct file_ops ovl_dir_ops = {
	.readdir = ovl_readdir,
	.llseek = ovl_dir_llseek,
	.fsync = ovl_dir_fsync,
	.release = ovl_dir_release,
	.steady = ovl_dir_steady,
};
