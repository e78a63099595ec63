/*
 * list_ahead.c - a directory that is read brings what its reader is likely to do next: its
 * first entries looked up (opened, where readers open), and the directories that a walk of the
 * tree comes to after it listed in the same way (find, tar, cp -r, rm -r, grep -r): those
 * below it, then those after it in its parent's listing, then those after its parent.
 *
 * How far is learnt as in ahead.c.  Whether files are looked up too, or directories only
 * (find), is told by the last lookups in listed directories.  What follows the directories of
 * a request is asked for while those are being walked (pending.c).
 */
#include "fs/gofer/internal.h"

#include <stdlib.h>
#include <string.h>

#define DIRS_MAX 16u
#define LISTS_SURE 8u /* a window from which on the next ones are asked for before one is missed */
#define FILES_JUDGED 256u /* looked up files, of which many may not be come to yet */
#define LOOKS 1024u /* entries that are looked at for one request */
#define DEPTH 8u /* levels below a directory, and above */

enum { LOOK_UP_NONE, LOOK_UP_DIRECTORIES, LOOK_UP_ALL };

/* The directories of one asking. */
struct tree {
	struct gnode *dir[DIRS_MAX]; /* a reference to its memobj each */
	struct glist *list[DIRS_MAX];
	uint64_t handle[DIRS_MAX];
	unsigned n, looks;
	uint32_t found; /* how many entries of [0] were looked up, if all kinds were; else UINT32_MAX */
	bool wanted; /* [0] is not asked for ahead */
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
	memobj_get(&n->obj);
	t->dir[t->n] = n;
	t->list[t->n] = l;
	t->handle[t->n++] = handle;
	return true;
}

static void tree_free(struct tree *t)
{
	for (unsigned i = 0; i < t->n; i++) {
		memobj_put(&t->dir[i]->obj);
		glist_put(t->list[i]);
	}
}

/* --- which ones ------------------------------------------------------------------------ */

static bool is_listable(const struct dentry *d, const struct superblock *sb)
{
	return d && d->inode && d->inode->ops == &gofer_dir_inode_ops && d->sb == sb;
}

/* Directories below dir from the first or after entry i of its listing on, that are known and not
 * listed; in those that are listed, theirs.  i < 0: from the first. */
static void add_below(struct tree *t, struct dentry *dir, struct glist *l, int64_t i, enum glist_order order, unsigned window, unsigned depth)
{
	for (i = i < 0 ? (l->n ? 0 : -1) : glist_after(l, order, (uint32_t)i); i >= 0 && t->n < window && t->looks < LOOKS;
		i = glist_after(l, order, (uint32_t)i)) {
		struct qstr q = glist_name(l, (uint32_t)i);
		struct dentry *d = l->entries[i].type == LINUX_DT_DIR ? dcache_get(dir, &q) : NULL;
		struct glist *has = NULL;

		t->looks++;
		if (is_listable(d, dir->sb)) {
			has = glist_get(gnode(d->inode));
			if (!has)
				add_dir(t, d);
			else if (depth)
				add_below(t, d, has, -1, ORDER_LISTING, window, depth - 1);
		}
		glist_put(has);
		dentry_put(d);
	}
}

/* In which order a directory's are read, of which i is one. */
static enum glist_order order_read(struct glist *l, uint32_t i)
{
	uint32_t before = atomic_exchange(&l->read, i + 1);

	return !before || i >= before ? ORDER_LISTING : glist_order_of(l, before - 1, before - 1, i);
}

/* Those after dir in its parent. */
static void add_after(struct tree *t, struct dentry *dir, struct dentry *parent, const char *name, unsigned window, bool first)
{
	struct glist *l = glist_get(gnode(parent->inode));
	struct qstr q = { name, (uint32_t)strlen(name) };
	int64_t i = l ? glist_find(l, &q) : -1;
	enum glist_order order = i < 0 ? ORDER_NONE : first ? order_read(l, (uint32_t)i) : ORDER_LISTING;

	if (order != ORDER_NONE)
		add_below(t, parent, l, i, order, window, DEPTH);
	glist_put(l);
}

/* Those that a walk comes to after dir, which may be listed. */
static void add_following(struct tree *t, struct dentry *dir, unsigned window)
{
	struct glist *l = glist_get(gnode(dir->inode));
	struct dentry *up;
	char name[LINUX_NAME_MAX + 1];

	if (l)
		add_below(t, dir, l, -1, ORDER_LISTING, window, DEPTH);
	glist_put(l);
	dentry_get(dir);
	for (unsigned k = 0; k < DEPTH && t->n < window && (up = dentry_parent(dir, name)); k++) {
		bool ours = is_listable(up, dir->sb);

		if (ours)
			add_after(t, dir, up, name, window, k == 0);
		dentry_put(dir);
		dir = up;
		if (!ours)
			break;
	}
	dentry_put(dir);
}

