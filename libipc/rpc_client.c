/*
 * rpc_client.c - blocking calls from any number of threads over one socket: their frames
 * (rpc_client_call.c has their messages).
 *
 * Leader and followers: of the threads that wait for an answer, one (the
 * leader) is in recvmsg and hands every frame it gets to the call it belongs
 * to; when its own answer has come it wakes another waiter, which leads on.
 * No thread of its own, so a caller that is alone makes exactly one sendmsg
 * and one recvmsg.
 *
 * Locks: mu guards everything but the socket, and is never held in a system
 * call on it.  sendmsg of one datagram is atomic, so senders need no lock; one
 * leader at a time receives.  Calls that passed their deadline leave a
 * tombstone until their answer comes (the server always answers).
 *
 * A server that was replaced (rpc_client_on_restart) never answers what the one
 * before it had taken; what still lay in the socket it does answer.  All calls
 * of before end at the event, and their answers are dropped.
 */
#include "libipc/frame_io.h"
#include "libipc/rpc_client_internal.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TOMBSTONES_MAX 4096

struct tombstone {
	LIST_ENTRY(tombstone) entry;
	uint64_t sequence;
};

struct rpc_client {
	int sock; /* [I] */
	pthread_mutex_t mu;
	pthread_condattr_t monotonic; /* [I] */
	TAILQ_HEAD(, rpc_wait) waits; /* [mu] */
	LIST_HEAD(, tombstone) tombstones; /* [mu] */
	unsigned n_tombstones; /* [mu] */
	uint64_t sequence; /* [mu] last one given */
	uint64_t lost; /* [mu] up to this one they were another server's */
	uint32_t restart; /* [I] the event of another server; 0: none is ever */
	bool (*on_restart)(void *arg, struct frame *f); /* [I] */
	void *on_restart_arg; /* [I] */
	bool leading; /* [mu] some thread receives */
	int broken; /* [mu] errno that ended the connection */
	const char *why; /* [mu] a constant that says more, or NULL */
};

struct err *rpc_client_new(int sock, struct rpc_client **out)
{
	struct rpc_client *c = calloc(1, sizeof *c);
	if (!c)
		return err_new(ENOMEM, "rpc client");
	c->sock = sock;
	pthread_mutex_init(&c->mu, NULL);
	pthread_condattr_init(&c->monotonic);
	pthread_condattr_setclock(&c->monotonic, CLOCK_MONOTONIC);
	TAILQ_INIT(&c->waits);
	LIST_INIT(&c->tombstones);
	*out = c;
	return NULL;
}

static void bury_tombstones(struct rpc_client *c)
{
	struct tombstone *t;
	while ((t = LIST_FIRST(&c->tombstones))) {
		LIST_REMOVE(t, entry);
		free(t);
	}
	c->n_tombstones = 0;
}

void rpc_client_free(struct rpc_client *c)
{
	if (!c)
		return;
	bury_tombstones(c);
	close(c->sock);
	pthread_condattr_destroy(&c->monotonic);
	pthread_mutex_destroy(&c->mu);
	free(c);
}

int rpc_client_fd(const struct rpc_client *c)
{
	return c->sock;
}

void rpc_client_on_restart(struct rpc_client *c, uint32_t method, bool (*fn)(void *arg, struct frame *f), void *arg)
{
	c->restart = method;
	c->on_restart = fn;
	c->on_restart_arg = arg;
}

/* --- time --------------------------------------------------------------------- */

struct timespec rpc_deadline_after(unsigned ms)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

/* Milliseconds until t, rounded up; 0 when it has passed. */
static int ms_until(const struct timespec *t)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	int64_t ns = (int64_t)(t->tv_sec - now.tv_sec) * 1000000000 + (t->tv_nsec - now.tv_nsec);
	return ns <= 0 ? 0 : (int)((ns + 999999) / 1000000);
}

/* Waits until the socket is ready for events; 0 or ETIMEDOUT. */
static int wait_ready(int sock, short events, const struct timespec *deadline)
{
	struct pollfd p = { .fd = sock, .events = events };
	for (;;) {
		int ms = deadline ? ms_until(deadline) : -1;
		int n = poll(&p, 1, ms);
		if (n > 0)
			return 0;
		if (n == 0 && ms == 0)
			return ETIMEDOUT;
		if (n < 0 && errno != EINTR)
			return errno;
	}
}

