/*
 * fuse.c - see fuse.h.
 *
 * Requests are rows of a table.  The peer is the host's kernel, but its lengths are checked all the
 * same: the descriptor was handed over by a client.
 */
#include "fuse.h"

#include "libipc/fd.h"

#include <errno.h>
#include <linux/fuse.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CALLS_MAX 32 /* under way at once; the rest wait in the kernel */
#define MINOR_MIN 23 /* Linux 3.15: from there on INIT's answer has its length */

struct fuse_conn {
	int fd;
	struct event *readable;
	const struct fuse_ops *ops;
	void *arg;
	bool greeted;
	TAILQ_HEAD(, fuse_call) calls;
	unsigned n_calls;
};

/* --- answers ------------------------------------------------------------------------- */

/* One write a frame.  It may fail: who asked has been killed. */
static void send_frame(struct fuse_conn *conn, uint64_t unique, int errnum, const void *data, size_t len)
{
	const struct fuse_out_header h = { .len = (uint32_t)(sizeof(h) + len), .error = -errnum, .unique = unique };
	uint8_t *frame = malloc(sizeof(h) + len);
	const struct fuse_out_header no_memory = { .len = sizeof(h), .error = -ENOMEM, .unique = unique };
	ssize_t n;

	if (frame) {
		memcpy(frame, &h, sizeof(h));
		if (len)
			memcpy(frame + sizeof(h), data, len);
	}
	do
		n = write(conn->fd, frame ? (const void *)frame : &no_memory, frame ? sizeof(h) + len : sizeof(h));
	while (n < 0 && errno == EINTR);
	free(frame);
}

static void end_call(struct fuse_call *c)
{
	struct fuse_conn *conn = c->conn;

	if (conn) {
		TAILQ_REMOVE(&conn->calls, c, link);
		if (conn->n_calls-- == CALLS_MAX)
			event_add(conn->readable, NULL);
	}
	free(c->path);
	free(c->to);
	free(c);
}

void fuse_reply(struct fuse_call *c, const void *data, size_t len)
{
	if (c->conn)
		send_frame(c->conn, c->unique, 0, data, len);
	end_call(c);
}

void fuse_fail(struct fuse_call *c, int errnum)
{
	if (c->conn)
		send_frame(c->conn, c->unique, errnum, NULL, 0);
	end_call(c);
}

void *fuse_call_arg(const struct fuse_call *c)
{
	return c->conn ? c->conn->arg : NULL;
}

/* --- requests ------------------------------------------------------------------------ */

/* A request: body[len] follows its header. */
struct frame_in {
	struct fuse_in_header h;
	const void *body;
	size_t len;
	const char *names[2]; /* in it */
};

typedef const char *request_fn(struct fuse_conn *conn, const struct frame_in *f); /* NULL, or what is wrong with it */

static const char *on_init(struct fuse_conn *conn, const struct frame_in *f)
{
	const struct fuse_init_in *in = f->body;
	const struct fuse_init_out out = { .major = FUSE_KERNEL_VERSION, .minor = FUSE_KERNEL_MINOR_VERSION, .max_write = FUSE_WRITE_MAX, .time_gran = 1, .flags = in->flags & FUSE_BIG_WRITES };

	if (conn->greeted)
		return "a second INIT";
	if (in->major != FUSE_KERNEL_VERSION || in->minor < MINOR_MIN)
		return "another version of the protocol";
	conn->greeted = true;
	send_frame(conn, f->h.unique, 0, &out, sizeof(out));
	return NULL;
}

/* Where a request says which part of a file: READ's and READDIR's structure is the same. */
static const char *set_part(struct fuse_call *c, const struct frame_in *f)
{
	const struct fuse_read_in *r = f->body;
	const struct fuse_write_in *w = f->body;

	if (c->opcode == FUSE_READ || c->opcode == FUSE_READDIR) {
		c->offset = r->offset;
		c->size = r->size < FUSE_READ_MAX ? r->size : FUSE_READ_MAX;
	} else if (c->opcode == FUSE_WRITE) {
		c->offset = w->offset;
		c->size = w->size;
		if (w->size > FUSE_WRITE_MAX || f->len - sizeof(*w) != w->size)
			return "WRITE has another length than it says";
	}
	return NULL;
}

