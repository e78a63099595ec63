/*
 * epoll_watch.c - what links files to the event sets that watch them: removal
 * when a file ends, and the check that sets do not contain one another.
 */
#include "fs/epoll_impl.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#define MAX_NESTS 5 /* sets in a row, as Linux's EP_MAX_NESTS */

/* A lock only, no state: it serialises putting sets into sets, in all kernels of
 * the process (there is one). Rank: nothing is held when it is taken. */
static struct mutex nest_mu = MUTEX_INIT(RANK_RENAME);

void nest_lock(void)
{
	mutex_lock(&nest_mu);
}

void nest_unlock(void)
{
	mutex_unlock(&nest_mu);
}

/* One item of the watch, with a reference to its set; false: none left. */
static bool first_item(struct watch *w, struct epitem **it, struct epoll **ep)
{
	mutex_lock(&w->mu);
	*it = LIST_FIRST(&w->items);
	if (*it) {
		*ep = (*it)->ep;
		ref_get(&(*ep)->ref);
	}
	mutex_unlock(&w->mu);
	return *it;
}

static bool still_first(struct watch *w, struct epitem *it, struct epoll *ep)
{
	bool same;

	mutex_lock(&w->mu);
	same = LIST_FIRST(&w->items) == it && it->ep == ep;
	mutex_unlock(&w->mu);
	return same;
}

static void watch_gone(struct file *f)
{
	struct watch *w = (struct watch *)atomic_load(&f->epoll_items);
	bool is_set = f->ops == &epoll_file_ops;
	struct epitem *it;
	struct epoll *ep;

	while (first_item(w, &it, &ep)) {
		bool mine;

		mutex_lock_nested(&ep->mu);
		/* items go only with their set's lock held: now it stays or is gone already */
		mine = still_first(w, it, ep);
		if (mine)
			epitem_remove(it);
		mutex_unlock(&ep->mu);
		epoll_put(ep);
		if (mine)
			epoll_put(ep);
	}
	/* nest_check may be looking at a set's watch */
	if (is_set)
		nest_lock();
	atomic_store(&f->epoll_items, NULL);
	mutex_destroy(&w->mu);
	free(w);
	if (is_set)
		nest_unlock();
}

struct watch *watch_get(struct file *f)
{
	struct file_watch *old = atomic_load(&f->epoll_items);
	struct watch *w;

	if (old)
		return (struct watch *)old;
	w = calloc(1, sizeof(*w));
	if (!w)
		return NULL;
	w->hook.gone = watch_gone;
	mutex_init(&w->mu, RANK_LEAF);
	LIST_INIT(&w->items);
	if (atomic_compare_exchange_strong(&f->epoll_items, &old, &w->hook))
		return w;
	mutex_destroy(&w->mu);
	free(w);
	return (struct watch *)old;
}

/* What nest_check knows of sets by now: each is looked into once, as programs may watch many of them in many. */
static uint64_t looks; /* [nest lock] how often it went one way */

/* Sets below ep, itself included; over MAX_NESTS as soon as `target` is among them. */
static int depth_below(struct epoll *ep, const struct epoll *target, int limit)
{
	struct epitem *it;
	int deepest = 0;

	if (ep == target || limit == 0)
		return MAX_NESTS + 1;
	if (ep->looked == looks)
		return ep->depth;
	mutex_lock_nested(&ep->mu);
	RB_FOREACH(it, eptree, &ep->items)
	{
		int d = it->file->ops == &epoll_file_ops ? depth_below(it->file->priv, target, limit - 1) : 0;

		if (d > deepest)
			deepest = d;
	}
	mutex_unlock(&ep->mu);
	ep->looked = looks;
	return ep->depth = deepest + 1;
}

/* Sets above ep, itself included. The watches on the way are held locked, which keeps the sets they lead to whole. */
static int depth_above(struct epoll *ep, int limit)
{
	struct watch *w = (struct watch *)atomic_load(&ep->file->epoll_items);
	struct epitem *it;
	int highest = 0;

	if (!w || limit == 0)
		return 1;
	if (ep->looked == looks)
		return ep->depth;
	mutex_lock_nested(&w->mu);
	LIST_FOREACH(it, &w->items, watch_link)
	{
		int d = depth_above(it->ep, limit - 1);

		if (d > highest)
			highest = d;
	}
	mutex_unlock(&w->mu);
	ep->looked = looks;
	return ep->depth = highest + 1;
}

/* How many ways an event may take up to the last set, by the sets that it passes before that (Linux's path_limits): with
 * EPOLLET it takes each of them. */
static const unsigned ways_max[MAX_NESTS] = { UINT_MAX, 500, 100, 50, 10 };

/* Adds the ways up from w, which has `depth` sets below it; false: there are more than may be. */
static bool count_ways(struct watch *w, unsigned depth, unsigned ways[MAX_NESTS])
{
	struct epitem *it;
	bool ok = depth <= MAX_NESTS;

	mutex_lock_nested(&w->mu);
	if (ok && depth && LIST_EMPTY(&w->items))
		ok = ++ways[depth - 1] <= ways_max[depth - 1];
	LIST_FOREACH(it, &w->items, watch_link)
	{
		struct watch *up = (struct watch *)atomic_load(&it->ep->file->epoll_items);

		if (!ok || depth == MAX_NESTS)
			break;
		ok = up ? count_ways(up, depth + 1, ways) : ++ways[depth] <= ways_max[depth];
	}
	mutex_unlock(&w->mu);
	return ok;
}

static bool ways_below(struct epoll *ep)
{
	struct epitem *it;
	bool ok = true;

	if (ep->looked == looks)
		return true;
	ep->looked = looks;
	mutex_lock_nested(&ep->mu);
	RB_FOREACH(it, eptree, &ep->items)
	{
		unsigned ways[MAX_NESTS] = { 0 };

		if (ok)
			ok = it->file->ops == &epoll_file_ops ? ways_below(it->file->priv) : count_ways(it->watch, 0, ways);
	}
	mutex_unlock(&ep->mu);
	return ok;
}

int ways_check(struct file *f)
{
	unsigned ways[MAX_NESTS] = { 0 };

	looks++;
	return (f->ops == &epoll_file_ops ? ways_below(f->priv) : count_ways((struct watch *)atomic_load(&f->epoll_items), 0, ways)) ? 0 : -EINVAL;
}

int nest_check(struct epoll *outer, struct epoll *inner)
{
	int below;

	looks++;
	below = depth_below(inner, outer, MAX_NESTS + 1);
	if (below > MAX_NESTS)
		return -ELOOP;
	looks++;
	return below + depth_above(outer, MAX_NESTS) > MAX_NESTS ? -ELOOP : 0;
}
