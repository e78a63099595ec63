/*
 * resolve.h - from nodes to host descriptors: the only place that opens.
 *
 * Always one component below a directory descriptor, with openat2's
 * RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS, never a path
 * and never ".." (invariant I4).  What was opened is compared with the
 * identity the node was made with: -ESTALE when the host has put another file
 * there.  Functions answer 0 or a descriptor, or a negative errno.
 */
#ifndef REDOUBT_GOFER_RESOLVE_H
#define REDOUBT_GOFER_RESOLVE_H

#include "node.h"

#include <sys/stat.h>

/* Attributes asked for everywhere. */
#define STAT_MASK (STATX_BASIC_STATS | STATX_BTIME)

/* O_CLOEXEC and O_NOFOLLOW are added.  A new descriptor, the caller's. */
int open_beneath(int dir, const char *name, uint64_t flags, uint64_t mode);

/* For reading, and its attributes: a name that the directory has just said to be a regular file's. */
int open_listed(int dir, const char *name, struct statx *sx);

/* Of a name; a link itself. */
int stat_name(int dir, const char *name, struct statx *sx);
int stat_fd(int fd, struct statx *sx);
void id_of(const struct statx *sx, struct node_id *id);

/* A descriptor of the node itself, kept in the table's set (do not close);
 * valid until the set is trimmed, at the end of a request.  O_PATH, or open
 * for real for an orphaned regular file. */
int node_path_fd(struct node_table *t, struct node *n);

/* The directory (borrowed as above) and name that lead to a node. */
int node_place(struct node_table *t, struct node *n, int *dir, const char **name);

/* Opens a directory or regular file for real; others are -ENXIO (links:
 * -ELOOP).  Never blocks.  The caller's to close.  flags: access mode and what
 * openat2 takes beside, no O_CREAT or O_TRUNC. */
int node_real_fd(struct node_table *t, struct node *n, uint64_t flags);

/* The same, with its attributes. */
int node_real_stat(struct node_table *t, struct node *n, uint64_t flags, struct statx *sx);

int node_stat(struct node_table *t, struct node *n, struct statx *sx);

/* Opens a file that is about to lose its name, so that its handles stay good.
 * Failing is no error. */
void node_keep(struct node_table *t, struct node *n);

#endif