/* --- what has come ----------------------------------------------------------------------
 *
 * At first the listings and the directories in them: with these known, what follows can be asked
 * for.  Then the files, while the gofer is at that.
 */

static bool is_dir(const struct gofer_listing *w, const struct gofer_listed *f)
{
	return f->entry < w->n_entries && w->entries[f->entry].type == LINUX_DT_DIR;
}

static void release_found(struct gofer_super *s, const struct gofer_listing *w, bool dirs)
{
	for (uint32_t i = 0; i < w->n_found; i++)
		if (dirs == is_dir(w, &w->found[i]))
			gofer_release(s, w->found[i].found.node.node);
}

/* Caches what was looked up of a listing: its directories, or all else. */
static void enter_found(struct gofer_super *s, struct dentry *dir, struct gofer_listing *w, const struct glist *l, const struct gasked *asked, bool dirs)
{
	struct gnode *n = gnode(dir->inode);
	unsigned opened = 0, entered = 0, files = 0;
	bool good;

	mutex_lock_nested(&dir->inode->mu);
	good = !l->unsure && !n->changing && n->changes == l->changes && !(dir->inode->iflags & INODE_DEAD);
	for (uint32_t i = 0; i < w->n_found; i++) {
		struct gofer_listed *f = &w->found[i];
		struct qstr q;

		if (dirs != is_dir(w, f))
			continue;
		if (!good || f->entry >= w->n_entries) {
			gofer_release(s, f->found.node.node);
			continue;
		}
		q = (struct qstr){ w->entries[f->entry].name.p, w->entries[f->entry].name.len };
		files += w->entries[f->entry].type != LINUX_DT_DIR;
		entered++;
		ahead_enter(dir, &q, &f->found, asked, &opened);
	}
	mutex_unlock(&dir->inode->mu);
	atomic_fetch_add(&s->opens.asked, opened);
	atomic_fetch_add(&s->lookups.asked, entered);
	atomic_fetch_add(&s->files_asked, files);
}

/* A listing has come; the wanted one's reader gets it also when it is not all. */
static int take(struct gofer_super *s, struct tree *t, unsigned i, struct gofer_listing *w, const struct gasked *asked)
{
	struct dentry *dir = super_knows_since(s->sb, t->list[i]->since) ? gnode_dentry(t->dir[i]) : NULL;
	int r = w->error ? -(int)w->error : !dir ? -EAGAIN : glist_append_entries(t->list[i], w->entries, w->n_entries, w->end);
	bool ahead = i || !t->wanted;

	if (!r) {
		t->list[i]->ahead = ahead;
		glist_publish(t->dir[i], t->list[i]);
		enter_found(s, dir, w, t->list[i], asked, true);
		s->lists_ahead.asked += ahead;
	} else {
		release_found(s, w, true);
		release_found(s, w, false);
		w->n_found = 0;
	}
	dentry_put(dir);
	return r;
}

static void take_files(struct gofer_super *s, struct tree *t, struct gofer_list_reply *rep, const struct gasked *asked)
{
	for (uint32_t i = 0; i < rep->n_listings && i < t->n; i++) {
		struct gofer_listing *w = &rep->listings[i];
		struct dentry *dir = w->n_found ? gnode_dentry(t->dir[i]) : NULL;

		if (dir)
			enter_found(s, dir, w, t->list[i], asked, false);
		else
			release_found(s, w, false);
		dentry_put(dir);
	}
}

/* Returns how the first listing fared. */
static int take_lists(struct gofer_super *s, struct tree *t, struct gofer_list_reply *rep, const struct gasked *asked)
{
	int first = -EPROTO;

	for (uint32_t i = 0; i < rep->n_listings && i < t->n; i++) {
		int r = take(s, t, i, &rep->listings[i], asked);

		if (!i)
			first = r;
	}
	if (!first && t->found != UINT32_MAX)
		t->found = rep->listings[0].n_found;
	return first;
}

/* Most of the files that were looked up should be wanted. */
static unsigned kinds(struct gofer_super *s)
{
	uint32_t asked = s->files_asked, used = s->sb->ahead_used_files;

	if (asked >= FILES_JUDGED) {
		if (used * 4 < asked)
			s->want_files = false;
		atomic_fetch_sub(&s->files_asked, asked / 2);
		atomic_fetch_sub(&s->sb->ahead_used_files, used / 2);
	}
	return s->want_files ? LOOK_UP_ALL : LOOK_UP_DIRECTORIES;
}

