/*
 * ctl_ask.c - ipcctl's requests: JSON to a frame, the frame sent, the answer
 * printed as a line of JSON.  Single-threaded; blocks until the answer is there
 * or the socket's receive timeout is over.
 */
#include "libipc/ctl_ask.h"

#include "libipc/fd.h"
#include "libipc/frame.h"
#include "libipc/msg_desc.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void ctl_print(json_t *j)
{
	json_dumpf(j, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
	putchar('\n');
	fflush(stdout);
	json_decref(j);
}

void ctl_print_error(struct ctl *ctl, int errnum, const char *text)
{
	ctl->failed = true;
	ctl_print(ctl_error_json(errnum, text));
}

/* The next frame, or false with the failure printed. */
static bool receive(struct ctl *ctl, struct frame *f)
{
	bool again, eof;
	struct err *e = frame_recv(ctl->sock, f, &again, &eof);
	if (e) {
		ctl_print_error(ctl, err_errno(e), err_text(e));
		ctl->closed = true;
		err_free(e);
		return false;
	}
	if (again)
		ctl_print_error(ctl, ETIMEDOUT, "no answer");
	if (eof) {
		ctl_print_error(ctl, ECONNRESET, "connection closed");
		ctl->closed = true;
	}
	return !again && !eof;
}

static void cat(int fd)
{
	char buf[65536];
	off_t at = 0;
	ssize_t n;
	fflush(stdout);
	while ((n = pread(fd, buf, sizeof buf, at)) > 0) {
		fwrite(buf, 1, (size_t)n, stdout);
		at += n;
	}
	fflush(stdout);
}

static void print_answer(struct ctl *ctl, const struct msg_method *m, struct frame *f)
{
	struct msg_arena a = { NULL };
	json_t *j = NULL;
	_cleanup_free_ void *msg = calloc(1, msg_desc_size(m->reply) + 1);
	if (f->kind == FRAME_ERROR) {
		ctl->failed = true;
		ctl_print(ctl_frame_json(f));
		return;
	}
	struct err *e = msg ? msg_decode(m->reply, f, msg, &a) : err_new(ENOMEM, "answer");
	if (!e)
		e = msg_to_json(m->reply, msg, &j);
	if (e) {
		e = err_wrap(e, "the answer is broken");
		ctl_print_error(ctl, err_errno(e), err_text(e));
		err_free(e);
		return;
	}
	json_t *fd = ctl->cat_field ? json_object_get(j, ctl->cat_field) : NULL;
	int n = json_is_integer(fd) ? (int)json_integer_value(fd) : -1;
	if (ctl->quiet)
		json_decref(j);
	else
		ctl_print(j);
	if (n >= 0)
		cat(n);
	/* the message's memory goes, its descriptors stay open */
	msg_arena_free(&a);
}

/* Sends f (a request or an event) and prints the answer. */
static struct err *transact(struct ctl *ctl, const struct msg_method *m, struct frame *f)
{
	f->kind = m->reply ? FRAME_REQUEST : FRAME_EVENT;
	f->method = m->id;
	f->sequence = m->reply ? ++ctl->sequence : 0;
	for (unsigned i = 0; i < ctl->n_surplus && f->nfds < FRAME_FDS_MAX; i++)
		f->fds[f->nfds++] = ctl->surplus[i];
	ctl->n_surplus = 0;
	struct err *e = frame_send(ctl->sock, f, NULL);
	if (e && (err_errno(e) == EPIPE || err_errno(e) == ECONNRESET)) {
		err_free(e);
		ctl_print_error(ctl, ECONNRESET, "connection closed");
		ctl->closed = true;
		return NULL;
	}
	if (e)
		return e;
	if (!m->reply) {
		if (!ctl->quiet)
			ctl_print(json_object());
		return NULL;
	}
	for (;;) {
		_cleanup_frame_ struct frame in = { 0 };
		if (!receive(ctl, &in))
			return NULL;
		if (in.sequence == ctl->sequence && (in.kind == FRAME_REPLY || in.kind == FRAME_ERROR)) {
			print_answer(ctl, m, &in);
			return NULL;
		}
	}
}

static struct err *find_method(const struct ctl *ctl, const char *name, const struct msg_method **out)
{
	*out = NULL;
	if (ctl->proto) {
		*out = msg_proto_method_by_name(ctl->proto, name);
		return *out ? NULL : err_with_text(EINVAL, "%s has no method '%s'", ctl->proto->name, name);
	}
	for (size_t i = 0; msg_protocols[i]; i++) {
		const struct msg_method *m = msg_proto_method_by_name(msg_protocols[i], name);
		if (m && *out)
			return err_with_text(EINVAL, "method '%s' is in several protocols: name one", name);
		if (m)
			*out = m;
	}
	return *out ? NULL : err_with_text(EINVAL, "no protocol has a method '%s'", name);
}

struct err *ctl_request(struct ctl *ctl, const char *name, const char *text)
{
	const struct msg_method *m;
	json_error_t je;
	struct msg_arena a = { NULL };
	struct err *e = find_method(ctl, name, &m);
	if (e)
		return e;
	json_t *j = json_loads(text, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &je);
	if (!j)
		return err_with_text(EINVAL, "%s: not JSON: %s (line %d, column %d)", name, je.text, je.line, je.column);
	_cleanup_free_ void *msg = calloc(1, msg_desc_size(m->request) + 1);
	if (msg)
		e = ctl_open_fds(m->request, j);
	else
		e = err_new(ENOMEM, "%s", name);
	if (!e) {
		e = msg_from_json(m->request, j, msg, &a);
		if (e)
			ctl_close_fds(m->request, j);
	}
	json_decref(j);
	if (!e) {
		_cleanup_frame_ struct frame f = { 0 };
		e = msg_encode(m->request, msg, &f);
		if (!e)
			e = transact(ctl, m, &f);
	}
	msg_free(m->request, msg, &a);
	return e;
}

struct err *ctl_raw(struct ctl *ctl, const char *hex)
{
	size_t n = strlen(hex) / 2;
	_cleanup_free_ uint8_t *bytes = malloc(n + 1);
	if (!bytes)
		return err_new(ENOMEM, "--raw");
	for (size_t i = 0; i < n; i++) {
		unsigned v;
		if (!isxdigit((unsigned char)hex[2 * i]) || !isxdigit((unsigned char)hex[2 * i + 1]) || sscanf(hex + 2 * i, "%2x", &v) != 1)
			return err_new(EINVAL, "--raw: not hex digits");
		bytes[i] = (uint8_t)v;
	}
	if (strlen(hex) % 2)
		return err_new(EINVAL, "--raw: an odd number of hex digits");
	if (send(ctl->sock, bytes, n, MSG_NOSIGNAL) < 0 && errno != EPIPE)
		return err_new(errno, "--raw");
	_cleanup_frame_ struct frame in = { 0 };
	if (receive(ctl, &in)) {
		ctl->failed |= in.kind == FRAME_ERROR;
		ctl_print(ctl_frame_json(&in));
	}
	return NULL;
}

struct err *ctl_surplus(struct ctl *ctl, const char *value)
{
	int fd;
	struct err *e = fd_from_option("--surplus-fd", value, &fd);
	if (!e && ctl->n_surplus == FRAME_FDS_MAX)
		e = err_new(E2BIG, "--surplus-fd");
	if (!e)
		ctl->surplus[ctl->n_surplus++] = fd;
	return e;
}
