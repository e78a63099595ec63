/*
 * posix_timer.c - see posix_timer.h.  A timer object belongs to its group's
 * table; its ktimer may be firing while the object is deleted, so deletion
 * cancels (and waits for) the ktimer without the task list lock, after taking the
 * object out of the table under it.
 */
#include "kernel/posix_timer.h"

#include "kernel/ns.h"
#include "kernel/task_table.h"
#include "kernel/time_ns.h"

#include <errno.h>
#include <stdlib.h>

#define POLL_MIN 1000000 /* a CPU clock's timer is looked at again not sooner, ns */

struct ptimer {
	LIST_ENTRY(ptimer) link;
	struct ktimer kt;
	struct thread_group *tg; /* [I] borrowed: the timers end before their group */
	int id, clock; /* [I] clock of a LINUX_CLOCK_* number */
	int notify; /* [I] LINUX_SIGEV_* */
	struct task *target; /* [I] referenced: SIGEV_THREAD_ID; NULL: the group */
	bool itimer; /* [I] setitimer's: no overruns, plain SI_KERNEL signal */
	int signo; /* [I] */
	struct sigqueue *q; /* [I] its entry in the pending queue, unless itimer */
	int64_t expires, interval; /* [T] on its own clock; 0: disarmed */
	int64_t overrun, overrun_last; /* [T] */
};

struct posix_timers {
	struct thread_group *tg;
	LIST_HEAD(, ptimer) list; /* [T] timer_create's */
	int n, next_id; /* [T] */
	struct ptimer it[3]; /* by LINUX_ITIMER_* */
	bool dead; /* [T] */
};

static const struct {
	int clock, which, signo;
} itimers[3] = {
	[LINUX_ITIMER_REAL] = { LINUX_CLOCK_MONOTONIC, 0, LINUX_SIGALRM },
	[LINUX_ITIMER_VIRTUAL] = { LINUX_CLOCK_PROCESS_CPUTIME_ID, 1, LINUX_SIGVTALRM },
	[LINUX_ITIMER_PROF] = { LINUX_CLOCK_PROCESS_CPUTIME_ID, 0, LINUX_SIGPROF },
};

static void fire(struct ktimer *kt);

/* The timer's clock now; T held. */
static int64_t now_locked(const struct ptimer *p)
{
	struct timespec ts;
	int64_t ut, st;

	if (p->itimer && clock_is_cpu(p->clock))
		return tg_cpu_time_locked(p->tg, p->signo == LINUX_SIGVTALRM);
	if (p->clock == LINUX_CLOCK_THREAD_CPUTIME_ID && p->target) {
		task_times(p->target, &ut, &st);
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
		if (left < POLL_MIN)
			left = POLL_MIN;
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
		now = now_locked(p);
		if (now >= p->expires)
			notify_locked(p, advance_locked(p, now));
		if (p->expires)
			arm_locked(p, now);
	}
	tasks_unlock(k);
}

struct posix_timers *posix_timers_new(struct thread_group *tg)
{
	struct posix_timers *ts = calloc(1, sizeof(*ts));

	if (!ts)
		return NULL;
	ts->tg = tg;
	LIST_INIT(&ts->list);
	for (int i = 0; i < 3; i++) {
		struct ptimer *p = &ts->it[i];

		p->tg = tg;
		p->clock = itimers[i].clock;
		p->signo = itimers[i].signo;
		p->itimer = true;
	}
	return ts;
}

void posix_timers_free(struct posix_timers *ts)
{
	free(ts);
}

