/*
 * msg_decode.c - msgpack to C structs: the strict decoder, driven by the field
 * tables.
 *
 * The input is hostile.  Nothing is global, nothing is acted on: a message is
 * either wholly good or refused with the path of the field that is not.
 * Memory is taken only after the count or length has been compared both with
 * the schema's bound and with the bytes that are left in the input (an element
 * needs at least msg_wire_min() of them).  Any thread.
 */
#include "libipc/msg_desc.h"
#include "libipc/msgpack.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct decoder {
	struct mp_reader r;
	struct msg_arena arena;
	const int *fds; /* the frame's, still owned by it */
	unsigned nfds, next_fd;
};

static struct err *decode_struct(struct decoder *d, const struct msg_desc *desc, uint8_t *out, const struct msg_path *at) ERR_MUST_USE;

static struct err *wrong_type(const struct msg_path *at, const char *want)
{
	return msg_path_error(at, EPROTO, "not %s in its shortest form", want);
}

static struct err *no_memory(const struct msg_path *at)
{
	return msg_path_error(at, ENOMEM, "decoding");
}

/* The bytes themselves: a NUL-terminated copy. */
static struct err *decode_bin(struct decoder *d, uint32_t maxlen, const uint8_t **p, uint32_t *len, const struct msg_path *at)
{
	const uint8_t *from;
	uint32_t n;
	if (!mp_get_bin(&d->r, &from, &n))
		return wrong_type(at, "a byte string");
	if (n > maxlen)
		return msg_path_error(at, EPROTO, "%u bytes, at most %u", n, maxlen);
	uint8_t *copy = msg_arena_alloc(&d->arena, (size_t)n + 1);
	if (!copy)
		return no_memory(at);
	memcpy(copy, from, n);
	copy[n] = 0;
	*p = copy;
	*len = n;
	return NULL;
}

static struct err *decode_str(struct decoder *d, uint32_t maxlen, struct msg_str *out, const struct msg_path *at)
{
	const uint8_t *p;
	struct err *e = decode_bin(d, maxlen, &p, &out->len, at);
	if (e)
		return e;
	if (memchr(p, 0, out->len))
		return msg_path_error(at, EPROTO, "NUL in a string");
	out->p = (const char *)p;
	return NULL;
}

static struct err *decode_fd(struct decoder *d, int *out, const struct msg_path *at)
{
	uint64_t index;
	if (!mp_get_u64(&d->r, &index))
		return wrong_type(at, "a descriptor index");
	if (index != d->next_fd)
		return msg_path_error(at, EPROTO, "descriptor index %" PRIu64 " where %u is next", index, d->next_fd);
	if (d->next_fd >= d->nfds)
		return msg_path_error(at, EPROTO, "descriptor missing: the frame brought %u", d->nfds);
	*out = d->fds[d->next_fd++];
	return NULL;
}

/* One element of a list, or the value of a field that is not a list. */
static struct err *decode_value(struct decoder *d, const struct msg_field *f, uint8_t *v, const struct msg_path *at)
{
	switch (f->kind) {
	case MSG_U64:
	case MSG_U64S: {
		uint64_t *u = (uint64_t *)(void *)v;
		if (!mp_get_u64(&d->r, u))
			return wrong_type(at, "a number, 0 or more,");
		if (f->kind == MSG_U64 && *u > f->max)
			return msg_path_error(at, EPROTO, "%" PRIu64 ", at most %" PRIu64, *u, f->max);
		return NULL;
	}
	case MSG_I64: {
		int64_t *i = (int64_t *)(void *)v;
		if (!mp_get_i64(&d->r, i))
			return wrong_type(at, "a number");
		if (*i < f->imin || *i > f->imax)
			return msg_path_error(at, EPROTO, "%" PRId64 ", not in %" PRId64 "..%" PRId64, *i, f->imin, f->imax);
		return NULL;
	}
	case MSG_BOOL:
		return mp_get_bool(&d->r, (bool *)v) ? NULL : wrong_type(at, "true or false");
	case MSG_STR:
	case MSG_STRS:
		return decode_str(d, f->maxlen, (struct msg_str *)(void *)v, at);
	case MSG_BYTES: {
		struct msg_bytes *b = (struct msg_bytes *)(void *)v;
		return decode_bin(d, f->maxlen, &b->p, &b->len, at);
	}
	case MSG_OPT_FD:
		if (mp_get_nil(&d->r)) {
			*(int *)(void *)v = -1;
			return NULL;
		}
		return decode_fd(d, (int *)(void *)v, at);
	case MSG_FD:
	case MSG_FDS:
		return decode_fd(d, (int *)(void *)v, at);
	case MSG_STRUCT:
	case MSG_LIST:
		return decode_struct(d, f->sub, v, at);
	}
	return msg_path_error(at, EPROTO, "unknown kind");
}

