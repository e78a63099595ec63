/*
 * locks_list.c - all locks that are held, and who waits for them: for /proc/locks.  On the thread of who
 * reads it; what it hands out is a copy, with references to the inodes.
 */
#include "vfs/locks.h"

#include <stdlib.h>

struct listing {
	struct lock_seen *all;
	unsigned n, room;
};

static unsigned count(struct vfs *v)
{
	const struct inode_locks *k;
	const struct lock_wait *w;
	const struct held *h;
	unsigned n = 0;

	LIST_FOREACH(k, &v->locked, link) {
		TAILQ_FOREACH(h, &k->ranges, link)
			n++;
		TAILQ_FOREACH(h, &k->flocks, link)
			n++;
		LIST_FOREACH(w, &k->waits, link)
			n++;
	}
	return n;
}

static void add(struct listing *to, const struct inode_locks *k, const struct file_lock *l, bool flock, bool waits)
{
	if (to->n == to->room)
		return;
	inode_get(k->inode);
	to->all[to->n++] = (struct lock_seen){ *l, k->inode, flock, waits };
}

/* The first of the list that w cannot pass. */
static bool waits_for(const struct lock_wait *w, const struct held_list *list, const struct held *h)
{
	const struct held *first;

	TAILQ_FOREACH(first, list, link)
		if (lock_conflicts(&first->l, &w->l))
			break;
	return first == h;
}

static void add_list(struct listing *to, const struct inode_locks *k, const struct held_list *list, bool flock)
{
	const struct lock_wait *w;
	const struct held *h;

	TAILQ_FOREACH(h, list, link) {
		add(to, k, &h->l, flock, false);
		LIST_FOREACH(w, &k->waits, link)
			if (w->flock == flock && waits_for(w, list, h))
				add(to, k, &w->l, flock, true);
	}
}

int vfs_locks(struct vfs *v, struct lock_seen **out, unsigned *n)
{
	struct listing to = { 0 };
	const struct inode_locks *k;

	mutex_lock(&v->locks_mu);
	to.room = count(v);
	to.all = calloc(to.room + 1, sizeof(*to.all));
	if (to.all)
		LIST_FOREACH(k, &v->locked, link) {
			add_list(&to, k, &k->ranges, false);
			add_list(&to, k, &k->flocks, true);
		}
	mutex_unlock(&v->locks_mu);
	*out = to.all;
	*n = to.n;
	return to.all ? 0 : -ENOMEM;
}

void vfs_locks_free(struct lock_seen *all, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		inode_put(all[i].inode);
	free(all);
}
