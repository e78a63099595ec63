/*
 * rpc.c - a connection on a libevent loop: its socket, its queue, its end.
 *
 * One thread, the loop's.  Owns the socket and the frames that wait to be
 * sent.  Callbacks may do anything, rpc_free included: `depth` counts those on
 * the stack and the outermost one frees.  A hostile peer that does not read
 * its answers is not read from any more once the queue is long, so that it
 * can hold only so much memory here.
 */
#include "libipc/frame_io.h"
#include "libipc/rpc_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- the end ---------------------------------------------------------------- */

static void drop_queue(struct rpc *r)
{
	struct rpc_queued *q;
	while ((q = STAILQ_FIRST(&r->queue))) {
		STAILQ_REMOVE_HEAD(&r->queue, entry);
		frame_free(&q->frame);
		free(q);
	}
	r->n_queue = 0;
	r->queue_bytes = 0;
}

static void destroy(struct rpc *r)
{
	drop_queue(r);
	event_free(r->readable);
	event_free(r->writable);
	close(r->sock);
	free(r);
}

void rpc_leave(struct rpc *r)
{
	if (--r->depth == 0 && r->freed)
		destroy(r);
}

/* The peer is gone or broke the protocol; takes why (may be NULL). */
static void lost(struct rpc *r, struct err *why)
{
	if (!r->gone) {
		r->gone = true;
		event_del(r->readable);
		event_del(r->writable);
		drop_queue(r);
		rpc_enter(r);
		rpc_ask_stop(r, why ? err_errno(why) : ECONNRESET, why ? err_text(why) : "the peer is gone");
		rpc_serve_stop(r);
		/* the peer learns of it even if our owner keeps r for a while */
		shutdown(r->sock, SHUT_RDWR);
		if (!r->freed && r->closed)
			r->closed(r, why, r->arg);
		rpc_leave(r);
	}
	err_free(why);
}

void rpc_free(struct rpc *r)
{
	if (!r || r->freed)
		return;
	r->freed = true;
	rpc_enter(r);
	if (!r->gone) {
		r->gone = true;
		event_del(r->readable);
		event_del(r->writable);
		rpc_ask_stop(r, ECANCELED, "the connection was closed");
		rpc_serve_stop(r);
	}
	rpc_leave(r);
}

/* --- sending ------------------------------------------------------------------ */

/* Errors of one frame, not of the connection. */
static bool frame_errno(int errnum)
{
	return errnum == EBADF || errnum == ETOOMANYREFS || errnum == EMSGSIZE || errnum == E2BIG || errnum == EINVAL;
}

static int own_fds(struct frame *f)
{
	if (f->owns_fds)
		return 0;
	for (unsigned i = 0; i < f->nfds; i++) {
		int fd = fcntl(f->fds[i], F_DUPFD_CLOEXEC, 3);
		if (fd < 0) {
			int errnum = errno;
			f->nfds = i;
			f->owns_fds = true;
			return errnum;
		}
		f->fds[i] = fd;
	}
	f->owns_fds = true;
	return 0;
}

static bool queue_long(const struct rpc *r)
{
	return r->n_queue >= RPC_QUEUE_MAX || r->queue_bytes >= RPC_QUEUE_BYTES;
}

static int enqueue(struct rpc *r, struct frame *f)
{
	int errnum = own_fds(f);
	struct rpc_queued *q = errnum ? NULL : malloc(sizeof *q);
	if (!q) {
		frame_free(f);
		return errnum ? errnum : ENOMEM;
	}
	q->frame = *f;
	STAILQ_INSERT_TAIL(&r->queue, q, entry);
	r->n_queue++;
	r->queue_bytes += f->body_len;
	event_add(r->writable, NULL);
	if (!r->paused && queue_long(r)) {
		r->paused = true;
		event_del(r->readable);
	}
	return 0;
}

/* The loop's next turn ends the connection: not here, within a caller's call. */
static void fail_later(struct rpc *r, int errnum)
{
	if (!r->send_errnum)
		r->send_errnum = errnum;
	event_active(r->readable, EV_READ, 0);
}

int rpc_transmit(struct rpc *r, struct frame *f)
{
	int errnum = 0;
	if (r->gone || r->send_errnum) {
		frame_free(f);
		return 0;
	}
	if (STAILQ_EMPTY(&r->queue))
		errnum = frame_send_flags(r->sock, f, MSG_DONTWAIT);
	if (!STAILQ_EMPTY(&r->queue) || errnum == EAGAIN || errnum == ENOBUFS || errnum == ENOMEM)
		return enqueue(r, f);
	frame_free(f);
	if (!errnum || frame_errno(errnum))
		return errnum;
	fail_later(r, errnum);
	return 0;
}

