/*
 * gofer_fs.h - the file system whose files a gofer serves.
 */
#ifndef SENTRY_FS_GOFER_GOFER_FS_H
#define SENTRY_FS_GOFER_GOFER_FS_H

#include "vfs/vfs.h"

struct err;
struct gofer_conn;

/* A connection to a gofer: held by the container that it was made for and by
 * every mount of its trees; the gofer ends with it. */
struct err *gofer_conn_new(int sock, struct gofer_conn **out); /* takes sock */
void gofer_conn_get(struct gofer_conn *c);
void gofer_conn_put(struct gofer_conn *c); /* NULL is fine */
/* Event thread: the connection is to outlive the gofer, or no longer. */
void gofer_conn_hold(struct gofer_conn *c);
void gofer_conn_let_go(struct gofer_conn *c);
bool gofer_conn_shared(const struct gofer_conn *c); /* somebody beside the caller holds it */

/* fs_context_args.extra of type "gofer". Copied by mount. */
struct gofer_mount {
	struct gofer_conn *conn; /* referenced by the mount, too */
	unsigned tree;
	bool shared; /* others change the tree too: revalidate */
	bool ages; /* others change it now and then: vfs/age.c */
};

int gofer_fs_register(struct vfs *v);

#endif
