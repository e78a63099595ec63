/*
 * ranges.h - free ranges of the memory file: by offset, to join neighbours and to follow
 * hints; by size, for the best fit.
 *
 * Any thread; the caller's lock guards a set.  Nodes are malloc'ed.
 */
#ifndef SENTRY_MM_RANGES_H
#define SENTRY_MM_RANGES_H

#include <stdint.h>
#include <sys/tree.h>

struct range {
	RB_ENTRY(range) by_off, by_size;
	uint64_t off, len;
};

/* By offset; also for others' own sets, which use by_off only. */
RB_HEAD(range_tree, range);
RB_PROTOTYPE_INTERNAL(range_tree, range, by_off, cmp_off, )
RB_HEAD(size_tree, range);

struct ranges {
	struct range_tree by_off;
	struct size_tree by_size; /* the same ranges */
};

void ranges_init(struct ranges *f);
/* r becomes part of the set, joined with its neighbours; it is freed where it is not needed. */
void ranges_add(struct ranges *f, struct range *r);
/* A range that has len bytes from *off on, which is hint, if that can be, or the best fit
 * with align (a power of two).  NULL: none. */
struct range *ranges_find(struct ranges *f, uint64_t len, uint64_t align, uint64_t hint, uint64_t *off);
/* Takes [off, off+len) out of r, one of the set. -ENOMEM without a node for the rest. */
int ranges_take(struct ranges *f, struct range *r, uint64_t off, uint64_t len);

#endif
