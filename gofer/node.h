/*
 * node.h - what the gofer remembers of the files that a peer holds handles to:
 * a tree of (directory, name) pairs, each with the identity of the file that
 * was found there.  Pure but for close(2); opening is resolve.h's business.
 *
 * A node lives while a handle or a node below it refers to it.  There is one
 * node for a name in a directory; when another file is found under that name,
 * or the name is removed, the node is orphaned: it keeps its descriptor, if it
 * has one, and can otherwise not be reached any more.
 *
 * One thread; a table belongs to one connection, the descriptor sets to all.
 */
#ifndef REDOUBT_GOFER_NODE_H
#define REDOUBT_GOFER_NODE_H

#include "fdlru.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tree;

/* Is this still the same file? */
struct node_id {
	uint64_t dev, ino;
	uint32_t type; /* S_IFMT bits */
};

struct node {
	struct node *parent; /* NULL: a tree's root.  Holds a reference. */
	struct node *chain; /* next in the bucket */
	struct tree *tree;
	char *name; /* NULL: a tree's root */
	struct node_id id;
	uint32_t refs; /* handles and nodes below */
	bool hashed; /* can be found by its name; else root or orphan */
	bool foreign; /* on a file system that is not served, see foreign.h */
	bool real; /* path.fd, if there is one, is open for reading, not O_PATH */
	struct fd_slot path; /* the file itself */
	struct fd_slot stream; /* a directory being read */
	uint64_t stream_at; /* where stream stands */
};

/* The descriptors of all tables of the process. */
struct node_fds {
	struct fd_lru paths, orphans, streams;
};
void node_fds_init(struct node_fds *f, unsigned budget);
void node_fds_trim(struct node_fds *f);

struct node_table {
	struct node **buckets;
	size_t n_buckets;
	uint32_t count, max;
	uint64_t seed;
	struct node_fds *fds;
};

/* max: nodes.  seed: not known to the peer.  False: out of memory. */
bool node_table_init(struct node_table *t, uint32_t max, uint64_t seed, struct node_fds *fds);
void node_table_destroy(struct node_table *t); /* no node may be left */

static inline bool node_same(const struct node_id *a, const struct node_id *b)
{
	return a->ino == b->ino && a->dev == b->dev && a->type == b->type;
}
static inline bool node_orphan(const struct node *n) { return n->parent && !n->hashed; }

/* Makes a tree's root; fd is borrowed (-1: a root that is opened by name).
 * One reference for the caller.  NULL: errno is ENFILE or ENOMEM. */
struct node *node_root(struct node_table *t, struct tree *tree, const struct node_id *id, int fd);

/* The node for a name if one is known.  No reference is added. */
struct node *node_find(const struct node_table *t, const struct node *dir, const char *name);

/* The node for what was just found under a name: the known one if it is the
 * same file, else a new one (the known one is orphaned).  Adds a reference.
 * NULL: errno is ENFILE or ENOMEM. */
struct node *node_found(struct node_table *t, struct node *dir, const char *name, const struct node_id *id);

void node_ref(struct node *n);
void node_unref(struct node_table *t, struct node *n);

/* The name no longer leads to it. */
void node_orphan_it(struct node_table *t, struct node *n);

/* Follows a rename; orphans n when that is impossible (the table's picture of
 * the directories was out of date). n must be hashed. */
void node_move(struct node_table *t, struct node *n, struct node *dir, const char *name);

/* Two names have changed places; either may be unknown. */
void node_exchange(struct node_table *t, struct node *dir1, const char *name1, struct node *dir2, const char *name2);

#endif
