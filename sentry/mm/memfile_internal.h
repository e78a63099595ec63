/*
 * memfile_internal.h - what memfile.c and memfile_freed.c share.
 */
#ifndef SENTRY_MM_MEMFILE_INTERNAL_H
#define SENTRY_MM_MEMFILE_INTERNAL_H

#include "lib/lock.h"
#include "mm/charge.h"
#include "mm/memfile.h"
#include "mm/ranges.h"

#include <stdatomic.h>

struct memfile {
	int fd; /* [I] */
	uint8_t *base; /* [I] */
	uint64_t size; /* [I] */
	uint8_t *huge; /* [I] huge.h; NULL: no such pages */
	uint64_t limit, hard; /* [mu] */
	memfile_told_fn *told; /* [mu] */
	void *told_arg; /* [mu] */
	_Atomic uint32_t *refs; /* [I] the array; [a] its elements */
	struct mutex mu; /* RANK_MEMFILE */
	struct ranges free; /* [mu] */
	/* Freed, and not given back to the host: memfile_freed.c. */
	struct range_tree dirty; /* [mu] */
	uint64_t dirty_bytes; /* [mu] */
	uint64_t dirty_most; /* [mu] more are given back */
	uint64_t dirty_spare; /* [mu] the fewest there were since memfile_rest() looked */
	_Atomic uint64_t allocated; /* [mu to write] */
	_Atomic(struct charges *) charges; /* set once [mu]; NULL: nobody asks whose pages are */
};

/* --- memfile.c --- */
bool memfile_refuses_locked(const struct memfile *m, uint64_t len); /* somebody would have more than he may */
void memfile_first_reference(struct memfile *m, uint64_t off, uint64_t len); /* of pages just taken. No locks held */

/* --- memfile_freed.c --- */
void memfile_freed_init(struct memfile *m);
void memfile_freed(struct memfile *m, uint64_t off, uint64_t len); /* those pages have no reference any more */
bool memfile_flush_locked(struct memfile *m, uint64_t keep); /* until at most that much is held back; false: it was no more */

#endif
