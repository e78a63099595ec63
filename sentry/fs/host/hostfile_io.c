/*
 * hostfile_io.c - reading, writing and waiting for donated host descriptors.
 *
 * The descriptor is shared with processes outside (the caller's terminal, a
 * pipe's other end), so its flags are never changed: a blocking transfer first
 * waits until poll(2) on the host says ready.  Any task's thread may run here;
 * the event thread announces readiness through the hostwatch.
 */
#include "libipc/hostcall.h"
#include "fs/host/internal.h"

#include "abi/fcntl.h"
#include "abi/fs.h"
#include "abi/termios.h"
#include "kernel/task.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define BOUNCE 4096
#define PIPE_ATOMIC 4096 /* a ready pipe takes this much without blocking */

static struct hostfile *of(struct file *f)
{
	return f->inode->priv;
}

static uint32_t ready(struct hostfile *h)
{
	struct pollfd p = { .fd = h->fd, .events = POLLIN | POLLOUT | POLLPRI | POLLRDHUP };

	if (poll(&p, 1, 0) < 0)
		return EVENT_ERR;
	if (p.revents & POLLIN)
		p.revents |= POLLRDNORM;
	if (p.revents & POLLOUT)
		p.revents |= POLLWRNORM;
	return (uint32_t)(uint16_t)p.revents;
}

/* Waits for one of the events.  0, -EAGAIN or -ERESTARTSYS. */
static int wait_ready(struct file *f, uint32_t events)
{
	struct hostfile *h = of(f);
	struct waiter w;
	int ret = 0;

	if (!h->watch || ready(h) & (events | EVENT_ERR | EVENT_HUP))
		return 0;
	if (file_nonblock(f))
		return -EAGAIN;
	wait_begin(&w, &h->wq, events);
	for (;;) {
		hostwatch_arm(h->watch, events);
		if (ready(h) & (events | EVENT_ERR | EVENT_HUP))
			break;
		ret = wait_sleep(WAIT_FOREVER);
		if (ret)
			break;
	}
	wait_end(&w);
	return ret;
}

static bool seekable(struct file *f)
{
	return !of(f)->watch;
}

/* The donated open file uses the host descriptor's position, which it shares with
 * those who hold it outside; one opened again by name has its own. */
static bool shares_position(struct file *f)
{
	return f->priv == of(f);
}

static bool positioned(struct file *f, const int64_t *pos)
{
	return seekable(f) && pos && (pos != &f->pos || !shares_position(f));
}

/* One host transfer of at most `max` bytes; straight into program memory where
 * it can be pinned. */
static ssize_t transfer(struct file *f, struct uio *u, int64_t *pos, bool in, size_t max)
{
	struct hostfile *h = of(f);
	struct iovec iov[16];
	struct uio_pin pin;
	uint8_t bounce[BOUNCE];
	int64_t at = positioned(f, pos) ? *pos : -1; /* -1: the host's own position */
	int n = uio_pin(u, max, in, iov, 16, &pin), how = at >= 0 && file_appends(f, u) ? RWF_APPEND : 0;
	ssize_t ret;

	if (n < 0)
		return n;
	lock_wake_lazy(); /* the host may take its time */
	if (!n) {
		size_t len = max < sizeof(bounce) ? max : sizeof(bounce);

		if (!in) {
			struct uio before = *u;

			ret = uio_copy_in(u, bounce, len);
			if (ret <= 0)
				return ret;
			ret = pwritev2(h->fd, &(struct iovec){ bounce, (size_t)ret }, 1, at, how);
			ret = ret < 0 ? -errno : ret;
			*u = before;
			uio_advance(u, ret > 0 ? (uint64_t)ret : 0);
			return ret;
		}
		ret = preadv2(h->fd, &(struct iovec){ bounce, len }, 1, at, 0);
		return ret < 0 ? -errno : uio_copy_out(u, bounce, (size_t)ret);
	}
	ret = in ? preadv2(h->fd, iov, n, at, 0) : pwritev2(h->fd, iov, n, at, how);
	ret = ret < 0 ? -errno : ret;
	uio_unpin(&pin);
	if (ret > 0)
		uio_advance(u, (uint64_t)ret);
	return ret;
}

