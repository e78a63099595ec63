/*
 * timer.c - setitimer, alarm, timer_create and theirs.
 */
#include "kernel/posix_timer.h"
#include "syscalls/syscall.h"

#include <errno.h>

static int copy_itimerval_to_user(struct task *t, uaddr at, const struct itimer_value *v)
{
	struct linux_itimerval u = {
		.interval = { v->interval / NSEC_PER_SEC, v->interval % NSEC_PER_SEC / 1000 },
		.value = { v->value / NSEC_PER_SEC, v->value % NSEC_PER_SEC / 1000 },
	};

	/* armed is never shown as disarmed */
	if (v->value && !u.value.sec && !u.value.usec)
		u.value.usec = 1;
	return copy_to_user(t->mm, at, &u, sizeof(u));
}

int64_t sys_getitimer(struct task *t, const uint64_t a[6])
{
	struct itimer_value v;

	if ((unsigned)a[0] > LINUX_ITIMER_PROF)
		return -EINVAL;
	itimer_get(t->tg, (int)a[0], &v);
	return copy_itimerval_to_user(t, UADDR(a[1]), &v);
}

int64_t sys_setitimer(struct task *t, const uint64_t a[6])
{
	struct itimer_value v = { 0 }, old;
	int r = 0;

	if (a[1]) {
		r = copy_timeval_from_user(t, UADDR(a[1]), &v.interval);
		r = r ? r : copy_timeval_from_user(t, uaddr_add(UADDR(a[1]), sizeof(struct linux_timeval)), &v.value);
	}
	if (!r && (unsigned)a[0] > LINUX_ITIMER_PROF)
		r = -EINVAL;
	if (r)
		return r;
	itimer_set(t->tg, (int)a[0], &v, &old);
	return a[2] ? copy_itimerval_to_user(t, UADDR(a[2]), &old) : 0;
}

int64_t sys_alarm(struct task *t, const uint64_t a[6])
{
	struct itimer_value v = { .value = (int64_t)(uint32_t)a[0] * NSEC_PER_SEC }, old;
	int64_t sec;

	itimer_set(t->tg, LINUX_ITIMER_REAL, &v, &old);
	sec = old.value / NSEC_PER_SEC;
	/* rounded as Linux does: never 0 while one was set */
	if ((!sec && old.value) || old.value % NSEC_PER_SEC >= NSEC_PER_SEC / 2)
		sec++;
	return sec;
}

/* --- POSIX timers ------------------------------------------------------------------- */

static int copy_itimerspec_from_user(struct task *t, uaddr at, struct itimer_value *v)
{
	int r = copy_timespec_from_user(t, at, &v->interval);

	return r ? r : copy_timespec_from_user(t, uaddr_add(at, sizeof(struct linux_timespec)), &v->value);
}

static int copy_itimerspec_to_user(struct task *t, uaddr at, const struct itimer_value *v)
{
	struct linux_itimerspec u = {
		.interval = { v->interval / NSEC_PER_SEC, v->interval % NSEC_PER_SEC },
		.value = { v->value / NSEC_PER_SEC, v->value % NSEC_PER_SEC },
	};

	return copy_to_user(t->mm, at, &u, sizeof(u));
}

/* The clocks a timer may run on; a process's own CPU clock by its number too. */
static int timer_clock(struct task *t, int clock)
{
	switch (clock) {
	case LINUX_CLOCK_REALTIME:
	case LINUX_CLOCK_MONOTONIC:
	case LINUX_CLOCK_BOOTTIME:
	case LINUX_CLOCK_TAI:
	case LINUX_CLOCK_PROCESS_CPUTIME_ID:
	case LINUX_CLOCK_THREAD_CPUTIME_ID:
		return clock;
	case LINUX_CLOCK_REALTIME_ALARM:
	case LINUX_CLOCK_BOOTTIME_ALARM:
		return -EPERM;
	case LINUX_CLOCK_MONOTONIC_RAW:
	case LINUX_CLOCK_REALTIME_COARSE:
	case LINUX_CLOCK_MONOTONIC_COARSE:
		return -EOPNOTSUPP;
	default:
		break;
	}
	if (clock < 0 && clock_is_cpu(clock) && (~(clock >> 3) == 0 || ~(clock >> 3) == t->tg->own_tgid || ~(clock >> 3) == t->own_tid))
		return clock & LINUX_CPUCLOCK_PERTHREAD ? LINUX_CLOCK_THREAD_CPUTIME_ID : LINUX_CLOCK_PROCESS_CPUTIME_ID;
	return -EINVAL;
}

int64_t sys_timer_create(struct task *t, const uint64_t a[6])
{
	int clock = timer_clock(t, (int)a[0]);
	struct linux_sigevent ev;
	int32_t id;

	if (clock < 0)
		return clock;
	if (a[1] && copy_from_user(t->mm, &ev, UADDR(a[1]), sizeof(ev)))
		return -EFAULT;
	id = posix_timer_create(t, clock, a[1] ? &ev : NULL);
	if (id < 0)
		return id;
	if (copy_to_user(t->mm, UADDR(a[2]), &id, sizeof(id))) {
		posix_timer_delete(t, id);
		return -EFAULT;
	}
	return 0;
}

int64_t sys_timer_settime(struct task *t, const uint64_t a[6])
{
	struct itimer_value v, old;
	int r;

	if (!a[2])
		return -EINVAL;
	r = copy_itimerspec_from_user(t, UADDR(a[2]), &v);
	if (!r)
		r = posix_timer_set(t, (int)a[0], (int)a[1] & LINUX_TIMER_ABSTIME, &v, &old);
	if (!r && a[3])
		r = copy_itimerspec_to_user(t, UADDR(a[3]), &old);
	return r;
}

int64_t sys_timer_gettime(struct task *t, const uint64_t a[6])
{
	struct itimer_value v;
	int r = posix_timer_get(t, (int)a[0], &v);

	return r ? r : copy_itimerspec_to_user(t, UADDR(a[1]), &v);
}

int64_t sys_timer_getoverrun(struct task *t, const uint64_t a[6])
{
	return posix_timer_overrun(t, (int)a[0]);
}

int64_t sys_timer_delete(struct task *t, const uint64_t a[6])
{
	return posix_timer_delete(t, (int)a[0]);
}
