/*
 * view_change.c - changes that a process of the host makes in a container's tmpfs.  See view_impl.h.
 *
 * Each change is one request to the sentry, and a second one where the host's kernel then wants the
 * attributes of the result.
 */
#include "view_impl.h"

#include <errno.h>
#include <linux/fuse.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SECOND 1000000000
#define SECONDS_MAX (INT64_MAX / SECOND - 1)

/* --- what the sentry answers ------------------------------------------------------------- */

static void on_done(void *arg, void *reply, struct err *e)
{
	struct fuse_call *c = arg;

	if (view_of(c, e))
		fuse_reply(c, NULL, 0);
}

static void on_done_look(void *arg, void *reply, struct err *e)
{
	struct fuse_call *c = arg;
	struct view *v = view_of(c, e);

	if (v && v->container->sandbox->rpc)
		view_look(v, c);
	else if (v)
		fuse_fail(c, EIO);
}

static void on_linked(void *arg, void *reply, struct err *e)
{
	struct fuse_call *c = arg;

	/* what is looked at is the new name */
	free(c->path);
	c->path = c->to;
	c->to = NULL;
	on_done_look(c, reply, e);
}

/* The kernel goes on to call the files that were there by their numbers. */
static void on_renamed(void *arg, void *reply, struct err *e)
{
	struct fuse_call *c = arg;
	struct view *v = view_of(c, e);

	if (!v)
		return;
	nodes_rename(&v->nodes, c->path, c->to);
	fuse_reply(c, NULL, 0);
}

static void on_written(void *arg, void *reply, struct err *e)
{
	struct fuse_call *c = arg;
	const struct control_file_write_reply *r = reply;

	if (!view_of(c, e))
		return;
	if (r->written > c->size)
		fuse_fail(c, EIO);
	else
		fuse_reply(c, &(struct fuse_write_out){ .size = (uint32_t)r->written }, sizeof(struct fuse_write_out));
}

/* --- what it is asked ---------------------------------------------------------------------- */

static void make(struct view *v, struct fuse_call *c, uint32_t mode, const char *target)
{
	const struct control_file_make q = { VIEW_FILE(v, c), .mode = mode & (S_IFMT | 07777), .target = msg_str(target) };

	VIEW_ASK(v, c, file_make, &q, on_done_look);
}

static void make_node(struct view *v, struct fuse_call *c)
{
	const struct fuse_mknod_in *in = c->body;

	make(v, c, in->mode, "");
}

static void make_directory(struct view *v, struct fuse_call *c)
{
	const struct fuse_mkdir_in *in = c->body;

	make(v, c, S_IFDIR | (in->mode & 07777), "");
}

static void make_link(struct view *v, struct fuse_call *c)
{
	if (strlen(c->names[1]) > NODES_PATH_MAX)
		fuse_fail(c, ENAMETOOLONG);
	else
		make(v, c, S_IFLNK | 0777, c->names[1]);
}

static void remove_name(struct view *v, struct fuse_call *c)
{
	const struct control_file_remove q = { VIEW_FILE(v, c), .directory = c->opcode == FUSE_RMDIR };

	VIEW_ASK(v, c, file_remove, &q, on_done);
}

/* The other path, a name in a directory; false: the call has ended. */
static bool find_to(struct view *v, struct fuse_call *c, uint64_t dir, const char *name)
{
	char joined[NODES_PATH_MAX + 1];

	if (!nodes_join(&v->nodes, dir, name, joined))
		fuse_fail(c, nodes_path(&v->nodes, dir) ? ENAMETOOLONG : ESTALE);
	else if (!(c->to = strdup(joined)))
		fuse_fail(c, ENOMEM);
	else
		return true;
	return false;
}

static void rename_to(struct view *v, struct fuse_call *c, uint64_t dir, bool replace)
{
	if (find_to(v, c, dir, c->names[1])) {
		const struct control_file_rename q = { VIEW_FILE(v, c), .to = msg_str(c->to), .replace = replace };

		VIEW_ASK(v, c, file_rename, &q, on_renamed);
	}
}

