/*
 * msg_encode.c - C structs to msgpack, driven by the field tables.
 *
 * Pure functions on the caller's memory; any thread.  Bounds are checked on
 * the way out too, so that a bug here never looks like an attack there.  The
 * path for an error text is made only when there is an error.
 */
#include "libipc/frame_io.h"
#include "libipc/msg_desc.h"
#include "libipc/msgpack.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST 256
#define BUF_MAX ((size_t)64 << 20) /* of a message outside a frame */

struct encoder {
	struct mp_writer w;
	struct frame *frame; /* where descriptors go; NULL: none may occur */
};

static struct err *encode_struct(struct encoder *e, const struct msg_desc *d, const uint8_t *in, const struct msg_path *at) ERR_MUST_USE;

static struct err *encode_bin(struct encoder *e, const void *p, uint32_t len, uint32_t maxlen, const struct msg_path *at)
{
	if (len > maxlen)
		return msg_path_error(at, ENAMETOOLONG, "%u bytes, at most %u", len, maxlen);
	if (len && !p)
		return msg_path_error(at, EINVAL, "%u bytes at NULL", len);
	mp_put_bin(&e->w, p, len);
	return NULL;
}

static struct err *encode_str(struct encoder *e, const struct msg_str *s, uint32_t maxlen, const struct msg_path *at)
{
	if (s->len <= maxlen && s->p && memchr(s->p, 0, s->len))
		return msg_path_error(at, EINVAL, "NUL in a string");
	return encode_bin(e, s->p, s->len, maxlen, at);
}

static struct err *encode_fd(struct encoder *e, int fd, const struct msg_path *at)
{
	struct frame *f = e->frame;
	if (!f)
		return msg_path_error(at, EINVAL, "a descriptor where none can be sent");
	if (fd < 0)
		return msg_path_error(at, EBADF, "descriptor is missing");
	if (f->nfds == FRAME_FDS_MAX)
		return msg_path_error(at, E2BIG, "more than %d descriptors in a frame", FRAME_FDS_MAX);
	mp_put_u64(&e->w, f->nfds);
	f->fds[f->nfds++] = fd;
	return NULL;
}

/* One element of a list, or the value of a field that is not a list. */
static struct err *encode_value(struct encoder *e, const struct msg_field *f, const uint8_t *v, const struct msg_path *at)
{
	switch (f->kind) {
	case MSG_U64: {
		uint64_t u = *(const uint64_t *)(const void *)v;
		if (u > f->max)
			return msg_path_error(at, ERANGE, "%" PRIu64 ", at most %" PRIu64, u, f->max);
		mp_put_u64(&e->w, u);
		return NULL;
	}
	case MSG_I64: {
		int64_t i = *(const int64_t *)(const void *)v;
		if (i < f->imin || i > f->imax)
			return msg_path_error(at, ERANGE, "%" PRId64 ", not in %" PRId64 "..%" PRId64, i, f->imin, f->imax);
		mp_put_i64(&e->w, i);
		return NULL;
	}
	case MSG_BOOL:
		mp_put_bool(&e->w, *(const bool *)v);
		return NULL;
	case MSG_STR:
	case MSG_STRS:
		return encode_str(e, (const void *)v, f->maxlen, at);
	case MSG_BYTES: {
		const struct msg_bytes *b = (const void *)v;
		return encode_bin(e, b->p, b->len, f->maxlen, at);
	}
	case MSG_OPT_FD:
		if (*(const int *)(const void *)v < 0) {
			mp_put_nil(&e->w);
			return NULL;
		}
		return encode_fd(e, *(const int *)(const void *)v, at);
	case MSG_FD:
	case MSG_FDS:
		return encode_fd(e, *(const int *)(const void *)v, at);
	case MSG_STRUCT:
	case MSG_LIST:
		return encode_struct(e, f->sub, v, at);
	case MSG_U64S:
		mp_put_u64(&e->w, *(const uint64_t *)(const void *)v);
		return NULL;
	}
	return msg_path_error(at, EINVAL, "unknown kind");
}

static struct err *encode_counted(struct encoder *e, const struct msg_field *f, const uint8_t *in, const struct msg_path *up)
{
	struct msg_path at = { up, f->name, -1 };
	const uint8_t *v = *(const uint8_t *const *)(const void *)(in + f->offset);
	uint32_t n = *(const uint32_t *)(const void *)(in + f->count_offset);
	if (n > f->max)
		return msg_path_error(&at, E2BIG, "%u elements, at most %" PRIu64, n, f->max);
	if (n && !v)
		return msg_path_error(&at, EINVAL, "%u elements at NULL", n);
	mp_put_array(&e->w, n);
	size_t size = msg_element_size(f);
	struct err *err = NULL;
	for (uint32_t i = 0; i < n && !err && !e->w.full; i++) {
		at.index = i;
		err = encode_value(e, f, v + i * size, &at);
	}
	return err;
}

static struct err *encode_struct(struct encoder *e, const struct msg_desc *d, const uint8_t *in, const struct msg_path *at)
{
	mp_put_array(&e->w, d->n_fields);
	struct err *err = NULL;
	for (const struct msg_field *f = d->fields; f->name && !err; f++) {
		if (f->kind >= MSG_LIST) {
			err = encode_counted(e, f, in, at);
		} else {
			struct msg_path here = { at, f->name, -1 };
			err = encode_value(e, f, in + f->offset, &here);
		}
	}
	return err;
}

/* Encodes into e->w, which owns its memory afterwards also on errors. */
static struct err *encode_all(struct encoder *e, const struct msg_desc *d, const void *in, size_t limit)
{
	struct msg_path top = { NULL, msg_desc_short(d), -1 };
	e->w = (struct mp_writer){ .p = malloc(BUF_FIRST), .cap = BUF_FIRST, .grow_to = limit };
	if (!e->w.p)
		return err_new(ENOMEM, "%s", top.name);
	struct err *err = encode_struct(e, d, in, &top);
	if (err)
		return err;
	if (e->w.no_memory)
		return err_new(ENOMEM, "%s", top.name);
	if (e->w.full)
		return err_new(EMSGSIZE, "%s: longer than %zu bytes", top.name, limit);
	return NULL;
}

struct err *msg_encode(const struct msg_desc *d, const void *in, struct frame *f)
{
	struct frame out = { .kind = f->kind, .sequence = f->sequence, .method = f->method };
	struct encoder e = { .frame = &out };
	struct err *err = encode_all(&e, d, in, FRAME_MAX - FRAME_ENVELOPE_MAX);
	if (err) {
		free(e.w.p);
		return err;
	}
	f->buf = f->body = e.w.p;
	f->buf_len = f->body_len = e.w.len;
	f->nfds = out.nfds;
	memcpy(f->fds, out.fds, sizeof out.fds[0] * out.nfds);
	f->owns_fds = false;
	return NULL;
}

struct err *msg_encode_buf(const struct msg_desc *d, const void *in, uint8_t **buf, size_t *len)
{
	struct encoder e = { .frame = NULL };
	struct err *err = encode_all(&e, d, in, BUF_MAX);
	if (err) {
		free(e.w.p);
		return err;
	}
	*buf = e.w.p;
	*len = e.w.len;
	return NULL;
}
