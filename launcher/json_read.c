/*
 * json_read.c - see json_read.h.  Pure: touches nothing but its arguments.
 */
#include "json_read.h"

#include "libipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define FILE_MAX (16u << 20)
#define ITEMS_MAX 131072

/* Where we are: a list through the callers' frames, innermost first. */
struct place {
	const struct place *up;
	const char *name; /* NULL: an index */
	size_t index;
};

struct reader {
	struct pool *pool;
};

static size_t place_print(const struct place *w, char *buf, size_t size)
{
	size_t n = 0;

	if (!w || (!w->name && !w->up))
		return 0;
	n = place_print(w->up, buf, size);
	if (n >= size)
		return size;
	if (w->name)
		n += (size_t)snprintf(buf + n, size - n, "%s%.64s", n ? "." : "", w->name);
	else
		n += (size_t)snprintf(buf + n, size - n, "[%zu]", w->index);
	return n < size ? n : size;
}

static struct err *wrong(const struct place *w, const char *fmt, ...) ERR_PRINTF(2, 3);
static struct err *wrong(const struct place *w, const char *fmt, ...)
{
	char where[512] = "", what[256];
	va_list ap;

	place_print(w, where, sizeof(where));
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return where[0] ? err_new(0, "%s: %s", where, what) : err_new(0, "%s", what);
}

static const char *type_name(const json_t *j)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "an object", [JSON_ARRAY] = "a list", [JSON_STRING] = "a string", [JSON_INTEGER] = "an integer",
		[JSON_REAL] = "a fraction", [JSON_TRUE] = "a boolean", [JSON_FALSE] = "a boolean", [JSON_NULL] = "null",
	};

	return names[json_typeof(j)];
}

static struct err *wrong_type(const struct place *w, const json_t *j, const char *must)
{
	return wrong(w, "is %s, must be %s", type_name(j), must);
}

static struct err *read_str(struct reader *r, const struct place *w, const json_t *j, uint64_t max, const char **out)
{
	const char *s = json_string_value(j);
	size_t len = json_string_length(j);

	if (!s)
		return wrong_type(w, j, "a string");
	if (strlen(s) != len)
		return wrong(w, "contains a NUL byte");
	if (max && len > max)
		return wrong(w, "is %zu bytes long, at most %llu are allowed", len, (unsigned long long)max);
	*out = pool_strdup(r->pool, s);
	return NULL;
}

/* A number as sign and magnitude.  Reals appear when the document holds an
 * integer beyond 64 bits (see json_load_fd); those saturate. */
static struct err *read_number(const struct place *w, const json_t *j, bool *negative, uint64_t *magnitude)
{
	double d;

	if (json_is_integer(j)) {
		json_int_t v = json_integer_value(j);

		*negative = v < 0;
		*magnitude = *negative ? -(uint64_t)v : (uint64_t)v;
		return NULL;
	}
	d = json_real_value(j);
	*negative = d < 0;
	d = fabs(d);
	*magnitude = d >= 0x1p64 ? UINT64_MAX : (uint64_t)d;
	if (!json_is_real(j) || (d < 0x1p64 && d != (double)*magnitude))
		return wrong_type(w, j, "an integer");
	return NULL;
}

static struct err *read_u64(const struct place *w, const json_t *j, uint64_t max, uint64_t *out)
{
	bool negative;
	uint64_t v;
	struct err *e = read_number(w, j, &negative, &v);

	if (e)
		return e;
	if (negative)
		return wrong(w, "is negative");
	if (v > (max ? max : UINT64_MAX))
		return wrong(w, "is %llu, at most %llu is allowed", (unsigned long long)v, (unsigned long long)max);
	*out = v;
	return NULL;
}

static struct err *read_int(const struct place *w, const json_t *j, const struct jfield *f, int64_t *out)
{
	int64_t max = f->max > INT64_MAX ? INT64_MAX : (int64_t)f->max, v;
	bool negative;
	uint64_t m;
	struct err *e = read_number(w, j, &negative, &m);

	if (e)
		return e;
	if (m > INT64_MAX)
		v = negative ? INT64_MIN : INT64_MAX;
	else
		v = negative ? -(int64_t)m : (int64_t)m;
	if (v < f->min || v > max)
		return wrong(w, "is %lld, must be from %lld to %lld", (long long)v, (long long)f->min, (long long)max);
	*out = v;
	return NULL;
}

static struct err *check_list(const struct place *w, const json_t *j)
{
	if (!json_is_array(j))
		return wrong_type(w, j, "a list");
	if (json_array_size(j) > ITEMS_MAX)
		return wrong(w, "has %zu items, at most %d are allowed", json_array_size(j), ITEMS_MAX);
	return NULL;
}

static struct err *read_strs(struct reader *r, const struct place *w, const json_t *j, uint64_t max, struct jstrs *out)
{
	struct err *e = check_list(w, j);

	if (e)
		return e;
	out->n = json_array_size(j);
	out->v = pool_array(r->pool, out->n + 1, sizeof(*out->v));
	for (size_t i = 0; i < out->n && !e; i++)
		e = read_str(r, &(struct place){ w, NULL, i }, json_array_get(j, i), max, &out->v[i]);
	return e;
}

static struct err *read_u64s(struct reader *r, const struct place *w, const json_t *j, uint64_t max, struct ju64s *out)
{
	struct err *e = check_list(w, j);

	if (e)
		return e;
	out->n = json_array_size(j);
	out->v = pool_array(r->pool, out->n + 1, sizeof(*out->v));
	for (size_t i = 0; i < out->n && !e; i++)
		e = read_u64(&(struct place){ w, NULL, i }, json_array_get(j, i), max, &out->v[i]);
	return e;
}

