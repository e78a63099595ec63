/*
 * op_name.c - the requests on names: unlink, rename, readlink.  server.h says what
 * an operation is given and what it answers.  One thread.
 *
 * The host call goes first; then the node table is brought in line with it, so that
 * handles of renamed files stay valid and those of removed files reach the file by
 * its descriptor.
 */
#include "name.h"
#include "resolve.h"
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* RENAME_*; <linux/fs.h> has them with much else */
enum { NOREPLACE = 1, EXCHANGE = 2 };

/* A name is about to go: opens the file behind it if the peer holds a handle for it, since
 * a program may go on using a deleted file. */
static struct node *keep_known(struct conn *c, struct node *dir, const char *name)
{
	struct node *n = node_find(&c->nodes, dir, name);

	if (n)
		node_keep(&c->nodes, n);
	return n;
}

int op_unlink(struct conn *c, const struct gofer_unlink *q, struct gofer_unlink_reply *r)
{
	struct node *dir, *known;
	int at, rc = conn_change(c, q->dir, &q->name, &dir, &at);

	if (rc)
		return rc;
	known = keep_known(c, dir, q->name.p);
	if (unlinkat(at, q->name.p, q->directory ? AT_REMOVEDIR : 0))
		return -errno;
	if (known)
		node_orphan_it(&c->nodes, known);
	return 0;
}

int op_rename(struct conn *c, const struct gofer_rename *q, struct gofer_rename_reply *r)
{
	struct node *from, *to, *n;
	int from_fd, to_fd, rc;

	if (q->flags == (NOREPLACE | EXCHANGE))
		return -EINVAL;
	rc = conn_change(c, q->old_dir, &q->old_name, &from, &from_fd);
	if (!rc)
		rc = conn_change(c, q->new_dir, &q->new_name, &to, &to_fd);
	if (!rc && from->tree != to->tree)
		rc = -EXDEV;
	if (rc)
		return rc;
	if (!q->flags && !(from == to && !strcmp(q->old_name.p, q->new_name.p)))
		keep_known(c, to, q->new_name.p);
	/* not glibc's renameat2, which becomes another call when flags are 0 */
	if (syscall(SYS_renameat2, from_fd, q->old_name.p, to_fd, q->new_name.p, (unsigned)q->flags))
		return -errno;
	if (q->flags == EXCHANGE) {
		node_exchange(&c->nodes, from, q->old_name.p, to, q->new_name.p);
		return 0;
	}
	n = node_find(&c->nodes, from, q->old_name.p);
	if (n)
		node_move(&c->nodes, n, to, q->new_name.p);
	else if ((n = node_find(&c->nodes, to, q->new_name.p)))
		node_orphan_it(&c->nodes, n);
	return 0;
}

int op_readlink(struct conn *c, const struct gofer_readlink *q, struct gofer_readlink_reply *r)
{
	char *buf = c->server->scratch.bytes;
	struct node *n;
	ssize_t len;
	int rc = conn_node(c, q->node, &n);

	if (!rc && n->id.type != S_IFLNK)
		rc = -EINVAL;
	if (!rc)
		rc = node_path_fd(&c->nodes, n);
	if (rc < 0)
		return rc;
	len = readlinkat(rc, "", buf, VALUE_BYTES);
	if (len < 0)
		return -errno;
	if (len > 4095)
		return -ENAMETOOLONG;
	r->target = (struct msg_str){ buf, (uint32_t)len };
	return 0;
}