/* The owner's to answer. */
static const char *pass_on(struct fuse_conn *conn, const struct frame_in *f)
{
	struct fuse_call *c = calloc(1, sizeof(*c));
	const char *wrong;

	if (!c || (f->names[0] && strlen(f->names[0]) >= FUSE_NAME_ROOM)) {
		send_frame(conn, f->h.unique, c ? ENAMETOOLONG : ENOMEM, NULL, 0);
		free(c);
		return NULL;
	}
	*c = (struct fuse_call){
		.conn = conn,
		.unique = f->h.unique,
		.opcode = f->h.opcode,
		.node = f->h.nodeid,
		.body = f->body,
		.names = { f->names[0], f->names[1] },
	};
	if ((wrong = set_part(c, f))) {
		free(c);
		return wrong;
	}
	TAILQ_INSERT_TAIL(&conn->calls, c, link);
	if (++conn->n_calls == CALLS_MAX)
		event_del(conn->readable);
	conn->ops->call(conn->arg, c);
	return NULL;
}

/* Nothing is kept of what is open.  A file's size is not known before it is read:
 * the kernel is to ask, whatever the size it was told. */
static const char *on_open(struct fuse_conn *conn, const struct frame_in *f)
{
	const struct fuse_open_out out = { .open_flags = f->h.opcode == FUSE_OPEN ? FOPEN_DIRECT_IO : 0 };

	send_frame(conn, f->h.unique, 0, &out, sizeof(out));
	return NULL;
}

static const char *on_done(struct fuse_conn *conn, const struct frame_in *f)
{
	send_frame(conn, f->h.unique, 0, NULL, 0);
	return NULL;
}

static const char *on_statfs(struct fuse_conn *conn, const struct frame_in *f)
{
	const struct fuse_statfs_out out = { .st = { .bsize = 4096, .frsize = 4096, .namelen = FUSE_NAME_ROOM - 1 } };

	send_frame(conn, f->h.unique, 0, &out, sizeof(out));
	return NULL;
}

static const char *on_forget(struct fuse_conn *conn, const struct frame_in *f)
{
	const struct fuse_forget_in *in = f->body;

	conn->ops->forget(conn->arg, f->h.nodeid, in->nlookup);
	return NULL;
}

static const char *on_batch_forget(struct fuse_conn *conn, const struct frame_in *f)
{
	const struct fuse_batch_forget_in *in = f->body;
	const struct fuse_forget_one *one = (const void *)(in + 1);

	if ((f->len - sizeof(*in)) / sizeof(*one) < in->count)
		return "BATCH_FORGET is cut short";
	for (uint32_t i = 0; i < in->count; i++)
		conn->ops->forget(conn->arg, one[i].nodeid, one[i].nlookup);
	return NULL;
}

static const char *on_interrupt(struct fuse_conn *conn, const struct frame_in *f)
{
	const struct fuse_interrupt_in *in = f->body;
	struct fuse_call *c;

	TAILQ_FOREACH (c, &conn->calls, link) {
		if (c->unique == in->unique)
			break;
	}
	if (c)
		conn->ops->interrupt(conn->arg, c);
	return NULL;
}

static const struct request {
	uint32_t opcode;
	size_t size; /* of the structure that it begins with, at least */
	unsigned names; /* that many follow it, NUL-terminated, and nothing else */
	request_fn *fn;
} requests[] = {
	{ FUSE_INIT, offsetof(struct fuse_init_in, flags2), 0, on_init },
	{ FUSE_LOOKUP, 0, 1, pass_on },
	{ FUSE_GETATTR, 0, 0, pass_on },
	{ FUSE_SETATTR, sizeof(struct fuse_setattr_in), 0, pass_on },
	{ FUSE_READLINK, 0, 0, pass_on },
	{ FUSE_READ, sizeof(struct fuse_read_in), 0, pass_on },
	{ FUSE_WRITE, sizeof(struct fuse_write_in), 0, pass_on },
	{ FUSE_READDIR, sizeof(struct fuse_read_in), 0, pass_on },
	{ FUSE_MKNOD, sizeof(struct fuse_mknod_in), 1, pass_on },
	{ FUSE_MKDIR, sizeof(struct fuse_mkdir_in), 1, pass_on },
	{ FUSE_SYMLINK, 0, 2, pass_on },
	{ FUSE_LINK, sizeof(struct fuse_link_in), 1, pass_on },
	{ FUSE_UNLINK, 0, 1, pass_on },
	{ FUSE_RMDIR, 0, 1, pass_on },
	{ FUSE_RENAME, sizeof(struct fuse_rename_in), 2, pass_on },
	{ FUSE_RENAME2, sizeof(struct fuse_rename2_in), 2, pass_on },
	{ FUSE_OPEN, sizeof(struct fuse_open_in), 0, on_open },
	{ FUSE_OPENDIR, sizeof(struct fuse_open_in), 0, on_open },
	{ FUSE_RELEASE, 0, 0, on_done },
	{ FUSE_RELEASEDIR, 0, 0, on_done },
	{ FUSE_FSYNC, 0, 0, on_done }, /* it is in memory */
	{ FUSE_FSYNCDIR, 0, 0, on_done },
	{ FUSE_STATFS, 0, 0, on_statfs },
	{ FUSE_FORGET, sizeof(struct fuse_forget_in), 0, on_forget },
	{ FUSE_BATCH_FORGET, sizeof(struct fuse_batch_forget_in), 0, on_batch_forget },
	{ FUSE_INTERRUPT, sizeof(struct fuse_interrupt_in), 0, on_interrupt },
	{ FUSE_DESTROY, 0, 0, on_done },
};

