/*
 * readdir.c - listing gofer directories in the gofer's large batches.
 *
 * A position counts entries: 0 is ".", 1 "..", then the gofer's in its order.  The batch at
 * hand is kept with the open file; reading on asks for the next from its last cookie, so
 * that what is removed meanwhile shifts nothing.  Seeking back begins again and skips.
 */
#include "fs/gofer/internal.h"

#include <stdlib.h>

struct gdir {
	struct gofer_readdir_reply rep; /* valid when have */
	struct msg_arena arena;
	bool have;
	int64_t first; /* position of the batch's first entry */
	uint64_t cookie; /* where the batch began */
};

static void drop_batch(struct gdir *g)
{
	if (g->have)
		GREPLY_FREE(readdir, &g->rep, &g->arena);
	g->have = false;
	g->arena.blocks = NULL;
}

static int fetch(struct file *f, struct gdir *g, uint64_t cookie, int64_t first)
{
	struct gofer_readdir req = { .cookie = cookie };
	int r;

	drop_batch(g);
	r = GCALL_NODE(gnode(f->inode), readdir, &req, dir, &g->rep, &g->arena);
	if (r)
		return r == -ESTALE ? -ENOENT : r;
	g->have = true;
	g->first = first;
	g->cookie = cookie;
	return 0;
}

/* Makes the batch contain f->pos; 1: past the end. */
static int position(struct file *f, struct gdir *g)
{
	int r;

	if (!g->have || f->pos < g->first || f->pos == 2) {
		r = g->have && g->first == 2 && f->pos > 2 ? 0 : fetch(f, g, 0, 2);
		if (r)
			return r;
	}
	while (f->pos >= g->first + g->rep.n_entries) {
		if (g->rep.end || !g->rep.n_entries)
			return 1;
		r = fetch(f, g, g->rep.entries[g->rep.n_entries - 1].cookie, g->first + g->rep.n_entries);
		if (r)
			return r;
	}
	return 0;
}

static int dots(struct file *f, struct dirent_sink *s)
{
	struct dentry *d = f->path.dentry;
	uint64_t up = d->inode->ino;

	if (f->pos == 0) {
		if (s->add(s, ".", 1, up, 4, 1))
			return 1;
		f->pos = 1;
	}
	if (f->pos == 1) {
		/* the number in ".." is only a hint, as for a mount's root in Linux */
		struct dentry *p = d->parent;

		if (p->inode)
			up = p->inode->ino;
		if (s->add(s, "..", 2, up, 4, 2))
			return 1;
		f->pos = 2;
	}
	return 0;
}

static int gofer_readdir_(struct file *f, struct dirent_sink *s)
{
	struct gdir *g = f->priv;
	int r;

	if (f->inode->iflags & INODE_DEAD)
		return -ENOENT;
	if (!g) {
		g = f->priv = calloc(1, sizeof(*g));
		if (!g)
			return -ENOMEM;
	}
	if (dots(f, s))
		return 0;
	while (!(r = position(f, g))) {
		const struct gofer_dirent *e = &g->rep.entries[f->pos - g->first];

		if (s->add(s, e->name.p, e->name.len, e->ino, (unsigned)e->type, f->pos + 1))
			break;
		f->pos++;
	}
	file_accessed(f);
	return r < 0 ? r : 0;
}

static int64_t gofer_dir_llseek(struct file *f, int64_t off, int whence)
{
	return whence == LINUX_SEEK_SET || whence == LINUX_SEEK_CUR ? llseek_size(f, off, whence, 0) : -EINVAL;
}

static int gofer_dir_fsync(struct file *f, bool data_only)
{
	struct gofer_fsync req = { .data_only = data_only };
	struct gofer_fsync_reply rep;
	struct msg_arena a = { NULL };
	int r = GCALL_NODE(gnode(f->inode), fsync, &req, node, &rep, &a);

	if (!r)
		GREPLY_FREE(fsync, &rep, &a);
	return r;
}

static void gofer_dir_release(struct file *f)
{
	struct gdir *g = f->priv;

	if (!g)
		return;
	drop_batch(g);
	free(g);
}

const struct file_ops gofer_dir_ops = {
	.readdir = gofer_readdir_,
	.llseek = gofer_dir_llseek,
	.fsync = gofer_dir_fsync,
	.release = gofer_dir_release,
};
