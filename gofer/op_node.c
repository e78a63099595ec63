/*
 * op_node.c - attach, walk, getattr, release, statfs: finding nodes and asking
 * about them; own_end, which every peer of a keeper asks for once.
 */
#include "attr.h"
#include "name.h"
#include "resolve.h"
#include "server.h"

#include "libipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/statfs.h>

/* One root node for a tree, so that all of it hangs together. */
int op_attach(struct conn *c, const struct gofer_attach *q, struct gofer_attach_reply *r)
{
	struct tree *t;
	struct node_id id;
	struct statx sx;
	struct node **root;
	int rc;

	if (q->tree >= c->server->n_trees)
		return -ENOENT;
	t = &c->server->trees[q->tree];
	rc = t->name ? stat_name(t->fd, t->name, &sx) : stat_fd(t->fd, &sx);
	if (rc)
		return rc;
	id_of(&sx, &id);
	root = &c->roots[q->tree];
	if (*root && !node_same(&(*root)->id, &id))
		return -ESTALE; /* a single file that the host has replaced */
	if (!*root)
		*root = node_root(&c->nodes, t, &id, t->name ? -1 : t->fd);
	if (!*root)
		return -errno;
	node_ref(*root);
	r->read_only = t->read_only;
	return conn_give_node(c, *root, &sx, &r->root);
}

/* Probably a directory that is needed to go on below it: open it first and ask
 * the descriptor, so that both are of the same file. */
static int step_through(struct conn *c, struct node *dir, int fd, const char *name, struct gofer_node *out, struct node **next)
{
	_cleanup_close_ int found = open_beneath(fd, name, O_PATH, 0);
	struct statx sx;
	struct node *n;
	int rc = found < 0 ? found : stat_fd(found, &sx);

	if (!rc)
		rc = conn_give(c, dir, name, &sx, out);
	if (rc)
		return rc;
	n = *next = handle_get(&c->handles, out->node);
	if (n->path.fd < 0 && n->id.type == S_IFDIR)
		fd_lru_put(&c->nodes.fds->paths, &n->path, TAKE_FD(found));
	return 0;
}

static int step(struct conn *c, struct node *dir, const char *name, bool last, struct gofer_node *out, struct node **next)
{
	int fd = node_path_fd(&c->nodes, dir);
	struct node *known;
	struct statx sx;
	int rc;

	if (fd < 0)
		return fd;
	known = node_find(&c->nodes, dir, name);
	if (!last && (!known || known->path.fd < 0))
		return step_through(c, dir, fd, name, out, next);
	rc = stat_name(fd, name, &sx);
	if (rc)
		return rc;
	rc = conn_give(c, dir, name, &sx, out);
	if (!rc)
		*next = handle_get(&c->handles, out->node);
	return rc;
}

/* Where the walk goes on from the link that it ended at: that would be asked next. */
static void tell_target(struct conn *c, struct node *dir, const char *name, struct msg_str *out)
{
	struct targets t = { .buf = c->server->scratch.bytes, .max = VALUE_BYTES };
	int fd = node_path_fd(&c->nodes, dir);

	if (fd >= 0)
		target_read(fd, name, &t, out);
}

int op_walk(struct conn *c, const struct gofer_walk *q, struct gofer_walk_reply *r)
{
	struct node *at, *dir = NULL;
	int rc = conn_dir(c, q->dir, &at);

	for (uint32_t i = 0; !rc && i < q->n_names; i++)
		rc = name_check(&q->names[i]);
	if (rc)
		return rc;
	r->nodes = c->server->scratch.nodes;
	r->target.p = "";
	for (uint32_t i = 0; i < q->n_names; i++) {
		struct gofer_node *out = &r->nodes[r->n_nodes];

		if (at->id.type != S_IFDIR || at->foreign) {
			r->error = at->foreign ? EACCES : at->id.type == S_IFLNK ? 0 : ENOTDIR;
			break;
		}
		dir = at;
		rc = step(c, dir, q->names[i].p, i + 1 == q->n_names, out, &at);
		if (rc) {
			r->error = (uint64_t)-rc;
			break;
		}
		r->n_nodes++;
	}
	if (r->n_nodes && at->id.type == S_IFLNK && !at->foreign)
		tell_target(c, dir, q->names[r->n_nodes - 1].p, &r->target);
	return 0;
}

int op_getattr(struct conn *c, const struct gofer_getattr *q, struct gofer_getattr_reply *r)
{
	struct node *n;
	struct statx sx;
	int rc = conn_any(c, q->node, &n);

	if (!rc)
		rc = node_stat(&c->nodes, n, &sx);
	if (!rc)
		attr_from_statx(&sx, &r->attr);
	return rc;
}

void op_release(struct conn *c, const struct gofer_release *q)
{
	for (uint32_t i = 0; i < q->n_nodes; i++)
		node_unref(&c->nodes, handle_take(&c->handles, q->nodes[i]));
}

int op_statfs(struct conn *c, const struct gofer_statfs *q, struct gofer_statfs_reply *r)
{
	struct node *n;
	struct statfs fs;
	int rc = conn_node(c, q->node, &n);

	if (!rc)
		rc = node_path_fd(&c->nodes, n);
	if (rc < 0)
		return rc;
	if (fstatfs(rc, &fs))
		return -errno;
	*r = (struct gofer_statfs_reply){
		.type = (uint64_t)fs.f_type,
		.bsize = (uint64_t)fs.f_bsize,
		.blocks = fs.f_blocks,
		.bfree = fs.f_bfree,
		.bavail = fs.f_bavail,
		.files = fs.f_files,
		.ffree = fs.f_ffree,
		.namelen = (uint64_t)fs.f_namelen,
	};
	return 0;
}

/* Without a keeper nobody would ever go on with it, and the peer not learn that we have ended. */
int op_own_end(struct conn *c, const struct gofer_own_end *q, struct gofer_own_end_reply *r)
{
	const struct options *o = c->server->options;

	if (!o->keeper)
		return -EOPNOTSUPP;
	r->fd = fcntl(o->ipc_fd, F_DUPFD_CLOEXEC, 0);
	return r->fd < 0 ? -errno : 0;
}
