/*
 * mqueue.c - mq_open, mq_unlink, mq_timedsend, mq_timedreceive, mq_notify,
 * mq_getsetattr.
 */
#include "fs/mqueue/mqueue.h"

#include "abi/fcntl.h"
#include "abi/time.h"
#include "syscalls/fd_util.h"
#include "syscalls/socket_util.h"
#include "syscalls/syscall.h"

#include <errno.h>

static int get_name(struct task *t, uint64_t at, char name[4096])
{
	return copy_path_from_user(t, UADDR(at), name);
}

int64_t sys_mq_open(struct task *t, const uint64_t a[6])
{
	struct linux_mq_attr attr;
	struct file *f;
	char name[4096];
	int r;

	if (a[3] && copy_from_user(t->mm, &attr, UADDR(a[3]), sizeof(attr)))
		return -EFAULT;
	r = get_name(t, a[0], name);
	if (!r)
		r = mqueue_open(t, name, (int)a[1], (uint32_t)a[2], a[3] ? &attr : NULL, &f);
	return r ? r : install_new(t, f, true);
}

int64_t sys_mq_unlink(struct task *t, const uint64_t a[6])
{
	char name[4096];
	int r = get_name(t, a[0], name);

	return r ? r : mqueue_unlink(t, name);
}

/* An absolute time of CLOCK_REALTIME as a deadline. */
static int get_deadline(struct task *t, uint64_t at, int64_t *deadline)
{
	int64_t ns;
	int r;

	*deadline = WAIT_FOREVER;
	if (!at)
		return 0;
	r = copy_timespec_from_user(t, UADDR(at), &ns);
	if (r)
		return r;
	if (__builtin_add_overflow(now_monotonic(), ns - now_realtime(), deadline))
		*deadline = WAIT_FOREVER;
	return 0;
}

/* The queue of a descriptor, open for `mode`; 0: any. */
static int get_queue(struct task *t, int fd, uint32_t mode, struct file **out)
{
	struct file *f = fd_get_io(t->files, fd);

	if (f && mqueue_is(f) && (f->mode & mode) == mode) {
		*out = f;
		return 0;
	}
	if (f)
		file_put(f);
	return -EBADF;
}

int64_t sys_mq_timedsend(struct task *t, const uint64_t a[6])
{
	uint32_t prio = (uint32_t)a[3];
	int64_t deadline;
	struct file *f;
	int r = get_deadline(t, a[4], &deadline);

	if (r)
		return r;
	if (prio >= LINUX_MQ_PRIO_MAX)
		return -EINVAL;
	r = get_queue(t, (int)a[0], FILE_WRITE, &f);
	if (r)
		return r;
	r = mqueue_send(t, f, UADDR(a[1]), a[2], prio, deadline);
	file_put(f);
	return r;
}

int64_t sys_mq_timedreceive(struct task *t, const uint64_t a[6])
{
	int64_t deadline, r = get_deadline(t, a[4], &deadline);
	uint32_t prio;
	struct file *f;

	if (!r)
		r = get_queue(t, (int)a[0], FILE_READ, &f);
	if (r)
		return r;
	r = mqueue_receive(t, f, UADDR(a[1]), a[2], &prio, deadline);
	file_put(f);
	if (r >= 0 && a[3] && copy_to_user(t->mm, UADDR(a[3]), &prio, sizeof(prio)))
		r = -EFAULT;
	return r;
}

static int check_event(const struct linux_sigevent *e)
{
	if (e->notify != LINUX_SIGEV_SIGNAL && e->notify != LINUX_SIGEV_NONE && e->notify != LINUX_SIGEV_THREAD)
		return -EINVAL;
	return e->notify == LINUX_SIGEV_SIGNAL && (e->signo < 0 || e->signo > LINUX_NSIG) ? -EINVAL : 0;
}

/* The C library's SIGEV_THREAD: a thread of its waits on a netlink socket for the cookie to come back. */
static int notify_by_socket(struct task *t, struct file *queue, const struct linux_sigevent *e)
{
	uint8_t cookie[LINUX_NOTIFY_COOKIE_LEN];
	struct socket *s;
	struct file *f;
	int r;

	if (copy_from_user(t->mm, cookie, UADDR(e->value), sizeof(cookie)))
		return -EFAULT;
	r = get_socket(t, e->signo, &f, &s);
	if (r)
		return r;
	r = s->family == LINUX_AF_NETLINK ? mqueue_notify(t, queue, e, s, cookie) : -EINVAL;
	file_put(f);
	return r;
}

int64_t sys_mq_notify(struct task *t, const uint64_t a[6])
{
	struct linux_sigevent e;
	struct file *f;
	int r = 0;

	if (a[1])
		r = copy_from_user(t->mm, &e, UADDR(a[1]), sizeof(e)) ? -EFAULT : check_event(&e);
	r = r ? r : get_queue(t, (int)a[0], 0, &f);
	if (r)
		return r;
	if (a[1] && e.notify == LINUX_SIGEV_THREAD)
		r = notify_by_socket(t, f, &e);
	else
		r = mqueue_notify(t, f, a[1] ? &e : NULL, NULL, NULL);
	file_put(f);
	return r;
}

int64_t sys_mq_getsetattr(struct task *t, const uint64_t a[6])
{
	struct linux_mq_attr set, old;
	struct file *f;
	int r;

	if (a[1]) {
		if (copy_from_user(t->mm, &set, UADDR(a[1]), sizeof(set)))
			return -EFAULT;
		if (set.flags & ~(int64_t)LINUX_O_NONBLOCK)
			return -EINVAL;
	}
	r = get_queue(t, (int)a[0], 0, &f);
	if (r)
		return r;
	mqueue_getattr(f, &old);
	if (a[1] && set.flags)
		f->flags |= LINUX_O_NONBLOCK;
	else if (a[1])
		f->flags &= ~(uint32_t)LINUX_O_NONBLOCK;
	file_put(f);
	return a[2] && copy_to_user(t->mm, UADDR(a[2]), &old, sizeof(old)) ? -EFAULT : 0;
}