static struct err *read_map(struct reader *r, const struct place *w, const json_t *j, uint64_t max, struct jmap *out)
{
	struct err *e = NULL;
	const char *name;
	json_t *value;
	size_t i = 0;

	if (!json_is_object(j))
		return wrong_type(w, j, "an object");
	out->v = pool_array(r->pool, json_object_size(j) + 1, sizeof(*out->v));
	/* json_object_foreach wants a mutable object though it only reads it */
	for (void *it = json_object_iter((json_t *)(uintptr_t)j); it && !e; it = json_object_iter_next((json_t *)(uintptr_t)j, it)) {
		name = json_object_iter_key(it);
		value = json_object_iter_value(it);
		out->v[i].name = pool_strdup(r->pool, name);
		e = read_str(r, &(struct place){ w, name, 0 }, value, max, &out->v[i].value);
		out->n = ++i;
	}
	return e;
}

static struct err *read_object(struct reader *r, const struct place *w, const json_t *j, const struct jobject *of, void *out);

static struct err *read_list(struct reader *r, const struct place *w, const json_t *j, const struct jobject *of, void *out)
{
	struct {
		char *v;
		size_t n;
	} list;
	struct err *e = check_list(w, j);

	if (e)
		return e;
	list.n = json_array_size(j);
	list.v = pool_array(r->pool, list.n + 1, of->size);
	for (size_t i = 0; i < list.n && !e; i++)
		e = read_object(r, &(struct place){ w, NULL, i }, json_array_get(j, i), of, list.v + i * of->size);
	memcpy(out, &list, sizeof(list));
	return e;
}

static struct err *read_sub(struct reader *r, const struct place *w, const json_t *j, const struct jobject *of, void *out)
{
	void *sub = pool_alloc(r->pool, of->size);
	struct err *e = read_object(r, w, j, of, sub);

	memcpy(out, &sub, sizeof(sub));
	return e;
}

static struct err *read_field(struct reader *r, const struct place *w, const json_t *j, const struct jfield *f, void *out)
{
	switch (f->kind) {
	case J_STR:
		return read_str(r, w, j, f->max, out);
	case J_BOOL:
		if (!json_is_boolean(j))
			return wrong_type(w, j, "a boolean");
		*(bool *)out = json_is_true(j);
		return NULL;
	case J_INT:
		return read_int(w, j, f, out);
	case J_U64:
		return read_u64(w, j, f->max, out);
	case J_STRS:
		return read_strs(r, w, j, f->max, out);
	case J_U64S:
		return read_u64s(r, w, j, f->max, out);
	case J_OBJECT:
		return read_sub(r, w, j, f->of, out);
	case J_LIST:
		return read_list(r, w, j, f->of, out);
	case J_MAP:
		return read_map(r, w, j, f->max, out);
	case J_ANY:
		*(const json_t **)out = j;
		return NULL;
	}
	return wrong(w, "has an unknown kind");
}

static struct err *read_object(struct reader *r, const struct place *w, const json_t *j, const struct jobject *of, void *out)
{
	if (!json_is_object(j))
		return w->up || w->name ? wrong_type(w, j, "an object") : err_new(0, "is %s, must be an object", type_name(j));
	for (size_t i = 0; i < of->n; i++) {
		const struct jfield *f = &of->fields[i];
		const struct place here = { w, f->name, 0 };
		const json_t *v = json_object_get(j, f->name);
		struct err *e;

		if (!v || json_is_null(v)) {
			if (f->required)
				return wrong(&here, "is missing");
			continue;
		}
		if ((e = read_field(r, &here, v, f, (char *)out + f->offset)))
			return e;
		if (f->required && f->kind == J_STR && !json_string_length(v))
			return wrong(&here, "is empty");
	}
	return NULL;
}

struct err *json_read(const struct jobject *of, const json_t *in, struct pool *p, void *out)
{
	struct reader r = { p };
	const struct place top = { NULL, NULL, 0 };

	return read_object(&r, &top, in, of, out);
}

static struct err *read_all(int fd, char **buf, size_t *len)
{
	_cleanup_free_ char *b = NULL;
	size_t n = 0, cap = 0;

	for (;;) {
		ssize_t got;

		if (n == cap) {
			char *more;

			if (n >= FILE_MAX)
				return err_new(EFBIG, "larger than %u bytes", FILE_MAX);
			cap = cap ? cap * 2 : 16384;
			if (!(more = realloc(b, cap)))
				return err_new(ENOMEM, "reading");
			b = more;
		}
		got = read(fd, b + n, cap - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_new(errno, "reading");
		if (!got)
			break;
		n += (size_t)got;
	}
	*buf = TAKE_PTR(b);
	*len = n;
	return NULL;
}

struct err *json_load_fd(int fd, json_t **out)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	json_error_t je;
	struct err *e = read_all(fd, &text, &len);

	if (e)
		return e;
	if (!(*out = json_loadb(text, len, JSON_REJECT_DUPLICATES, &je)) && json_error_code(&je) == json_error_numeric_overflow)
		/* 18446744073709551615 is how an unlimited rlimit is written */
		*out = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &je);
	if (!*out)
		return err_new(0, "not valid JSON: line %d, column %d: %s", je.line, je.column, je.text);
	return NULL;
}

struct err *json_load_path(const char *path, json_t **out)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct err *e;

	if (fd < 0)
		return err_new(errno, "%s", path);
	e = json_load_fd(fd, out);
	return e ? err_wrap(e, "%s", path) : NULL;
}
