/*
 * signalfd.c - reading the pending signals of the reader.  Which task's signals
 * are meant is decided when it reads or polls, not when it was opened; so all
 * signalfds share one wait queue, woken by every signal that is queued.
 */
#include "fs/signalfd.h"

#include "abi/fcntl.h"
#include "abi/fs.h"
#include "kernel/task_table.h"

#include <errno.h>
#include <stdlib.h>

struct signalfd {
	_Atomic uint64_t mask;
};

/* linux/signalfd.h */
struct linux_signalfd_siginfo {
	uint32_t signo;
	int32_t err, code;
	uint32_t pid, uid;
	int32_t fd;
	uint32_t tid, band, overrun, trapno;
	int32_t status, int_value;
	uint64_t ptr, utime, stime, addr;
	uint16_t addr_lsb, pad2;
	int32_t syscall;
	uint64_t call_addr;
	uint32_t arch;
	uint8_t pad[28];
};
_Static_assert(sizeof(struct linux_signalfd_siginfo) == 128, "signalfd_siginfo");

static void convert(const struct linux_siginfo *in, struct linux_signalfd_siginfo *out)
{
	*out = (struct linux_signalfd_siginfo){ .signo = (uint32_t)in->signo, .err = in->err, .code = in->code };
	if (in->code == LINUX_SI_TIMER) {
		out->tid = (uint32_t)in->timer.tid;
		out->overrun = (uint32_t)in->timer.overrun;
		out->ptr = in->timer.value;
		out->int_value = (int32_t)in->timer.value;
		return;
	}
	if (in->signo == LINUX_SIGCHLD && in->code > 0) {
		out->pid = (uint32_t)in->chld.pid;
		out->uid = in->chld.uid;
		out->status = in->chld.status;
		out->utime = (uint64_t)in->chld.utime;
		out->stime = (uint64_t)in->chld.stime;
		return;
	}
	if (in->code > 0 && in->code != LINUX_SI_KERNEL && SIG_SYNCHRONOUS & SIGBIT(in->signo)) {
		out->addr = in->fault.addr;
		return;
	}
	if (in->signo == LINUX_SIGIO && in->code > 0) {
		out->band = (uint32_t)in->poll.band;
		out->fd = in->poll.fd;
		return;
	}
	out->pid = (uint32_t)in->rt.pid;
	out->uid = in->rt.uid;
	out->ptr = in->rt.value;
	out->int_value = (int32_t)in->rt.value;
}

static uint64_t wanted(struct file *f)
{
	return atomic_load(&((struct signalfd *)f->priv)->mask);
}

/* The next one, or -EAGAIN, -ERESTARTSYS. */
static int take(struct file *f, struct task *t, bool block, struct linux_siginfo *info)
{
	struct waiter w;
	int signo, r = 0;

	wait_begin(&w, &t->k->tasks->signalfd_wq, EVENT_IN);
	for (;;) {
		tasks_lock(t->k);
		signo = signal_dequeue_locked(t, ~wanted(f), info);
		if (signo)
			signal_recalc_locked(t);
		tasks_unlock(t->k);
		if (signo || !block || r)
			break;
		r = wait_sleep(WAIT_FOREVER);
	}
	wait_end(&w);
	return signo ? signo : r ? r : -EAGAIN;
}

static ssize_t signalfd_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct task *t = task_current();
	struct linux_signalfd_siginfo out;
	struct linux_siginfo info;
	ssize_t done = 0;

	if (u->resid < sizeof(out))
		return -EINVAL;
	if (!t)
		return -EAGAIN;
	while (u->resid >= sizeof(out)) {
		int r = take(f, t, !done && !file_nonblock(f), &info);

		if (r < 0)
			return done ? done : r;
		convert(&info, &out);
		if (uio_copy_out(u, &out, sizeof(out)) != sizeof(out))
			return done ? done : -EFAULT;
		done += sizeof(out);
	}
	return done;
}

static uint32_t signalfd_poll(struct file *f)
{
	struct task *t = task_current();
	bool ready;

	if (!t)
		return 0;
	tasks_lock(t->k);
	ready = signal_pending_locked(t) & wanted(f);
	tasks_unlock(t->k);
	return ready ? EVENT_READABLE : 0;
}

static void signalfd_release(struct file *f)
{
	free(f->priv);
}

static const struct file_ops signalfd_ops = {
	.read = signalfd_read,
	.poll = signalfd_poll,
	.release = signalfd_release,
};

int signalfd_file_new(struct kernel *k, const struct cred *c, uint64_t mask, int flags, struct file **out)
{
	struct signalfd *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	atomic_init(&s->mask, mask);
	r = file_new_anon(k->vfs, &signalfd_ops, "[signalfd]", 0600, LINUX_O_RDWR | flags, c, s, out);
	if (r)
		free(s);
	else
		(*out)->wq = &k->tasks->signalfd_wq;
	return r;
}

int signalfd_set_mask(struct file *f, uint64_t mask)
{
	if (f->ops != &signalfd_ops)
		return -EINVAL;
	atomic_store(&((struct signalfd *)f->priv)->mask, mask);
	waitq_wake(f->wq, EVENT_IN);
	return 0;
}
