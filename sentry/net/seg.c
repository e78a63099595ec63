/*
 * seg.c - what socket queues hold.  Freeing one may close the last reference to
 * a socket whose queue holds more of them, and so on as deep as the program
 * likes: the outermost call on a thread does all of it in a loop.
 */
#include "net/socket.h"

#include <stdlib.h>

static _Thread_local struct seg_list *draining;

struct seg *seg_new(uint32_t cap)
{
	struct seg *g = malloc(sizeof(*g) + cap);

	if (!g)
		return NULL;
	*g = (struct seg){ .cap = cap };
	return g;
}

static void free_one(struct seg *g)
{
	scm_drop(&g->scm);
	sock_name_put(g->from);
	if (g->owner) {
		uint32_t limit = g->owner->sndbuf / 2;
		uint32_t old = atomic_fetch_sub(&g->owner->sent_bytes, g->charge);

		if (old > limit && old - g->charge <= limit)
			waitq_wake(&g->owner->wq, EVENT_WRITABLE);
		socket_put(g->owner);
	}
	free(g);
}

void seg_list_free(struct seg_list *l)
{
	struct seg_list all = STAILQ_HEAD_INITIALIZER(all);
	struct seg *g;

	if (draining) {
		STAILQ_CONCAT(draining, l);
		return;
	}
	STAILQ_CONCAT(&all, l);
	draining = &all;
	while ((g = STAILQ_FIRST(&all))) {
		STAILQ_REMOVE_HEAD(&all, link);
		free_one(g);
	}
	draining = NULL;
}

void seg_free(struct seg *g)
{
	struct seg_list l = STAILQ_HEAD_INITIALIZER(l);

	STAILQ_INSERT_TAIL(&l, g, link);
	seg_list_free(&l);
}
