/*
 * server.h - one connection: its handles and nodes, and what the operations
 * share.  Everything runs on the one thread of the process.
 *
 * An operation is `int op_NAME(struct conn *, const struct gofer_NAME *,
 * struct gofer_NAME_reply *)`: it answers 0 and fills the (zeroed) reply, or
 * answers a negative errno.  Lists in replies point into the connection's
 * scratch memory; descriptors in replies are the operation's to open and are
 * closed once sent.  Requests are decoded and within the schema's bounds;
 * handles and names are checked by the operation before anything else.
 */
#ifndef REDOUBT_GOFER_SERVER_H
#define REDOUBT_GOFER_SERVER_H

#include "foreign.h"
#include "handle.h"
#include "node.h"
#include "options.h"
#include "tree.h"

#include "libipc/protocols.h"
#include "libipc/rpc.h"

#include <sched.h>
#include <sys/stat.h>

#define NODES_MAX (1u << 20)
#define CONNECTIONS_MAX 64 /* each holds some descriptors */
#define WALK_MAX 64
/* A directory entry is at least 24 bytes here, and at most 26/24 as long in a
 * frame: neither the frame nor the schema's 2048 entries can overflow. */
#define READDIR_BYTES (48 * 1024)
#define READDIR_ENTRIES 2048
#define VALUE_BYTES 61440
#define LISTED_MAX 64 /* of an answer: each may have a descriptor */
#define LISTINGS_MAX 16
#define XATTR_NAMES 512
#define LACKING_MAX 64

/* Where replies' lists lie while they are encoded. */
struct scratch {
	struct gofer_node nodes[WALK_MAX];
	struct gofer_found found[WALK_MAX];
	struct gofer_listed listed[LISTED_MAX];
	struct gofer_listing listings[LISTINGS_MAX];
	struct gofer_dirent entries[READDIR_ENTRIES];
	struct msg_str names[XATTR_NAMES];
	uint64_t errors[LACKING_MAX];
	char bytes[VALUE_BYTES] __attribute__((aligned(16)));
};

/* The process: what all connections share. */
struct server {
	struct event_base *base;
	const struct options *options;
	struct tree *trees;
	size_t n_trees;
	int root; /* the (empty) root directory, to go back to */
	struct node_fds fds;
	uint64_t seed; /* of the tables' hashes */
	struct scratch scratch;
	struct foreign_cache foreign;
	unsigned connections, live; /* made ever, there now */
	cpu_set_t cpus; /* near.h; only if once */
	unsigned start; /* keeper.h */
	bool once; /* ends with its connection */
	bool failed; /* a peer broke the protocol */
};

struct conn {
	struct server *server;
	struct rpc *rpc;
	struct node_table nodes;
	struct handle_table handles;
	struct node **roots; /* of each tree once attached, a reference */
	unsigned number; /* for log lines */
};

/* Takes the socket.  *out (may be NULL) is good until the loop runs. */
struct err *conn_open(struct server *s, int sock, struct conn **out) ERR_MUST_USE;
/* Before anything else goes over it: a process that served before this one was killed. */
struct err *conn_tell_restarted(struct conn *c) ERR_MUST_USE;
/* Serves the one connection there is until it ends. */
void conn_run(struct conn *c);

/* --- for the operations --- */

/* -EBADF for what is no live handle, -EACCES for what is not served; conn_dir
 * also -ENOTDIR.  conn_any answers what is not served, too: for attributes. */
int conn_any(const struct conn *c, uint64_t handle, struct node **n);
int conn_node(const struct conn *c, uint64_t handle, struct node **n);
int conn_dir(const struct conn *c, uint64_t handle, struct node **n);

/* The same for a directory and a name in it that is to change: also checks the
 * name and -EROFS; opens the directory (*fd is borrowed). */
int conn_change(struct conn *c, uint64_t handle, const struct msg_str *name, struct node **dir, int *fd);

static inline int node_writable(const struct node *n) { return n->tree->read_only ? -EROFS : 0; }

/* Gives the peer a new handle for what was found under a name. */
int conn_give(struct conn *c, struct node *dir, const char *name, const struct statx *sx, struct gofer_node *out);
/* For an existing node; takes over one reference of the caller's. */
int conn_give_node(struct conn *c, struct node *n, const struct statx *sx, struct gofer_node *out);

/* Targets of links in answers. */
struct targets {
	char *buf;
	uint32_t used, max;
};
/* Of the link under a name in a directory whose descriptor is dir; *out stays as it is if that fails. */
void target_read(int dir, const char *name, struct targets *t, struct msg_str *out);
/* Looks up a name in a directory whose descriptor is fd; a regular file may be opened, too: at
 * once where the directory has just said that it is one.  out is filled in any case. */
enum find { FIND, FIND_OPEN, FIND_OPEN_FILE };
void find_name(struct conn *c, struct node *dir, int fd, const char *name, enum find how, struct targets *t, struct gofer_found *out);

#define OPERATION(M) int op_##M(struct conn *c, const struct gofer_##M *q, struct gofer_##M##_reply *r)
OPERATION(attach);
OPERATION(walk);
OPERATION(getattr);
OPERATION(setattr);
OPERATION(open);
OPERATION(create);
OPERATION(mkdir);
OPERATION(mknod);
OPERATION(symlink);
OPERATION(link);
OPERATION(unlink);
OPERATION(rename);
OPERATION(readlink);
OPERATION(readdir);
OPERATION(statfs);
OPERATION(getxattr);
OPERATION(setxattr);
OPERATION(listxattr);
OPERATION(removexattr);
OPERATION(lacking);
OPERATION(fallocate);
OPERATION(fsync);
OPERATION(connect);
OPERATION(bind);
OPERATION(lookup);
OPERATION(list);
OPERATION(own_end);
void op_release(struct conn *c, const struct gofer_release *q);

#endif
