/*
 * hostfile.c - donated host descriptors as files of the program.
 *
 * The descriptor is shared with processes outside (the caller's terminal, a
 * pipe's other end), so its flags are never changed: a blocking transfer first
 * waits until poll(2) on the host says ready.  Any task's thread may run here;
 * the event thread announces readiness through the hostwatch.
 */
#include "libipc/hostcall.h"
#include "fs/host/hostfile.h"

#include "abi/fcntl.h"
#include "abi/fs.h"
#include "abi/termios.h"
#include "kernel/task.h"
#include "libipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#define BOUNCE 4096
#define PIPE_ATOMIC 4096 /* a ready pipe takes this much without blocking */

struct hostfile { /* an inode's priv: what all opens of it share */
	int fd; /* [I] owned */
	int access; /* [I] O_RDONLY ...: what it was donated for */
	struct waitq wq;
	struct hostwatch *watch; /* NULL for regular files: always ready */
};

static bool seekable_mode(uint32_t mode)
{
	return LINUX_S_ISREG(mode) || LINUX_S_ISBLK(mode);
}

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

static const struct file_ops host_ops = {
	.read = host_read,
	.write = host_write,
	.poll = host_poll,
	.llseek = host_llseek,
	.ioctl = host_ioctl,
	.fsync = host_fsync,
	.fallocate = host_fallocate,
	.host_fd = host_fd,
};

/* Also reached through /proc/self/fd/N and /dev/stdout: the same descriptor again. */
static int host_open(struct inode *i, struct file *f)
{
	struct hostfile *h = i->priv;

	if (LINUX_S_ISSOCK(i->mode))
		return -ENXIO;
	if (h->access != O_RDWR && (f->flags & O_ACCMODE) != (uint32_t)h->access)
		return -EACCES; /* it was not donated for that */
	f->ops = &host_ops;
	f->wq = h->watch ? &h->wq : NULL;
	if (h->watch)
		f->mode |= FILE_STREAM | FILE_ASYNC;
	return 0;
}

static int host_getattr(struct inode *i, struct kstat *st)
{
	struct stat s;

	if (host_fstat(((struct hostfile *)i->priv)->fd, &s))
		return -errno;
	mutex_lock(&i->a_mu);
	*st = (struct kstat){
		.ino = i->ino, .size = (uint64_t)s.st_size, .blocks = (uint64_t)s.st_blocks, .mode = i->mode, .nlink = 1, .uid = i->uid,
		.gid = i->gid, .blksize = (uint32_t)s.st_blksize, .dev = i->sb->dev, .rdev = i->rdev, .atime = i->atime, .mtime = i->mtime, .ctime = i->ctime,
	};
	if (seekable_mode(i->mode))
		st->mtime = s.st_mtim.tv_sec * INT64_C(1000000000) + s.st_mtim.tv_nsec;
	mutex_unlock(&i->a_mu);
	return 0;
}

static int host_setattr(struct inode *i, const struct iattr *a)
{
	if ((a->valid & ATTR_SIZE) && ftruncate(((struct hostfile *)i->priv)->fd, (off_t)a->size))
		return -errno;
	inode_setattr_copy(i, a);
	return 0;
}

static const struct inode_ops host_inode_ops = { .open = host_open, .getattr = host_getattr, .setattr = host_setattr };

static void host_evict(struct inode *i)
{
	struct hostfile *h = i->priv;

	super_put(i->sb); /* the one inode's own; inode_put no longer looks at it */
	if (!h)
		return;
	if (h->watch)
		hostwatch_free(h->watch);
	fd_close(&h->fd);
	waitq_destroy(&h->wq);
	free(h);
}

static const struct super_ops host_super_ops = { .evict = host_evict };
static const struct fs_type host_type = { .name = "hostfd" };

/* Files, and devices that are never waited for (/dev/null, not a terminal): epoll refuses them. */
static bool always_ready(int fd, uint32_t mode)
{
	uint8_t termios[64];

	return seekable_mode(mode) || (LINUX_S_ISCHR(mode) && ioctl(fd, TCGETS, termios) < 0);
}

static struct hostfile *hostfile_make(struct kernel *k, int fd, uint32_t mode)
{
	struct hostfile *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->fd = fd;
	waitq_init(&h->wq);
	if (always_ready(fd, mode))
		return h;
	h->watch = hostwatch_new(k, fd, &h->wq);
	if (h->watch)
		return h;
	free(h);
	return NULL;
}

/* What readlink of /proc/self/fd/N shows: as Linux for pipes and sockets; a file's name is not known here. */
static void label(const struct stat *st, char buf[48])
{
	const char *type = S_ISFIFO(st->st_mode) ? "pipe" : S_ISSOCK(st->st_mode) ? "socket" : S_ISREG(st->st_mode) ? "/host-file" : "/host-device";

	if (S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3)) {
		snprintf(buf, 48, "/dev/null");
		return;
	}
	snprintf(buf, 48, "%s:[%llu]", type, (unsigned long long)st->st_ino);
}

int hostfile_new(struct kernel *k, int fd, uint32_t uid, uint32_t gid, const struct cred *c, struct file **out)
{
	struct superblock *sb = NULL;
	struct hostfile *h = NULL;
	struct inode *i = NULL;
	struct stat st;
	char name[48];
	int flags = fcntl(fd, F_GETFL), ret = -ENOMEM;

	if (flags < 0 || host_fstat(fd, &st)) {
		ret = -errno;
		goto fail;
	}
	sb = super_new(k->vfs, &host_type, &host_super_ops);
	if (sb)
		sb->sflags |= SUPER_OWN_OPEN;
	i = sb ? inode_new(sb, &host_inode_ops, st.st_ino, (uint32_t)st.st_mode) : NULL;
	h = i ? hostfile_make(k, fd, (uint32_t)st.st_mode) : NULL;
	if (!h)
		goto fail;
	i->priv = h;
	h->access = flags & O_ACCMODE;
	fd = -1;
	i->uid = uid;
	i->gid = gid;
	i->rdev = S_ISCHR(st.st_mode) ? (uint64_t)st.st_rdev : 0;
	i->mode = (i->mode & LINUX_S_IFMT) | 0600;
	label(&st, name);
	ret = file_open_inode(i, name, flags & (O_ACCMODE | O_APPEND | O_NONBLOCK), c, out);
	if (!ret)
		(*out)->priv = h;
fail:
	if (i)
		inode_put(i); /* and the superblock with it */
	else if (sb)
		super_put(sb);
	fd_close(&fd);
	return ret;
}
