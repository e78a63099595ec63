/*
 * ptimer.c - one timer of a process: when it expires on its clock, and what happens then (see
 * ptimer.h).  Expiry runs on the timer thread, the rest on the threads of tasks.
 */
#include "kernel/ptimer.h"

#include "kernel/task_table.h"

#include <stdlib.h>

/* The timer's clock now; T held. */
int64_t ptimer_now_locked(const struct ptimer *p)
{
	struct timespec ts;
	int64_t ut, st;

	if (p->itimer && clock_is_cpu(p->clock))
		return tg_cpu_time_locked(p->tg, p->signo == LINUX_SIGVTALRM);
	if (p->clock == LINUX_CLOCK_THREAD_CPUTIME_ID && p->target) {
		task_times_locked(p->target, &ut, &st);
		return ut + st;
	}
	if (clock_is_cpu(p->clock))
		return tg_cpu_time_locked(p->tg, 0);
	clock_gettime(p->clock == LINUX_CLOCK_REALTIME_ALARM ? CLOCK_REALTIME :
			p->clock == LINUX_CLOCK_BOOTTIME_ALARM ? CLOCK_BOOTTIME : p->clock, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

/* Arms the ktimer for the object's expiry. T held (RANK_TIMER is higher). */
static void arm_locked(struct ptimer *p, int64_t now)
{
	int64_t left = p->expires - now, host = now_monotonic();
	unsigned tasks = p->tg->n_live ? p->tg->n_live : 1;

	if (left < 0)
		left = 0;
	if (clock_is_cpu(p->clock)) {
		left /= tasks;
		if (left < CPU_POLL_MIN)
			left = CPU_POLL_MIN;
	}
	if (__builtin_add_overflow(host, left, &host))
		host = WAIT_FOREVER - 1;
	ktimer_arm(&p->kt, host);
}

/* Moves past now; the number of periods skipped beyond the first. */
static int64_t advance_locked(struct ptimer *p, int64_t now)
{
	int64_t periods;

	if (!p->interval) {
		p->expires = 0;
		return 0;
	}
	periods = (now - p->expires) / p->interval;
	/* periods * interval <= now - expires: only the last step can overflow */
	if (__builtin_add_overflow(p->expires + periods * p->interval, p->interval, &p->expires))
		p->expires = INT64_MAX;
	return periods;
}

static void notify_locked(struct ptimer *p, int64_t skipped)
{
	if (p->notify == LINUX_SIGEV_NONE)
		return;
	if (p->itimer) {
		signal_send_locked(p->tg, NULL, p->signo, NULL, 0);
		return;
	}
	if (signal_send_timer_locked(p->tg, p->target, p->q))
		p->overrun += 1 + skipped; /* the last signal has not been taken yet */
	else
		p->overrun = skipped;
}

static void fire(struct ktimer *kt)
{
	struct ptimer *p = kt->arg;
	struct kernel *k = p->tg->k;
	int64_t now;

	tasks_lock(k);
	if (p->expires && !p->tg->timers->dead) {
		now = ptimer_now_locked(p);
		if (now >= p->expires)
			notify_locked(p, advance_locked(p, now));
		if (p->expires)
			arm_locked(p, now);
	}
	tasks_unlock(k);
}

void ptimer_get_locked(const struct ptimer *p, int64_t now, struct itimer_value *out)
{
	out->interval = p->interval;
	out->value = 0;
	if (p->expires)
		out->value = p->expires > now ? p->expires - now : 1;
}

void ptimer_set_locked(struct ptimer *p, int64_t now, bool absolute, const struct itimer_value *v)
{
	p->interval = v->interval;
	p->overrun = 0;
	if (!v->value) {
		p->expires = 0;
		return;
	}
	if (absolute)
		p->expires = v->value;
	else if (__builtin_add_overflow(now, v->value, &p->expires))
		p->expires = INT64_MAX;
	if (!p->kt.k)
		ktimer_init(&p->kt, p->tg->k, fire, p);
	arm_locked(p, now);
}

/* Takes p's entry out of the queue it may be in. */
static void unqueue_locked(struct ptimer *p)
{
	struct sigpending *pend = p->target ? p->target->pending : p->tg->pending;
	int signo = p->q->info.signo;
	struct sigqueue *o;

	if (!p->q->queued)
		return;
	TAILQ_REMOVE(&pend->q, p->q, link);
	p->q->queued = false;
	TAILQ_FOREACH(o, &pend->q, link)
		if (o->info.signo == signo)
			return;
	pend->set &= ~SIGBIT(signo);
}

void ptimer_cancel(struct ptimer *p)
{
	if (p->kt.k)
		ktimer_cancel(&p->kt);
}

void ptimer_free(struct ptimer *p)
{
	task_put(p->target);
	free(p->q);
	free(p);
}

void ptimer_delete(struct ptimer *p)
{
	struct kernel *k = p->tg->k;

	ptimer_cancel(p);
	tasks_lock(k);
	unqueue_locked(p);
	tasks_unlock(k);
	ptimer_free(p);
}
