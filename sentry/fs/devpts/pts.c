/*
 * pts.c - the slave side as a file, /dev/tty and /dev/console.
 */
#include "fs/devpts/devpts.h"
#include "fs/devpts/ldisc.h"

#include "abi/capability.h"
#include "abi/fs.h"

#include <errno.h>

#define CHUNK 512

/* Non-canonical reads end by VMIN and VTIME; canonical ones with a line. */
struct read_rule {
	bool canonical;
	unsigned min; /* bytes wanted */
	int64_t timeout; /* ns, 0 none */
};

static struct read_rule rule_of(struct tty *t)
{
	struct read_rule r = { .canonical = t->termios.c_lflag & LINUX_ICANON };

	if (!r.canonical) {
		r.min = t->termios.c_cc[LINUX_VMIN];
		r.timeout = t->termios.c_cc[LINUX_VTIME] * INT64_C(100000000);
	}
	return r;
}

/* Takes what is there.  Sets *hup at the end of the terminal. */
static size_t take(struct tty *t, uint8_t *b, size_t n, bool *eof, bool *hup, struct read_rule *rule)
{
	size_t got;
	bool room_before, room_after;

	mutex_lock(&t->mu);
	*rule = rule_of(t);
	room_before = ring_room(&t->in);
	got = ldisc_read(t, b, n, eof);
	room_after = ring_room(&t->in);
	*hup = t->master_closed;
	mutex_unlock(&t->mu);
	if (!room_before && room_after)
		waitq_wake(&t->master_wq, EVENT_WRITABLE);
	return got;
}

static ssize_t read_loop(struct file *f, struct tty *t, struct uio *u)
{
	int64_t deadline = WAIT_FOREVER;
	bool eof, hup, first = true;
	struct read_rule rule;
	ssize_t done = 0;
	uint8_t b[CHUNK];
	int ret;

	for (;;) {
		size_t n = take(t, b, u->resid < CHUNK ? u->resid : CHUNK, &eof, &hup, &rule);

		if (n) {
			ssize_t put = uio_copy_out(u, b, n);

			if (put < 0)
				return done ? done : put;
			done += put;
			/* Linux hands out a line a read; more only while its buffer holds more of the same */
			if (!u->resid || (rule.canonical && (n < CHUNK || b[n - 1] == '\n')))
				return done;
			if (rule.timeout && rule.min)
				deadline = now_monotonic() + rule.timeout; /* between bytes */
			continue;
		}
		if (eof || hup)
			return done;
		if (done && (rule.canonical || (unsigned)done >= rule.min))
			return done;
		if (!rule.canonical && !rule.min) {
			if (!rule.timeout)
				return done;
			if (first)
				deadline = now_monotonic() + rule.timeout;
		}
		first = false;
		if (file_nonblock(f))
			return done ? done : -EAGAIN;
		ret = wait_sleep(deadline);
		if (ret == -ETIMEDOUT)
			return done;
		if (ret)
			return done ? done : ret;
		ret = tty_check_background(t, LINUX_SIGTTIN);
		if (ret)
			return done ? done : ret;
	}
}

static ssize_t slave_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct tty *t = f->priv;
	struct waiter w;
	ssize_t ret = tty_check_background(t, LINUX_SIGTTIN);

	if (ret || !u->resid)
		return ret;
	wait_begin(&w, &t->slave_wq, EVENT_IN);
	ret = read_loop(f, t, u);
	wait_end(&w);
	return ret;
}

static ssize_t slave_write(struct file *f, struct uio *u, int64_t *pos)
{
	struct tty *t = f->priv;
	bool tostop, closed;
	struct waiter w;
	ssize_t done = 0, ret = 0;
	uint8_t b[CHUNK];

	mutex_lock(&t->mu);
	tostop = t->termios.c_lflag & LINUX_TOSTOP;
	mutex_unlock(&t->mu);
	if (tostop && (ret = tty_check_background(t, LINUX_SIGTTOU)))
		return ret;
	wait_begin(&w, &t->slave_wq, EVENT_OUT);
	while (u->resid && !ret) {
		ssize_t got = uio_copy_in(u, b, u->resid < CHUNK ? u->resid : CHUNK);
		size_t put = 0;

		if (got < 0) {
			ret = got;
			break;
		}
		while (put < (size_t)got && !ret) {
			size_t n;

			mutex_lock(&t->mu);
			closed = t->master_closed;
			n = closed ? 0 : ldisc_output(t, b + put, (size_t)got - put);
			mutex_unlock(&t->mu);
			put += n;
			if (n)
				waitq_wake(&t->master_wq, EVENT_READABLE);
			else
				ret = closed ? -EIO : file_nonblock(f) ? -EAGAIN : wait_sleep(WAIT_FOREVER);
		}
		done += (ssize_t)put;
	}
	wait_end(&w);
	return done ? done : ret;
}

