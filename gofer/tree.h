/*
 * tree.h - the exported trees, opened once at start.
 *
 * After confinement these descriptors are the only way to any file.
 */
#ifndef REDOUBT_GOFER_TREE_H
#define REDOUBT_GOFER_TREE_H

#include "libipc/err.h"

#include <stdbool.h>
#include <stddef.h>

/* A tree is a directory (fd is it) or one file (fd is a directory that holds
 * it under `name`). */
struct tree {
	const char *path; /* as given, for messages; borrowed */
	bool read_only; /* changes are refused; a mount of its own is read-only too */
	bool detached; /* fd is a mount of our own: ".." and "/" cannot leave it */
	bool holder; /* fd was given, and holds a single file as libipc/holder.h says */
	int fd; /* O_PATH; -1: not open yet */
	char *name; /* NULL: a directory */
};

/* Opens trees[n] (path and read_only are set, and fd where it was given).  With privilege each becomes a
 * detached recursive clone of its mounts (private, nodev, nosuid, read-only if
 * asked), else an O_PATH descriptor.  Before confinement: uses host paths and,
 * for single files, a mount namespace of its own. */
struct err *trees_open(struct tree *trees, size_t n) ERR_MUST_USE;

#endif
