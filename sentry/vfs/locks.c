/*
 * locks.c - POSIX record locks, OFD locks and flock.
 *
 * An inode's locks hang at inode->locks.  All of them, and the list of those who
 * wait, are guarded by one lock of the vfs (RANK_FILE): they are rare.  A waiter sleeps on
 * the inode's queue and tries again.  POSIX waiters are checked for cycles (EDEADLK).
 */
#include "vfs/locks.h"

#include <stdlib.h>

static struct mutex *locks_mu(struct inode *i) { return &i->sb->vfs->locks_mu; }

static struct inode_locks *get_locks(struct inode *i)
{
	struct inode_locks *k = i->locks;

	if (k)
		return k;
	k = calloc(1, sizeof(*k));
	if (!k)
		return NULL;
	TAILQ_INIT(&k->ranges);
	TAILQ_INIT(&k->flocks);
	LIST_INIT(&k->waits);
	waitq_init(&k->wq);
	k->inode = i;
	i->locks = k;
	return k;
}

/* Something of k has changed: it is listed as long as there is something to tell. */
static void relist(struct inode_locks *k)
{
	bool any = !TAILQ_EMPTY(&k->ranges) || !TAILQ_EMPTY(&k->flocks);
	struct vfs *v = k->inode->sb->vfs;

	if (any && !k->listed)
		LIST_INSERT_HEAD(&v->locked, k, link);
	else if (!any && k->listed)
		LIST_REMOVE(k, link);
	k->listed = any;
}

static void free_list(struct held_list *l)
{
	struct held *h;

	while ((h = TAILQ_FIRST(l))) {
		TAILQ_REMOVE(l, h, link);
		free(h);
	}
}

void locks_release_inode(struct inode *i)
{
	struct inode_locks *k = i->locks;

	i->locks = NULL;
	if (k->listed) { /* one that a closing descriptor missed */
		mutex_lock(locks_mu(i));
		LIST_REMOVE(k, link);
		mutex_unlock(locks_mu(i));
	}
	free_list(&k->ranges);
	free_list(&k->flocks);
	waitq_destroy(&k->wq);
	free(k);
}

bool lock_conflicts(const struct file_lock *a, const struct file_lock *b)
{
	return a->owner != b->owner && (a->type == LINUX_F_WRLCK || b->type == LINUX_F_WRLCK) && a->start <= b->end && b->start <= a->end;
}

static struct held *find_conflict(struct held_list *list, const struct file_lock *l)
{
	struct held *h;

	TAILQ_FOREACH (h, list, link)
		if (lock_conflicts(&h->l, l))
			return h;
	return NULL;
}

/* --- ranges ---------------------------------------------------------------------- */

/* Replaces what l's owner holds in l's range by l (or nothing).  Needs at most two
 * new records, made before anything changes. */
static int apply(struct inode_locks *k, const struct file_lock *l)
{
	struct held *fresh[2] = { malloc(sizeof(struct held)), malloc(sizeof(struct held)) }, *h, *next;
	struct file_lock n = *l;

	if (!fresh[0] || !fresh[1]) {
		free(fresh[0]);
		free(fresh[1]);
		return -ENOLCK;
	}
	for (h = TAILQ_FIRST(&k->ranges); h; h = next) {
		next = TAILQ_NEXT(h, link);
		if (h->l.owner != l->owner)
			continue;
		if (h->l.type == l->type && (h->l.end == INT64_MAX || h->l.end + 1 >= n.start) && (n.end == INT64_MAX || n.end + 1 >= h->l.start)) {
			if (h->l.start < n.start) /* joins */
				n.start = h->l.start;
			if (h->l.end > n.end)
				n.end = h->l.end;
		} else if (h->l.end < l->start || h->l.start > l->end) {
			continue;
		} else if (h->l.start < l->start && h->l.end > l->end) { /* split */
			fresh[1]->l = h->l;
			fresh[1]->l.start = l->end + 1;
			h->l.end = l->start - 1;
			TAILQ_INSERT_AFTER(&k->ranges, h, fresh[1], link);
			fresh[1] = NULL;
			continue;
		} else if (h->l.start < l->start) {
			h->l.end = l->start - 1;
			continue;
		} else if (h->l.end > l->end) {
			h->l.start = l->end + 1;
			continue;
		}
		TAILQ_REMOVE(&k->ranges, h, link);
		free(h);
	}
	if (l->type != LINUX_F_UNLCK) {
		fresh[0]->l = n;
		TAILQ_INSERT_TAIL(&k->ranges, fresh[0], link);
		fresh[0] = NULL;
	}
	free(fresh[0]);
	free(fresh[1]);
	return 0;
}

int file_lock_get(struct file *f, struct file_lock *l)
{
	struct inode *i = f->inode;
	struct held *h = NULL;

	mutex_lock(locks_mu(i));
	if (i->locks)
		h = find_conflict(&((struct inode_locks *)i->locks)->ranges, l);
	if (h)
		*l = h->l;
	else
		l->type = LINUX_F_UNLCK;
	mutex_unlock(locks_mu(i));
	return 0;
}

/* --- deadlocks: who waits for whom, among all POSIX waiters of the vfs --- */

struct waiting {
	LIST_ENTRY(waiting) link;
	const void *owner, *blocker;
};

struct wait_graph {
	LIST_HEAD(, waiting) all;
};

static bool would_deadlock(struct vfs *v, const void *owner, const void *blocker)
{
	struct wait_graph *g = v->lock_waits;
	struct waiting *w;

	for (unsigned steps = 0; g && steps < 1000; steps++) {
		if (blocker == owner)
			return true;
		LIST_FOREACH (w, &g->all, link)
			if (w->owner == blocker)
				break;
		if (!w)
			return false;
		blocker = w->blocker;
	}
	return false;
}

