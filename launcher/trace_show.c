/*
 * trace_show.c - what the sink of a trace session has received (libipc/trace.msg.h), as JSON, one event
 * a line.  The sandbox that wrote it is not trusted: each frame is checked as a request would be.
 */
#include "trace.h"

#include "unix_address.h"

#include "libipc/fd.h"
#include "libipc/frame_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static bool says_nothing(const json_t *v)
{
	return (json_is_integer(v) && !json_integer_value(v)) || (json_is_string(v) && !json_string_length(v)) || (json_is_object(v) && !json_object_size(v));
}

/* What was not asked for is 0 or empty, and not shown. */
static void leave_out_nothing(json_t *object)
{
	const char *key;
	json_t *v;
	void *next;

	json_object_foreach_safe (object, next, key, v) {
		if (json_is_object(v))
			leave_out_nothing(v);
		if (says_nothing(v))
			json_object_del(object, key);
	}
}

static void print_event(void *none, const struct msg_desc *d, const void *event)
{
	const char *name = msg_desc_name(d) + strlen("trace_");
	_cleanup_json_ json_t *j = NULL, *line = json_object();
	struct err *e = msg_to_json(d, event, &j);

	if (e) {
		err_free(e);
		return;
	}
	leave_out_nothing(json_object_get(j, "context"));
	json_object_set_new(line, "event", json_string(name));
	json_object_update(line, j);
	json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
}

struct err *trace_event(struct frame *f, trace_event_fn *fn, void *arg)
{
	const struct msg_desc *request, *reply;
	struct msg_arena a = { 0 };
	struct err *e;
	void *event;

	if (f->kind != FRAME_EVENT || !msg_proto_method(&trace_proto, f->method, &request, &reply))
		return err_new(EPROTO, "a frame that is no event");
	if (!(event = calloc(1, msg_desc_size(request))))
		return err_new(ENOMEM, "event");
	if (!(e = msg_decode(request, f, event, &a))) {
		fn(arg, request, event);
		msg_free(request, event, &a);
	}
	free(event);
	return e;
}

/* --- a file ------------------------------------------------------------------------- */

/* One frame from a file; *end: there is none left. */
static struct err *read_frame(FILE *f, struct frame *out, bool *end)
{
	uint8_t head[4];
	const char *wrong;
	size_t n, got = fread(head, 1, sizeof(head), f);

	*end = !got && !ferror(f);
	if (*end)
		return NULL;
	n = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
	if (got != sizeof(head) || !n || n > FRAME_MAX)
		return err_new(EPROTO, "not the length of a frame");
	if (!(out->buf = malloc(n)))
		return err_new(ENOMEM, "frame");
	out->buf_len = fread(out->buf, 1, n, f);
	if (out->buf_len != n)
		return err_new(EPROTO, "half a frame");
	return (wrong = frame_parse(out)) ? err_new(EPROTO, "frame: %s", wrong) : NULL;
}

struct err *trace_show(const char *path)
{
	FILE *f = fopen(path, "re");
	struct err *e = NULL;
	bool end = false;

	if (!f)
		return err_new(errno, "%s", path);
	while (!e && !end) {
		_cleanup_frame_ struct frame one = { 0 };

		if (!(e = read_frame(f, &one, &end)) && !end)
			e = trace_event(&one, print_event, NULL);
	}
	fclose(f);
	return e ? err_wrap(e, "%s", path) : NULL;
}

/* --- a socket ------------------------------------------------------------------------- */

static struct err *accept_one(const char *path, int *out)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un a;

	if (fd < 0)
		return err_new(errno, "socket");
	if (!unix_address(path, &a))
		return err_new(ENAMETOOLONG, "%s", path);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 1) < 0)
		return err_new(errno, "%s", path);
	*out = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	unlink(path);
	return *out < 0 ? err_new(errno, "%s", path) : NULL;
}

struct err *trace_listen(const char *path)
{
	_cleanup_close_ int fd = -1;
	struct err *e = accept_one(path, &fd);
	bool end = false;

	while (!e && !end) {
		_cleanup_frame_ struct frame one = { 0 };

		if (!(e = frame_recv(fd, &one, NULL, &end)) && !end)
			e = trace_event(&one, print_event, NULL);
		fflush(stdout);
	}
	return e ? err_wrap(e, "%s", path) : NULL;
}
