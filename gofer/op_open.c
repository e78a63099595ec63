/*
 * op_open.c - open, create, fallocate, fsync: regular files, opened for real.
 * Nothing else is ever opened (a device or fifo could act or wait): the type is
 * known beforehand and compared again with what was opened.
 */
#include "attr.h"
#include "name.h"
#include "resolve.h"
#include "server.h"

#include "libipc/fd.h"

#include <errno.h>
#include <fcntl.h>

#define FLAGS_OPEN (O_ACCMODE | O_TRUNC | O_APPEND | O_DIRECT | O_SYNC | O_DSYNC | O_NOATIME | O_DIRECTORY)

/* flags may say more than the schema's bits: refuse what is not understood. */
static int check_flags(uint64_t flags)
{
	return flags & ~(uint64_t)FLAGS_OPEN || (flags & O_ACCMODE) == O_ACCMODE ? -EINVAL : 0;
}

static bool wants_write(uint64_t flags)
{
	return (flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC;
}

static int check_open(const struct node *n, uint64_t flags)
{
	int rc = check_flags(flags);

	if (rc)
		return rc;
	if (n->id.type == S_IFDIR)
		return wants_write(flags) ? -EISDIR : 0;
	if (flags & O_DIRECTORY)
		return -ENOTDIR;
	if (n->id.type != S_IFREG)
		return n->id.type == S_IFLNK ? -ELOOP : -ENXIO;
	if (wants_write(flags) && n->tree->read_only)
		return -EROFS;
	/* only a descriptor shared with others is left of it */
	return node_orphan(n) ? -ESTALE : 0;
}

/* After the file is known to be the right one; O_RDONLY | O_TRUNC truncates on
 * Linux too. */
static int truncate_opened(struct conn *c, struct node *n, int fd, uint64_t flags)
{
	_cleanup_close_ int other = -1;

	if ((flags & O_ACCMODE) == O_RDONLY) {
		other = node_real_fd(&c->nodes, n, O_WRONLY);
		if (other < 0)
			return other;
		fd = other;
	}
	return ftruncate(fd, 0) ? -errno : 0;
}

int op_open(struct conn *c, const struct gofer_open *q, struct gofer_open_reply *r)
{
	_cleanup_close_ int fd = -1;
	struct node *n;
	struct statx sx;
	int rc = conn_node(c, q->node, &n);

	if (!rc)
		rc = check_open(n, q->flags);
	if (rc)
		return rc;
	fd = node_real_stat(&c->nodes, n, q->flags & ~(uint64_t)O_TRUNC, &sx);
	if (fd < 0)
		return fd;
	if (q->flags & O_TRUNC) {
		rc = truncate_opened(c, n, fd, q->flags);
		if (!rc)
			rc = stat_fd(fd, &sx);
		if (rc)
			return rc;
	}
	attr_from_statx(&sx, &r->attr);
	r->fd = TAKE_FD(fd);
	return 0;
}

int op_create(struct conn *c, const struct gofer_create *q, struct gofer_create_reply *r)
{
	_cleanup_close_ int fd = -1;
	struct node *dir;
	struct statx sx;
	int at, rc = check_flags(q->flags);

	if (!rc && q->flags & O_DIRECTORY)
		rc = -EINVAL;
	if (!rc)
		rc = conn_change(c, q->dir, &q->name, &dir, &at);
	if (rc)
		return rc;
	/* without set-id bits as long as it is ours */
	fd = open_beneath(at, q->name.p, (q->flags & ~(uint64_t)O_TRUNC) | O_CREAT | O_EXCL, q->mode & 0777);
	if (fd < 0)
		return fd;
	rc = stat_fd(fd, &sx);
	if (!rc)
		rc = attr_own(fd, &sx, q->mode, q->uid, q->gid);
	if (!rc)
		rc = conn_give(c, dir, q->name.p, &sx, &r->made);
	if (rc) {
		unlinkat(at, q->name.p, 0);
		return rc;
	}
	r->fd = TAKE_FD(fd);
	return 0;
}

int op_fallocate(struct conn *c, const struct gofer_fallocate *q, struct gofer_fallocate_reply *r)
{
	_cleanup_close_ int fd = -1;
	struct node *n;
	int rc = conn_node(c, q->node, &n);

	if (!rc)
		rc = node_writable(n);
	if (!rc)
		rc = n->id.type == S_IFDIR ? -EISDIR : n->id.type != S_IFREG ? -ENODEV : node_orphan(n) ? -ESTALE : 0;
	if (rc)
		return rc;
	fd = node_real_fd(&c->nodes, n, O_WRONLY);
	if (fd < 0)
		return fd;
	return fallocate(fd, (int)q->mode, (off_t)q->offset, (off_t)q->length) ? -errno : 0;
}

int op_fsync(struct conn *c, const struct gofer_fsync *q, struct gofer_fsync_reply *r)
{
	_cleanup_close_ int fd = -1;
	struct node *n;
	int rc = conn_node(c, q->node, &n);

	if (rc)
		return rc;
	if (n->id.type != S_IFREG && n->id.type != S_IFDIR)
		return -EINVAL;
	fd = node_real_fd(&c->nodes, n, O_RDONLY);
	if (fd < 0)
		return fd;
	/* for data_only it is more than was asked: one call less in the policy */
	return fsync(fd) ? -errno : 0;
}