static void ptimer_free(struct ptimer *p)
{
	task_put(p->target);
	free(p->q);
	free(p);
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

static void delete_all(struct thread_group *tg)
{
	struct posix_timers *ts = tg->timers;
	struct ptimer *p;

	for (;;) {
		tasks_lock(tg->k);
		p = LIST_FIRST(&ts->list);
		if (p) {
			LIST_REMOVE(p, link);
			ts->n--;
			p->expires = 0;
		}
		tasks_unlock(tg->k);
		if (!p)
			return;
		ktimer_cancel(&p->kt);
		tasks_lock(tg->k);
		unqueue_locked(p);
		tasks_unlock(tg->k);
		ptimer_free(p);
	}
}

void posix_timers_stop(struct thread_group *tg)
{
	struct posix_timers *ts = tg->timers;

	tasks_lock(tg->k);
	ts->dead = true;
	for (int i = 0; i < 3; i++)
		ts->it[i].expires = 0;
	tasks_unlock(tg->k);
	for (int i = 0; i < 3; i++)
		if (ts->it[i].kt.k)
			ktimer_cancel(&ts->it[i].kt);
	delete_all(tg);
}

void posix_timers_exec(struct thread_group *tg)
{
	delete_all(tg);
}

/* --- setting and reading ----------------------------------------------------------- */

static void get_locked(const struct ptimer *p, int64_t now, struct itimer_value *out)
{
	out->interval = p->interval;
	out->value = 0;
	if (p->expires)
		out->value = p->expires > now ? p->expires - now : 1;
}

static void set_locked(struct ptimer *p, int64_t now, bool absolute, const struct itimer_value *v)
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

void itimer_get(struct thread_group *tg, int which, struct itimer_value *out)
{
	struct ptimer *p = &tg->timers->it[which];

	tasks_lock(tg->k);
	get_locked(p, now_locked(p), out);
	tasks_unlock(tg->k);
}

void itimer_set(struct thread_group *tg, int which, const struct itimer_value *v, struct itimer_value *old)
{
	struct ptimer *p = &tg->timers->it[which];
	int64_t now;

	tasks_lock(tg->k);
	now = now_locked(p);
	get_locked(p, now, old);
	set_locked(p, now, false, v);
	tasks_unlock(tg->k);
}

static struct ptimer *find_locked(struct thread_group *tg, int id)
{
	struct ptimer *p;

	LIST_FOREACH(p, &tg->timers->list, link)
		if (p->id == id)
			return p;
	return NULL;
}

static int check_event(struct task *t, const struct linux_sigevent *ev, struct task **target)
{
	struct task *o;

	*target = NULL;
	switch (ev->notify) {
	case LINUX_SIGEV_NONE:
		return 0;
	case LINUX_SIGEV_SIGNAL | LINUX_SIGEV_THREAD_ID:
		tasks_lock(t->k);
		o = task_find_locked(task_pid_ns(t), ev->tid);
		if (o && o->tg == t->tg) {
			task_get(o);
			*target = o;
		}
		tasks_unlock(t->k);
		if (!*target)
			return -EINVAL;
		break;
	case LINUX_SIGEV_SIGNAL:
	case LINUX_SIGEV_THREAD:
		break;
	default:
		return -EINVAL;
	}
	if (signo_valid(ev->signo))
		return 0;
	task_put(*target);
	*target = NULL;
	return -EINVAL;
}

int posix_timer_create(struct task *t, int clock, const struct linux_sigevent *ev)
{
	struct posix_timers *ts = t->tg->timers;
	struct linux_sigevent plain = { .signo = LINUX_SIGALRM, .notify = LINUX_SIGEV_SIGNAL };
	struct ptimer *p;
	struct task *target;
	int r, id = -EAGAIN;

	r = check_event(t, ev ? ev : &plain, &target);
	if (r)
		return r;
	p = calloc(1, sizeof(*p));
	if (p)
		p->q = calloc(1, sizeof(*p->q));
	if (!p || !p->q) {
		free(p);
		task_put(target);
		return -EAGAIN;
	}
	p->tg = t->tg;
	p->clock = clock;
	p->target = target;
	p->notify = (ev ? ev : &plain)->notify;
	p->signo = (ev ? ev : &plain)->signo;
	p->q->owned = true;
	p->q->info = (struct linux_siginfo){ .signo = p->signo, .code = LINUX_SI_TIMER };
	ktimer_init(&p->kt, t->k, fire, p);
	tasks_lock(t->k);
	if (ts->n < POSIX_TIMERS_MAX) {
		while (find_locked(t->tg, ts->next_id))
			ts->next_id = (ts->next_id + 1) & INT32_MAX;
		id = p->id = ts->next_id;
		ts->next_id = (ts->next_id + 1) & INT32_MAX;
		ts->n++;
		p->q->info.timer.tid = id;
		p->q->info.timer.value = ev ? ev->value : (uint64_t)id;
		LIST_INSERT_HEAD(&ts->list, p, link);
	}
	tasks_unlock(t->k);
	if (id < 0)
		ptimer_free(p);
	return id;
}

int posix_timer_set(struct task *t, int id, bool absolute, const struct itimer_value *v, struct itimer_value *old)
{
	struct ptimer *p;
	int64_t now;

	tasks_lock(t->k);
	p = find_locked(t->tg, id);
	if (p) {
		struct itimer_value host = *v;

		if (absolute && v->value) {
			host.value = time_ns_to_host(t->ns->time, p->clock, v->value);
			host.value += !host.value; /* 0 would disarm it */
		}
		now = now_locked(p);
		get_locked(p, now, old);
		set_locked(p, now, absolute, &host);
	}
	tasks_unlock(t->k);
	return p ? 0 : -EINVAL;
}

int posix_timer_get(struct task *t, int id, struct itimer_value *out)
{
	struct ptimer *p;

	tasks_lock(t->k);
	p = find_locked(t->tg, id);
	if (p)
		get_locked(p, now_locked(p), out);
	tasks_unlock(t->k);
	return p ? 0 : -EINVAL;
}

int posix_timer_overrun(struct task *t, int id)
{
	struct ptimer *p;
	int r = -EINVAL;

	tasks_lock(t->k);
	p = find_locked(t->tg, id);
	if (p)
		r = p->overrun_last > INT32_MAX ? INT32_MAX : (int)p->overrun_last;
	tasks_unlock(t->k);
	return r;
}

int posix_timer_delete(struct task *t, int id)
{
	struct ptimer *p;

	tasks_lock(t->k);
	p = find_locked(t->tg, id);
	if (p) {
		LIST_REMOVE(p, link);
		t->tg->timers->n--;
		p->expires = 0;
	}
	tasks_unlock(t->k);
	if (!p)
		return -EINVAL;
	ktimer_cancel(&p->kt);
	tasks_lock(t->k);
	unqueue_locked(p);
	tasks_unlock(t->k);
	ptimer_free(p);
	return 0;
}

void posix_timer_taken_locked(struct thread_group *tg, struct linux_siginfo *info)
{
	struct ptimer *p;

	if (info->code != LINUX_SI_TIMER)
		return;
	p = find_locked(tg, info->timer.tid);
	if (!p)
		return;
	p->overrun_last = p->overrun;
	p->overrun = 0;
	info->timer.overrun = p->overrun_last > INT32_MAX ? INT32_MAX : (int32_t)p->overrun_last;
}
