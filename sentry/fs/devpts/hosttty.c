/*
 * hosttty.c - a container's terminal: a tty of ours whose master side is a
 * host descriptor in raw mode (the slave of a pty that the launcher or an
 * engine holds).  The host side carries bytes only; editing, echo and signals
 * happen in our line discipline.
 *
 * Runs on the event thread.  The tty's own wake-ups come from task threads
 * through an event of the loop.
 */
#include "fs/devpts/tty.h"

#include "kernel/sigio.h"
#include "libipc/fd.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define CHUNK 2048
#define FLUSH_MS 1000 /* at the end of a terminal's process, for output nobody reads yet */

struct hosttty {
	struct kernel *k;
	struct tty *t; /* referenced */
	int fd; /* owned; a blocking descriptor that others may share: never made non-blocking */
	struct event *readable, *writable, *kick;
	struct waiter waiter; /* on t->master_wq */
	uint8_t in[CHUNK]; /* read from the host, not yet taken by the tty */
	size_t in_len;
	uint8_t out[CHUNK]; /* of the tty, not yet written to the host */
	size_t out_len;
	bool eof;
};

static bool ready(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, 0) == 1;
}

/* The host side's size, told by the engine on its master. */
static void sync_size(struct hosttty *h)
{
	struct winsize ws;
	struct linux_winsize ls;

	if (ioctl(h->fd, TIOCGWINSZ, &ws))
		return;
	ls = (struct linux_winsize){ ws.ws_row, ws.ws_col, ws.ws_xpixel, ws.ws_ypixel };
	if (ls.ws_row || ls.ws_col)
		tty_set_winsize(h->t, &ls);
}

static void feed_input(struct hosttty *h)
{
	size_t n = h->in_len ? tty_master_write(h->t, h->in, h->in_len) : 0;

	sigio_send(h->t->k);
	memmove(h->in, h->in + n, h->in_len - n);
	h->in_len -= n;
	if (!h->in_len && !h->eof)
		event_add(h->readable, NULL);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct hosttty *h = arg;
	ssize_t n;

	if (h->in_len || !ready(h->fd, POLLIN)) {
		if (!h->in_len)
			event_add(h->readable, NULL);
		return;
	}
	n = read(h->fd, h->in, sizeof(h->in));
	if (n <= 0) {
		if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
			event_add(h->readable, NULL);
			return;
		}
		h->eof = true;
		tty_master_hangup(h->t);
		return;
	}
	sync_size(h);
	h->in_len = (size_t)n;
	feed_input(h);
}

static void push_output(struct hosttty *h)
{
	for (;;) {
		ssize_t n;

		if (!h->out_len)
			h->out_len = tty_master_read(h->t, h->out, sizeof(h->out));
		if (!h->out_len)
			return;
		if (!ready(h->fd, POLLOUT)) {
			event_add(h->writable, NULL);
			return;
		}
		n = write(h->fd, h->out, h->out_len < 1024 ? h->out_len : 1024);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			n = (ssize_t)h->out_len; /* nobody there any more */
		if (n > 0) {
			memmove(h->out, h->out + n, h->out_len - (size_t)n);
			h->out_len -= (size_t)n;
		}
	}
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	push_output(arg);
}

/* The tty changed: output to fetch, or room for input. */
static void on_kick(evutil_socket_t fd, short what, void *arg)
{
	struct hosttty *h = arg;

	push_output(h);
	if (h->in_len)
		feed_input(h);
}

static void master_woken(struct waiter *w, uint32_t events)
{
	struct hosttty *h = w->arg;

	event_active(h->kick, 0, 0);
}

/* The last output, before the end is told: waits a little for a slow reader. */
static void flush_output(struct hosttty *h)
{
	struct pollfd p = { .fd = h->fd, .events = POLLOUT };

	for (int tries = 0; tries < 20; tries++) {
		push_output(h);
		if (!h->out_len)
			return;
		poll(&p, 1, FLUSH_MS / 20);
	}
}

int hosttty_new(struct kernel *k, int fd, struct tty *t, struct hosttty **out)
{
	struct hosttty *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->k = k;
	h->fd = fd;
	tty_get(t);
	h->t = t;
	h->readable = event_new(k->loop, fd, EV_READ, on_readable, h);
	h->writable = event_new(k->loop, fd, EV_WRITE, on_writable, h);
	h->kick = event_new(k->loop, -1, 0, on_kick, h);
	if (!h->readable || !h->writable || !h->kick || event_add(h->readable, NULL)) {
		h->fd = -1;
		hosttty_free(h);
		return -ENOMEM;
	}
	h->waiter = (struct waiter){ .mask = EVENT_ALL, .fn = master_woken, .arg = h };
	waitq_add(&t->master_wq, &h->waiter);
	sync_size(h);
	*out = h;
	return 0;
}

void hosttty_free(struct hosttty *h)
{
	if (!h)
		return;
	if (h->waiter.q) {
		waitq_del(&h->waiter);
		flush_output(h);
	}
	if (h->readable)
		event_free(h->readable);
	if (h->writable)
		event_free(h->writable);
	if (h->kick)
		event_free(h->kick);
	fd_close(&h->fd);
	tty_put(h->t);
	free(h);
}