/* --- with mu held --------------------------------------------------------------- */

static void break_locked(struct rpc_client *c, int errnum, const char *why)
{
	struct rpc_wait *w;
	if (!c->broken) {
		c->broken = errnum;
		c->why = why;
		/* the peer learns at once, and a leader in recvmsg comes back */
		shutdown(c->sock, SHUT_RDWR);
	}
	TAILQ_FOREACH (w, &c->waits, entry)
		pthread_cond_signal(&w->wake);
}

/* Another server: nobody may wait for what the one before it had taken. */
static bool restarted_locked(struct rpc_client *c, struct frame *f)
{
	struct rpc_wait *w;
	if (f->kind != FRAME_EVENT || !c->restart || f->method != c->restart || !c->on_restart(c->on_restart_arg, f))
		return false;
	c->lost = c->sequence;
	bury_tombstones(c);
	TAILQ_FOREACH (w, &c->waits, entry) {
		if (w->done)
			continue;
		w->errnum = ERESTART;
		w->done = true;
		pthread_cond_signal(&w->wake);
	}
	return true;
}

/* Gives a received frame (and what it owns) to the call it answers. */
static void deliver_locked(struct rpc_client *c, struct frame *f)
{
	struct rpc_wait *w;
	struct tombstone *t;
	if (f->kind == FRAME_REPLY || f->kind == FRAME_ERROR) {
		if (f->sequence <= c->lost) {
			frame_free(f);
			return;
		}
		TAILQ_FOREACH (w, &c->waits, entry) {
			if (w->sequence != f->sequence || w->done)
				continue;
			if (w->method != f->method)
				break;
			w->frame = *f;
			w->done = true;
			pthread_cond_signal(&w->wake);
			return;
		}
		LIST_FOREACH (t, &c->tombstones, entry) {
			if (t->sequence != f->sequence)
				continue;
			LIST_REMOVE(t, entry);
			c->n_tombstones--;
			free(t);
			frame_free(f);
			return;
		}
	}
	bool restarted = restarted_locked(c, f);
	frame_free(f);
	if (!restarted)
		break_locked(c, EPROTO, "the peer sent what nobody asked for");
}

/* Receives one frame and delivers it.  mu is released meanwhile.  0 or ETIMEDOUT. */
static int lead_locked(struct rpc_client *c, const struct timespec *deadline)
{
	struct frame f;
	const char *why = NULL;
	bool eof = false;
	int errnum;
	c->leading = true;
	pthread_mutex_unlock(&c->mu);
	do {
		errnum = deadline ? wait_ready(c->sock, POLLIN, deadline) : 0;
		if (!errnum)
			errnum = frame_recv_flags(c->sock, &f, deadline ? MSG_DONTWAIT : 0, &eof, &why);
		if (errnum == EAGAIN && !deadline) /* somebody made the socket non-blocking */
			errnum = wait_ready(c->sock, POLLIN, NULL) ? EIO : EAGAIN;
	} while (errnum == EAGAIN);
	pthread_mutex_lock(&c->mu);
	c->leading = false;
	if (errnum == ETIMEDOUT)
		return ETIMEDOUT;
	if (errnum == ENOMEM) /* nothing was read; the datagram waits */
		return 0;
	if (errnum)
		break_locked(c, errnum, why);
	else if (eof)
		break_locked(c, ECONNRESET, "the peer is gone");
	else
		deliver_locked(c, &f);
	return 0;
}

/* Somebody must lead while there are calls without an answer. */
static void hand_over_locked(struct rpc_client *c)
{
	struct rpc_wait *w;
	if (c->leading)
		return;
	TAILQ_FOREACH (w, &c->waits, entry) {
		if (!w->done && !w->nobody) {
			pthread_cond_signal(&w->wake);
			return;
		}
	}
}

