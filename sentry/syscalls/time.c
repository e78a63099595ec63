/*
 * time.c - clocks and sleeping.
 */
#include "abi/capability.h"
#include "abi/time.h"
#include "arch/x86_64/vvar.h"
#include "kernel/ns.h"
#include "kernel/posix_timer.h"
#include "kernel/task_table.h"
#include "kernel/time_ns.h"
#include "syscalls/syscall.h"

#include <errno.h>

/* Which of the vDSO's clocks it is; -1: none. */
static int page_clock(int clock)
{
	switch (clock) {
	case LINUX_CLOCK_MONOTONIC:
	case LINUX_CLOCK_MONOTONIC_COARSE: return VVAR_MONOTONIC;
	case LINUX_CLOCK_REALTIME:
	case LINUX_CLOCK_REALTIME_COARSE: return VVAR_REALTIME;
	case LINUX_CLOCK_BOOTTIME: return VVAR_BOOTTIME;
	default: return -1;
	}
}

/* The clock as the vDSO shows it, ns; -1: the host's is to be read. */
static int64_t shown(struct task *t, int clock)
{
	int which = page_clock(clock);

	void *page = (t->ns->time ? &t->ns->time->vdso : &t->k->mm_env.vdso)->vvar;

	vvar_update(page);
	return which < 0 ? -1 : vvar_read(page, (enum vvar_clock)which);
}

static int64_t shown_realtime(struct task *t)
{
	int64_t ns = shown(t, LINUX_CLOCK_REALTIME);

	return ns < 0 ? now_realtime() : ns;
}

int64_t sys_clock_gettime(struct task *t, const uint64_t a[6])
{
	int64_t ns = shown(t, (int)a[0]);
	int r = ns < 0 ? clock_now(t, (int)a[0], &ns) : 0;

	return r ? r : copy_timespec_to_user(t, UADDR(a[1]), ns);
}

int64_t sys_clock_getres(struct task *t, const uint64_t a[6])
{
	int64_t ns;
	int r = clock_resolution(t, (int)a[0], &ns);

	return r || !a[1] ? r : copy_timespec_to_user(t, UADDR(a[1]), ns);
}

int64_t sys_gettimeofday(struct task *t, const uint64_t a[6])
{
	const int32_t zone[2] = { 0, 0 };

	if (a[0] && copy_timeval_to_user(t, UADDR(a[0]), shown_realtime(t)))
		return -EFAULT;
	return a[1] ? copy_to_user(t->mm, UADDR(a[1]), zone, sizeof(zone)) : 0;
}

int64_t sys_time(struct task *t, const uint64_t a[6])
{
	int64_t now = shown_realtime(t) / NSEC_PER_SEC;

	if (a[0] && copy_to_user(t->mm, UADDR(a[0]), &now, sizeof(now)))
		return -EFAULT;
	return now;
}

/* The clock is the host's: nobody in here sets it. */
int64_t sys_settimeofday(struct task *t, const uint64_t a[6])
{
	return -EPERM;
}

int64_t sys_clock_settime(struct task *t, const uint64_t a[6])
{
	int clock = (int)a[0];
	int64_t ns;
	int r;

	if (clock != LINUX_CLOCK_REALTIME)
		return -EINVAL;
	r = copy_timespec_from_user(t, UADDR(a[1]), &ns);
	return r ? r : -EPERM;
}

static int64_t read_timex(struct task *t, uaddr at)
{
	struct linux_timex tx;
	int64_t now = now_realtime();

	if (copy_from_user(t->mm, &tx, at, sizeof(tx)))
		return -EFAULT;
	if (tx.modes)
		return -EPERM;
	tx = (struct linux_timex){ .maxerror = 16000000, .esterror = 16000000, .status = LINUX_STA_UNSYNC, .constant = 2, .precision = 1 };
	tx.tolerance = 32768000;
	tx.tick = 10000;
	tx.time.sec = now / NSEC_PER_SEC;
	tx.time.usec = now % NSEC_PER_SEC / 1000;
	if (copy_to_user(t->mm, at, &tx, sizeof(tx)))
		return -EFAULT;
	return LINUX_TIME_ERROR;
}

