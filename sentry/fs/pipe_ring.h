/*
 * pipe_ring.h - a byte ring that grows on use.  No locking, no kernel concepts:
 * pipes use it under their own lock.  The memory is taken when the first byte
 * comes; the owner decides how much may be in it.
 */
#ifndef SENTRY_FS_PIPE_RING_H
#define SENTRY_FS_PIPE_RING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct uio;

struct pipe_ring {
	uint8_t *buf; /* NULL until used */
	uint32_t cap; /* power of two, 0 without buf */
	uint32_t head; /* where the first byte is, modulo cap */
	uint32_t len; /* bytes in it */
	bool shared; /* buf is not its own, and others know where its bytes are: it neither grows nor starts again */
};

#define PIPE_RING_MAX (UINT32_C(1) << 30)

bool pipe_ring_reserve(struct pipe_ring *r, uint64_t extra); /* room for extra bytes more; false: no memory */
void pipe_ring_free(struct pipe_ring *r);
/* Room was reserved.  Bytes appended, or -EFAULT if the first could not be read. */
ssize_t pipe_ring_fill(struct pipe_ring *r, struct uio *u, uint32_t n);
void pipe_ring_append(struct pipe_ring *r, const void *src, uint32_t n);
void pipe_ring_prepend(struct pipe_ring *r, const void *src, uint32_t n);
/* At most n bytes out; consumed unless peek. Bytes, or -EFAULT if none. */
ssize_t pipe_ring_drain(struct pipe_ring *r, struct uio *u, uint64_t n);
uint32_t pipe_ring_copy(const struct pipe_ring *r, void *dst, uint32_t n); /* without consuming */
void pipe_ring_consume(struct pipe_ring *r, uint32_t n);

#endif