static void rename_plain(struct view *v, struct fuse_call *c)
{
	const struct fuse_rename_in *in = c->body;

	rename_to(v, c, in->newdir, true);
}

static void rename_flags(struct view *v, struct fuse_call *c)
{
	const struct fuse_rename2_in *in = c->body;

	if (in->flags & ~(uint32_t)RENAME_NOREPLACE)
		fuse_fail(c, EINVAL);
	else
		rename_to(v, c, in->newdir, !in->flags);
}

/* The call's node is the directory of the new name. */
static void link_to(struct view *v, struct fuse_call *c)
{
	const struct fuse_link_in *in = c->body;
	const char *old = nodes_path(&v->nodes, in->oldnodeid);

	c->to = c->path;
	c->path = old ? strdup(old) : NULL;
	if (c->path) {
		const struct control_file_link q = { VIEW_FILE(v, c), .to = msg_str(c->to) };

		VIEW_ASK(v, c, file_link, &q, on_linked);
	} else {
		fuse_fail(c, old ? ENOMEM : ESTALE);
	}
}

static int64_t time_of(bool now, uint64_t seconds, uint32_t rest)
{
	int64_t s = (int64_t)seconds;

	if (now)
		return INT64_MIN;
	s = s > SECONDS_MAX ? SECONDS_MAX : s < -SECONDS_MAX ? -SECONDS_MAX : s;
	return s * SECOND + (rest < SECOND ? rest : SECOND - 1);
}

static void change(struct view *v, struct fuse_call *c)
{
	const struct fuse_setattr_in *in = c->body;
	struct control_file_change q = {
		VIEW_FILE(v, c),
		.set_mode = in->valid & FATTR_MODE,
		.mode = in->mode & 07777,
		.set_uid = in->valid & FATTR_UID,
		.set_gid = in->valid & FATTR_GID,
		.set_size = in->valid & FATTR_SIZE,
		.size = in->size <= INT64_MAX ? in->size : INT64_MAX,
		.set_atime = in->valid & (FATTR_ATIME | FATTR_ATIME_NOW),
		.atime = time_of(in->valid & FATTR_ATIME_NOW, in->atime, in->atimensec),
		.set_mtime = in->valid & (FATTR_MTIME | FATTR_MTIME_NOW),
		.mtime = time_of(in->valid & FATTR_MTIME_NOW, in->mtime, in->mtimensec),
	};

	/* as Linux: an id without a number in the file system's user namespace */
	if ((q.set_uid && !ids_from_host(&v->uids, in->uid, &q.uid)) || (q.set_gid && !ids_from_host(&v->gids, in->gid, &q.gid)))
		fuse_fail(c, EOVERFLOW);
	else
		VIEW_ASK(v, c, file_change, &q, on_done_look);
}

static void write_file(struct view *v, struct fuse_call *c)
{
	const struct fuse_write_in *in = c->body;
	const struct control_file_write q = { VIEW_FILE(v, c), .offset = c->offset, .content = { (const uint8_t *)(in + 1), c->size } };

	if (c->offset > INT64_MAX)
		fuse_fail(c, EFBIG);
	else
		VIEW_ASK(v, c, file_write, &q, on_written);
}

static const struct {
	uint32_t opcode;
	view_ask_fn *fn;
} changes[] = {
	{ FUSE_MKNOD, make_node },
	{ FUSE_MKDIR, make_directory },
	{ FUSE_SYMLINK, make_link },
	{ FUSE_UNLINK, remove_name },
	{ FUSE_RMDIR, remove_name },
	{ FUSE_RENAME, rename_plain },
	{ FUSE_RENAME2, rename_flags },
	{ FUSE_LINK, link_to },
	{ FUSE_SETATTR, change },
	{ FUSE_WRITE, write_file },
};

view_ask_fn *view_change_of(uint32_t opcode)
{
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		if (changes[i].opcode == opcode)
			return changes[i].fn;
	}
	return NULL;
}
