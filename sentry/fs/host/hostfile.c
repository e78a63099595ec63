/*
 * hostfile.c - donated host descriptors as files of the program: their making, inodes, ends.
 */
#include "libipc/hostcall.h"
#include "fs/host/internal.h"

#include "abi/fs.h"
#include "kernel/task.h"
#include "libipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static bool seekable_mode(uint32_t mode)
{
	return LINUX_S_ISREG(mode) || LINUX_S_ISBLK(mode);
}

/* Also reached through /proc/self/fd/N and /dev/stdout: the same descriptor again. */
static int host_open(struct inode *i, struct file *f)
{
	struct hostfile *h = i->priv;

	if (LINUX_S_ISSOCK(i->mode))
		return -ENXIO;
	if (h->access != O_RDWR && (f->flags & O_ACCMODE) != (uint32_t)h->access)
		return -EACCES; /* it was not donated for that */
	f->ops = &host_file_ops;
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
