/*
 * epoll.c - epoll_create, epoll_ctl, epoll_wait and their variants.
 */
#include "fs/epoll.h"

#include "abi/fcntl.h"
#include "syscalls/fd_util.h"
#include "syscalls/poll_util.h"
#include "syscalls/syscall.h"
#include "vfs/idle.h"

#include <errno.h>

static int64_t create(struct task *t, bool cloexec)
{
	struct file *f;
	int r = epoll_create_file(t->k->vfs, t->cred, &f);

	if (r)
		return r;
	return install_new(t, f, cloexec);
}

int64_t sys_epoll_create(struct task *t, const uint64_t a[6])
{
	return (int)a[0] <= 0 ? -EINVAL : create(t, false);
}

int64_t sys_epoll_create1(struct task *t, const uint64_t a[6])
{
	int flags = (int)a[0];

	return flags & ~LINUX_O_CLOEXEC ? -EINVAL : create(t, flags & LINUX_O_CLOEXEC);
}

int64_t sys_epoll_ctl(struct task *t, const uint64_t a[6])
{
	int op = (int)a[1], fd = (int)a[2], r;
	struct linux_epoll_event ev = { 0 };
	struct file *epf, *f;

	if (op != LINUX_EPOLL_CTL_DEL && copy_from_user(t->mm, &ev, UADDR(a[3]), sizeof(ev)))
		return -EFAULT;
	epf = fd_get(t->files, (int)a[0]);
	f = fd_get_io(t->files, fd);
	r = epf && f ? epoll_control(epf, op, fd, f, &ev) : -EBADF;
	if (f)
		file_put(f);
	if (epf)
		file_put(epf);
	return r;
}

struct to_user {
	struct task *t;
	uaddr at;
};

static int put_event(void *arg, unsigned i, const struct linux_epoll_event *ev)
{
	struct to_user *u = arg;

	return copy_to_user(u->t->mm, uaddr_add(u->at, i * sizeof(*ev)), ev, sizeof(*ev));
}

/* Nothing is ready in the set: notes that, and looks again. */
static int64_t note_idle(struct task *t, int fd, struct file *epf, unsigned max, struct to_user *u)
{
	int64_t r;

	if (!fdtable_idle_note(t->files, fd, epf, PLATFORM_EMPTY_SET))
		return 0;
	r = epoll_wait_events(epf, max, 0, put_event, u);
	if (r)
		fdtable_idle_not(t->files, fd);
	return r;
}

static int64_t do_wait(struct task *t, const uint64_t a[4], int64_t deadline)
{
	struct to_user u = { t, UADDR(a[1]) };
	struct file *epf;
	int64_t r;

	if ((int)a[2] <= 0 || (uint64_t)(int)a[2] > INT32_MAX / sizeof(struct linux_epoll_event))
		return -EINVAL;
	epf = fd_get(t->files, (int)a[0]);
	if (!epf)
		return -EBADF;
	r = epoll_wait_events(epf, (unsigned)a[2], deadline, put_event, &u);
	if (!r && !deadline && idle_begin(t))
		r = note_idle(t, (int)a[0], epf, (unsigned)a[2], &u);
	file_put(epf);
	return r;
}

static int64_t deadline_ms(int ms)
{
	return ms < 0 ? WAIT_FOREVER : deadline_after(ms * INT64_C(1000000));
}

int64_t sys_epoll_wait(struct task *t, const uint64_t a[6])
{
	return do_wait(t, a, deadline_ms((int)a[3]));
}

static int64_t masked_wait(struct task *t, const uint64_t a[6], int64_t deadline)
{
	int64_t r = temp_mask_begin(t, UADDR(a[4]), a[5]);

	if (r)
		return r;
	r = do_wait(t, a, deadline);
	temp_mask_end(t, UADDR(a[4]), r);
	return r;
}

int64_t sys_epoll_pwait(struct task *t, const uint64_t a[6])
{
	return masked_wait(t, a, deadline_ms((int)a[3]));
}

int64_t sys_epoll_pwait2(struct task *t, const uint64_t a[6])
{
	int64_t ns = -1, r = a[3] ? copy_timespec_from_user(t, UADDR(a[3]), &ns) : 0;

	return r ? r : masked_wait(t, a, deadline_after(ns));
}
