/*
 * view_impl.h - what view.c (reading) and view_change.c (changing) share.
 *
 * Neither side is trusted: a FUSE request may come from any process that has joined, and the
 * sentry may have been taken over.  So only directories, regular files, symbolic links, FIFOs and
 * sockets are shown, never devices; the sentry's answers are bounded in size and in time; the
 * contents of files are whatever the sentry says.
 */
#ifndef REDOUBT_CONTROLD_VIEW_IMPL_H
#define REDOUBT_CONTROLD_VIEW_IMPL_H

#include "fuse.h"
#include "ids.h"
#include "nodes.h"
#include "sandbox.h"

struct view {
	LIST_ENTRY(view) link;
	struct container *container; /* it holds us */
	struct fuse_conn *conn;
	struct nodes nodes;
	struct ids uids, gids;
	char tree[]; /* empty: /proc */
};

#define VIEW_DEADLINE_MS 3000

/* Asks the sentry; the request has been filled in.  An ask that fails at once has ended the call. */
#define VIEW_ASK(V, C, M, Q, DONE)                                                                                          \
	do {                                                                                                                \
		uint64_t ask = RPC_ASK((V)->container->sandbox->rpc, control, M, Q, VIEW_DEADLINE_MS, DONE, C);             \
                                                                                                                            \
		if (ask)                                                                                                    \
			(C)->ask = ask;                                                                                     \
	} while (0)
/* The fields that say which file. */
#define VIEW_FILE(V, C) .id = msg_str((V)->container->id), .tree = msg_str((V)->tree), .path = msg_str((C)->path)

/* An answer has come: NULL when there is nothing to go on with; then the call has ended. */
struct view *view_of(struct fuse_call *c, struct err *e);
/* Asks for what is at c->path, and answers with that: an entry for what has been
 * looked up or made, else attributes. */
void view_look(struct view *v, struct fuse_call *c);

/* Asks for a change that the call wants; it is one of a tmpfs. */
typedef void view_ask_fn(struct view *v, struct fuse_call *c);
view_ask_fn *view_change_of(uint32_t opcode); /* NULL: it is none */

#endif
