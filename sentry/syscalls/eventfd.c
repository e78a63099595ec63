/*
 * eventfd.c - eventfd, eventfd2, timerfd_create, timerfd_settime, timerfd_gettime.
 */
#include "fs/eventfd.h"

#include "abi/fcntl.h"
#include "fs/timerfd.h"
#include "syscalls/fd_util.h"
#include "syscalls/syscall.h"

#include <errno.h>

#define EFD_SEMAPHORE_FLAG 1

static int64_t make_eventfd(struct task *t, uint32_t count, int flags)
{
	struct file *f;
	int r;

	if (flags & ~(LINUX_O_NONBLOCK | LINUX_O_CLOEXEC | EFD_SEMAPHORE_FLAG))
		return -EINVAL;
	r = eventfd_create(t->k->vfs, count, flags & EFD_SEMAPHORE_FLAG, flags & LINUX_O_NONBLOCK, t->cred, &f);
	return r ? r : install_new(t, f, flags & LINUX_O_CLOEXEC);
}

int64_t sys_eventfd(struct task *t, const uint64_t a[6])
{
	return make_eventfd(t, (uint32_t)a[0], 0);
}

int64_t sys_eventfd2(struct task *t, const uint64_t a[6])
{
	return make_eventfd(t, (uint32_t)a[0], (int)a[1]);
}

static bool known_clock(int clock)
{
	return clock == LINUX_CLOCK_REALTIME || clock == LINUX_CLOCK_MONOTONIC || clock == LINUX_CLOCK_BOOTTIME ||
	       clock == LINUX_CLOCK_REALTIME_ALARM || clock == LINUX_CLOCK_BOOTTIME_ALARM;
}

#define CAP_WAKE_ALARM_NR 35

int64_t sys_timerfd_create(struct task *t, const uint64_t a[6])
{
	int clock = (int)a[0], flags = (int)a[1], r;
	struct file *f;

	if ((flags & ~(LINUX_O_NONBLOCK | LINUX_O_CLOEXEC)) || !known_clock(clock))
		return -EINVAL;
	if ((clock == LINUX_CLOCK_REALTIME_ALARM || clock == LINUX_CLOCK_BOOTTIME_ALARM) && !ns_capable(t, CAP_WAKE_ALARM_NR))
		return -EPERM;
	r = timerfd_create_file(t->k, clock, flags & LINUX_O_NONBLOCK, t->cred, &f);
	return r ? r : install_new(t, f, flags & LINUX_O_CLOEXEC);
}

static int timespec_ns(const struct linux_timespec *ts, int64_t *ns)
{
	if (ts->sec < 0 || ts->nsec < 0 || ts->nsec >= NSEC_PER_SEC)
		return -EINVAL;
	if (__builtin_mul_overflow(ts->sec, NSEC_PER_SEC, ns) || __builtin_add_overflow(*ns, ts->nsec, ns))
		*ns = INT64_MAX;
	return 0;
}

static int put_itimerspec(struct task *t, uaddr at, int64_t value, int64_t interval)
{
	struct linux_itimerspec s = {
		.interval = { interval / NSEC_PER_SEC, interval % NSEC_PER_SEC },
		.value = { value / NSEC_PER_SEC, value % NSEC_PER_SEC },
	};

	return copy_to_user(t->mm, at, &s, sizeof(s));
}

int64_t sys_timerfd_settime(struct task *t, const uint64_t a[6])
{
	int flags = (int)a[1], r;
	int64_t value, interval, old_value, old_interval;
	struct linux_itimerspec s;
	struct file *f;

	if (copy_from_user(t->mm, &s, UADDR(a[2]), sizeof(s)))
		return -EFAULT;
	if ((flags & ~(LINUX_TFD_TIMER_ABSTIME | LINUX_TFD_TIMER_CANCEL_ON_SET)) || timespec_ns(&s.value, &value) ||
		timespec_ns(&s.interval, &interval))
		return -EINVAL;
	f = fd_get_io(t->files, (int)a[0]);
	if (!f)
		return -EBADF;
	r = timerfd_set(f, flags, value, interval, &old_value, &old_interval);
	file_put(f);
	if (r || !a[3])
		return r;
	return put_itimerspec(t, UADDR(a[3]), old_value, old_interval);
}

int64_t sys_timerfd_gettime(struct task *t, const uint64_t a[6])
{
	struct file *f = fd_get_io(t->files, (int)a[0]);
	int64_t value, interval;
	int r;

	if (!f)
		return -EBADF;
	r = timerfd_get(f, &value, &interval);
	file_put(f);
	return r ? r : put_itimerspec(t, UADDR(a[1]), value, interval);
}
