/*
 * memobj.h - what can be mapped: an object with bytes at offsets (a tmpfs
 * file, shared anonymous memory, a host file).  File systems implement it, mm
 * uses it.
 */
#ifndef SENTRY_MM_MEMOBJ_H
#define SENTRY_MM_MEMOBJ_H

#include "lib/lock.h"
#include "lib/ref.h"
#include "lib/uaddr.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/queue.h>

#define ACCESS_READ 1u
#define ACCESS_WRITE 2u
#define ACCESS_EXEC 4u

/* Where bytes of an object lie now: in the memory file, or in a host file. */
struct backing {
	bool in_memfile; /* else host_fd */
	int host_fd; /* borrowed from the object, valid while a reference to it is held */
	uint64_t off; /* byte offset there of the first byte of the answer */
	uint64_t start, len; /* the answer: object offsets [start, start+len), page aligned; contains what was asked for at least in part, beginning with its first page */
	bool read_only; /* must not be mapped writable (yet): ask again with ACCESS_WRITE */
};

struct memobj;
struct memobj_ops {
	/* [off, off+len) is what is needed (page aligned; off within it must be
	 * answered, the rest may be cut off); the object may answer more on both
	 * sides of it (fault-around).  Pages within the file's size are there
	 * afterwards.  Returns 0, -EFAULT beyond the end of the object (SIGBUS),
	 * -ENOMEM, -EIO.  Takes RANK_MEMOBJ locks only. The backing's memfile
	 * pages carry no extra reference: they stay until the object drops them,
	 * which calls mm_object_invalidate first. */
	int (*translate)(struct memobj *o, uint64_t off, uint64_t len, unsigned access, struct backing *out);
	/* Last reference gone (may be NULL: embedded object whose owner frees it). */
	void (*release)(struct memobj *o);
	/* Optional: msync(MS_SYNC) of these object offsets. No locks held. */
	int (*sync)(struct memobj *o, uint64_t off, uint64_t len);
	/* Optional: madvise(MADV_REMOVE): the bytes become zero. The object calls
	 * mm_object_invalidate itself.  No locks held. */
	int (*punch)(struct memobj *o, uint64_t off, uint64_t len);
};

struct vma;
struct memobj {
	const struct memobj_ops *ops; /* [I] */
	struct ref ref;
	struct mutex maps_mu; /* mm's own: RANK_MEMOBJ, never held with another of that rank */
	LIST_HEAD(, vma) maps; /* [maps_mu] mappings of the object, for invalidation */
	unsigned writers; /* [maps_mu] those of them that are shared and may be written through */
	_Atomic bool sealed; /* no mapping made from now on may be written through when it is shared */
	_Atomic bool patched; /* some process executes patched copies of its pages: mm/text.c */
	_Atomic bool sought; /* what can be patched there without a trap has been looked for: mm/text_known.c */
	unsigned invalidating; /* [maps_mu] invalidations that have read the list and not ended */
};

void memobj_init(struct memobj *o, const struct memobj_ops *ops);
void memobj_destroy(struct memobj *o); /* before its memory is freed; no mapping may exist */
static inline void memobj_get(struct memobj *o) { ref_get(&o->ref); }
void memobj_put(struct memobj *o);

/* Nobody writes through a shared mapping from now on; existing: nor by those that exist, else false. */
bool memobj_seal(struct memobj *o, bool existing);

/* Its bytes have been changed, or may be by somebody who has mapped it: nobody
 * goes on with a copy of them.  No lock that translate takes is held. */
void memobj_unpatch(struct memobj *o);
static inline void memobj_written(struct memobj *o)
{
	if (__builtin_expect(atomic_load_explicit(&o->patched, memory_order_relaxed), 0))
		memobj_unpatch(o);
}

/* Object offsets [off, off+len) are about to go (truncate, hole punch): every
 * address space unmaps them.  private_too: also drops private copies beyond a
 * truncation. Called with none of the object's locks held; on return no stub
 * can reach the old pages. */
void mm_object_invalidate(struct memobj *o, uint64_t off, uint64_t len, bool private_too);

#endif