static const struct request *find(uint32_t opcode)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		if (requests[i].opcode == opcode)
			return &requests[i];
	}
	return NULL;
}

/* False: they are not there, one is empty, or there is more. */
static bool take_names(struct frame_in *f, size_t at, unsigned n)
{
	const char *body = f->body;

	for (unsigned i = 0; i < n; i++) {
		size_t len = strnlen(body + at, f->len - at);

		if (!len || at + len == f->len)
			return false;
		f->names[i] = body + at;
		at += len + 1;
	}
	return !n || at == f->len;
}

static const char *serve(struct fuse_conn *conn, struct frame_in *f)
{
	const struct request *r = find(f->h.opcode);

	if (!conn->greeted && f->h.opcode != FUSE_INIT)
		return "a request before INIT";
	if (!r) {
		send_frame(conn, f->h.unique, ENOSYS, NULL, 0);
		return NULL;
	}
	if (f->len < r->size || !take_names(f, r->size, r->names))
		return "a request of another length than its kind has";
	return r->fn(conn, f);
}

static void lost(struct fuse_conn *conn, const char *why)
{
	event_del(conn->readable);
	conn->ops->gone(conn->arg, why);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct fuse_conn *conn = arg;
	union {
		struct fuse_in_header h;
		uint8_t bytes[FUSE_MIN_READ_BUFFER + FUSE_WRITE_MAX];
	} in;
	ssize_t n = read(fd, &in, sizeof(in));
	struct frame_in f = { .h = in.h, .body = in.bytes + sizeof(in.h), .len = n < (ssize_t)sizeof(in.h) ? 0 : (size_t)n - sizeof(in.h) };
	const char *wrong;

	/* ENOENT: who asked was killed before we came to it */
	if (n < 0 && (errno == EINTR || errno == EAGAIN || errno == ENOENT))
		return;
	if (n < 0)
		lost(conn, errno == ENODEV ? NULL : strerror(errno));
	else if (n < (ssize_t)sizeof(in.h) || in.h.len != (size_t)n)
		lost(conn, "half a request");
	else if ((wrong = serve(conn, &f)))
		lost(conn, wrong);
}

/* --- its life ------------------------------------------------------------------------ */

struct err *fuse_open(struct event_base *base, int fd, const struct fuse_ops *ops, void *arg, struct fuse_conn **out)
{
	struct fuse_conn *conn = calloc(1, sizeof(*conn));

	if (!conn)
		return err_new(ENOMEM, "FUSE");
	*conn = (struct fuse_conn){ .fd = -1, .ops = ops, .arg = arg };
	TAILQ_INIT(&conn->calls);
	conn->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, conn);
	if (!conn->readable || event_add(conn->readable, NULL) < 0) {
		fuse_close(conn);
		return err_new(EINVAL, "FUSE: not a descriptor that can be waited for");
	}
	conn->fd = fd;
	*out = conn;
	return NULL;
}

void fuse_close(struct fuse_conn *conn)
{
	struct fuse_call *c;

	while ((c = TAILQ_FIRST(&conn->calls))) {
		TAILQ_REMOVE(&conn->calls, c, link);
		c->conn = NULL;
	}
	if (conn->readable)
		event_free(conn->readable);
	fd_close(&conn->fd);
	free(conn);
}
