/*
 * nodes.h - node numbers for a FUSE file system: each stands for a path below its root.
 *
 * A number is never used twice.  The kernel counts how often it was given a number and says when it
 * forgets it.  Since the kernel may remember any number of paths, there is a bound: the path that was
 * least recently used is dropped and its number then means nothing (ESTALE: the kernel looks the name
 * up again).  One thread.
 */
#ifndef REDOUBT_CONTROLD_NODES_H
#define REDOUBT_CONTROLD_NODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/tree.h>

#define NODES_ROOT 1 /* the root's number; its path is empty */
#define NODES_MAX 4096
#define NODES_BYTES_MAX (1u << 20) /* of all paths */
#define NODES_PATH_MAX 4095

struct node;
struct nodes {
	RB_HEAD(nodes_by_number, node) by_number;
	RB_HEAD(nodes_by_path, node) by_path;
	TAILQ_HEAD(, node) used; /* the least lately used first */
	size_t n, bytes;
	uint64_t last;
};

void nodes_init(struct nodes *ns);
void nodes_free(struct nodes *ns);
/* NULL: it names nothing. */
const char *nodes_path(struct nodes *ns, uint64_t number);
/* The path of a name in a directory; false: the directory is none, or it would be too long. */
bool nodes_join(struct nodes *ns, uint64_t dir, const char *name, char path[NODES_PATH_MAX + 1]);
/* The path's number, once more told to the kernel; 0: out of memory. */
uint64_t nodes_tell(struct nodes *ns, const char *path);
/* What was at the path, and below it, is now at the other one; what was there has gone.  Who
 * cannot be moved for want of memory goes too. */
void nodes_rename(struct nodes *ns, const char *from, const char *to);
void nodes_forget(struct nodes *ns, uint64_t number, uint64_t times);

#endif