int64_t sys_adjtimex(struct task *t, const uint64_t a[6])
{
	return read_timex(t, UADDR(a[0]));
}

int64_t sys_clock_adjtime(struct task *t, const uint64_t a[6])
{
	return (int)a[0] == LINUX_CLOCK_REALTIME ? read_timex(t, UADDR(a[1])) : -EINVAL;
}

/* --- sleeping ----------------------------------------------------------------------- */

/* Sleeps until a deadline on the monotonic clock. 0 or -ERESTARTSYS. */
static int sleep_until(int64_t deadline)
{
	int r;

	do
		r = wait_sleep(deadline);
	while (!r);
	return r == -ETIMEDOUT ? 0 : r;
}

static int64_t restart_sleep(struct task *t, void *state);

/* What is left goes to the program, and the rest of the sleep to restart_syscall. */
static int64_t sleep_relative(struct task *t, int64_t deadline, uaddr rem)
{
	int64_t left;

	left = sleep_until(deadline);
	if (!left)
		return 0;
	left = deadline - now_monotonic();
	if (left <= 0)
		return 0;
	if (rem.v && copy_timespec_to_user(t, rem, left))
		return -EFAULT;
	t->restart_fn = restart_sleep;
	t->restart_state[0] = (uint64_t)deadline;
	t->restart_state[1] = rem.v;
	return -ERESTART_RESTARTBLOCK;
}

static int64_t restart_sleep(struct task *t, void *state)
{
	const uint64_t *s = state;

	return sleep_relative(t, (int64_t)s[0], UADDR(s[1]));
}

static int64_t deadline_after(int64_t ns)
{
	int64_t deadline;

	return __builtin_add_overflow(now_monotonic(), ns, &deadline) ? WAIT_FOREVER : deadline;
}

int64_t sys_nanosleep(struct task *t, const uint64_t a[6])
{
	int64_t ns;
	int r = copy_timespec_from_user(t, UADDR(a[0]), &ns);

	return r ? r : sleep_relative(t, deadline_after(ns), UADDR(a[1]));
}

/* CPU clocks run slower than the wall's: look again until they are there. */
static int64_t sleep_cpu(struct task *t, int clock, int64_t target)
{
	int64_t now;
	int r;

	for (;;) {
		r = clock_now(t, clock, &now);
		if (r || now >= target)
			return r;
		r = wait_sleep(deadline_after(target - now > 1000000 ? target - now : 1000000));
		if (r && r != -ETIMEDOUT)
			return -ERESTARTNOHAND;
	}
}

int64_t sys_clock_nanosleep(struct task *t, const uint64_t a[6])
{
	int clock = (int)a[0], flags = (int)a[1], r;
	bool absolute = flags & LINUX_TIMER_ABSTIME;
	int64_t ns, now;

	if (!clock_valid(clock))
		return -EINVAL;
	if (clock == LINUX_CLOCK_THREAD_CPUTIME_ID)
		return -EINVAL;
	if (clock == LINUX_CLOCK_MONOTONIC_RAW || clock == LINUX_CLOCK_REALTIME_COARSE || clock == LINUX_CLOCK_MONOTONIC_COARSE)
		return -EOPNOTSUPP;
	r = copy_timespec_from_user(t, UADDR(a[2]), &ns);
	if (r)
		return r;
	if (clock_is_cpu(clock)) {
		r = clock_now(t, clock, &now);
		if (!r && !absolute && __builtin_add_overflow(now, ns, &ns))
			ns = INT64_MAX;
		return r ? r : sleep_cpu(t, clock, ns);
	}
	if (!absolute)
		return sleep_relative(t, deadline_after(ns), UADDR(a[3]));
	r = sleep_until(clock_to_monotonic(t, clock, ns));
	return r ? -ERESTARTNOHAND : 0;
}
