/*
 * readdir.c - listing gofer directories in the gofer's large batches.
 *
 * A position counts entries: 0 is ".", 1 "..", then the gofer's in its order.  What was
 * read is kept with the open file, as one listing as long as it is not too large (and
 * published when it is complete: listing.c), else the last batch; reading on asks for the next
 * from its last cookie, so that what is removed meanwhile shifts nothing.  Reading from the
 * beginning asks again; seeking back begins again and skips.
 */
#include "fs/gofer/internal.h"

#include <stdlib.h>

#define KEEP_BYTES ((size_t)2 << 20) /* of one listing */

struct gdir {
	struct glist *list; /* NULL: nothing read yet */
	int64_t first; /* position of its first entry */
};

static int ask(struct gnode *n, uint64_t cookie, struct glist *l)
{
	struct gofer_readdir req = { .cookie = cookie };
	struct gofer_readdir_reply rep;
	struct msg_arena a = { NULL };
	int r = GCALL_NODE(n, readdir, &req, dir, &rep, &a);

	if (r)
		return r == -ESTALE ? -ENOENT : r;
	r = glist_append(l, &rep);
	GREPLY_FREE(readdir, &rep, &a);
	return r;
}

static int begin(struct file *f, struct gdir *g)
{
	struct gnode *n = gnode(f->inode);
	struct glist *l = glist_get(n);
	int r = 0;

	if (l && l->ahead && atomic_exchange(&l->ahead, false))
		gsuper(n->sb)->lists_used++;
	if (!l && gofer_list_ahead(f->path.dentry, &l)) {
		l = glist_new(n);
		r = l ? ask(n, 0, l) : -ENOMEM;
		if (!r)
			glist_publish(n, l);
	}
	if (r) {
		glist_put(l);
		return r;
	}
	glist_put(g->list);
	g->list = l;
	g->first = 2;
	return 0;
}

static int read_on(struct gnode *n, struct gdir *g)
{
	struct glist *l = g->list, *fresh;
	int r;

	if (glist_bytes(l) < KEEP_BYTES) {
		r = ask(n, l->next_cookie, l);
		if (!r && g->first == 2)
			glist_publish(n, l);
		return r;
	}
	fresh = glist_new(n);
	r = fresh ? ask(n, l->next_cookie, fresh) : -ENOMEM;
	if (r) {
		glist_put(fresh);
		return r;
	}
	g->first += l->n;
	g->list = fresh;
	glist_put(l);
	return 0;
}

/* Makes the listing contain f->pos; 1: past the end. */
static int position(struct file *f, struct gdir *g)
{
	struct gnode *n = gnode(f->inode);
	int r = 0;

	if (!g->list || f->pos < g->first || f->pos == 2)
		r = begin(f, g);
	while (!r && f->pos >= g->first + g->list->n) {
		if (g->list->end)
			return 1;
		r = read_on(n, g);
	}
	return r;
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
		uint32_t i = (uint32_t)(f->pos - g->first);
		struct qstr q = glist_name(g->list, i);

		if (s->add(s, q.name, q.len, g->list->entries[i].ino, g->list->entries[i].type, f->pos + 1))
			break;
		f->pos++;
	}
	file_accessed(f);
	return r < 0 ? r : 0;
}

/* Its attributes; what is listed is the open file's own. */
static int64_t gofer_dir_steady(struct file *f)
{
	struct gnode *n = gnode(f->inode);

	return n->dirty || n->changing || gsuper(n->sb)->shared ? 0 : super_knows_for(n->sb, n->fresh);
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
	glist_put(g->list);
	free(g);
}

const struct file_ops gofer_dir_ops = {
	.readdir = gofer_readdir_,
	.llseek = gofer_dir_llseek,
	.fsync = gofer_dir_fsync,
	.release = gofer_dir_release,
	.steady = gofer_dir_steady,
};
