/*
 * wait.h - how host threads of the sentry block and are woken.
 *
 * A wait queue belongs to an object (pipe, socket, child list ...).  Waiters
 * are callbacks; the usual one wakes the sleeper of a thread.  A sleeper is a
 * thread's own futex word with a latch, so that a wake-up between the check of
 * a condition and the sleep is never lost:
 *
 *	struct waiter w;
 *	wait_begin(&w, &pipe->wq, EVENT_IN);
 *	while (!(ready = pipe_has_data(pipe))) {
 *		r = wait_sleep(WAIT_FOREVER);
 *		if (r)
 *			break;
 *	}
 *	wait_end(&w);
 *
 * Event masks are poll(2)'s bits (EVENT_IN == POLLIN ...).
 */
#ifndef SENTRY_LIB_WAIT_H
#define SENTRY_LIB_WAIT_H

#include "lib/lock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#define EVENT_IN 0x0001u
#define EVENT_PRI 0x0002u
#define EVENT_OUT 0x0004u
#define EVENT_ERR 0x0008u
#define EVENT_HUP 0x0010u
#define EVENT_RDNORM 0x0040u
#define EVENT_RDBAND 0x0080u
#define EVENT_WRNORM 0x0100u
#define EVENT_WRBAND 0x0200u
#define EVENT_RDHUP 0x2000u
#define EVENT_URG 0x10000u /* no bit of poll: urgent data has come to a socket (kernel/sigio.c) */
#define EVENT_ALL 0xffffffffu
/* data may be read; may be written: the bits that come together but for priority bands */
#define EVENT_READABLE (EVENT_IN | EVENT_RDNORM)
#define EVENT_WRITABLE (EVENT_OUT | EVENT_WRNORM)

/* Internal error codes of blocking calls, as in Linux: never seen by programs.
 * The task loop turns them into a restart or EINTR. */
#ifndef ERESTARTSYS
#define ERESTARTSYS 512
#define ERESTARTNOINTR 513
#define ERESTARTNOHAND 514
#define ERESTART_RESTARTBLOCK 516
#endif

struct waitq;
struct waiter {
	TAILQ_ENTRY(waiter) link; /* [q->mu] */
	struct waitq *q; /* [I] while linked; NULL when not */
	uint32_t mask; /* [I] events wanted; ERR and HUP always are */
	bool exclusive; /* [I] waitq_wake_one stops after one of these */
	bool early; /* [I] waitq_touch calls it too, before the wake-up */
	/* Called with q->mu held, on the waking thread: must not block, and may
	 * take only RANK_LEAF locks or wake others (epoll's queue, a sleeper). */
	void (*fn)(struct waiter *w, uint32_t events);
	void *arg;
};

struct waitq {
	struct mutex mu; /* RANK_WAITQ */
	TAILQ_HEAD(, waiter) waiters;
	_Atomic uint32_t n; /* so that waking an empty queue costs a load */
	_Atomic uint32_t n_early; /* the early ones among them */
};

void waitq_init(struct waitq *q);
void waitq_destroy(struct waitq *q); /* must be empty */
void waitq_add(struct waitq *q, struct waiter *w);
void waitq_del(struct waiter *w); /* after return fn is not running */
void waitq_wake(struct waitq *q, uint32_t events); /* all waiters with one of these events in their mask */
/* The same, when more events will follow soon: sleepers need not be woken before those (lock_wake_lazily). */
void waitq_wake_lazily(struct waitq *q, uint32_t events);
bool waitq_is_watched(struct waitq *q); /* by others than threads that sleep in a call */
void waitq_wake_one(struct waitq *q, uint32_t events); /* all non-exclusive, and one exclusive */

/* Calls the early waiters only.  Called with the changed object's lock held, before
 * waitq_wake, so that they know of the change before anybody can see it. */
void waitq_touch(struct waitq *q, uint32_t events);

#define SLEEPER_AWAKE 0u /* checks the word before it sleeps */
#define SLEEPER_WOKEN 1u
#define SLEEPER_SLEEPS 2u /* in futex(2) on the host, or about to be */

enum wake_when {
	WAKE_NOW,
	WAKE_LATER, /* when the waker sleeps: lock_wake_later */
	WAKE_LAZILY, /* if it was waitq_wake_lazily: lock_wake_lazily */
};

/* One per host thread that may block in the kernel. */
struct sleeper {
	_Atomic uint32_t word; /* latch: SLEEPER_* */
	_Atomic bool interrupted; /* a signal or kill is pending: interruptible sleeps end at once until sleeper_clear */
	_Atomic char *state; /* [I] the owner's task state, set to 'S' or 'D' during a sleep, else 'R'; may be NULL */
	void (*sleeps)(struct sleeper *s); /* [I] called on the owner's thread before it sleeps; may be NULL */
	/* [I] called on the waking thread before a sleeping owner is woken: says when; may be NULL */
	enum wake_when (*wakes)(struct sleeper *s);
	_Atomic pid_t tid; /* the host thread whose current sleeper this is; 0: none yet */
	_Atomic int seat; /* 1 + the CPU that the platform has bound that thread to; 0: it may run anywhere; else: as it says */
	_Atomic uint64_t seated; /* since when, in TSC ticks */
	_Atomic uint64_t woken; /* the platform's: TSC ticks, when it was woken last, until it sleeps; 0 */
	_Atomic bool brief; /* the same: when it was woken it slept again soon */
};
void sleeper_init(struct sleeper *s);
/* Sets the calling thread's current sleeper; NULL before that sleeper is freed. */
void sleeper_set_current(struct sleeper *s);
struct sleeper *sleeper_current(void);
void sleeper_wake(struct sleeper *s); /* any thread */
void sleeper_interrupt(struct sleeper *s); /* any thread: sets interrupted and wakes */
void sleeper_clear(struct sleeper *s);

#define WAIT_FOREVER INT64_MAX

/* Registers a waiter that wakes the current sleeper. */
void wait_begin(struct waiter *w, struct waitq *q, uint32_t mask);
void wait_end(struct waiter *w);
/* deadline: ns of CLOCK_MONOTONIC, or WAIT_FOREVER.  0: woken (check again);
 * -ETIMEDOUT; -ERESTARTSYS: interrupted.  The uninterruptible form has no
 * -ERESTARTSYS. */
int wait_sleep(int64_t deadline);
int wait_sleep_uninterruptible(int64_t deadline);

int64_t now_monotonic(void); /* ns */
int64_t now_realtime(void); /* ns */
int64_t now_realtime_coarse(void); /* ns, some milliseconds old; cheap */

#endif
