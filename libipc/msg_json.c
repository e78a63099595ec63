/*
 * msg_json.c - messages to JSON and back, driven by the field tables.
 *
 * For ipcctl, logs and tests; not a hot path and never fed by a hostile peer
 * with more than a decoded message.  Numbers beyond JSON's signed 64 bits are
 * decimal strings; strings that are not UTF-8 and byte strings are
 * {"hex": "..."}.  Reading is strict: every field there, none besides (an
 * absent optional descriptor may be left out).
 */
#include "libipc/msg_desc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* --- C to JSON -------------------------------------------------------------- */

static json_t *hex_object(const uint8_t *p, uint32_t len)
{
	static const char digits[] = "0123456789abcdef";
	char *hex = malloc((size_t)len * 2 + 1);
	if (!hex)
		return NULL;
	for (uint32_t i = 0; i < len; i++) {
		hex[2 * i] = digits[p[i] >> 4];
		hex[2 * i + 1] = digits[p[i] & 15];
	}
	json_t *o = json_pack("{s:s#}", "hex", hex, (int)(2 * len));
	free(hex);
	return o;
}

static json_t *u64_json(uint64_t u)
{
	char text[24];
	if (u <= INT64_MAX)
		return json_integer((json_int_t)u);
	snprintf(text, sizeof text, "%" PRIu64, u);
	return json_string(text);
}

static json_t *struct_json(const struct msg_desc *d, const uint8_t *in);

static json_t *value_json(const struct msg_field *f, const uint8_t *v)
{
	switch (f->kind) {
	case MSG_U64:
	case MSG_U64S:
		return u64_json(*(const uint64_t *)(const void *)v);
	case MSG_I64:
		return json_integer(*(const int64_t *)(const void *)v);
	case MSG_BOOL:
		return json_boolean(*(const bool *)v);
	case MSG_STR:
	case MSG_STRS: {
		const struct msg_str *s = (const void *)v;
		json_t *j = json_stringn(s->p ? s->p : "", s->len);
		return j ? j : hex_object((const uint8_t *)s->p, s->len);
	}
	case MSG_BYTES: {
		const struct msg_bytes *b = (const void *)v;
		return hex_object(b->p, b->len);
	}
	case MSG_FD:
	case MSG_FDS:
	case MSG_OPT_FD: {
		int fd = *(const int *)(const void *)v;
		return fd < 0 ? json_null() : json_integer(fd);
	}
	case MSG_STRUCT:
	case MSG_LIST:
		return struct_json(f->sub, v);
	}
	return NULL;
}

