/*
 * timerfd.c - timers as files (timerfd_create(2)).
 *
 * [t->mu] RANK_FILE guards a timer's state; on_timer runs on the timer thread
 * once an expiry (missed periods are counted, not slept through).  Clocks other
 * than the monotonic one are turned into it when the timer is set: the sandbox's
 * clocks are never set, so TFD_TIMER_CANCEL_ON_SET has nothing to cancel.
 */
#include "fs/timerfd.h"

#include "abi/fcntl.h"
#include "kernel/posix_timer.h"
#include "kernel/task.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>


struct timerfd {
	struct mutex mu; /* RANK_FILE */
	struct waitq wq;
	struct ktimer timer;
	int clock; /* [I] */
	int64_t expires; /* [mu] monotonic ns; 0: not armed */
	int64_t interval; /* [mu] ns; 0: once */
	uint64_t ticks; /* [mu] expiries not yet read, up to the last look */
};

/* mu held: counts the expiries up to now; false: nothing more to wait for. */
static bool advance(struct timerfd *t)
{
	int64_t now = now_monotonic(), n;

	if (!t->expires || t->expires > now)
		return t->expires;
	if (!t->interval) {
		t->ticks++;
		t->expires = 0;
		return false;
	}
	n = (now - t->expires) / t->interval + 1;
	t->ticks += n;
	t->expires += n * t->interval;
	return true;
}

static void on_timer(struct ktimer *kt)
{
	struct timerfd *t = kt->arg;
	bool ready;

	mutex_lock(&t->mu);
	if (advance(t) && !t->ticks)
		ktimer_arm(&t->timer, t->expires); /* set to a later time meanwhile */
	ready = t->ticks;
	mutex_unlock(&t->mu);
	if (ready)
		waitq_wake(&t->wq, EVENT_READABLE);
}

/* mu held. A periodic timer that nobody reads does not tick: it is armed again by the read. */
static uint64_t take_ticks(struct timerfd *t)
{
	uint64_t n;

	bool more = advance(t);

	n = t->ticks;
	t->ticks = 0;
	if (n && more)
		ktimer_arm(&t->timer, t->expires);
	return n;
}

static ssize_t timerfd_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct timerfd *t = f->priv;
	struct waiter w = { 0 };
	uint64_t n;
	ssize_t r = 0;

	if (u->resid < sizeof(n))
		return -EINVAL;
	mutex_lock(&t->mu);
	while (!(n = take_ticks(t)) && !r) {
		if (file_nonblock(f)) {
			r = -EAGAIN;
			break;
		}
		if (!w.q)
			wait_begin(&w, &t->wq, EVENT_READABLE);
		mutex_unlock(&t->mu);
		r = wait_sleep(WAIT_FOREVER);
		mutex_lock(&t->mu);
	}
	mutex_unlock(&t->mu);
	wait_end(&w);
	if (!n)
		return r;
	r = uio_copy_out(u, &n, sizeof(n));
	return r == sizeof(n) ? r : -EFAULT;
}

static uint32_t timerfd_poll(struct file *f)
{
	struct timerfd *t = f->priv;
	uint32_t ev;

	mutex_lock(&t->mu);
	ev = t->ticks ? EVENT_READABLE : 0;
	mutex_unlock(&t->mu);
	return ev;
}

static int timerfd_show(struct file *f, char *buf, size_t size)
{
	struct timerfd *t = f->priv;
	int64_t value = 0, interval = 0;
	uint64_t ticks;

	timerfd_get(f, &value, &interval);
	mutex_lock(&t->mu);
	ticks = t->ticks;
	mutex_unlock(&t->mu);
	return snprintf(buf, size, "clockid: %d\nticks: %llu\nsettime flags: 00\nit_value: (%lld, %lld)\nit_interval: (%lld, %lld)\n", t->clock,
		(unsigned long long)ticks, (long long)(value / NSEC_PER_SEC), (long long)(value % NSEC_PER_SEC),
		(long long)(interval / NSEC_PER_SEC), (long long)(interval % NSEC_PER_SEC));
}

static void timerfd_release(struct file *f)
{
	struct timerfd *t = f->priv;

	ktimer_cancel(&t->timer);
	waitq_destroy(&t->wq);
	mutex_destroy(&t->mu);
	free(t);
}

static const struct file_ops timerfd_ops = {
	.read = timerfd_read,
	.poll = timerfd_poll,
	.show_fdinfo = timerfd_show,
	.release = timerfd_release,
};

int timerfd_create_file(struct kernel *k, int clock, int flags, const struct cred *c, struct file **out)
{
	struct timerfd *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	mutex_init(&t->mu, RANK_FILE);
	waitq_init(&t->wq);
	t->clock = clock;
	ktimer_init(&t->timer, k, on_timer, t);
	r = file_new_anon(k->vfs, &timerfd_ops, "[timerfd]", 0600, flags | LINUX_O_RDWR, c, t, out);
	if (r) {
		free(t);
		return r;
	}
	(*out)->wq = &t->wq;
	(*out)->mode |= FILE_STREAM;
	return 0;
}

/* A time of the timer's clock as the host's monotonic one; at least 1 (0 means unarmed). */
static int64_t to_monotonic(const struct timerfd *t, int flags, int64_t value)
{
	int64_t at;

	if (flags & LINUX_TFD_TIMER_ABSTIME)
		at = clock_to_monotonic(task_current(), t->clock, value);
	else if (__builtin_add_overflow(now_monotonic(), value, &at))
		return INT64_MAX;
	return at > 0 ? at : 1;
}

/* mu held */
static void remaining(struct timerfd *t, int64_t *value, int64_t *interval)
{
	bool armed = advance(t);
	int64_t left = t->expires - now_monotonic();

	*value = !armed ? 0 : left > 0 ? left : 1;
	*interval = t->interval;
}

int timerfd_set(struct file *f, int flags, int64_t value, int64_t interval, int64_t *old_value, int64_t *old_interval)
{
	struct timerfd *t = f->priv;

	if (f->ops != &timerfd_ops)
		return -EINVAL;
	mutex_lock(&t->mu);
	remaining(t, old_value, old_interval);
	t->ticks = 0;
	t->interval = interval;
	t->expires = value ? to_monotonic(t, flags, value) : 0;
	if (t->expires)
		ktimer_arm(&t->timer, t->expires);
	mutex_unlock(&t->mu);
	if (!value)
		ktimer_cancel(&t->timer); /* waits for on_timer: not under mu; a late one finds expires 0 */
	return 0;
}

int timerfd_get(struct file *f, int64_t *value, int64_t *interval)
{
	struct timerfd *t = f->priv;

	if (f->ops != &timerfd_ops)
		return -EINVAL;
	mutex_lock(&t->mu);
	remaining(t, value, interval);
	mutex_unlock(&t->mu);
	return 0;
}
