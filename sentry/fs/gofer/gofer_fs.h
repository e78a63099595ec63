/*
 * gofer_fs.h - the file system whose files a gofer serves.
 */
#ifndef SENTRY_FS_GOFER_GOFER_FS_H
#define SENTRY_FS_GOFER_GOFER_FS_H

#include "vfs/vfs.h"

struct rpc_client;

/* fs_context_args.extra of type "gofer". Copied by mount. */
struct gofer_mount {
	struct rpc_client *client; /* borrowed: outlives every mount of it (the container holds it) */
	unsigned tree;
	bool shared; /* others change the tree too: revalidate */
};

int gofer_fs_register(struct vfs *v);

#endif
