/*
 * op_attr.c - setattr.  Permission is the sentry's to check; what is checked
 * here is that the request concerns a live handle of a writable tree.
 */
#include "attr.h"
#include "resolve.h"
#include "server.h"

#include "libipc/fd.h"

#include <errno.h>
#include <fcntl.h>

enum { SET_MODE = 1, SET_UID = 2, SET_GID = 4, SET_SIZE = 8, SET_ATIME = 16, SET_MTIME = 32 };

static int set_size(struct conn *c, struct node *n, uint64_t size)
{
	_cleanup_close_ int fd = -1;

	if (n->id.type == S_IFDIR)
		return -EISDIR;
	if (n->id.type != S_IFREG)
		return -EINVAL;
	if (node_orphan(n))
		return -ESTALE; /* what is kept of it is open for reading only */
	fd = node_real_fd(&c->nodes, n, O_WRONLY);
	if (fd < 0)
		return fd;
	return ftruncate(fd, (off_t)size) ? -errno : 0;
}

static int set_mode(struct conn *c, struct node *n, int fd, uint64_t mode)
{
	_cleanup_close_ int real = -1;
	int rc = attr_chmod(fd, n->id.type, mode);

	if (rc != -EOPNOTSUPP || n->id.type != S_IFREG)
		return rc;
	real = node_real_fd(&c->nodes, n, O_RDONLY); /* kernels before 6.6 */
	return real < 0 ? real : attr_chmod(real, n->id.type, mode);
}

static int set_times(int fd, const struct gofer_setattr *q)
{
	struct timespec t[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_nsec = UTIME_OMIT } };

	if (q->valid & SET_ATIME)
		t[0] = attr_timespec(q->atime);
	if (q->valid & SET_MTIME)
		t[1] = attr_timespec(q->mtime);
	return utimensat(fd, "", t, AT_EMPTY_PATH) ? -errno : 0;
}

/* In the order in which one step does not undo another: chown clears
 * set-user-id bits, truncation changes times. */
static int set_all(struct conn *c, struct node *n, int fd, const struct gofer_setattr *q)
{
	int rc = 0;

	if (q->valid & SET_SIZE)
		rc = set_size(c, n, q->size);
	if (!rc && q->valid & (SET_UID | SET_GID)) {
		uid_t uid = q->valid & SET_UID ? (uid_t)q->uid : (uid_t)-1;
		gid_t gid = q->valid & SET_GID ? (gid_t)q->gid : (gid_t)-1;

		rc = fchownat(fd, "", uid, gid, AT_EMPTY_PATH) ? -errno : 0;
	}
	if (!rc && q->valid & SET_MODE)
		rc = set_mode(c, n, fd, q->mode);
	if (!rc && q->valid & (SET_ATIME | SET_MTIME))
		rc = set_times(fd, q);
	return rc;
}

int op_setattr(struct conn *c, const struct gofer_setattr *q, struct gofer_setattr_reply *r)
{
	struct node *n;
	struct statx sx;
	int rc = conn_node(c, q->node, &n), fd;

	if (!rc)
		rc = node_writable(n);
	if (rc)
		return rc;
	fd = node_path_fd(&c->nodes, n);
	if (fd < 0)
		return fd;
	rc = set_all(c, n, fd, q);
	if (!rc)
		rc = stat_fd(fd, &sx);
	if (!rc)
		attr_from_statx(&sx, &r->attr);
	return rc;
}