static json_t *counted_json(const struct msg_field *f, const uint8_t *in)
{
	const uint8_t *v = *(const uint8_t *const *)(const void *)(in + f->offset);
	uint32_t n = *(const uint32_t *)(const void *)(in + f->count_offset);
	size_t size = msg_element_size(f);
	json_t *list = json_array();
	for (uint32_t i = 0; list && i < n; i++) {
		if (json_array_append_new(list, value_json(f, v + i * size)) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *struct_json(const struct msg_desc *d, const uint8_t *in)
{
	json_t *o = json_object();
	for (const struct msg_field *f = d->fields; o && f->name; f++) {
		json_t *v = f->kind >= MSG_LIST ? counted_json(f, in) : value_json(f, in + f->offset);
		if (json_object_set_new(o, f->name, v) < 0) {
			json_decref(o);
			return NULL;
		}
	}
	return o;
}

struct err *msg_to_json(const struct msg_desc *d, const void *in, json_t **out)
{
	json_t *j = struct_json(d, in);
	if (!j)
		return err_new(ENOMEM, "%s as JSON", msg_desc_name(d));
	*out = j;
	return NULL;
}

/* --- JSON to C -------------------------------------------------------------- */

static struct err *read_struct(const struct msg_desc *d, json_t *in, uint8_t *out, struct msg_arena *a, const struct msg_path *at) ERR_MUST_USE;

static struct err *no_memory(const struct msg_path *at)
{
	return msg_path_error(at, ENOMEM, "reading JSON");
}

static struct err *read_u64(json_t *in, uint64_t max, uint64_t *out, const struct msg_path *at)
{
	uint64_t u;
	if (json_is_integer(in) && json_integer_value(in) >= 0) {
		u = (uint64_t)json_integer_value(in);
	} else if (json_is_string(in)) {
		const char *s = json_string_value(in);
		char *end;
		errno = 0;
		u = strtoull(s, &end, 0);
		if (errno || *end || s[0] < '0' || s[0] > '9')
			return msg_path_error(at, EINVAL, "'%s' is not a number, 0 or more", s);
	} else {
		return msg_path_error(at, EINVAL, "not a number, 0 or more");
	}
	if (u > max)
		return msg_path_error(at, ERANGE, "%" PRIu64 ", at most %" PRIu64, u, max);
	*out = u;
	return NULL;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* A string or {"hex": "..."}, as a NUL-terminated copy. */
static struct err *read_bin(json_t *in, uint32_t maxlen, const uint8_t **p, uint32_t *len, struct msg_arena *a, const struct msg_path *at)
{
	json_t *hex = json_is_object(in) && json_object_size(in) == 1 ? json_object_get(in, "hex") : NULL;
	json_t *text = hex ? hex : in;
	if (!json_is_string(text))
		return msg_path_error(at, EINVAL, "neither a string nor {\"hex\": \"...\"}");
	const char *s = json_string_value(text);
	size_t n = json_string_length(text);
	if (hex && n % 2)
		return msg_path_error(at, EINVAL, "an odd number of hex digits");
	size_t bytes = hex ? n / 2 : n;
	if (bytes > maxlen)
		return msg_path_error(at, ENAMETOOLONG, "%zu bytes, at most %u", bytes, maxlen);
	uint8_t *copy = msg_arena_alloc(a, bytes + 1);
	if (!copy)
		return no_memory(at);
	for (size_t i = 0; i < bytes; i++) {
		int hi = hex ? hex_digit(s[2 * i]) : 0, lo = hex ? hex_digit(s[2 * i + 1]) : 0;
		if (hi < 0 || lo < 0)
			return msg_path_error(at, EINVAL, "not hex digits");
		copy[i] = hex ? (uint8_t)(hi << 4 | lo) : (uint8_t)s[i];
	}
	copy[bytes] = 0;
	*p = copy;
	*len = (uint32_t)bytes;
	return NULL;
}

static struct err *read_str(json_t *in, uint32_t maxlen, struct msg_str *out, struct msg_arena *a, const struct msg_path *at)
{
	const uint8_t *p;
	struct err *e = read_bin(in, maxlen, &p, &out->len, a, at);
	if (e)
		return e;
	out->p = (const char *)p;
	return memchr(p, 0, out->len) ? msg_path_error(at, EINVAL, "NUL in a string") : NULL;
}

static struct err *read_i64(json_t *in, const struct msg_field *f, int64_t *out, const struct msg_path *at)
{
	if (!json_is_integer(in))
		return msg_path_error(at, EINVAL, "not a number");
	*out = json_integer_value(in);
	if (*out < f->imin || *out > f->imax)
		return msg_path_error(at, ERANGE, "%" PRId64 ", not in %" PRId64 "..%" PRId64, *out, f->imin, f->imax);
	return NULL;
}

static struct err *read_fd(json_t *in, int *out, const struct msg_path *at)
{
	if (!json_is_integer(in) || json_integer_value(in) < 0 || json_integer_value(in) > INT32_MAX)
		return msg_path_error(at, EINVAL, "not a descriptor number");
	*out = (int)json_integer_value(in);
	return NULL;
}

static struct err *read_value(const struct msg_field *f, json_t *in, uint8_t *v, struct msg_arena *a, const struct msg_path *at)
{
	switch (f->kind) {
	case MSG_U64:
		return read_u64(in, f->max, (uint64_t *)(void *)v, at);
	case MSG_U64S:
		return read_u64(in, UINT64_MAX, (uint64_t *)(void *)v, at);
	case MSG_I64:
		return read_i64(in, f, (int64_t *)(void *)v, at);
	case MSG_BOOL:
		if (!json_is_boolean(in))
			return msg_path_error(at, EINVAL, "neither true nor false");
		*(bool *)v = json_is_true(in);
		return NULL;
	case MSG_STR:
	case MSG_STRS:
		return read_str(in, f->maxlen, (struct msg_str *)(void *)v, a, at);
	case MSG_BYTES: {
		struct msg_bytes *b = (struct msg_bytes *)(void *)v;
		return read_bin(in, f->maxlen, &b->p, &b->len, a, at);
	}
	case MSG_OPT_FD:
		if (json_is_null(in)) {
			*(int *)(void *)v = -1;
			return NULL;
		}
		return read_fd(in, (int *)(void *)v, at);
	case MSG_FD:
	case MSG_FDS:
		return read_fd(in, (int *)(void *)v, at);
	case MSG_STRUCT:
	case MSG_LIST:
		return read_struct(f->sub, in, v, a, at);
	}
	return msg_path_error(at, EINVAL, "unknown kind");
}

static struct err *read_counted(const struct msg_field *f, json_t *in, uint8_t *out, struct msg_arena *a, const struct msg_path *up)
{
	struct msg_path at = { up, f->name, -1 };
	if (!json_is_array(in))
		return msg_path_error(&at, EINVAL, "not an array");
	size_t n = json_array_size(in), size = msg_element_size(f);
	if (n > f->max)
		return msg_path_error(&at, E2BIG, "%zu elements, at most %" PRIu64, n, f->max);
	uint8_t *v = msg_arena_alloc(a, n * size);
	if (!v)
		return no_memory(&at);
	for (size_t i = 0; i < n; i++) {
		at.index = (int64_t)i;
		struct err *e = read_value(f, json_array_get(in, i), v + i * size, a, &at);
		if (e)
			return e;
	}
	*(void **)(void *)(out + f->offset) = v;
	*(uint32_t *)(void *)(out + f->count_offset) = (uint32_t)n;
	return NULL;
}

static const struct msg_field *field_by_name(const struct msg_desc *d, const char *name)
{
	for (const struct msg_field *f = d->fields; f->name; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

static struct err *read_struct(const struct msg_desc *d, json_t *in, uint8_t *out, struct msg_arena *a, const struct msg_path *at)
{
	const char *key;
	json_t *v;
	if (!json_is_object(in))
		return msg_path_error(at, EINVAL, "not an object");
	json_object_foreach (in, key, v)
		if (!field_by_name(d, key))
			return msg_path_error(at, EINVAL, "there is no field '%s'", key);
	memset(out, 0, d->size);
	for (const struct msg_field *f = d->fields; f->name; f++) {
		struct msg_path here = { at, f->name, -1 };
		struct err *e;
		v = json_object_get(in, f->name);
		if (!v && f->kind == MSG_OPT_FD) {
			*(int *)(void *)(out + f->offset) = -1;
			continue;
		}
		if (!v)
			return msg_path_error(&here, EINVAL, "missing");
		e = f->kind >= MSG_LIST ? read_counted(f, v, out, a, at) : read_value(f, v, out + f->offset, a, &here);
		if (e)
			return e;
	}
	return NULL;
}

struct err *msg_from_json(const struct msg_desc *d, json_t *in, void *out, struct msg_arena *a)
{
	struct msg_path top = { NULL, msg_desc_short(d), -1 };
	struct msg_arena mine = { NULL };
	uint8_t *tmp = msg_arena_alloc(&mine, d->size);
	if (!tmp)
		return no_memory(&top);
	struct err *e = read_struct(d, in, tmp, &mine, &top);
	if (e) {
		msg_arena_free(&mine);
		return e;
	}
	memcpy(out, tmp, d->size);
	msg_arena_join(a, &mine);
	return NULL;
}