static struct gofer_list request(struct gofer_super *s, struct tree *t)
{
	unsigned lookup = kinds(s);

	t->found = lookup == LOOK_UP_ALL ? 0 : UINT32_MAX;
	return (struct gofer_list){ .dirs = t->handle, .n_dirs = t->n, .lookup = lookup, .open = s->opens.window >= OPEN_EAGER };
}

/* What comes next: the rest of the first directory's names, or else other directories. */
static void go_on(struct gofer_super *s, struct tree *t, struct dentry *dir)
{
	struct glist *l = t->list[0];

	if (t->found && t->found < l->n && l->end)
		gofer_names_ahead(s, t->dir[0], l, t->found - 1, ORDER_LISTING, s->opens.window >= OPEN_EAGER);
	else
		gofer_lists_ahead(s, dir);
}

/* --- without waiting ----------------------------------------------------------------- */

struct lists_pending {
	struct gpending p; /* first */
	struct tree t;
};

static void lists_go_on(struct gofer_super *s, struct gpending *p)
{
	struct lists_pending *lp = (struct lists_pending *)p;
	struct dentry *dir = gnode_dentry(lp->t.dir[0]);

	if (dir)
		go_on(s, &lp->t, dir);
	dentry_put(dir);
}

static void lists_enter(struct gofer_super *s, struct gpending *p)
{
	struct lists_pending *lp = (struct lists_pending *)p;
	struct gofer_list_reply rep;
	struct msg_arena a = { NULL };

	if (GPENDING_ANSWER(s, p, list, &rep, &a))
		return;
	(void)take_lists(s, &lp->t, &rep, &p->asked);
	if (p->wanted)
		lists_go_on(s, p);
	take_files(s, &lp->t, &rep, &p->asked);
	GREPLY_FREE(list, &rep, &a);
}

static void lists_free(struct gpending *p)
{
	struct lists_pending *lp = (struct lists_pending *)p;

	tree_free(&lp->t);
	free(lp);
}

/* name NULL: its listing, else one that was looked up in it, presumably */
static bool lists_bring(const struct gpending *p, const struct gnode *dir, const struct qstr *name)
{
	const struct tree *t = &((const struct lists_pending *)p)->t;

	for (unsigned i = 0; i < t->n; i++)
		if (t->dir[i] == dir)
			return true;
	return false;
}

static const struct gpending_ops lists_ops = { .brings = lists_bring, .enter = lists_enter, .go_on = lists_go_on, .free = lists_free };

void gofer_lists_ahead(struct gofer_super *s, struct dentry *dir)
{
	unsigned window = ahead_judge(&s->lists_ahead, &s->lists_used, DIRS_MAX);
	struct lists_pending *lp = window >= LISTS_SURE && gpending_free(s) ? calloc(1, sizeof(*lp)) : NULL;
	struct gofer_list req;

	if (!lp)
		return;
	lp->p.ops = &lists_ops;
	add_following(&lp->t, dir, window);
	req = request(s, &lp->t);
	if (lp->t.n)
		GPENDING_SEND(s, &lp->p, list, &req);
	else
		lists_free(&lp->p);
}

/* --- what is missed ------------------------------------------------------------------- */

static int ask(struct gofer_super *s, struct dentry *dir, struct glist **out)
{
	struct tree t = { .wanted = true };
	struct gasked asked = gofer_asking(s);
	struct gofer_list_reply rep;
	struct msg_arena a = { NULL };
	struct gofer_list req;
	int r = -EAGAIN;

	if (add_dir(&t, dir)) {
		add_following(&t, dir, ahead_judge(&s->lists_ahead, &s->lists_used, DIRS_MAX));
		req = request(s, &t);
		r = GCALL(s, list, &req, &rep, &a);
	}
	if (!r) {
		r = take_lists(s, &t, &rep, &asked);
		if (!r) {
			ref_get(&t.list[0]->ref);
			*out = t.list[0];
			go_on(s, &t, dir);
		}
		take_files(s, &t, &rep, &asked);
		GREPLY_FREE(list, &rep, &a);
	}
	tree_free(&t);
	return r;
}

int gofer_list_ahead(struct dentry *dir, struct glist **out)
{
	struct gofer_super *s = gsuper(dir->sb);
	struct gpending *p;
	struct glist *l;

	if (s->shared)
		return -EAGAIN;
	p = gpending_take(s, gnode(dir->inode), NULL);
	l = p ? glist_get(gnode(dir->inode)) : NULL;
	gpending_done(s, p, l);
	if (!l)
		return ask(s, dir, out);
	if (l->ahead && atomic_exchange(&l->ahead, false))
		s->lists_used++;
	*out = l;
	return 0;
}
