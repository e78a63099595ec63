/*
 * view_served.h - the FUSE mounts of a view (view.h), which controld serves: a container's /proc and
 * its tmpfs mounts (controld/view.h).
 */
#ifndef REDOUBT_LAUNCHER_VIEW_SERVED_H
#define REDOUBT_LAUNCHER_VIEW_SERVED_H

#include "client.h"
#include "idmap.h"

struct view_server {
	const struct state_dir *dir; /* the container's */
	const struct id_maps *ids; /* whose ids the files of a tmpfs have */
	struct pool *pool;
	struct rpc_client *rpc; /* NULL: nothing has been asked yet */
};
void view_server_close(struct view_server *s);
#define _cleanup_view_server_ __attribute__((cleanup(view_server_close)))

/* A mount that is nowhere yet.  tree: where the tmpfs is in the container; empty: /proc. */
struct err *view_serve(struct view_server *s, const char *tree, int *out) ERR_MUST_USE;

/* Where such are mounted in the mount namespace that we are in; proc: a procfs of our pid namespace. */
struct view_places {
	const char **v;
	size_t n, cap;
};
struct err *view_served_places(int proc, struct pool *p, struct view_places *out) ERR_MUST_USE;

#endif
