/*
 * fdlru.c - bounded sets of open descriptors.  One thread; see fdlru.h.
 */
#include "fdlru.h"

#include <stddef.h>
#include <unistd.h>

void fd_lru_init(struct fd_lru *l, unsigned budget)
{
	TAILQ_INIT(&l->slots);
	l->count = 0;
	l->budget = budget;
}

void fd_lru_put(struct fd_lru *l, struct fd_slot *s, int fd)
{
	s->fd = fd;
	s->lru = l;
	TAILQ_INSERT_HEAD(&l->slots, s, link);
	l->count++;
}

static void unlink_slot(struct fd_slot *s)
{
	TAILQ_REMOVE(&s->lru->slots, s, link);
	s->lru->count--;
	s->lru = NULL;
}

void fd_slot_touch(struct fd_slot *s)
{
	if (!s->lru || TAILQ_FIRST(&s->lru->slots) == s)
		return;
	TAILQ_REMOVE(&s->lru->slots, s, link);
	TAILQ_INSERT_HEAD(&s->lru->slots, s, link);
}

void fd_slot_close(struct fd_slot *s)
{
	if (s->lru) {
		unlink_slot(s);
		close(s->fd);
	}
	s->fd = -1;
}

void fd_slot_move(struct fd_slot *s, struct fd_lru *to)
{
	if (!s->lru || s->lru == to)
		return;
	unlink_slot(s);
	fd_lru_put(to, s, s->fd);
}

void fd_lru_trim(struct fd_lru *l)
{
	while (l->count > l->budget)
		fd_slot_close(TAILQ_LAST(&l->slots, fd_slots));
}
