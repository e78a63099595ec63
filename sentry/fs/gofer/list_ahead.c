/*
 * list_ahead.c - a directory that is read brings what its reader is likely to do next: its
 * first entries looked up (opened, where readers open), and the directories that follow it
 * in its parent's listing listed in the same way (find, tar, cp -r, rm -r, grep -r).
 *
 * How far is learnt as in ahead.c.  Whether files are looked up too, or directories only
 * (find), is told by the last lookups in listed directories.
 */
#include "fs/gofer/internal.h"

#include <string.h>

#define DIRS_MAX 16u
#define FIRST 2u /* before anything is known */
#define NEAR 16u

enum { LOOK_UP_NONE, LOOK_UP_DIRECTORIES, LOOK_UP_ALL };

/* The directories of one asking: [0] is the one that is wanted. */
struct tree {
	struct dentry *dir[DIRS_MAX];
	struct glist *list[DIRS_MAX];
	uint64_t handle[DIRS_MAX];
	unsigned n;
};

static bool add_dir(struct tree *t, struct dentry *d)
{
	struct gnode *n = gnode(d->inode);
	struct glist *l = t->n < DIRS_MAX ? glist_new(n) : NULL;
	uint64_t handle = gnode_handle(n);

	if (!l || !handle) {
		glist_put(l);
		return false;
	}
	dentry_get(d);
	t->dir[t->n] = d;
	t->list[t->n] = l;
	t->handle[t->n++] = handle;
	return true;
}

static void tree_free(struct tree *t)
{
	for (unsigned i = 0; i < t->n; i++) {
		dentry_put(t->dir[i]);
		glist_put(t->list[i]);
	}
}

/* Directories after entry i that are known, and whose entries are not. */
static void add_following(struct tree *t, struct dentry *parent, const struct glist *l, uint32_t i, unsigned window)
{
	uint32_t stop = l->n - i > window * 4 ? i + window * 4 : l->n;

	for (i++; i < stop && t->n < window; i++) {
		struct qstr q = glist_name(l, i);
		struct dentry *d = l->entries[i].type == LINUX_DT_DIR ? dcache_get(parent, &q) : NULL;
		struct glist *has = NULL;

		if (d && d->inode && d->inode->ops == &gofer_dir_inode_ops && d->sb == parent->sb && !(has = glist_get(gnode(d->inode))))
			add_dir(t, d);
		glist_put(has);
		dentry_put(d);
	}
}

/* Fills the tree; false: nothing to ask for in this way. */
static bool choose(struct gofer_super *s, struct dentry *dir, struct tree *t)
{
	char name[LINUX_NAME_MAX + 1];
	struct dentry *parent = dentry_parent(dir, name);
	struct qstr q = { name, 0 };
	struct glist *l = NULL;
	int64_t i = -1;

	if (!add_dir(t, dir)) {
		dentry_put(parent);
		return false;
	}
	if (parent && parent->inode && parent->inode->ops == &gofer_dir_inode_ops)
		l = glist_get(gnode(parent->inode));
	if (l) {
		q.len = (uint32_t)strlen(name);
		i = glist_find(l, &q);
	}
	if (i >= 0) {
		uint32_t before = atomic_exchange(&l->read, (uint32_t)i + 1);
		unsigned window = ahead_judge(&s->lists_ahead, &s->lists_used, DIRS_MAX);

		if (!before)
			window = window < FIRST ? window : FIRST;
		if (!before || ((uint32_t)i >= before && (uint32_t)i - before < NEAR))
			add_following(t, parent, l, (uint32_t)i, window);
	}
	glist_put(l);
	dentry_put(parent);
	return true;
}

/* Caches what was looked up of a listing. */
static void enter_found(struct gofer_super *s, struct dentry *dir, struct gofer_listing *w, const struct glist *l)
{
	struct gnode *n = gnode(dir->inode);
	unsigned opened = 0, entered = 0, files = 0;
	bool good;

	mutex_lock_nested(&dir->inode->mu);
	good = !l->unsure && !n->changing && n->changes == l->changes && !(dir->inode->iflags & INODE_DEAD);
	for (uint32_t i = 0; i < w->n_found; i++) {
		struct gofer_listed *f = &w->found[i];
		struct qstr q;

		if (!good || f->entry >= w->n_entries) {
			gofer_release(s, f->found.node.node);
			continue;
		}
		q = (struct qstr){ w->entries[f->entry].name.p, w->entries[f->entry].name.len };
		files += w->entries[f->entry].type != LINUX_DT_DIR;
		entered++;
		ahead_enter(dir, &q, &f->found, true, &opened);
	}
	mutex_unlock(&dir->inode->mu);
	atomic_fetch_add(&s->opens.asked, opened);
	atomic_fetch_add(&s->lookups.asked, entered);
	atomic_fetch_add(&s->files_asked, files);
}

/* A listing has come; the wanted one's reader gets it also when it is not all. */
static int take(struct gofer_super *s, struct tree *t, unsigned i, struct gofer_listing *w)
{
	int r = w->error ? -(int)w->error : glist_append_entries(t->list[i], w->entries, w->n_entries, w->end);

	if (r) {
		for (uint32_t k = 0; k < w->n_found; k++)
			gofer_release(s, w->found[k].found.node.node);
		return r;
	}
	t->list[i]->ahead = i > 0;
	glist_publish(gnode(t->dir[i]->inode), t->list[i]);
	enter_found(s, t->dir[i], w, t->list[i]);
	if (i)
		s->lists_ahead.asked++;
	return 0;
}

/* Most of the files that were looked up should be wanted. */
static unsigned kinds(struct gofer_super *s)
{
	uint32_t asked = s->files_asked, used = s->sb->ahead_used_files;

	if (asked >= 64) {
		if (used * 4 < asked)
			s->want_files = false;
		atomic_fetch_sub(&s->files_asked, asked / 2);
		atomic_fetch_sub(&s->sb->ahead_used_files, used / 2);
	}
	return s->want_files ? LOOK_UP_ALL : LOOK_UP_DIRECTORIES;
}

int gofer_list_ahead(struct dentry *dir, struct glist **out)
{
	struct gofer_super *s = gsuper(dir->sb);
	struct tree t = { .n = 0 };
	struct gofer_list req = { .dirs = t.handle, .lookup = kinds(s), .open = s->opens.window >= OPEN_EAGER };
	struct gofer_list_reply rep;
	struct msg_arena a = { NULL };
	int r = -EAGAIN;

	if (!s->shared && choose(s, dir, &t)) {
		req.n_dirs = t.n;
		r = GCALL(s, list, &req, &rep, &a);
	}
	if (!r) {
		if (!rep.n_listings || rep.n_listings > t.n)
			r = -EPROTO;
		for (uint32_t i = 0; i < rep.n_listings && i < t.n; i++) {
			int e = take(s, &t, i, &rep.listings[i]);

			if (!i && !r)
				r = e;
		}
		GREPLY_FREE(list, &rep, &a);
	}
	if (!r) {
		ref_get(&t.list[0]->ref);
		*out = t.list[0];
	}
	tree_free(&t);
	return r;
}