/* Waits for w's answer: 0, ETIMEDOUT, or what broke the connection. */
static int await_locked(struct rpc_client *c, struct rpc_wait *w, const struct timespec *deadline)
{
	while (!w->done) {
		int r;
		if (c->broken)
			return c->broken;
		if (!c->leading)
			r = lead_locked(c, deadline);
		else if (deadline)
			r = pthread_cond_timedwait(&w->wake, &c->mu, deadline);
		else
			r = pthread_cond_wait(&w->wake, &c->mu);
		if (r == ETIMEDOUT && !w->done)
			return ETIMEDOUT;
	}
	return w->errnum;
}

/* --- a call ----------------------------------------------------------------------- */

int rpc_client_transmit(struct rpc_client *c, const struct frame *f, const struct timespec *deadline)
{
	for (;;) {
		int errnum = frame_send_flags(c->sock, f, deadline ? MSG_DONTWAIT : 0);
		if (errnum == EPIPE || errnum == ENOTCONN)
			return ECONNRESET;
		if (errnum != EAGAIN)
			return errnum;
		errnum = wait_ready(c->sock, POLLOUT, deadline);
		if (errnum)
			return errnum;
	}
}

/* The caller does not wait any longer for an answer that will come. */
static void abandon_locked(struct rpc_client *c, const struct rpc_wait *w)
{
	struct tombstone *t = c->n_tombstones < TOMBSTONES_MAX ? malloc(sizeof *t) : NULL;
	if (!t) {
		break_locked(c, ENOMEM, "too many calls were given up");
		return;
	}
	t->sequence = w->sequence;
	LIST_INSERT_HEAD(&c->tombstones, t, entry);
	c->n_tombstones++;
}

static void send_cancel(struct rpc_client *c, const struct rpc_wait *w)
{
	struct frame cancel = { .kind = FRAME_CANCEL, .sequence = w->sequence, .method = w->method };
	/* a hint only: when the socket is full it is not worth waiting */
	(void)frame_send_flags(c->sock, &cancel, MSG_DONTWAIT);
}

/* Takes w off the list of those under way. */
static void end_wait_locked(struct rpc_client *c, struct rpc_wait *w)
{
	TAILQ_REMOVE(&c->waits, w, entry);
	hand_over_locked(c);
}

int rpc_client_begin(struct rpc_client *c, struct frame *f, struct rpc_wait *w, const struct timespec *deadline)
{
	pthread_mutex_lock(&c->mu);
	int errnum = c->broken;
	if (errnum) {
		pthread_mutex_unlock(&c->mu);
		return errnum;
	}
	pthread_cond_init(&w->wake, &c->monotonic);
	f->sequence = w->sequence = ++c->sequence;
	TAILQ_INSERT_TAIL(&c->waits, w, entry);
	pthread_mutex_unlock(&c->mu);
	errnum = rpc_client_transmit(c, f, deadline);
	if (!errnum)
		return 0;
	pthread_mutex_lock(&c->mu);
	if (errnum == ECONNRESET)
		break_locked(c, ECONNRESET, "the peer is gone");
	end_wait_locked(c, w);
	pthread_mutex_unlock(&c->mu);
	pthread_cond_destroy(&w->wake);
	return errnum;
}

int rpc_client_finish(struct rpc_client *c, struct rpc_wait *w, const struct timespec *deadline)
{
	pthread_mutex_lock(&c->mu);
	w->nobody = false;
	int errnum = await_locked(c, w, deadline);
	bool abandoned = errnum == ETIMEDOUT;
	if (abandoned)
		abandon_locked(c, w);
	end_wait_locked(c, w);
	pthread_mutex_unlock(&c->mu);
	if (abandoned)
		send_cancel(c, w);
	pthread_cond_destroy(&w->wake);
	return errnum;
}

void rpc_client_break(struct rpc_client *c, int errnum, const char *why)
{
	pthread_mutex_lock(&c->mu);
	break_locked(c, errnum, why);
	pthread_mutex_unlock(&c->mu);
}

const char *rpc_client_why(struct rpc_client *c)
{
	pthread_mutex_lock(&c->mu);
	const char *why = c->broken ? c->why : NULL;
	pthread_mutex_unlock(&c->mu);
	return why;
}