static void on_writable(evutil_socket_t sock, short what, void *arg)
{
	struct rpc *r = arg;
	struct rpc_queued *q;
	while ((q = STAILQ_FIRST(&r->queue))) {
		int errnum = frame_send_flags(r->sock, &q->frame, MSG_DONTWAIT);
		if (errnum == EAGAIN || errnum == ENOBUFS || errnum == ENOMEM)
			break;
		if (errnum) { /* ETOOMANYREFS too: it left too many descriptors unread, and would miss an answer */
			lost(r, err_new(errnum, "sending a queued frame"));
			return;
		}
		STAILQ_REMOVE_HEAD(&r->queue, entry);
		r->n_queue--;
		r->queue_bytes -= q->frame.body_len;
		frame_free(&q->frame);
		free(q);
	}
	if (STAILQ_EMPTY(&r->queue))
		event_del(r->writable);
	if (r->paused && r->n_queue < RPC_QUEUE_MAX / 2 && r->queue_bytes < RPC_QUEUE_BYTES / 2) {
		r->paused = false;
		event_add(r->readable, NULL);
	}
}

/* --- receiving ------------------------------------------------------------------ */

static struct err *take_frame(struct rpc *r, struct frame *f)
{
	switch (f->kind) {
	case FRAME_REQUEST:
	case FRAME_EVENT:
	case FRAME_CANCEL:
		return rpc_serve_frame(r, f);
	case FRAME_REPLY:
	case FRAME_ERROR:
		return rpc_ask_frame(r, f);
	}
	return NULL;
}

/* Receives one frame and acts on it; false: none can be had now. */
static bool receive(struct rpc *r, int flags)
{
	struct frame f;
	const char *why;
	bool eof;
	int errnum = frame_recv_flags(r->sock, &f, flags, &eof, &why);
	if (errnum == EAGAIN || errnum == ENOMEM)
		return false;
	if (eof) {
		lost(r, NULL);
	} else if (errnum) {
		lost(r, why ? err_with_text(EPROTO, "received a broken frame: %s", why) : err_new(errnum, "receiving a frame"));
	} else {
		struct err *e = take_frame(r, &f);
		frame_free(&f);
		if (e)
			lost(r, e);
	}
	return true;
}

static bool may_receive(const struct rpc *r)
{
	return !r->gone && !r->paused && !r->send_errnum;
}

static void on_readable(evutil_socket_t sock, short what, void *arg)
{
	struct rpc *r = arg;
	if (r->gone)
		return;
	if (r->send_errnum) {
		int errnum = r->send_errnum;
		lost(r, errnum == EPIPE || errnum == ECONNRESET ? NULL : err_new(errnum, "sending a frame"));
		return;
	}
	rpc_enter(r);
	/* a bounded number, so that a busy peer does not starve the others */
	for (int i = 0; i < RPC_FRAMES_A_TURN && may_receive(r); i++)
		if (!receive(r, MSG_DONTWAIT))
			break;
	rpc_leave(r);
}

void rpc_run(struct rpc *r, void (*idle)(void))
{
	rpc_enter(r);
	while (!r->gone) {
		if (may_receive(r) && STAILQ_EMPTY(&r->queue) && receive(r, 0))
			continue;
		if (idle && may_receive(r) && STAILQ_EMPTY(&r->queue))
			idle();
		/* the loop sends what is queued, waits where the socket does not, and tells of errors */
		if (!r->gone && event_base_loop(r->base, EVLOOP_ONCE) < 0)
			break;
	}
	rpc_leave(r);
}

/* --- making ----------------------------------------------------------------------- */

struct err *rpc_new(struct event_base *base, int sock, const struct rpc_method *methods, size_t n,
	void (*closed)(struct rpc *r, const struct err *why, void *arg), void *arg, struct rpc **out)
{
	struct rpc *r = calloc(1, sizeof *r);
	if (!r)
		return err_new(ENOMEM, "rpc");
	r->base = base;
	r->sock = sock;
	r->methods = methods;
	r->n_methods = n;
	r->closed = closed;
	r->arg = arg;
	STAILQ_INIT(&r->queue);
	r->readable = event_new(base, sock, EV_READ | EV_PERSIST, on_readable, r);
	r->writable = event_new(base, sock, EV_WRITE | EV_PERSIST, on_writable, r);
	if (!r->readable || !r->writable || event_add(r->readable, NULL) < 0) {
		if (r->readable)
			event_free(r->readable);
		if (r->writable)
			event_free(r->writable);
		free(r);
		return err_new(ENOMEM, "rpc events");
	}
	*out = r;
	return NULL;
}

void *rpc_arg(struct rpc *r)
{
	return r->arg;
}
