/*
 * posix_timer.c - the timers of a process: setitimer's three, and those of timer_create, which are
 * found by number (see posix_timer.h, and ptimer.h for a single one).  On the threads of tasks.
 */
#include "kernel/ptimer.h"

#include "kernel/ns.h"
#include "kernel/task_table.h"
#include "kernel/time_ns.h"

#include <errno.h>
#include <stdlib.h>

static const struct {
	int clock, signo;
} itimers[3] = {
	[LINUX_ITIMER_REAL] = { LINUX_CLOCK_MONOTONIC, LINUX_SIGALRM },
	[LINUX_ITIMER_VIRTUAL] = { LINUX_CLOCK_PROCESS_CPUTIME_ID, LINUX_SIGVTALRM },
	[LINUX_ITIMER_PROF] = { LINUX_CLOCK_PROCESS_CPUTIME_ID, LINUX_SIGPROF },
};

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
		ptimer_delete(p);
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
		ptimer_cancel(&ts->it[i]);
	if (ts->limit.k)
		ktimer_cancel(&ts->limit);
	delete_all(tg);
}

void posix_timers_exec(struct thread_group *tg)
{
	delete_all(tg);
}

void itimer_get(struct thread_group *tg, int which, struct itimer_value *out)
{
	struct ptimer *p = &tg->timers->it[which];

	tasks_lock(tg->k);
	ptimer_get_locked(p, ptimer_now_locked(p), out);
	tasks_unlock(tg->k);
}

void itimer_set(struct thread_group *tg, int which, const struct itimer_value *v, struct itimer_value *old)
{
	struct ptimer *p = &tg->timers->it[which];
	int64_t now;

	tasks_lock(tg->k);
	now = ptimer_now_locked(p);
	ptimer_get_locked(p, now, old);
	ptimer_set_locked(p, now, false, v);
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

int posix_timers_seen(struct thread_group *tg, const struct pid_ns *ns, struct posix_timer_seen **out)
{
	struct posix_timer_seen *all = NULL;
	const struct ptimer *p;
	int n = 0;

	tasks_lock(tg->k);
	if (tg->timers && !tg->timers->dead)
		all = calloc((size_t)tg->timers->n + 1, sizeof(*all));
	if (all)
		LIST_FOREACH(p, &tg->timers->list, link)
			all[n++] = (struct posix_timer_seen){ p->id, p->signo, p->notify, p->clock, p->q->info.timer.value,
				p->target ? pid_nr(p->target->pid, ns) : tg_nr(tg, ns) };
	else if (tg->timers && !tg->timers->dead)
		n = -ENOMEM;
	tasks_unlock(tg->k);
	*out = all;
	return n;
}

/* Is ev one that a timer can make?  *target: the task it asks to be told, referenced, or NULL. 0 or -EINVAL. */
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

/* A disarmed timer in no list; takes over the reference to target. NULL: no memory. */
static struct ptimer *ptimer_new(struct thread_group *tg, int clock, const struct linux_sigevent *ev, struct task *target)
{
	struct ptimer *p = calloc(1, sizeof(*p));

	if (p)
		p->q = calloc(1, sizeof(*p->q));
	if (!p || !p->q) {
		free(p);
		task_put(target);
		return NULL;
	}
	p->tg = tg;
	p->clock = clock;
	p->target = target;
	p->notify = ev->notify;
	p->signo = ev->signo;
	p->q->owned = true;
	p->q->info = (struct linux_siginfo){ .signo = p->signo, .code = LINUX_SI_TIMER };
	p->q->info.timer.value = ev->value;
	return p;
}

/* A number that no timer of the group has. */
static int new_id_locked(struct thread_group *tg)
{
	struct posix_timers *ts = tg->timers;
	int id;

	while (find_locked(tg, ts->next_id))
		ts->next_id = (ts->next_id + 1) & INT32_MAX;
	id = ts->next_id;
	ts->next_id = (ts->next_id + 1) & INT32_MAX;
	return id;
}

int posix_timer_create(struct task *t, int clock, const struct linux_sigevent *ev)
{
	static const struct linux_sigevent by_default = { .signo = LINUX_SIGALRM, .notify = LINUX_SIGEV_SIGNAL };
	struct posix_timers *ts = t->tg->timers;
	struct ptimer *p;
	struct task *target;
	int id = -EAGAIN;
	int r = check_event(t, ev ? ev : &by_default, &target);

	if (r)
		return r;
	p = ptimer_new(t->tg, clock, ev ? ev : &by_default, target);
	if (!p)
		return -EAGAIN;
	tasks_lock(t->k);
	if (ts->n < POSIX_TIMERS_MAX) {
		id = p->id = new_id_locked(t->tg);
		ts->n++;
		p->q->info.timer.tid = id;
		if (!ev)
			p->q->info.timer.value = (uint64_t)id;
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
		now = ptimer_now_locked(p);
		ptimer_get_locked(p, now, old);
		ptimer_set_locked(p, now, absolute, &host);
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
		ptimer_get_locked(p, ptimer_now_locked(p), out);
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
	ptimer_delete(p);
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
