/*
 * op_socket.c - connect and bind of the host's UNIX sockets, if asked for.
 *
 * connect(2) and bind(2) take a path only.  The process goes to the directory
 * (fchdir) and gives a single component, and goes back to the empty root after.
 * bind never follows a link in the last component; connect does, if one is
 * swapped in after the node was checked: it is then resolved below the mount of
 * our own that the tree is, whose ".." ends at its root, while "/" is the empty
 * root.  Trees that are no mount of their own are refused.
 */
#include "attr.h"
#include "name.h"
#include "resolve.h"
#include "server.h"

#include "libipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int new_socket(uint64_t type)
{
	int fd;

	if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_SEQPACKET)
		return -EINVAL;
	/* non-blocking: a full backlog must not hold up everyone */
	fd = socket(AF_UNIX, (int)type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return fd < 0 ? -errno : fd;
}

static int address(const char *name, struct sockaddr_un *a)
{
	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(name) >= sizeof(a->sun_path))
		return -ENAMETOOLONG;
	strcpy(a->sun_path, name);
	return 0;
}

/* In directory at: connect or bind. */
static int act_in(struct conn *c, int at, int (*act)(int, const struct sockaddr *, socklen_t), int fd, const char *name)
{
	struct sockaddr_un a;
	int rc = address(name, &a);

	if (rc)
		return rc;
	if (fchdir(at))
		return -errno;
	rc = act(fd, (const struct sockaddr *)&a, sizeof(a)) ? -errno : 0;
	if (fchdir(c->server->root))
		abort(); /* never serve from somewhere else */
	return rc;
}

int op_connect(struct conn *c, const struct gofer_connect *q, struct gofer_connect_reply *r)
{
	_cleanup_close_ int fd = -1;
	const char *name;
	struct statx sx;
	struct node *n;
	int at, rc = conn_node(c, q->node, &n);

	if (rc)
		return rc;
	if (c->server->options->host_uds == HOST_UDS_NONE || !n->tree->detached)
		return -EPERM;
	if (n->id.type != S_IFSOCK)
		return -ECONNREFUSED;
	rc = node_stat(&c->nodes, n, &sx);
	if (!rc)
		rc = node_place(&c->nodes, n, &at, &name);
	if (rc)
		return rc;
	fd = new_socket(q->type);
	if (fd < 0)
		return fd;
	rc = act_in(c, at, connect, fd, name);
	if (rc)
		return rc;
	r->fd = TAKE_FD(fd);
	return 0;
}

int op_bind(struct conn *c, const struct gofer_bind *q, struct gofer_bind_reply *r)
{
	_cleanup_close_ int fd = -1, path = -1;
	struct node *dir;
	struct statx sx;
	int at, rc;

	if (c->server->options->host_uds != HOST_UDS_CREATE)
		return -EPERM;
	rc = conn_change(c, q->dir, &q->name, &dir, &at);
	if (!rc && !dir->tree->detached)
		rc = -EPERM;
	if (rc)
		return rc;
	fd = new_socket(q->type);
	if (fd < 0)
		return fd;
	/* the new file gets the mode of the socket's own inode */
	rc = attr_chmod(fd, S_IFSOCK, q->mode & 0777);
	if (!rc)
		rc = act_in(c, at, bind, fd, q->name.p);
	if (rc)
		return rc == -EADDRINUSE ? -EEXIST : rc;
	path = open_beneath(at, q->name.p, O_PATH, 0);
	rc = path < 0 ? path : stat_fd(path, &sx);
	if (!rc)
		rc = attr_own(path, &sx, q->mode, q->uid, q->gid);
	if (!rc)
		rc = conn_give(c, dir, q->name.p, &sx, &r->made);
	if (rc) {
		unlinkat(at, q->name.p, 0);
		return rc;
	}
	r->fd = TAKE_FD(fd);
	return 0;
}
