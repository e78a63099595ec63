/*
 * hostwatch.c - host descriptors that the event thread watches for the program:
 * when one becomes ready, a wait queue is woken.  One-shot: armed again by the
 * reader that found nothing, so that an unread descriptor costs nothing.
 *
 * hostwatch_arm may be called from any thread; the callback runs on the event
 * thread.  event_free waits for a callback that runs.
 */
#include "kernel/sigio.h"
#include "kernel/task.h"

#include <stdlib.h>

struct hostwatch {
	struct kernel *k; /* [I] */
	struct event *in, *out; /* [I] owned */
	struct waitq *wq; /* [I] the owner's */
};

static void ready_in(evutil_socket_t fd, short what, void *arg)
{
	struct hostwatch *h = arg;

	/* a descriptor that hung up is readable too: the reader finds out */
	waitq_wake(h->wq, EVENT_READABLE | (what & EV_CLOSED ? EVENT_HUP | EVENT_RDHUP : 0));
	sigio_send(h->k);
}

static void ready_out(evutil_socket_t fd, short what, void *arg)
{
	struct hostwatch *h = arg;

	waitq_wake(h->wq, EVENT_WRITABLE);
	sigio_send(h->k);
}

struct hostwatch *hostwatch_new(struct kernel *k, int fd, struct waitq *wq)
{
	struct hostwatch *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->k = k;
	h->wq = wq;
	h->in = event_new(k->loop, fd, EV_READ, ready_in, h);
	h->out = event_new(k->loop, fd, EV_WRITE, ready_out, h);
	if (h->in && h->out)
		return h;
	hostwatch_free(h);
	return NULL;
}

void hostwatch_arm(struct hostwatch *h, uint32_t events)
{
	if (events & (EVENT_IN | EVENT_HUP | EVENT_RDHUP | EVENT_PRI | EVENT_RDNORM))
		event_add(h->in, NULL);
	if (events & EVENT_WRITABLE)
		event_add(h->out, NULL);
}

void hostwatch_free(struct hostwatch *h)
{
	if (!h)
		return;
	if (h->in)
		event_free(h->in);
	if (h->out)
		event_free(h->out);
	free(h);
}
