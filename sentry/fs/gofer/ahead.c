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

#define WINDOW_MAX 48u
#define WINDOW_SURE 8u /* from here on the next ones are asked for before one is missed */
#define OPEN_MAX 64u

_Static_assert(WINDOW_MAX <= 64 && OPEN_MAX <= 64, "more than a request takes");

/* One asking. */
struct batch {
	struct gnode *n; /* the directory */
	uint32_t changes; /* of the directory, before asking */
	struct msg_str names[64];
	unsigned k;
	bool open;
};

static void batch_begin(struct batch *b, struct gnode *dir, bool open)
{
	b->n = dir;
	b->changes = dir->changes;
	b->k = 0;
	b->open = open;
}

/* Nothing is known of the name, or it is old, or its file has no descriptor where one is wanted. */
static bool worth_asking(const struct batch *b, struct dentry *dir, const struct qstr *q)
{
	struct dentry *d = dcache_get(dir, q);
	bool worth = !d || dentry_is_old(d);

	if (!worth && b->open && d->inode && d->inode->obj && LINUX_S_ISREG(d->inode->mode)) {
		struct gnode *n = gnode(d->inode);

		mutex_lock(&n->mu);
		worth = n->fd_ro < 0 && n->fd_rw < 0 && !n->touched; /* gnode_take_fd would take none */
		mutex_unlock(&n->mu);
	}
	dentry_put(d);
	return worth;
}

/* Adds names that follow entry i of the listing, until there are `window`.  Returns the last
 * entry seen. */
static uint32_t batch_fill(struct batch *b, struct dentry *dir, struct glist *l, uint32_t i, enum glist_order order, unsigned window, bool files_only)
{
	bool dirs_only = l->entries[i].type == LINUX_DT_DIR;
	int64_t next;

	for (unsigned tries = window * 4; tries && b->k < window && (next = glist_after(l, order, i)) >= 0; tries--) {
		struct qstr q = glist_name(l, i = (uint32_t)next);

		if (dirs_only ? l->entries[i].type != LINUX_DT_DIR : files_only && l->entries[i].type != LINUX_DT_REG)
			continue;
		if (worth_asking(b, dir, &q))
			b->names[b->k++] = (struct msg_str){ q.name, q.len };
	}
	l->reach = i + 1;
	return i;
}

/* dir: NULL if nothing of it counts any more. */
static bool enter(struct batch *b, struct dentry *dir, struct gofer_lookup_reply *rep, bool wanted, const struct gasked *asked)
{
	struct gofer_super *s = gsuper(b->n->sb);
	unsigned opened = 0, first = wanted;
	bool good = dir && rep->n_found == b->k;

	if (good) {
		mutex_lock_nested(&dir->inode->mu);
		good = !b->n->changing && b->n->changes == b->changes && !(dir->inode->iflags & INODE_DEAD);
		if (good && wanted)
			ahead_enter_wanted(dir, &(struct qstr){ b->names[0].p, b->names[0].len }, &rep->found[0], asked);
		for (unsigned i = first; good && i < b->k; i++)
			ahead_enter(dir, &(struct qstr){ b->names[i].p, b->names[i].len }, &rep->found[i], asked, &opened);
		mutex_unlock(&dir->inode->mu);
	}
	for (unsigned i = 0; !good && i < rep->n_found; i++)
		gofer_release(s, rep->found[i].node.node);
	if (good) {
		atomic_fetch_add(&s->opens.asked, opened);
		atomic_fetch_add(&s->lookups.asked, b->k - first);
	}
	return good;
}

static bool batch_ask(struct batch *b, struct dentry *dir)
{
	struct gofer_lookup req = { .names = b->names, .n_names = b->k, .open = b->open };
	struct gofer_lookup_reply rep;
	struct msg_arena a = { NULL };
	struct gasked asked = gofer_asking(gsuper(b->n->sb));
	bool good;

	if (b->n->changing || GCALL_NODE(b->n, lookup, &req, dir, &rep, &a))
		return false;
	good = enter(b, dir, &rep, true, &asked);
	GREPLY_FREE(lookup, &rep, &a);
	return good;
}

