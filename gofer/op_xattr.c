/*
 * op_xattr.c - extended attributes.  Files of other types than regular and
 * directory have none that a guest may see; Linux answers for user.* there
 * what is answered here.
 */
#include "name.h"
#include "resolve.h"
#include "server.h"

#include "libipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>

static bool may_have(const struct node *n)
{
	return n->id.type == S_IFREG || n->id.type == S_IFDIR;
}

int op_getxattr(struct conn *c, const struct gofer_getxattr *q, struct gofer_getxattr_reply *r)
{
	_cleanup_close_ int fd = -1;
	char *buf = c->server->scratch.bytes;
	struct node *n;
	ssize_t len;
	int rc = conn_node(c, q->node, &n);

	if (!rc)
		rc = xattr_check_read(&q->name);
	if (!rc && !may_have(n))
		rc = -ENODATA;
	if (rc)
		return rc;
	fd = node_real_fd(&c->nodes, n, O_RDONLY);
	if (fd < 0)
		return fd;
	len = fgetxattr(fd, q->name.p, buf, VALUE_BYTES);
	if (len < 0)
		return errno == ERANGE ? -E2BIG : -errno;
	r->value = (struct msg_bytes){ (const uint8_t *)buf, (uint32_t)len };
	return 0;
}

/* A real descriptor of a node whose attribute is to change. */
static int open_for_change(struct conn *c, uint64_t handle, const struct msg_str *name)
{
	struct node *n;
	int rc = conn_node(c, handle, &n);

	if (!rc)
		rc = xattr_check_write(name);
	if (!rc && !may_have(n))
		rc = -EPERM;
	if (!rc)
		rc = node_writable(n);
	return rc ? rc : node_real_fd(&c->nodes, n, O_RDONLY);
}

int op_setxattr(struct conn *c, const struct gofer_setxattr *q, struct gofer_setxattr_reply *r)
{
	_cleanup_close_ int fd = open_for_change(c, q->node, &q->name);

	if (fd < 0)
		return fd;
	return fsetxattr(fd, q->name.p, q->value.p, q->value.len, (int)q->flags) ? -errno : 0;
}

int op_removexattr(struct conn *c, const struct gofer_removexattr *q, struct gofer_removexattr_reply *r)
{
	_cleanup_close_ int fd = open_for_change(c, q->node, &q->name);

	if (fd < 0)
		return fd;
	return fremovexattr(fd, q->name.p) ? -errno : 0;
}

/* Only those that getxattr would read. */
static int take_names(struct gofer_listxattr_reply *r, const char *buf, size_t len)
{
	for (size_t at = 0; at < len;) {
		struct msg_str s = msg_str(buf + at);

		at += s.len + 1;
		if (xattr_check_read(&s))
			continue;
		if (r->n_names == XATTR_NAMES)
			return -E2BIG;
		r->names[r->n_names++] = s;
	}
	return 0;
}

/* Of fd, as far as a peer is told. */
static int list_names(int fd, struct scratch *s, struct gofer_listxattr_reply *r)
{
	ssize_t len = flistxattr(fd, s->bytes, VALUE_BYTES);

	if (len < 0)
		return errno == ERANGE ? -E2BIG : -errno;
	r->names = s->names;
	return take_names(r, s->bytes, (size_t)len);
}

int op_listxattr(struct conn *c, const struct gofer_listxattr *q, struct gofer_listxattr_reply *r)
{
	_cleanup_close_ int fd = -1;
	struct node *n;
	int rc = conn_node(c, q->node, &n);

	if (rc || !may_have(n))
		return rc;
	fd = node_real_fd(&c->nodes, n, O_RDONLY);
	return fd < 0 ? fd : list_names(fd, &c->server->scratch, r);
}

/* --- of several files ----------------------------------------------------------------- */

/* 0: it has one. */
static int lacks(struct conn *c, uint64_t handle, const struct msg_str *name)
{
	struct gofer_listxattr_reply r = {};
	_cleanup_close_ int fd = -1;
	struct node *n;
	int rc = conn_node(c, handle, &n);

	if (rc)
		return rc;
	if (!may_have(n))
		return -ENODATA;
	fd = node_real_fd(&c->nodes, n, O_RDONLY);
	if (fd < 0)
		return fd;
	if (name->len)
		return fgetxattr(fd, name->p, NULL, 0) < 0 ? -errno : 0;
	rc = list_names(fd, &c->server->scratch, &r);
	return rc || r.n_names ? rc : -ENODATA;
}

int op_lacking(struct conn *c, const struct gofer_lacking *q, struct gofer_lacking_reply *r)
{
	int rc = q->name.len ? xattr_check_read(&q->name) : 0;

	if (rc)
		return rc;
	r->errors = c->server->scratch.errors;
	for (; r->n_errors < q->n_nodes; r->n_errors++)
		r->errors[r->n_errors] = (uint64_t)-lacks(c, q->nodes[r->n_errors], &q->name);
	return 0;
}