static int graph_add(struct vfs *v, struct waiting *w)
{
	struct wait_graph *g = v->lock_waits;

	if (!g) {
		g = v->lock_waits = calloc(1, sizeof(*g));
		if (!g)
			return -ENOLCK;
		LIST_INIT(&g->all);
	}
	LIST_INSERT_HEAD(&g->all, w, link);
	return 0;
}

/* Sleeps until something was unlocked.  locks_mu held on entry and on return. */
static int wait_for(struct inode *i, struct inode_locks *k, struct lock_wait *lw, struct waiting *node)
{
	struct vfs *v = i->sb->vfs;
	struct waiter w;
	int r;

	if (node && (r = graph_add(v, node)))
		return r;
	LIST_INSERT_HEAD(&k->waits, lw, link);
	wait_begin(&w, &k->wq, EVENT_OUT);
	mutex_unlock(&v->locks_mu);
	r = wait_sleep(WAIT_FOREVER);
	wait_end(&w);
	mutex_lock(&v->locks_mu);
	LIST_REMOVE(lw, link);
	if (node)
		LIST_REMOVE(node, link);
	return r;
}

int file_lock_set(struct file *f, const struct file_lock *l, bool wait)
{
	struct inode *i = f->inode;
	struct vfs *v = i->sb->vfs;
	struct lock_wait lw = { .l = *l };
	struct inode_locks *k;
	struct held *h;
	int r = 0;

	mutex_lock(&v->locks_mu);
	k = get_locks(i);
	if (!k)
		r = -ENOLCK;
	while (!r && l->type != LINUX_F_UNLCK && (h = find_conflict(&k->ranges, l))) {
		struct waiting node = { .owner = l->owner, .blocker = h->l.owner };

		if (!wait)
			r = -EAGAIN;
		else if (!l->ofd && would_deadlock(v, l->owner, h->l.owner))
			r = -EDEADLK;
		else
			r = wait_for(i, k, &lw, l->ofd ? NULL : &node);
	}
	if (!r) {
		r = apply(k, l);
		relist(k);
	}
	mutex_unlock(&v->locks_mu);
	if (!r)
		waitq_wake(&k->wq, EVENT_OUT);
	return r;
}

/* --- flock --------------------------------------------------------------------------- */

static void flock_drop(struct inode_locks *k, const struct file *f)
{
	struct held *h, *next;

	for (h = TAILQ_FIRST(&k->flocks); h; h = next) {
		next = TAILQ_NEXT(h, link);
		if (h->l.owner == f) {
			TAILQ_REMOVE(&k->flocks, h, link);
			free(h);
		}
	}
}

int file_flock(struct file *f, int op, int32_t pid)
{
	struct inode *i = f->inode;
	struct vfs *v = i->sb->vfs;
	struct file_lock l = { .type = op & LINUX_LOCK_UN ? LINUX_F_UNLCK : op & LINUX_LOCK_EX ? LINUX_F_WRLCK : LINUX_F_RDLCK,
		.start = 0, .end = INT64_MAX, .owner = f, .pid = pid };
	struct lock_wait lw = { .l = l, .flock = true };
	struct inode_locks *k;
	struct held *h = malloc(sizeof(*h));
	int r = h ? 0 : -ENOLCK;

	mutex_lock(&v->locks_mu);
	k = get_locks(i);
	if (!k)
		r = -ENOLCK;
	if (!r && l.type != LINUX_F_UNLCK && find_conflict(&k->flocks, &l)) {
		if (op & LINUX_LOCK_NB)
			r = -EWOULDBLOCK;
		else
			flock_drop(k, f); /* changing the kind is not atomic: flock(2) */
		while (!r && find_conflict(&k->flocks, &l))
			r = wait_for(i, k, &lw, NULL);
	}
	if (!r) {
		flock_drop(k, f);
		if (l.type != LINUX_F_UNLCK) {
			h->l = l;
			TAILQ_INSERT_TAIL(&k->flocks, h, link);
			h = NULL;
		}
	}
	if (k)
		relist(k);
	mutex_unlock(&v->locks_mu);
	free(h);
	if (!r)
		waitq_wake(&k->wq, EVENT_OUT);
	return r;
}

/* --- ends ------------------------------------------------------------------------------- */

static bool drop_owner(struct held_list *list, const void *owner)
{
	struct held *h, *next;
	bool any = false;

	for (h = TAILQ_FIRST(list); h; h = next) {
		next = TAILQ_NEXT(h, link);
		if (h->l.owner != owner)
			continue;
		TAILQ_REMOVE(list, h, link);
		free(h);
		any = true;
	}
	return any;
}

void locks_release_owner(struct inode *i, const void *owner)
{
	struct inode_locks *k = i->locks;
	bool any;

	mutex_lock(locks_mu(i));
	any = drop_owner(&k->ranges, owner);
	relist(k);
	mutex_unlock(locks_mu(i));
	if (any)
		waitq_wake(&k->wq, EVENT_OUT);
}

void locks_release_file(struct file *f)
{
	struct inode *i = f->inode;
	struct inode_locks *k = i->locks;
	bool any;

	mutex_lock(locks_mu(i));
	any = drop_owner(&k->ranges, f);
	any |= drop_owner(&k->flocks, f);
	relist(k);
	mutex_unlock(locks_mu(i));
	if (any)
		waitq_wake(&k->wq, EVENT_OUT);
}