/* --- without waiting ----------------------------------------------------------------- */

struct names_pending {
	struct gpending p; /* first */
	struct batch b;
	struct glist *l; /* the names lie here */
	uint32_t last; /* entry that was seen */
	enum glist_order order;
};

static void names_go_on(struct gofer_super *s, struct gpending *p)
{
	struct names_pending *np = (struct names_pending *)p;

	gofer_names_ahead(s, np->b.n, np->l, np->last, np->order, np->b.open);
}

static void names_enter(struct gofer_super *s, struct gpending *p)
{
	struct names_pending *np = (struct names_pending *)p;
	struct gofer_lookup_reply rep;
	struct msg_arena a = { NULL };
	struct dentry *dir;

	if (p->wanted)
		names_go_on(s, p);
	if (GPENDING_ANSWER(s, p, lookup, &rep, &a))
		return;
	dir = gpending_dir(s, p, np->b.n);
	enter(&np->b, dir, &rep, false, &p->asked);
	dentry_put(dir);
	GREPLY_FREE(lookup, &rep, &a);
}

static void names_free(struct gpending *p)
{
	struct names_pending *np = (struct names_pending *)p;

	memobj_put(&np->b.n->obj);
	glist_put(np->l);
	free(np);
}

static bool names_bring(const struct gpending *p, const struct gnode *dir, const struct qstr *name)
{
	const struct batch *b = &((const struct names_pending *)p)->b;

	if (b->n != dir || !name)
		return false;
	for (unsigned i = 0; i < b->k; i++)
		if (b->names[i].len == name->len && !memcmp(b->names[i].p, name->name, name->len))
			return true;
	return false;
}

static const struct gpending_ops names_ops = { .brings = names_bring, .enter = names_enter, .go_on = names_go_on, .free = names_free };

static unsigned window_of(struct gofer_super *s, bool open)
{
	return open ? ahead_judge(&s->opens, &s->opens_used, OPEN_MAX) : ahead_judge(&s->lookups, &s->sb->ahead_used, WINDOW_MAX);
}

void gofer_names_ahead(struct gofer_super *s, struct gnode *n, struct glist *l, uint32_t i, enum glist_order order, bool open)
{
	struct dentry *dir = gnode_dentry(n);
	unsigned window = window_of(s, open);
	struct names_pending *np = dir && window >= WINDOW_SURE && order != ORDER_NONE && gpending_free(s) ? calloc(1, sizeof(*np)) : NULL;
	struct gofer_lookup req;

	if (np) {
		memobj_get(&n->obj);
		ref_get(&l->ref);
		np->p.ops = &names_ops;
		np->l = l;
		np->order = order;
		batch_begin(&np->b, n, open);
		np->last = batch_fill(&np->b, dir, l, i, order, window, false);
		req = (struct gofer_lookup){ .dir = gnode_handle(n), .names = np->b.names, .n_names = np->b.k, .open = open };
		if (np->b.k && req.dir && !n->changing && l->changes == np->b.changes) {
			GPENDING_SEND(s, &np->p, lookup, &req);
		} else {
			if (!np->b.k)
				gofer_lists_ahead(s, dir);
			names_free(&np->p);
		}
	}
	dentry_put(dir);
}

/* --- what is missed ------------------------------------------------------------------- */

static bool is_known(struct dentry *dir, const struct qstr *name)
{
	struct dentry *d = dcache_get(dir, name);
	bool known = d && !dentry_is_old(d);

	dentry_put(d);
	return known;
}

/* The order of visits by the one before, of which *before tells (entry + 1). */
static enum glist_order order_by(struct glist *l, _Atomic uint32_t *before, uint32_t i)
{
	uint32_t b = atomic_exchange(before, i + 1), reach = l->reach;

	return b ? glist_order_of(l, b - 1, reach ? reach - 1 : b - 1, i) : ORDER_LISTING;
}

