/*
 * server.c - connections: the table of operations, and what they share.
 *
 * One thread.  A connection owns its rpc, nodes and handles; all go together
 * when the peer goes or breaks the protocol.
 */
#include "server.h"

#include "attr.h"
#include "name.h"
#include "near.h"
#include "resolve.h"

#include "libipc/fd.h"
#include "libipc/own_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- dispatch ------------------------------------------------------------------ */

/* Descriptors beyond the budget are closed here, when no operation holds a
 * borrowed one any more. */
static bool ended(struct rpc_call *call, struct conn *c, const char *name, int rc)
{
	node_fds_trim(&c->server->fds);
	log_debug("%u: %s: %s", c->number, name, rc ? strerrorname_np(-rc) : "ok");
	if (rc)
		rpc_fail(call, err_new(-rc, "%s", name));
	return !rc;
}

#define SERVE(M)                                                                                                                           \
	static void serve_##M(struct rpc_call *call, void *request)                                                                        \
	{                                                                                                                                  \
		struct conn *c = rpc_call_arg(call);                                                                                       \
		struct gofer_##M##_reply r = {};                                                                                           \
		if (ended(call, c, #M, op_##M(c, request, &r)))                                                                            \
			rpc_reply(call, &r);                                                                                               \
	}
/* with a descriptor in the reply */
#define SERVE_FD(M)                                                                                                                        \
	static void serve_##M(struct rpc_call *call, void *request)                                                                        \
	{                                                                                                                                  \
		struct conn *c = rpc_call_arg(call);                                                                                       \
		struct gofer_##M##_reply r = { .fd = -1 };                                                                                 \
		if (ended(call, c, #M, op_##M(c, request, &r)))                                                                            \
			rpc_reply(call, &r);                                                                                               \
		fd_close(&r.fd);                                                                                                           \
	}

SERVE(attach)
SERVE(walk)
SERVE(getattr)
SERVE(setattr)
SERVE_FD(open)
SERVE_FD(create)
SERVE(mkdir)
SERVE(mknod)
SERVE(symlink)
SERVE(link)
SERVE(unlink)
SERVE(rename)
SERVE(readlink)
SERVE(readdir)
SERVE(statfs)
SERVE(getxattr)
SERVE(setxattr)
SERVE(listxattr)
SERVE(removexattr)
SERVE(lacking)
SERVE(fallocate)
SERVE(fsync)
SERVE_FD(connect)
SERVE_FD(own_end)
SERVE_FD(bind)

static void serve_lookup(struct rpc_call *call, void *request)
{
	struct conn *c = rpc_call_arg(call);
	struct gofer_lookup_reply r = {};

	if (ended(call, c, "lookup", op_lookup(c, request, &r)))
		rpc_reply(call, &r);
	for (uint32_t i = 0; i < r.n_found; i++)
		fd_close(&r.found[i].fd);
}

static void serve_list(struct rpc_call *call, void *request)
{
	struct conn *c = rpc_call_arg(call);
	struct gofer_list_reply r = {};

	if (ended(call, c, "list", op_list(c, request, &r)))
		rpc_reply(call, &r);
	for (uint32_t i = 0; i < r.n_listings; i++)
		for (uint32_t k = 0; k < r.listings[i].n_found; k++)
			fd_close(&r.listings[i].found[k].found.fd);
}

static void serve_release(struct rpc_call *call, void *request)
{
	op_release(rpc_call_arg(call), request);
}

static void serve_near(struct rpc_call *call, void *request)
{
	const struct server *s = ((struct conn *)rpc_call_arg(call))->server;
	const struct gofer_near *q = request;

	if (s->once && q->leave)
		near_leave(&s->cpus, (unsigned)q->cpu);
	else if (s->once)
		near_run_on(&s->cpus, (unsigned)q->cpu);
}

static const struct rpc_method methods[] = {
	RPC_METHOD(gofer, attach, serve_attach),
	RPC_METHOD(gofer, walk, serve_walk),
	RPC_METHOD(gofer, getattr, serve_getattr),
	RPC_METHOD(gofer, setattr, serve_setattr),
	RPC_METHOD(gofer, open, serve_open),
	RPC_METHOD(gofer, create, serve_create),
	RPC_METHOD(gofer, mkdir, serve_mkdir),
	RPC_METHOD(gofer, mknod, serve_mknod),
	RPC_METHOD(gofer, symlink, serve_symlink),
	RPC_METHOD(gofer, link, serve_link),
	RPC_METHOD(gofer, unlink, serve_unlink),
	RPC_METHOD(gofer, rename, serve_rename),
	RPC_METHOD(gofer, readlink, serve_readlink),
	RPC_METHOD(gofer, readdir, serve_readdir),
	RPC_METHOD(gofer, statfs, serve_statfs),
	RPC_METHOD(gofer, getxattr, serve_getxattr),
	RPC_METHOD(gofer, setxattr, serve_setxattr),
	RPC_METHOD(gofer, listxattr, serve_listxattr),
	RPC_METHOD(gofer, removexattr, serve_removexattr),
	RPC_METHOD(gofer, lacking, serve_lacking),
	RPC_METHOD(gofer, fallocate, serve_fallocate),
	RPC_METHOD(gofer, fsync, serve_fsync),
	RPC_METHOD(gofer, connect, serve_connect),
	RPC_METHOD(gofer, bind, serve_bind),
	RPC_METHOD(gofer, lookup, serve_lookup),
	RPC_METHOD(gofer, list, serve_list),
	RPC_METHOD(gofer, own_end, serve_own_end),
	RPC_EVENT(gofer, release, serve_release),
	RPC_EVENT(gofer, near, serve_near),
};

/* --- connections ----------------------------------------------------------------- */

static void conn_free(struct conn *c)
{
	rpc_free(c->rpc);
	for (uint32_t i = 0; i < c->handles.size; i++) {
		if (c->handles.entries[i].node)
			node_unref(&c->nodes, c->handles.entries[i].node);
	}
	for (size_t i = 0; i < c->server->n_trees; i++)
		node_unref(&c->nodes, c->roots[i]);
	free(c->roots);
	handle_table_destroy(&c->handles);
	node_table_destroy(&c->nodes);
	c->server->live--;
	free(c);
}

static void on_closed(struct rpc *r, const struct err *why, void *arg)
{
	struct conn *c = arg;
	struct server *s = c->server;

	if (why)
		log_warning("connection %u ended: %s", c->number, err_text(why));
	else
		log_debug("connection %u ended", c->number);
	if (!s->once) {
		conn_free(c);
		return;
	}
	/* the process ends now, and with it thousands of nodes, sooner than they would be freed: somebody waits for that */
	rpc_free(c->rpc);
	s->failed = why != NULL;
	event_base_loopbreak(s->base);
}

struct err *conn_open(struct server *s, int sock, struct conn **out)
{
	struct conn *c = calloc(1, sizeof(*c));
	struct err *e = NULL;

	if (s->live >= CONNECTIONS_MAX)
		e = err_new(EAGAIN, "%d connections", CONNECTIONS_MAX);
	else if (!c || !node_table_init(&c->nodes, NODES_MAX, s->seed, &s->fds) || !(c->roots = calloc(s->n_trees, sizeof(*c->roots))))
		e = err_new(ENOMEM, "a connection");
	if (!e) {
		handle_table_init(&c->handles, NODES_MAX, s->start);
		c->server = s;
		c->number = ++s->connections;
		e = rpc_new(s->base, sock, methods, sizeof(methods) / sizeof(*methods), on_closed, c, &c->rpc);
	}
	if (!e) {
		s->live++;
		if (out)
			*out = c;
		return NULL;
	}
	close(sock);
	if (c) {
		node_table_destroy(&c->nodes);
		free(c->roots);
	}
	free(c);
	return e;
}

struct err *conn_tell_restarted(struct conn *c)
{
	const struct gofer_restarted event = { .start = c->server->start };

	return rpc_event(c->rpc, gofer_restarted_id, &gofer_restarted_desc, &event);
}

void conn_run(struct conn *c) { rpc_run(c->rpc, own_text_drop); }

/* --- for the operations ------------------------------------------------------------ */

int conn_any(const struct conn *c, uint64_t handle, struct node **n)
{
	struct node *found = handle_get(&c->handles, handle);

	if (!found)
		return -EBADF;
	*n = found;
	return 0;
}

int conn_node(const struct conn *c, uint64_t handle, struct node **n)
{
	struct node *found = handle_get(&c->handles, handle);

	if (!found || found->foreign)
		return found ? -EACCES : -EBADF;
	*n = found;
	return 0;
}

int conn_dir(const struct conn *c, uint64_t handle, struct node **n)
{
	struct node *found;
	int rc = conn_node(c, handle, &found);

	if (rc || found->id.type != S_IFDIR)
		return rc ? rc : -ENOTDIR;
	*n = found;
	return 0;
}

int conn_change(struct conn *c, uint64_t handle, const struct msg_str *name, struct node **dir, int *fd)
{
	struct node *n;
	int rc = conn_dir(c, handle, &n);

	if (!rc)
		rc = name_check(name);
	if (!rc)
		rc = node_writable(n);
	if (!rc)
		rc = node_path_fd(&c->nodes, n);
	if (rc < 0)
		return rc;
	*fd = rc;
	*dir = n;
	return 0;
}

int conn_give_node(struct conn *c, struct node *n, const struct statx *sx, struct gofer_node *out)
{
	uint64_t handle;
	int rc = handle_new(&c->handles, n, &handle);

	if (rc) {
		node_unref(&c->nodes, n);
		return rc;
	}
	out->node = handle;
	attr_from_statx(sx, &out->attr);
	return 0;
}

int conn_give(struct conn *c, struct node *dir, const char *name, const struct statx *sx, struct gofer_node *out)
{
	struct node_id id;
	struct node *n;
	int rc = 0;

	id_of(sx, &id);
	if (id.dev != dir->id.dev) { /* another file system begins here */
		rc = node_path_fd(&c->nodes, dir);
		if (rc >= 0)
			rc = foreign_check(&c->server->foreign, rc, name, id.dev);
	}
	if (rc < 0)
		return rc;
	n = node_found(&c->nodes, dir, name, &id);
	if (!n)
		return -errno;
	n->foreign = rc > 0;
	return conn_give_node(c, n, sx, out);
}
