/*
 * pipe_ring.c - a byte ring that grows on use (see pipe_ring.h).
 */
#include "fs/pipe_ring.h"

#include "mm/usercopy.h"

#include <stdlib.h>
#include <string.h>

#define RING_MIN 4096u

bool pipe_ring_reserve(struct pipe_ring *r, uint64_t extra)
{
	uint64_t need = r->len + extra;
	uint32_t cap = r->cap ? r->cap : RING_MIN;
	uint8_t *buf;

	if (extra > PIPE_RING_MAX || need > PIPE_RING_MAX)
		return false;
	if (need <= r->cap)
		return true;
	if (r->shared)
		return false;
	while (cap < need)
		cap *= 2;
	buf = malloc(cap);
	if (!buf)
		return false;
	pipe_ring_copy(r, buf, r->len);
	free(r->buf);
	*r = (struct pipe_ring){ .buf = buf, .cap = cap, .len = r->len };
	return true;
}

void pipe_ring_free(struct pipe_ring *r)
{
	if (!r->shared)
		free(r->buf);
	*r = (struct pipe_ring){ 0 };
}

/* The contiguous part of [at, at+n). */
static uint32_t span(const struct pipe_ring *r, uint32_t at, uint32_t n)
{
	return n < r->cap - at ? n : r->cap - at;
}

ssize_t pipe_ring_fill(struct pipe_ring *r, struct uio *u, uint32_t n)
{
	uint32_t done = 0;

	while (done < n) {
		uint32_t at = (r->head + r->len) & (r->cap - 1), part = span(r, at, n - done);
		ssize_t got = uio_copy_in(u, r->buf + at, part);

		if (got < 0)
			return done ? (ssize_t)done : got;
		r->len += got;
		done += got;
		if ((uint32_t)got < part)
			break;
	}
	return done;
}

void pipe_ring_append(struct pipe_ring *r, const void *src, uint32_t n)
{
	for (uint32_t done = 0; done < n;) {
		uint32_t at = (r->head + r->len) & (r->cap - 1), part = span(r, at, n - done);

		memcpy(r->buf + at, (const uint8_t *)src + done, part);
		r->len += part;
		done += part;
	}
}

void pipe_ring_prepend(struct pipe_ring *r, const void *src, uint32_t n)
{
	uint32_t at = (r->head - n) & (r->cap - 1), part = span(r, at, n);

	memcpy(r->buf + at, src, part);
	memcpy(r->buf, (const uint8_t *)src + part, n - part);
	r->head -= n;
	r->len += n;
}

ssize_t pipe_ring_drain(struct pipe_ring *r, struct uio *u, uint64_t n)
{
	ssize_t done = 0;

	while (n && r->len) {
		uint32_t at = r->head & (r->cap - 1), part = span(r, at, n < r->len ? (uint32_t)n : r->len);
		ssize_t got = uio_copy_out(u, r->buf + at, part);

		if (got < 0)
			return done ? done : got;
		pipe_ring_consume(r, got);
		done += got;
		n -= got;
		if ((uint32_t)got < part)
			break;
	}
	return done;
}

uint32_t pipe_ring_copy(const struct pipe_ring *r, void *dst, uint32_t n)
{
	uint32_t at, part;

	if (n > r->len)
		n = r->len;
	if (!n)
		return 0;
	at = r->head & (r->cap - 1);
	part = span(r, at, n);
	memcpy(dst, r->buf + at, part);
	memcpy((uint8_t *)dst + part, r->buf, n - part);
	return n;
}

void pipe_ring_consume(struct pipe_ring *r, uint32_t n)
{
	r->len -= n;
	/* an empty ring starts at 0 again: its next transfer is one copy */
	r->head = r->len || r->shared ? r->head + n : 0;
}
