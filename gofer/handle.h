/*
 * handle.h - the numbers given to a peer for nodes.  Pure.
 *
 * A handle is (start << 51 | generation << 24 | index + 1): 0 is never one, and one
 * that was released is not mistaken for its index's next user, nor one that
 * a killed process gave out for its successor's (keeper.h).  63 bits, so that it fits a
 * signed number (JSON).  One table a connection.
 */
#ifndef REDOUBT_GOFER_HANDLE_H
#define REDOUBT_GOFER_HANDLE_H

#include <stdint.h>

struct node;

struct handle_entry {
	struct node *node; /* NULL: free */
	uint32_t generation; /* 27 bits */
	uint32_t next_free; /* index + 1 */
};

struct handle_table {
	struct handle_entry *entries;
	uint32_t size, max, live; /* max: at most 2^24 - 1 */
	unsigned start; /* 12 bits */
	uint32_t first_free; /* index + 1; 0: none */
};

/* start: how many processes gave out handles before this one. */
void handle_table_init(struct handle_table *t, uint32_t max, unsigned start);
void handle_table_destroy(struct handle_table *t); /* the nodes are the caller's */

/* 0 or -ENFILE, -ENOMEM. */
int handle_new(struct handle_table *t, struct node *n, uint64_t *handle);
/* NULL for anything that is not a live handle. */
struct node *handle_get(const struct handle_table *t, uint64_t handle);
/* Ends a handle; answers its node, NULL if it was none. */
struct node *handle_take(struct handle_table *t, uint64_t handle);

#endif
