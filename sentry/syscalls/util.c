/*
 * util.c - what handlers share: copying names and times, base directories.
 */
#include "syscalls/syscall.h"

#include "abi/fcntl.h"
#include "abi/time.h"

#include <errno.h>

int copy_path_from_user(struct task *t, uaddr a, char buf[4096])
{
	ssize_t n = copy_str_from_user(t->mm, buf, a, 4096);

	return n < 0 ? (int)n : 0;
}

static int64_t combine(int64_t sec, int64_t nsec)
{
	int64_t ns;

	if (__builtin_mul_overflow(sec, NSEC_PER_SEC, &ns) || __builtin_add_overflow(ns, nsec, &ns))
		return INT64_MAX;
	return ns;
}

int copy_timespec_from_user(struct task *t, uaddr a, int64_t *ns)
{
	struct linux_timespec ts;

	if (copy_from_user(t->mm, &ts, a, sizeof(ts)))
		return -EFAULT;
	if (ts.sec < 0 || ts.nsec < 0 || ts.nsec >= NSEC_PER_SEC)
		return -EINVAL;
	*ns = combine(ts.sec, ts.nsec);
	return 0;
}

int copy_timespec_to_user(struct task *t, uaddr a, int64_t ns)
{
	struct linux_timespec ts = { ns / NSEC_PER_SEC, ns % NSEC_PER_SEC };

	return copy_to_user(t->mm, a, &ts, sizeof(ts));
}

int copy_timeval_from_user(struct task *t, uaddr a, int64_t *ns)
{
	struct linux_timeval tv;

	if (copy_from_user(t->mm, &tv, a, sizeof(tv)))
		return -EFAULT;
	if (tv.sec < 0 || tv.usec < 0 || tv.usec >= 1000000)
		return -EINVAL;
	*ns = combine(tv.sec, tv.usec * 1000);
	return 0;
}

int copy_timeval_to_user(struct task *t, uaddr a, int64_t ns)
{
	struct linux_timeval tv = { ns / NSEC_PER_SEC, ns % NSEC_PER_SEC / 1000 };

	return copy_to_user(t->mm, a, &tv, sizeof(tv));
}

int copy_sigset_from_user(struct task *t, uaddr a, uint64_t size, uint64_t *mask)
{
	if (size != sizeof(*mask))
		return -EINVAL;
	return copy_from_user(t->mm, mask, a, sizeof(*mask));
}

int at_base(struct task *t, int dirfd, const char *name, struct file **f, const struct path **out)
{
	*f = NULL;
	*out = NULL;
	if (name[0] == '/' || dirfd == LINUX_AT_FDCWD)
		return 0;
	*f = fd_get(t->files, dirfd);
	if (!*f)
		return -EBADF;
	*out = &(*f)->path;
	return 0;
}
