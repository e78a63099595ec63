/*
 * ahead.c - asking for what is likely to be asked for next.
 *
 * A request costs two wake-ups, and what it asks of the host a fraction of one.
 * So a name looked up in a directory that was just listed (find, ls -l, tar, cp, git)
 * brings those that follow it in the listing, and a file opened soon after the one
 * before it in the listing (tar, grep -r) brings those that follow opened.  How many,
 * tells the share of what was brought before that was used.  Nothing here is more than a
 * hint: whoever finds nothing cached afterwards asks in the plain way.
 *
 * What came is entered under the directory's mu, and only if no name in it was changed
 * since the asking began (gnode.changes).
 */
#include "fs/gofer/internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WINDOW_MIN 2u
#define WINDOW_MAX 48u
#define OPEN_MAX 32u
#define JUDGE_AFTER 16u

_Static_assert(WINDOW_MAX <= 64 && OPEN_MAX <= 64, "more than a request takes");

/* How many to ask for: twice as many while most were used, half while few were.  Racing
 * callers may count a little wrong. */
unsigned ahead_judge(struct ahead *a, _Atomic uint32_t *used_by, unsigned max)
{
	uint32_t asked = a->asked, used = *used_by;
	unsigned w = a->window;

	if (asked < JUDGE_AFTER)
		return w;
	if (used * 2 >= asked)
		w = w * 2 < max ? w * 2 : max;
	else if (used * 4 < asked)
		w = w / 2 > WINDOW_MIN ? w / 2 : WINDOW_MIN;
	a->window = w;
	atomic_fetch_sub(&a->asked, asked / 2);
	atomic_fetch_sub(used_by, used / 2);
	return w;
}

/* One asking. */
struct batch {
	struct dentry *dir;
	struct gnode *n;
	uint32_t changes; /* of the directory, before asking */
	struct msg_str names[64];
	unsigned k;
	bool open;
};

static void batch_begin(struct batch *b, struct dentry *dir, const struct qstr *name, bool open)
{
	b->dir = dir;
	b->n = gnode(dir->inode);
	b->changes = b->n->changes;
	b->names[0] = (struct msg_str){ name->name, name->len };
	b->k = 1;
	b->open = open;
}

/* Nothing is known of the name, or its file has no descriptor where one is wanted. */
static bool worth_asking(const struct batch *b, const struct qstr *q)
{
	struct dentry *d = dcache_get(b->dir, q);
	bool worth = !d;

	if (d && b->open && d->inode && d->inode->obj && LINUX_S_ISREG(d->inode->mode)) {
		struct gnode *n = gnode(d->inode);

		mutex_lock(&n->mu);
		worth = n->fd_ro < 0 && n->fd_rw < 0;
		mutex_unlock(&n->mu);
	}
	dentry_put(d);
	return worth;
}

/* Adds names that follow entry first of the listing, until there are `window`. */
static void batch_fill(struct batch *b, struct glist *l, uint32_t first, enum glist_order order, unsigned window, bool files_only)
{
	bool dirs_only = l->entries[first].type == LINUX_DT_DIR;
	int64_t i = first;

	for (unsigned tries = window * 4; tries && b->k < window && (i = glist_after(l, order, (uint32_t)i)) >= 0; tries--) {
		struct qstr q = glist_name(l, (uint32_t)i);

		if (dirs_only ? l->entries[i].type != LINUX_DT_DIR : files_only && l->entries[i].type != LINUX_DT_REG)
			continue;
		if (worth_asking(b, &q))
			b->names[b->k++] = (struct msg_str){ q.name, q.len };
	}
}

static void take_link(struct inode *i, const struct msg_str *target)
{
	char *copy = LINUX_S_ISLNK(i->mode) && target->len && !i->link ? strdup(target->p) : NULL;

	if (!copy)
		return;
	mutex_lock(&i->a_mu);
	if (!i->link) {
		i->link = copy;
		copy = NULL;
	}
	mutex_unlock(&i->a_mu);
	free(copy);
}

void ahead_enter(struct dentry *dir, const struct qstr *q, struct gofer_found *f, bool ahead, unsigned *opened)
{
	struct inode *inode = NULL;
	struct dentry *d;

	if (f->error ? f->error != ENOENT : gofer_inode(dir->sb, &f->node, &inode))
		return;
	if (inode) {
		take_link(inode, &f->target);
		if (f->fd >= 0 && LINUX_S_ISREG(inode->mode) && gnode_take_fd(gnode(inode), &f->fd, ahead) && ahead)
			(*opened)++;
	}
	if (dcache_enter(dir, q, inode, &d))
		return;
	if (ahead)
		dentry_mark_ahead(d);
	dentry_put(d);
}