static ssize_t host_read(struct file *f, struct uio *u, int64_t *pos)
{
	ssize_t done = 0;

	while (u->resid) {
		ssize_t ret = wait_ready(f, EVENT_IN | EVENT_RDHUP);

		if (!ret)
			ret = transfer(f, u, pos, true, u->resid);
		if (ret == -EINTR)
			ret = -ERESTARTSYS;
		if (ret <= 0)
			return done ? done : ret;
		done += ret;
		if (!seekable(f))
			break; /* what is there is enough */
		if (positioned(f, pos))
			*pos += ret;
	}
	return done;
}

static int64_t host_size(struct file *f)
{
	struct stat st;

	return host_fstat(of(f)->fd, &st) ? 0 : st.st_size;
}

static ssize_t host_write(struct file *f, struct uio *u, int64_t *pos)
{
	ssize_t done = 0;

	if (seekable(f) && !positioned(f, pos) && file_appends(f, u))
		lseek(of(f)->fd, 0, SEEK_END);
	while (u->resid) {
		ssize_t ret = wait_ready(f, EVENT_OUT);

		if (!ret)
			ret = transfer(f, u, pos, false, seekable(f) || u->resid < PIPE_ATOMIC ? u->resid : PIPE_ATOMIC);
		if (ret == -EINTR)
			ret = -ERESTARTSYS;
		if (ret <= 0)
			return done ? done : ret;
		done += ret;
		if (positioned(f, pos))
			*pos = file_appends(f, u) && pos == &f->pos ? host_size(f) : *pos + ret;
	}
	return done;
}

static uint32_t host_poll(struct file *f)
{
	struct hostfile *h = of(f);
	uint32_t ev;

	if (!h->watch)
		return EVENT_IN | EVENT_OUT | EVENT_RDNORM | EVENT_WRNORM;
	hostwatch_arm(h->watch, EVENT_IN | EVENT_OUT);
	ev = ready(h);
	return ev;
}

static int64_t host_llseek(struct file *f, int64_t off, int whence)
{
	off_t at;

	if (!seekable(f))
		return -ESPIPE;
	if (!shares_position(f)) /* the host's must not move: SEEK_HOLE knows of no holes */
		return llseek_size(f, off, whence, host_size(f));
	at = lseek(of(f)->fd, off, whence);
	return at < 0 ? -errno : at;
}

/* A host terminal is shown as one (size, settings read only) but controls no session here. */
static int host_ioctl(struct file *f, struct mm *mm, unsigned cmd, uint64_t arg)
{
	struct hostfile *h = of(f);
	union {
		struct linux_winsize ws;
		uint8_t termios[64];
		int n;
	} v;
	size_t size;

	memset(&v, 0, sizeof(v));
	switch (cmd) {
	case LINUX_TCGETS: size = sizeof(struct linux_termios); break;
	case LINUX_TIOCGWINSZ: size = sizeof(v.ws); break;
	case LINUX_FIONREAD: size = sizeof(v.n); break;
	default: return -ENOTTY;
	}
	if (ioctl(h->fd, cmd, &v) < 0)
		return -errno;
	return copy_to_user(mm, UADDR(arg), &v, size);
}

static int host_fsync(struct file *f, bool data_only)
{
	return (data_only ? fdatasync(of(f)->fd) : fsync(of(f)->fd)) < 0 ? -errno : 0;
}

static int host_fallocate(struct file *f, int mode, int64_t off, int64_t len)
{
	return fallocate(of(f)->fd, mode, off, len) < 0 ? -errno : 0;
}

static int host_fd(struct file *f)
{
	return of(f)->fd;
}

const struct file_ops host_file_ops = {
	.read = host_read,
	.write = host_write,
	.poll = host_poll,
	.llseek = host_llseek,
	.ioctl = host_ioctl,
	.fsync = host_fsync,
	.fallocate = host_fallocate,
	.host_fd = host_fd,
};