/* Looks up entry i of the listing, and more with it. */
static bool look_up(struct gofer_super *s, struct dentry *dir, const struct qstr *name, struct glist *l, uint32_t i, bool open)
{
	struct gnode *n = gnode(dir->inode);
	struct batch b __attribute__((uninitialized));
	/* others are opened too where they are opened one after the other, or were before */
	bool bring = l && l->entries[i].type != LINUX_DT_DIR && ((open && l->looked) || s->opens.window >= OPEN_EAGER);
	enum glist_order order = l ? order_by(l, &l->looked, i) : ORDER_NONE;
	unsigned window = window_of(s, bring);

	batch_begin(&b, n, bring || open);
	b.names[b.k++] = (struct msg_str){ name->name, name->len };
	if (l && (bring || !open))
		i = batch_fill(&b, dir, l, i, order, window, false);
	if (!batch_ask(&b, dir))
		return false;
	if (b.k > 1)
		gofer_names_ahead(s, n, l, i, order, bring);
	return true;
}

bool gofer_lookup_ahead(struct dentry *dir, const struct qstr *name, bool last, bool open)
{
	struct gofer_super *s = gsuper(dir->sb);
	struct gpending *p;
	struct glist *l;
	uint32_t age;
	int64_t i = -1;
	bool known;

	if (s->shared)
		return false;
	p = gpending_take(s, gnode(dir->inode), name);
	known = p && is_known(dir, name);
	gpending_done(s, p, known);
	if (known)
		return true;
	age = gofer_age(s);
	l = glist_get(gnode(dir->inode));
	if (l) {
		i = glist_find(l, name);
		if (i < 0)
			ahead_enter_negative(dir, name, l, age);
	}
	if (i >= 0 && l->entries[i].type != LINUX_DT_DIR)
		s->want_files = true;
	if (last && (!l || i >= 0))
		known = look_up(s, dir, name, l, (uint32_t)i, open);
	else
		known = l && i < 0;
	glist_put(l);
	return known;
}

/* Opens entry i of the listing, and more with it, if entries are opened in order. */
static void open_more(struct gofer_super *s, struct dentry *dir, const struct qstr *name, struct glist *l, uint32_t i)
{
	enum glist_order order = l->opened ? order_by(l, &l->opened, i) : ORDER_NONE;
	struct batch b __attribute__((uninitialized));

	if (order == ORDER_NONE) {
		l->opened = i + 1;
		return;
	}
	batch_begin(&b, gnode(dir->inode), true);
	b.names[b.k++] = (struct msg_str){ name->name, name->len };
	i = batch_fill(&b, dir, l, i, order, window_of(s, true), true);
	if (batch_ask(&b, dir))
		gofer_names_ahead(s, gnode(dir->inode), l, i, order, true);
}

static void open_following(struct gofer_super *s, struct dentry *dir, const struct qstr *name)
{
	struct glist *l = glist_get(gnode(dir->inode));
	int64_t i = l ? glist_find(l, name) : -1;

	if (i >= 0)
		open_more(s, dir, name, l, (uint32_t)i);
	glist_put(l);
}

void gofer_open_ahead(struct file *f)
{
	struct gofer_super *s = gsuper(f->inode->sb);
	char buf[LINUX_NAME_MAX + 1];
	struct gpending *p;
	struct dentry *dir;
	struct qstr name;
	bool has;

	if (s->shared)
		return;
	dir = dentry_parent(f->path.dentry, buf);
	if (dir && (!dir->inode || dir->inode->ops != &gofer_dir_inode_ops)) {
		dentry_put(dir);
		dir = NULL;
	}
	name = (struct qstr){ buf, dir ? (uint32_t)strlen(buf) : 0 };
	p = gpending_take(s, dir ? gnode(dir->inode) : NULL, &name);
	has = p && gnode_has_fd(gnode(f->inode));
	gpending_done(s, p, has);
	if (dir && !has)
		open_following(s, dir, &name);
	dentry_put(dir);
}