static bool enter(struct batch *b, struct gofer_lookup_reply *rep)
{
	struct gofer_super *s = gsuper(b->n->sb);
	struct inode *dir = b->dir->inode;
	unsigned opened = 0;
	bool good;

	mutex_lock_nested(&dir->mu);
	good = !b->n->changing && b->n->changes == b->changes && !(dir->iflags & INODE_DEAD);
	for (unsigned i = 0; good && i < b->k; i++)
		ahead_enter(b->dir, &(struct qstr){ b->names[i].p, b->names[i].len }, &rep->found[i], i > 0, &opened);
	mutex_unlock(&dir->mu);
	for (unsigned i = 0; !good && i < b->k; i++)
		gofer_release(s, rep->found[i].node.node);
	atomic_fetch_add(&s->opens.asked, opened);
	atomic_fetch_add(&s->lookups.asked, b->k - 1);
	return good;
}

static bool batch_ask(struct batch *b)
{
	struct gofer_lookup req = { .names = b->names, .n_names = b->k, .open = b->open };
	struct gofer_lookup_reply rep;
	struct msg_arena a = { NULL };
	bool good;

	if (b->n->changing || GCALL_NODE(b->n, lookup, &req, dir, &rep, &a))
		return false;
	good = rep.n_found == b->k && enter(b, &rep);
	GREPLY_FREE(lookup, &rep, &a);
	return good;
}

/* The listing says so. */
static void enter_negative(struct dentry *dir, const struct qstr *name, const struct glist *l)
{
	struct gnode *n = gnode(dir->inode);
	struct dentry *d = NULL;

	mutex_lock_nested(&dir->inode->mu);
	if (!n->changing && n->changes == l->changes)
		(void)!dcache_enter(dir, name, NULL, &d);
	mutex_unlock(&dir->inode->mu);
	dentry_put(d);
}

/* The order of visits by the one before, of which *before tells (entry + 1). */
static enum glist_order order_by(struct glist *l, _Atomic uint32_t *before, uint32_t i)
{
	uint32_t b = atomic_exchange(before, i + 1);

	return b ? glist_order_of(l, b - 1, i) : ORDER_LISTING;
}

bool gofer_lookup_ahead(struct dentry *dir, const struct qstr *name, bool last, bool open)
{
	struct gofer_super *s = gsuper(dir->sb);
	struct batch b __attribute__((uninitialized));
	struct glist *l;
	int64_t i = -1;

	if (s->shared)
		return false;
	l = glist_get(gnode(dir->inode));
	if (l) {
		i = glist_find(l, name);
		if (i < 0)
			enter_negative(dir, name, l);
	}
	if (i >= 0 && l->entries[i].type != LINUX_DT_DIR)
		s->want_files = true;
	if (last && (!l || i >= 0)) {
		unsigned window = ahead_judge(&s->lookups, &dir->sb->ahead_used, WINDOW_MAX);
		/* others are opened too where they are opened one after the other, or were before */
		bool bring = l && l->entries[i].type != LINUX_DT_DIR && (open ? l->looked != 0 : s->opens.window >= OPEN_EAGER);
		enum glist_order order = l ? order_by(l, &l->looked, (uint32_t)i) : ORDER_NONE;

		if (bring)
			window = ahead_judge(&s->opens, &s->opens_used, OPEN_MAX);
		batch_begin(&b, dir, name, bring || open);
		if (l && (bring || !open))
			batch_fill(&b, l, (uint32_t)i, order, window, false);
		last = batch_ask(&b);
	} else {
		last = l && i < 0;
	}
	glist_put(l);
	return last;
}

void gofer_open_ahead(struct file *f)
{
	struct gofer_super *s = gsuper(f->inode->sb);
	char buf[LINUX_NAME_MAX + 1];
	struct batch b __attribute__((uninitialized));
	struct dentry *dir;
	struct glist *l = NULL;
	enum glist_order order;
	struct qstr name;
	int64_t i = -1;

	if (s->shared)
		return;
	dir = dentry_parent(f->path.dentry, buf);
	if (dir && dir->inode && dir->inode->ops == &gofer_dir_inode_ops)
		l = glist_get(gnode(dir->inode));
	name = (struct qstr){ buf, (uint32_t)strlen(buf) };
	if (l)
		i = glist_find(l, &name);
	if (i >= 0 && l->opened && (order = order_by(l, &l->opened, (uint32_t)i)) != ORDER_NONE) {
		batch_begin(&b, dir, &name, true);
		batch_fill(&b, l, (uint32_t)i, order, ahead_judge(&s->opens, &s->opens_used, OPEN_MAX), true);
		batch_ask(&b);
	} else if (i >= 0) {
		l->opened = (uint32_t)i + 1;
	}
	glist_put(l);
	dentry_put(dir);
}
