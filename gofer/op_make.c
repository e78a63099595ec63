/*
 * op_make.c - mkdir, mknod, symlink, link: new names.  Owner and mode are made
 * exact afterwards; what cannot be is removed again.
 */
#include "attr.h"
#include "name.h"
#include "resolve.h"
#include "server.h"

#include "libipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* What was just made: gives it its owner and mode and the peer its node.
 * Removes it on failure. */
static int finish(struct conn *c, struct node *dir, int at, const char *name, uint64_t mode, uint64_t uid, uint64_t gid,
		  struct gofer_node *made)
{
	_cleanup_close_ int fd = open_beneath(at, name, O_PATH, 0);
	struct statx sx = { 0 };
	struct node *n;
	int rc = fd < 0 ? fd : stat_fd(fd, &sx);

	if (!rc)
		rc = attr_own(fd, &sx, mode, uid, gid);
	if (!rc)
		rc = conn_give(c, dir, name, &sx, made);
	if (rc) {
		unlinkat(at, name, S_ISDIR(sx.stx_mode) ? AT_REMOVEDIR : 0);
		return rc;
	}
	/* a new directory is soon filled */
	n = handle_get(&c->handles, made->node);
	if (n->id.type == S_IFDIR && n->path.fd < 0)
		fd_lru_put(&c->nodes.fds->paths, &n->path, TAKE_FD(fd));
	return 0;
}

int op_mkdir(struct conn *c, const struct gofer_mkdir *q, struct gofer_mkdir_reply *r)
{
	struct node *dir;
	int at, rc = conn_change(c, q->dir, &q->name, &dir, &at);

	if (rc)
		return rc;
	if (mkdirat(at, q->name.p, q->mode & 0777))
		return -errno;
	return finish(c, dir, at, q->name.p, q->mode, q->uid, q->gid, &r->made);
}

static int check_node_type(const struct options *o, uint64_t mode, uint64_t rdev)
{
	switch (mode & S_IFMT) {
	case 0:
	case S_IFREG:
	case S_IFIFO:
	case S_IFSOCK:
		return 0;
	case S_IFCHR:
		if (!rdev) /* a whiteout: no device, and nobody needs a capability for it */
			return 0;
		__attribute__((fallthrough));
	case S_IFBLK:
		return o->allow_mknod ? 0 : -EPERM;
	default:
		return -EINVAL;
	}
}

int op_mknod(struct conn *c, const struct gofer_mknod *q, struct gofer_mknod_reply *r)
{
	struct node *dir;
	int at, rc = check_node_type(c->server->options, q->mode, q->rdev);

	if (!rc)
		rc = conn_change(c, q->dir, &q->name, &dir, &at);
	if (rc)
		return rc;
	if (mknodat(at, q->name.p, (mode_t)(q->mode & (S_IFMT | 0777)), (dev_t)q->rdev))
		return -errno;
	return finish(c, dir, at, q->name.p, q->mode & 07777, q->uid, q->gid, &r->made);
}

int op_symlink(struct conn *c, const struct gofer_symlink *q, struct gofer_symlink_reply *r)
{
	struct node *dir;
	int at, rc = conn_change(c, q->dir, &q->name, &dir, &at);

	if (rc)
		return rc;
	if (!q->target.len || memchr(q->target.p, '\0', q->target.len))
		return q->target.len ? -EINVAL : -ENOENT;
	if (symlinkat(q->target.p, at, q->name.p))
		return -errno;
	return finish(c, dir, at, q->name.p, 0777, q->uid, q->gid, &r->made);
}

/* By descriptor where the kernel lets us (CAP_DAC_READ_SEARCH, or Linux 6.10);
 * else by name, which may be another file of the tree by now. */
static int link_node(struct conn *c, struct node *n, int at, const char *new_name)
{
	int fd = node_path_fd(&c->nodes, n), dir, rc;
	const char *name;

	if (fd < 0)
		return fd;
	if (!linkat(fd, "", at, new_name, AT_EMPTY_PATH))
		return 0;
	if (errno != ENOENT)
		return -errno;
	rc = node_place(&c->nodes, n, &dir, &name);
	if (rc)
		return rc;
	return linkat(dir, name, at, new_name, 0) ? -errno : 0;
}

int op_link(struct conn *c, const struct gofer_link *q, struct gofer_link_reply *r)
{
	struct node *dir, *n;
	struct statx sx;
	int at, rc = conn_change(c, q->dir, &q->name, &dir, &at);

	if (!rc)
		rc = conn_node(c, q->node, &n);
	if (!rc)
		rc = n->id.type == S_IFDIR ? -EPERM : n->tree != dir->tree ? -EXDEV : 0;
	if (!rc)
		rc = link_node(c, n, at, q->name.p);
	if (!rc)
		rc = stat_name(at, q->name.p, &sx);
	return rc ? rc : conn_give(c, dir, q->name.p, &sx, &r->made);
}