static struct err *decode_counted(struct decoder *d, const struct msg_field *f, uint8_t *out, const struct msg_path *up)
{
	struct msg_path at = { up, f->name, -1 };
	uint32_t n;
	if (!mp_get_array(&d->r, &n))
		return wrong_type(&at, "an array");
	if (n > f->max)
		return msg_path_error(&at, EPROTO, "%u elements, at most %" PRIu64, n, f->max);
	if (n > mp_left(&d->r) / msg_wire_min(f))
		return msg_path_error(&at, EPROTO, "%u elements in %zu bytes", n, mp_left(&d->r));
	size_t size = msg_element_size(f);
	uint8_t *v = msg_arena_alloc(&d->arena, n * size); /* n < 2^26: no overflow */
	if (!v)
		return no_memory(&at);
	for (uint32_t i = 0; i < n; i++) {
		at.index = i;
		struct err *e = decode_value(d, f, v + i * size, &at);
		if (e)
			return e;
	}
	*(void **)(void *)(out + f->offset) = v;
	*(uint32_t *)(void *)(out + f->count_offset) = n;
	return NULL;
}

static struct err *decode_struct(struct decoder *d, const struct msg_desc *desc, uint8_t *out, const struct msg_path *at)
{
	uint32_t n;
	if (!mp_get_array(&d->r, &n))
		return wrong_type(at, "an array");
	if (n != desc->n_fields)
		return msg_path_error(at, EPROTO, "%u fields, must be %u", n, desc->n_fields);
	/* padding too: the struct may be compared or hashed */
	memset(out, 0, desc->size);
	for (const struct msg_field *f = desc->fields; f->name; f++) {
		struct err *e;
		if (f->kind >= MSG_LIST) {
			e = decode_counted(d, f, out, at);
		} else {
			struct msg_path here = { at, f->name, -1 };
			e = decode_value(d, f, out + f->offset, &here);
		}
		if (e)
			return e;
	}
	return NULL;
}

/* Decodes the whole input; only on success are out and *a touched. */
static struct err *decode_all(struct decoder *d, const struct msg_desc *desc, void *out, struct msg_arena *a)
{
	struct msg_path top = { NULL, msg_desc_short(desc), -1 };
	struct err *e;
	uint8_t *tmp = msg_arena_alloc(&d->arena, desc->size);
	if (!tmp)
		return no_memory(&top);
	e = decode_struct(d, desc, tmp, &top);
	if (!e && mp_left(&d->r))
		e = msg_path_error(&top, EPROTO, "%zu bytes after the message", mp_left(&d->r));
	if (!e && d->next_fd != d->nfds)
		e = msg_path_error(&top, EPROTO, "%u descriptors, must be %u", d->nfds, d->next_fd);
	if (e) {
		msg_arena_free(&d->arena);
		return e;
	}
	memcpy(out, tmp, desc->size);
	msg_arena_join(a, &d->arena);
	return NULL;
}

struct err *msg_decode(const struct msg_desc *desc, struct frame *f, void *out, struct msg_arena *a)
{
	if (f->fds_lost)
		return err_new(EMFILE, "%s: receiving its descriptors", msg_desc_short(desc));
	struct decoder d = {
		.r = { f->body, f->body + f->body_len },
		.fds = f->fds,
		.nfds = f->nfds,
	};
	struct err *e = decode_all(&d, desc, out, a);
	if (!e)
		f->nfds = 0; /* they are out's now */
	return e;
}

struct err *msg_decode_buf(const struct msg_desc *desc, const uint8_t *buf, size_t len, void *out, struct msg_arena *a)
{
	struct decoder d = { .r = { buf, buf + len } };
	return decode_all(&d, desc, out, a);
}
