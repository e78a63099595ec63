/*
 * fdlru.h - bounded sets of open descriptors, the least recently used closed
 * first.  Pure but for close(2).
 *
 * A slot lies in what the descriptor belongs to (a node).  A slot outside any
 * set may hold a borrowed descriptor, which is never closed here.
 */
#ifndef REDOUBT_GOFER_FDLRU_H
#define REDOUBT_GOFER_FDLRU_H

#include <sys/queue.h>

struct fd_slot {
	int fd; /* -1: none */
	struct fd_lru *lru; /* the set it is in; NULL: none, fd is borrowed */
	TAILQ_ENTRY(fd_slot) link;
};

struct fd_lru {
	TAILQ_HEAD(fd_slots, fd_slot) slots; /* most recently used first */
	unsigned count;
	unsigned budget;
};

#define FD_SLOT_NONE ((struct fd_slot){ .fd = -1 })

void fd_lru_init(struct fd_lru *l, unsigned budget);

/* Takes fd; the slot must be empty.  May exceed the budget until the next trim. */
void fd_lru_put(struct fd_lru *l, struct fd_slot *s, int fd);

/* Marks as just used. */
void fd_slot_touch(struct fd_slot *s);

/* Closes (unless borrowed) and empties. */
void fd_slot_close(struct fd_slot *s);

/* Moves the slot's descriptor, if it has one, to another set. */
void fd_slot_move(struct fd_slot *s, struct fd_lru *to);

/* Closes the oldest until the budget is kept. */
void fd_lru_trim(struct fd_lru *l);

#endif
