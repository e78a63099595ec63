/*
 * files_change.c - control.file_write, file_make, file_remove, file_rename, file_link and file_change:
 * changes of a container's tmpfs from outside, with the rights of the container's root.  See files.h.
 *
 * Each is a function of the tree and its own request; finding the container and the tree, and
 * answering, is done once for all.
 */
#include "control/files.h"
#include "control/methods.h"

#include "abi/fcntl.h"
#include "abi/fs.h"
#include "kernel/oom.h"
#include "mm/usercopy.h"

#include <errno.h>

/* No program is killed for what an engine brings. */
static bool has_room(const struct container *c, uint64_t n)
{
	return oom_has_room(container_memory(c), n) && oom_has_room(oom_sandbox(c->k), n);
}

static int do_write(const struct tree *t, const struct control_file_write *q, uint64_t *written)
{
	struct path at;
	struct file *f;
	struct uio u;
	ssize_t n;
	int r = tree_find(t, q->path.p, &at);

	if (r)
		return r;
	if (!LINUX_S_ISREG(at.dentry->inode->mode))
		r = -EINVAL;
	else if (!has_room(t->container, q->content.len))
		r = -ENOSPC;
	else if (!(r = path_want_write(&at)))
		r = vfs_open_path(&at, LINUX_O_WRONLY | LINUX_O_LARGEFILE, t->cred, &f);
	path_put(&at);
	if (r)
		return r;
	uio_kernel(&u, (void *)(uintptr_t)q->content.p, q->content.len);
	n = file_pwrite(f, &u, (int64_t)q->offset);
	file_put(f);
	*written = n < 0 ? 0 : (uint64_t)n;
	return n < 0 ? (int)n : 0;
}

static int do_make(const struct tree *t, const struct control_file_make *q)
{
	struct walk w = tree_walk(t);
	uint32_t mode = (uint32_t)q->mode;

	switch (mode & LINUX_S_IFMT) {
	case LINUX_S_IFDIR:
		return vfs_mkdir(&w, q->path.p, mode);
	case LINUX_S_IFREG:
	case LINUX_S_IFIFO:
		return vfs_mknod(&w, q->path.p, mode, 0, NULL);
	case LINUX_S_IFLNK:
		return vfs_symlink(&w, q->path.p, q->target.p);
	default:
		return -EPERM; /* devices and sockets are its programs' to make */
	}
}

static int do_remove(const struct tree *t, const struct control_file_remove *q)
{
	struct walk w = tree_walk(t);

	return vfs_unlink(&w, q->path.p, q->directory);
}

static int do_rename(const struct tree *t, const struct control_file_rename *q)
{
	struct walk from = tree_walk(t), to = tree_walk(t);

	return vfs_rename(&from, q->path.p, &to, q->to.p, q->replace ? 0 : LINUX_RENAME_NOREPLACE);
}

static int do_link(const struct tree *t, const struct control_file_link *q)
{
	struct walk w = tree_walk(t);
	struct path old;
	int r = tree_find(t, q->path.p, &old);

	if (r)
		return r;
	r = vfs_link(&old, &w, q->to.p);
	path_put(&old);
	return r;
}

static int do_change(const struct tree *t, const struct control_file_change *q)
{
	struct iattr a = {
		.valid = (q->set_mode ? ATTR_MODE : 0) | (q->set_uid ? ATTR_UID : 0) | (q->set_gid ? ATTR_GID : 0) | (q->set_atime ? ATTR_ATIME : 0) |
			(q->set_mtime ? ATTR_MTIME : 0),
		.mode = (uint32_t)q->mode,
		.uid = (uint32_t)q->uid,
		.gid = (uint32_t)q->gid,
		.atime = q->atime == INT64_MIN ? TIME_NOW : q->atime,
		.mtime = q->mtime == INT64_MIN ? TIME_NOW : q->mtime,
	};
	struct path at;
	int r = tree_find(t, q->path.p, &at);

	if (r)
		return r;
	if (a.valid)
		r = vfs_setattr(&at, &a, t->cred);
	if (!r && q->set_size)
		r = LINUX_S_ISREG(at.dentry->inode->mode) ? vfs_truncate(&at, q->size, t->cred) : -EINVAL;
	path_put(&at);
	return r;
}

/* --- the methods ------------------------------------------------------------------------- */

/* The container's tree; false: the call has been answered. */
static bool enter(struct rpc_call *call, struct msg_str id, struct msg_str tree, struct tree *t)
{
	struct container *c = control_find(call, id);
	int r = c ? tree_enter(c, tree.p, t) : 0;

	if (r)
		rpc_fail(call, err_new(-r, "%s", tree.p));
	return c && !r;
}

static void answer(struct rpc_call *call, struct tree *t, int r, struct msg_str tree, struct msg_str path, const void *reply)
{
	tree_leave(t);
	if (r)
		rpc_fail(call, err_new(-r, "%s/%s", tree.p, path.p));
	else
		rpc_reply(call, reply);
}

#define CHANGES(M)                                                                      \
	void control_do_file_##M(struct rpc_call *call, void *request)                  \
	{                                                                               \
		const struct control_file_##M *q = request;                             \
		struct control_file_##M##_reply reply;                                  \
		struct tree t;                                                          \
                                                                                        \
		if (enter(call, q->id, q->tree, &t))                                    \
			answer(call, &t, do_##M(&t, q), q->tree, q->path, &reply);      \
	}

CHANGES(make)
CHANGES(remove)
CHANGES(rename)
CHANGES(link)
CHANGES(change)

void control_do_file_write(struct rpc_call *call, void *request)
{
	const struct control_file_write *q = request;
	struct control_file_write_reply reply;
	struct tree t;

	if (enter(call, q->id, q->tree, &t))
		answer(call, &t, do_write(&t, q, &reply.written), q->tree, q->path, &reply);
}