static uint32_t slave_poll(struct file *f)
{
	struct tty *t = f->priv;
	uint32_t ev = 0;

	mutex_lock(&t->mu);
	if (ldisc_readable(t))
		ev |= EVENT_READABLE;
	if (ring_room(&t->out) > 8)
		ev |= EVENT_WRITABLE;
	if (t->master_closed)
		ev |= EVENT_HUP | EVENT_IN | EVENT_OUT | EVENT_ERR;
	mutex_unlock(&t->mu);
	return ev;
}

static int slave_ioctl(struct file *f, struct mm *mm, unsigned cmd, uint64_t arg)
{
	int ret = tty_ioctl(f->priv, false, f, mm, cmd, arg);

	return ret == -ENOIOCTLCMD ? -ENOTTY : ret;
}

static void slave_release(struct file *f)
{
	struct tty *t = f->priv;
	bool last;

	mutex_lock(&t->mu);
	last = !--t->slaves;
	mutex_unlock(&t->mu);
	if (last)
		waitq_wake(&t->master_wq, EVENT_HUP | EVENT_IN);
	tty_put(t);
}

static const struct file_ops slave_ops = {
	.read = slave_read,
	.write = slave_write,
	.poll = slave_poll,
	.ioctl = slave_ioctl,
	.release = slave_release,
};

/* Fills an opening slave file. */
static int pts_open_tty(struct tty *t, struct file *f)
{
	struct task *task = task_current();
	bool all_may = task && ns_capable(task, LINUX_CAP_SYS_ADMIN);
	int refused;

	mutex_lock(&t->mu);
	refused = t->master_closed || t->locked ? -EIO : t->exclusive && !all_may ? -EBUSY : 0;
	if (!refused) {
		t->slaves++;
		t->slave_opened = true;
	}
	mutex_unlock(&t->mu);
	if (refused)
		return refused;
	tty_get(t);
	f->ops = &slave_ops;
	f->wq = &t->slave_wq;
	f->mode |= FILE_STREAM | FILE_ASYNC;
	f->priv = t;
	/* a session leader without a terminal gets this one */
	if (task && !(f->mode & FILE_NOCTTY))
		tty_set_controlling(t, task, false);
	return 0;
}

int tty_slave_file(struct tty *t, const struct cred *c, int flags, struct file **out)
{
	int ret = file_new_anon(t->k->vfs, &slave_ops, "/dev/console", 0020620, flags, c, t, out);

	if (ret)
		return ret;
	tty_get(t);
	mutex_lock(&t->mu);
	t->slaves++;
	t->slave_opened = true;
	mutex_unlock(&t->mu);
	(*out)->wq = &t->slave_wq;
	(*out)->mode |= FILE_STREAM | FILE_ASYNC;
	return 0;
}

/* Takes the caller's reference; NULL: there is no such terminal. */
static int open_taken(struct tty *t, struct file *f)
{
	int ret;

	if (!t)
		return -ENXIO;
	ret = pts_open_tty(t, f);
	tty_put(t);
	return ret;
}

int pts_dev_open(struct inode *i, struct file *f)
{
	return open_taken(tty_by_index(vfs_kernel(i->sb->vfs), linux_minor(i->rdev)), f);
}

static struct tty *session_tty(struct kernel *k)
{
	struct task *task = task_current();
	struct tty *t = NULL;

	if (!task)
		return NULL;
	tasks_lock(k);
	t = task->tg->pgrp->session->tty;
	if (t)
		tty_get(t);
	tasks_unlock(k);
	return t;
}

int tty_dev_open(struct inode *i, struct file *f)
{
	return open_taken(session_tty(vfs_kernel(i->sb->vfs)), f);
}

/* The container's own terminal is the one its first process has. */
int console_open(struct inode *i, struct file *f)
{
	return open_taken(tty_by_index(vfs_kernel(i->sb->vfs), 0), f);
}
