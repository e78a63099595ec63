/*
 * msgpack.h - the part of msgpack that frames use, as a bounded writer and a
 * bounded reader over plain memory.
 *
 * Why not msgpack-c: its unpacker makes an object tree (56 bytes and more a
 * byte of input in the worst case) before anything is checked; here a field's
 * bound is checked before any memory is taken for it, and a small message
 * costs tens of nanoseconds.  The wire format is msgpack's, and the unit tests
 * compare with msgpack-c both ways.
 *
 * The reader is strict in one thing more than msgpack: a number or a length
 * must have its shortest form, so that a message has exactly one encoding.
 * Pure functions on the caller's memory; inline because they are the hot path.
 */
#ifndef REDOUBT_LIBIPC_MSGPACK_H
#define REDOUBT_LIBIPC_MSGPACK_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Writes into p[0..cap); with grow_to > 0, p is malloc'ed memory that may grow
 * to that size.  What does not fit sets full, and len stays. */
struct mp_writer {
	uint8_t *p;
	size_t len, cap, grow_to;
	bool full, no_memory;
};

/* Reads from p to end; a failed read leaves p where it was. */
struct mp_reader {
	const uint8_t *p, *end;
};

/* Makes room for n bytes more, where p may grow.  Not inline: it is seldom called, and gcc 12, where it is
 * inlined into a writer on the stack (grow_to 0), sometimes takes the realloc for one of that. */
static __attribute__((noinline, cold, unused)) bool mp_grow(struct mp_writer *w, size_t n)
{
	if (n > w->grow_to || w->grow_to - n < w->len) {
		w->full = true;
		return false;
	}
	size_t want = w->len + n, cap = w->cap * 2 > want ? w->cap * 2 : want;
	if (cap > w->grow_to)
		cap = w->grow_to;
	uint8_t *p = realloc(w->p, cap);
	if (!p) {
		w->no_memory = true;
		return false;
	}
	w->p = p;
	w->cap = cap;
	return true;
}

static inline bool mp_room(struct mp_writer *w, size_t n)
{
	return __builtin_expect(n <= w->cap - w->len, 1) || mp_grow(w, n);
}

/* A type byte and n bytes (1, 2, 4, 8) of v, big-endian. */
static inline void mp_put_be(struct mp_writer *w, uint8_t type, uint64_t v, size_t n)
{
	if (!mp_room(w, 1 + n))
		return;
	uint64_t be = htobe64(v << (64 - 8 * n));
	w->p[w->len] = type;
	memcpy(w->p + w->len + 1, &be, n);
	w->len += 1 + n;
}

static inline void mp_put_byte(struct mp_writer *w, uint8_t b)
{
	if (mp_room(w, 1))
		w->p[w->len++] = b;
}

static inline void mp_put_u64(struct mp_writer *w, uint64_t v)
{
	if (v < 0x80)
		mp_put_byte(w, (uint8_t)v);
	else if (v <= UINT8_MAX)
		mp_put_be(w, 0xcc, v, 1);
	else if (v <= UINT16_MAX)
		mp_put_be(w, 0xcd, v, 2);
	else if (v <= UINT32_MAX)
		mp_put_be(w, 0xce, v, 4);
	else
		mp_put_be(w, 0xcf, v, 8);
}

static inline void mp_put_i64(struct mp_writer *w, int64_t v)
{
	if (v >= 0)
		mp_put_u64(w, (uint64_t)v);
	else if (v >= -32)
		mp_put_byte(w, (uint8_t)v);
	else if (v >= INT8_MIN)
		mp_put_be(w, 0xd0, (uint64_t)v, 1);
	else if (v >= INT16_MIN)
		mp_put_be(w, 0xd1, (uint64_t)v, 2);
	else if (v >= INT32_MIN)
		mp_put_be(w, 0xd2, (uint64_t)v, 4);
	else
		mp_put_be(w, 0xd3, (uint64_t)v, 8);
}

static inline void mp_put_bool(struct mp_writer *w, bool v)
{
	mp_put_byte(w, v ? 0xc3 : 0xc2);
}

static inline void mp_put_nil(struct mp_writer *w)
{
	mp_put_byte(w, 0xc0);
}

static inline void mp_put_array(struct mp_writer *w, uint32_t n)
{
	if (n < 16)
		mp_put_byte(w, (uint8_t)(0x90 | n));
	else if (n <= UINT16_MAX)
		mp_put_be(w, 0xdc, n, 2);
	else
		mp_put_be(w, 0xdd, n, 4);
}

