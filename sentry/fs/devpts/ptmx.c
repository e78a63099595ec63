/*
 * ptmx.c - the master side as a file of the program.
 */
#include "fs/devpts/devpts.h"

#include <errno.h>

#define CHUNK 512

static ssize_t master_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct tty *t = f->priv;
	uint8_t b[CHUNK];
	struct waiter w;
	ssize_t ret = 0;
	size_t n;

	if (!u->resid)
		return 0;
	wait_begin(&w, &t->master_wq, EVENT_IN);
	for (;;) {
		bool packet, hup;

		mutex_lock(&t->mu);
		packet = t->packet;
		hup = t->slave_opened && !t->slaves;
		if (packet && t->packet_status) {
			b[0] = t->packet_status;
			t->packet_status = 0;
			mutex_unlock(&t->mu);
			ret = uio_copy_out(u, b, 1);
			break;
		}
		mutex_unlock(&t->mu);
		n = tty_master_read(t, b + packet, (u->resid < CHUNK ? u->resid : CHUNK) - packet);
		if (n) {
			b[0] = packet ? 0 : b[0];
			ret = uio_copy_out(u, b, n + packet);
			break;
		}
		ret = hup ? -EIO : file_nonblock(f) ? -EAGAIN : wait_sleep(WAIT_FOREVER);
		if (ret)
			break;
	}
	wait_end(&w);
	return ret;
}

static ssize_t master_write(struct file *f, struct uio *u, int64_t *pos)
{
	struct tty *t = f->priv;
	uint8_t b[CHUNK];
	struct waiter w;
	ssize_t done = 0, ret = 0;

	wait_begin(&w, &t->master_wq, EVENT_OUT);
	while (u->resid) {
		ssize_t got = uio_copy_in(u, b, u->resid < CHUNK ? u->resid : CHUNK);
		size_t put = 0;

		if (got < 0) {
			ret = got;
			break;
		}
		while (put < (size_t)got) {
			size_t n = tty_master_write(t, b + put, (size_t)got - put);

			put += n;
			if (n)
				continue;
			ret = file_nonblock(f) ? -EAGAIN : wait_sleep(WAIT_FOREVER);
			if (ret)
				break;
		}
		done += (ssize_t)put;
		if (ret)
			break;
	}
	wait_end(&w);
	return done ? done : ret;
}

static uint32_t master_poll(struct file *f)
{
	struct tty *t = f->priv;
	uint32_t ev = 0;

	mutex_lock(&t->mu);
	if ((ring_used(&t->out) && !t->stopped) || t->packet_status)
		ev |= EVENT_READABLE;
	if (t->packet_status)
		ev |= EVENT_PRI;
	if (ring_room(&t->in))
		ev |= EVENT_WRITABLE;
	if (t->slave_opened && !t->slaves)
		ev |= EVENT_HUP;
	mutex_unlock(&t->mu);
	return ev;
}

static int master_ioctl(struct file *f, struct mm *mm, unsigned cmd, uint64_t arg)
{
	int ret = tty_ioctl(f->priv, true, f, mm, cmd, arg);

	return ret == -ENOIOCTLCMD ? -ENOTTY : ret;
}

static void master_release(struct file *f)
{
	struct tty *t = f->priv;

	tty_master_hangup(t);
	tty_put(t);
}

static const struct file_ops master_ops = {
	.read = master_read,
	.write = master_write,
	.poll = master_poll,
	.ioctl = master_ioctl,
	.release = master_release,
};

int ptmx_open(struct inode *i, struct file *f)
{
	struct tty *t;
	int ret = tty_new(vfs_kernel(i->sb->vfs), f->cred->fsuid, 5 /* tty */, &t);

	if (ret)
		return ret;
	t->locked = true;
	f->ops = &master_ops;
	f->wq = &t->master_wq;
	f->mode |= FILE_STREAM | FILE_ASYNC;
	f->priv = t;
	return 0;
}
