/*
 * port_forward.c - control.port_forward: carries bytes between a host's stream
 * socket, donated for it, and a connection to a port of the sandbox's loopback.
 *
 * Event thread: nothing here waits.  What was read and finds no room on the
 * other side stays in a buffer, and then nothing more is read; the end of one
 * direction is passed on as such, and the other goes on.
 */
#include "control/port_forward.h"

#include "abi/socket.h"
#include "control/container.h"
#include "libipc/fd.h"
#include "mm/usercopy.h"
#include "net/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define FORWARDS_MAX 1024
#define BUFFER 32768
#define ROUNDS 16 /* buffers moved before others get their turn */

/* One direction. */
struct way {
	size_t from, to; /* what buf holds */
	bool end; /* nothing more comes */
	bool told; /* and the other side knows */
	char buf[BUFFER];
};

struct forward {
	struct socket *guest; /* referenced, connected */
	int host;
	struct event *in, *out; /* of host */
	struct event *guest_event; /* the waiter has been called */
	struct waiter guest_waiter;
	struct way inwards, outwards;
};

static unsigned n_forwards;

static void forward_free(struct forward *f)
{
	struct event *events[] = { f->in, f->out, f->guest_event };

	if (f->guest) {
		waitq_del(&f->guest_waiter);
		f->guest->ops->close(f->guest);
		socket_put(f->guest);
	}
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (events[i])
			event_free(events[i]);
	fd_close(&f->host);
	free(f);
	n_forwards--;
}

/* --- both ends: bytes moved, 0 at the end, or -errno ------------------------------------ */

static ssize_t host_read(struct forward *f, char *buf, size_t n)
{
	struct iovec v = { buf, n };
	ssize_t r = recvmsg(f->host, &(struct msghdr){ .msg_iov = &v, .msg_iovlen = 1 }, MSG_DONTWAIT);

	return r < 0 ? -errno : r;
}

static ssize_t host_write(struct forward *f, char *buf, size_t n)
{
	struct iovec v = { buf, n };
	ssize_t r = sendmsg(f->host, &(struct msghdr){ .msg_iov = &v, .msg_iovlen = 1 }, MSG_DONTWAIT | MSG_NOSIGNAL);

	return r < 0 ? -errno : r;
}

static void host_end(struct forward *f)
{
	shutdown(f->host, SHUT_WR);
}

static ssize_t guest_read(struct forward *f, char *buf, size_t n)
{
	struct uio u;

	uio_kernel(&u, buf, n);
	return socket_recv(f->guest, &(struct socket_msg){ .uio = &u, .flags = LINUX_MSG_DONTWAIT });
}

static ssize_t guest_write(struct forward *f, char *buf, size_t n)
{
	const struct sock_caller nobody = { 0 };
	struct uio u;

	uio_kernel(&u, buf, n);
	return socket_send(f->guest, &(struct socket_msg){ .uio = &u, .flags = LINUX_MSG_DONTWAIT, .caller = &nobody });
}

static void guest_end(struct forward *f)
{
	socket_shutdown(f->guest, LINUX_SHUT_WR);
}

static const struct side {
	ssize_t (*read)(struct forward *f, char *buf, size_t n);
	ssize_t (*write)(struct forward *f, char *buf, size_t n);
	void (*end)(struct forward *f);
} host_side = { host_read, host_write, host_end }, guest_side = { guest_read, guest_write, guest_end };

/* --- moving -------------------------------------------------------------------------------- */

/* 1: moved something; 0: must wait, or is done; -errno: the connection has broken. */
static int move(struct forward *f, struct way *w, const struct side *from, const struct side *to)
{
	ssize_t n;

	if (w->from == w->to && !w->end) {
		if ((n = from->read(f, w->buf, sizeof(w->buf))) < 0)
			return n == -EAGAIN || n == -EINTR ? 0 : (int)n;
		w->end = !n;
		w->from = 0;
		w->to = (size_t)n;
	}
	if (w->from < w->to) {
		if ((n = to->write(f, w->buf + w->from, w->to - w->from)) < 0)
			return n == -EAGAIN || n == -EINTR ? 0 : (int)n;
		w->from += (size_t)n;
		return 1;
	}
	if (w->end && !w->told) {
		to->end(f);
		w->told = true;
	}
	return 0;
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct forward *f = arg;
	int in = 1, out = 1;

	for (int i = 0; (in > 0 || out > 0) && i < ROUNDS; i++) {
		in = move(f, &f->inwards, &host_side, &guest_side);
		out = in < 0 ? in : move(f, &f->outwards, &guest_side, &host_side);
		if (in < 0 || out < 0)
			break;
	}
	if (in < 0 || out < 0 || (f->inwards.told && f->outwards.told)) {
		forward_free(f);
		return;
	}
	if (in || out)
		event_active(f->guest_event, 0, 0);
	if (!f->inwards.end && f->inwards.from == f->inwards.to)
		event_add(f->in, NULL);
	if (f->outwards.from < f->outwards.to)
		event_add(f->out, NULL);
}

/* On any thread, with the queue's lock. */
static void guest_woken(struct waiter *w, uint32_t events)
{
	event_active(((struct forward *)w->arg)->guest_event, 0, 0);
}

/* --- the beginning --------------------------------------------------------------------------- */

static int connect_guest(struct container *c, int family, uint16_t port, struct socket **out)
{
	const struct sock_caller caller = { .fs = c->fs };
	struct sockaddr_buf a = { .len = sizeof(a.in) };
	struct socket *s;
	int r = socket_create(c->k->net, family, LINUX_SOCK_STREAM, 0, &caller, &s);

	if (r)
		return r;
	a.family = (uint16_t)family;
	if (family == LINUX_AF_INET) {
		a.in.port = htons(port);
		a.in.addr = htonl(INADDR_LOOPBACK);
	} else {
		a.len = sizeof(a.in6);
		a.in6.port = htons(port);
		a.in6.addr[15] = 1;
	}
	r = s->ops->connect(s, &caller, &a, true);
	if (r == -EINPROGRESS) /* over a loopback it has ended; the next tells how */
		r = s->ops->connect(s, &caller, &a, true);
	if (r) {
		s->ops->close(s);
		socket_put(s);
		return r;
	}
	*out = s;
	return 0;
}

struct err *port_forward_begin(struct container *c, uint16_t port, int *stream)
{
	struct forward *f = n_forwards < FORWARDS_MAX ? calloc(1, sizeof(*f)) : NULL;
	struct event_base *loop = c->k->loop;
	int r;

	if (!f)
		return n_forwards < FORWARDS_MAX ? err_new(ENOMEM, "port-forward") : err_new(EMFILE, "port-forward: %d connections are open", FORWARDS_MAX);
	n_forwards++;
	f->host = TAKE_FD(*stream);
	f->in = event_new(loop, f->host, EV_READ, on_ready, f);
	f->out = event_new(loop, f->host, EV_WRITE, on_ready, f);
	f->guest_event = event_new(loop, -1, 0, on_ready, f);
	r = f->in && f->out && f->guest_event ? connect_guest(c, LINUX_AF_INET, port, &f->guest) : -ENOMEM;
	if (r == -ECONNREFUSED)
		r = connect_guest(c, LINUX_AF_INET6, port, &f->guest);
	if (r) {
		forward_free(f);
		return err_new(-r, "port %u of container %s", port, c->id);
	}
	f->guest_waiter = (struct waiter){ .mask = EVENT_ALL, .fn = guest_woken, .arg = f };
	waitq_add(&f->guest->wq, &f->guest_waiter);
	event_active(f->guest_event, 0, 0);
	return NULL;
}