static inline void mp_put_bin(struct mp_writer *w, const void *p, uint32_t n)
{
	if (n <= UINT8_MAX)
		mp_put_be(w, 0xc4, n, 1);
	else if (n <= UINT16_MAX)
		mp_put_be(w, 0xc5, n, 2);
	else
		mp_put_be(w, 0xc6, n, 4);
	if (n && mp_room(w, n)) {
		memcpy(w->p + w->len, p, n);
		w->len += n;
	}
}

static inline size_t mp_left(const struct mp_reader *r)
{
	return (size_t)(r->end - r->p);
}

/* n bytes after the type byte, big-endian; the caller has checked the room. */
static inline uint64_t mp_be(const uint8_t *p, size_t n)
{
	uint64_t be = 0;
	memcpy(&be, p, n);
	return be64toh(be) >> (64 - 8 * n);
}

static inline bool mp_get_u64(struct mp_reader *r, uint64_t *v)
{
	/* the least value that needs 1, 2, 4, 8 bytes */
	static const uint64_t least[] = { 0x80, 0x100, 0x10000, 0x100000000 };
	if (r->p == r->end)
		return false;
	uint8_t t = *r->p;
	if (t < 0x80) {
		*v = t;
		r->p++;
		return true;
	}
	if (t < 0xcc || t > 0xcf)
		return false;
	size_t n = (size_t)1 << (t - 0xcc);
	if (mp_left(r) < 1 + n)
		return false;
	uint64_t x = mp_be(r->p + 1, n);
	if (x < least[t - 0xcc])
		return false;
	*v = x;
	r->p += 1 + n;
	return true;
}

static inline bool mp_get_i64(struct mp_reader *r, int64_t *v)
{
	/* a negative number that fits in less must be shorter: it must be < these */
	static const int64_t below[] = { -32, INT8_MIN, INT16_MIN, INT32_MIN };
	if (r->p == r->end)
		return false;
	uint8_t t = *r->p;
	if (t >= 0xe0) {
		*v = (int8_t)t;
		r->p++;
		return true;
	}
	if (t < 0xd0 || t > 0xd3) {
		struct mp_reader try = *r;
		uint64_t u;
		if (!mp_get_u64(&try, &u) || u > INT64_MAX)
			return false;
		*v = (int64_t)u;
		*r = try;
		return true;
	}
	size_t n = (size_t)1 << (t - 0xd0);
	if (mp_left(r) < 1 + n)
		return false;
	int64_t x = (int64_t)(mp_be(r->p + 1, n) << (64 - 8 * n)) >> (64 - 8 * n);
	if (x >= below[t - 0xd0])
		return false;
	*v = x;
	r->p += 1 + n;
	return true;
}

static inline bool mp_get_bool(struct mp_reader *r, bool *v)
{
	if (r->p == r->end || (*r->p != 0xc2 && *r->p != 0xc3))
		return false;
	*v = *r->p++ == 0xc3;
	return true;
}

static inline bool mp_get_nil(struct mp_reader *r)
{
	if (r->p == r->end || *r->p != 0xc0)
		return false;
	r->p++;
	return true;
}

static inline bool mp_get_array(struct mp_reader *r, uint32_t *n)
{
	if (r->p == r->end)
		return false;
	uint8_t t = *r->p;
	if ((t & 0xf0) == 0x90) {
		*n = t & 0x0f;
		r->p++;
		return true;
	}
	size_t len = t == 0xdc ? 2 : t == 0xdd ? 4 : 0;
	if (!len || mp_left(r) < 1 + len)
		return false;
	uint64_t x = mp_be(r->p + 1, len);
	if (x < (len == 2 ? 16 : 0x10000))
		return false;
	*n = (uint32_t)x;
	r->p += 1 + len;
	return true;
}

/* *p points into the input. */
static inline bool mp_get_bin(struct mp_reader *r, const uint8_t **p, uint32_t *n)
{
	static const uint64_t least[] = { 0, 0x100, 0x10000 };
	if (r->p == r->end || *r->p < 0xc4 || *r->p > 0xc6)
		return false;
	unsigned which = *r->p - 0xc4u;
	size_t len = (size_t)1 << which;
	if (mp_left(r) < 1 + len)
		return false;
	uint64_t x = mp_be(r->p + 1, len);
	if (x < least[which] || x > mp_left(r) - 1 - len)
		return false;
	*p = r->p + 1 + len;
	*n = (uint32_t)x;
	r->p += 1 + len + x;
	return true;
}

#endif
