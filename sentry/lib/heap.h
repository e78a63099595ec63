/*
 * heap.h - allocation profile of the sentry's own heap: the call chains of all that is allocated while a
 * profile is being made.  The allocator's functions are wrapped by the linker (GNUmakefile); otherwise
 * this costs them one load each.
 */
#ifndef SENTRY_LIB_HEAP_H
#define SENTRY_LIB_HEAP_H

#include <stdint.h>

#define HEAP_FRAMES 24

/* Begins to watch: -ENOMEM, -EBUSY. */
int heap_watch(void);

/* What was allocated since and is held now, chain by chain; frames innermost first, as the
 * executable file counts addresses.  They are valid until heap_unwatch. */
typedef void heap_found_fn(const uint64_t *frames, unsigned n_frames, uint64_t bytes, void *arg);
struct heap_totals {
	uint64_t allocations; /* since it began */
	uint64_t lost; /* of which no note was taken, for want of room */
};
void heap_look(heap_found_fn *found, void *arg, struct heap_totals *totals);
void heap_unwatch(void);

#endif
