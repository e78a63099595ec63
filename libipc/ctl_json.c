/*
 * ctl_json.c - ipcctl's JSON for descriptors and answers (ctl_json.h).
 * Single-threaded.
 */
#include "libipc/ctl_json.h"
#include "libipc/fd.h"
#include "libipc/msg_desc.h"
#include "libipc/rpc_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

static const struct {
	const char *name;
	int flags;
} open_flags[] = {
	{ "r", O_RDONLY },
	{ "w", O_WRONLY | O_CREAT | O_TRUNC },
	{ "a", O_WRONLY | O_CREAT | O_APPEND },
	{ "rw", O_RDWR | O_CREAT },
	{ "dir", O_RDONLY | O_DIRECTORY },
	{ "path", O_PATH },
};

static struct err *open_path(const char *path, const char *flags, int *fd)
{
	for (size_t i = 0; i < sizeof open_flags / sizeof open_flags[0]; i++) {
		if (strcmp(flags, open_flags[i].name) != 0)
			continue;
		*fd = open(path, open_flags[i].flags | O_CLOEXEC, 0666);
		return *fd < 0 ? err_new(errno, "%s", path) : NULL;
	}
	return err_new(EINVAL, "flags '%s': must be r, w, a, rw, dir or path", flags);
}

static struct err *text_file(const char *text, size_t len, int *fd)
{
	_cleanup_close_ int m = memfd_create("text", MFD_CLOEXEC);
	if (m < 0 || write(m, text, len) != (ssize_t)len || lseek(m, 0, SEEK_SET) < 0)
		return err_new(errno, "memory file");
	*fd = TAKE_FD(m);
	return NULL;
}

static const struct msg_desc *desc_by_name(const char *name)
{
	for (size_t i = 0; msg_protocols[i]; i++)
		for (uint32_t k = 0; k < msg_protocols[i]->n_parts; k++)
			if (strcmp(msg_protocols[i]->parts[k].desc->name, name) == 0)
				return msg_protocols[i]->parts[k].desc;
	return NULL;
}

static struct err *message_file(const char *name, json_t *value, int *fd)
{
	const struct msg_desc *d = desc_by_name(name);
	struct msg_arena a = { NULL };
	if (!d)
		return err_new(EINVAL, "there is no message '%s'", name);
	_cleanup_free_ void *msg = calloc(1, msg_desc_size(d) + 1);
	if (!msg)
		return err_new(ENOMEM, "%s", name);
	struct err *e = msg_from_json(d, value, msg, &a);
	if (!e)
		e = msg_to_memfd(d, msg, fd);
	msg_free(d, msg, &a);
	return e;
}

static struct err *open_one(json_t *v, json_t **out)
{
	const char *path = NULL, *flags = "r", *text = NULL, *name = NULL;
	size_t len = 0;
	json_t *value = NULL;
	struct err *e;
	int fd = -1;
	if (json_is_integer(v)) {
		fd = fcntl((int)json_integer_value(v), F_DUPFD_CLOEXEC, 3);
		e = fd < 0 ? err_new(errno, "descriptor %d", (int)json_integer_value(v)) : NULL;
	} else if (json_unpack(v, "{s:s, s?s !}", "open", &path, "flags", &flags) == 0) {
		e = open_path(path, flags, &fd);
	} else if (json_unpack(v, "{s:s% !}", "text", &text, &len) == 0) {
		e = text_file(text, len, &fd);
	} else if (json_unpack(v, "{s:s, s:o !}", "message", &name, "value", &value) == 0) {
		e = message_file(name, value, &fd);
	} else {
		e = err_new(EINVAL, "not a descriptor: a number, {\"open\": PATH}, {\"text\": ...} or {\"message\": NAME, \"value\": ...}");
	}
	if (!e)
		*out = json_integer(fd);
	return e;
}

/* Replaces v of the object or, with index >= 0, of the array `in`. */
static struct err *replace(json_t *in, const char *key, long index, json_t *v)
{
	json_t *number = NULL;
	if (json_is_null(v))
		return NULL;
	struct err *e = open_one(v, &number);
	if (e)
		return index >= 0 ? err_wrap(e, "%s[%ld]", key, index) : err_wrap(e, "%s", key);
	if (index >= 0)
		json_array_set_new(in, (size_t)index, number);
	else
		json_object_set_new(in, key, number);
	return NULL;
}

struct err *ctl_open_fds(const struct msg_desc *d, json_t *in)
{
	struct err *e = NULL;
	for (const struct msg_field *f = d->fields; f->name && !e; f++) {
		json_t *v = json_object_get(in, f->name);
		bool list = json_is_array(v);
		if (!v)
			continue;
		if (f->kind == MSG_FD || f->kind == MSG_OPT_FD)
			e = replace(in, f->name, -1, v);
		for (size_t i = 0; list && f->kind == MSG_FDS && i < json_array_size(v) && !e; i++)
			e = replace(v, f->name, (long)i, json_array_get(v, i));
		if (f->kind == MSG_STRUCT)
			e = ctl_open_fds(f->sub, v);
		for (size_t i = 0; list && f->kind == MSG_LIST && i < json_array_size(v) && !e; i++)
			e = ctl_open_fds(f->sub, json_array_get(v, i));
	}
	return e;
}

static void close_one(json_t *v)
{
	if (json_is_integer(v))
		close((int)json_integer_value(v));
}

void ctl_close_fds(const struct msg_desc *d, json_t *in)
{
	for (const struct msg_field *f = d->fields; f->name; f++) {
		json_t *v = json_object_get(in, f->name);
		if (f->kind == MSG_FD || f->kind == MSG_OPT_FD)
			close_one(v);
		for (size_t i = 0; f->kind == MSG_FDS && i < json_array_size(v); i++)
			close_one(json_array_get(v, i));
		if (f->kind == MSG_STRUCT)
			ctl_close_fds(f->sub, v);
		for (size_t i = 0; f->kind == MSG_LIST && i < json_array_size(v); i++)
			ctl_close_fds(f->sub, json_array_get(v, i));
	}
}

json_t *ctl_error_json(int errnum, const char *text)
{
	const char *name = strerrorname_np(errnum);
	char number[16];
	snprintf(number, sizeof number, "%d", errnum);
	json_t *t = json_string(text);
	return json_pack("{s:{s:s, s:o}}", "error", "errno", name ? name : number, "text", t ? t : json_string("(not UTF-8)"));
}

json_t *ctl_frame_json(struct frame *f)
{
	static const char *const kinds[] = { "request", "reply", "error", "event", "cancel" };
	if (f->kind == FRAME_ERROR) {
		bool protocol;
		_cleanup_err_ struct err *e = rpc_error_decode(f, &protocol);
		return ctl_error_json(err_errno(e), err_text(e));
	}
	_cleanup_free_ char *hex = calloc(f->body_len * 2 + 1, 1);
	for (size_t i = 0; hex && i < f->body_len; i++)
		snprintf(hex + 2 * i, 3, "%02x", f->body[i]);
	return json_pack("{s:s, s:I, s:i, s:i, s:s}", "kind", kinds[f->kind], "sequence", (json_int_t)f->sequence, "method", (int)f->method,
		"descriptors", (int)f->nfds, "body", hex ? hex : "");
}
