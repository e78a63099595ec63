/*
 * resolve.c - opening files for nodes.  One thread; see resolve.h for the
 * rules.  No /proc is reachable here (the root is empty), so nothing goes by
 * way of /proc/self/fd.
 */
#include "resolve.h"

#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#define DEPTH_INLINE 32

static int open_as(int dir, const char *name, struct open_how how)
{
	how.flags |= O_CLOEXEC | O_NOFOLLOW;
	how.resolve |= RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
	/* EAGAIN: something was renamed meanwhile and the kernel could not be
	 * sure that the walk stayed below; for one component soon over */
	for (int tries = 0; tries < 16; tries++) {
		long fd = syscall(SYS_openat2, dir, name, &how, sizeof(how));

		if (fd >= 0)
			return (int)fd;
		if (errno != EAGAIN)
			return -errno;
	}
	return -EAGAIN;
}

int open_beneath(int dir, const char *name, uint64_t flags, uint64_t mode)
{
	return open_as(dir, name, (struct open_how){ .flags = flags, .mode = mode });
}

int open_listed(int dir, const char *name, struct statx *sx)
{
	/* not what is mounted there, of which the directory says nothing; and were it a fifo by now, this must not wait */
	int fd = open_as(dir, name, (struct open_how){ .flags = O_RDONLY | O_NONBLOCK | O_NOCTTY, .resolve = RESOLVE_NO_XDEV });
	int rc = fd < 0 ? fd : stat_fd(fd, sx);

	if (!rc && (sx->stx_mode & S_IFMT) != S_IFREG)
		rc = -ENXIO;
	if (rc < 0 && fd >= 0)
		close(fd);
	return rc < 0 ? rc : fd;
}

int stat_name(int dir, const char *name, struct statx *sx)
{
	return statx(dir, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STAT_MASK, sx) ? -errno : 0;
}

int stat_fd(int fd, struct statx *sx)
{
	return statx(fd, "", AT_EMPTY_PATH, STAT_MASK, sx) ? -errno : 0;
}

void id_of(const struct statx *sx, struct node_id *id)
{
	id->dev = (uint64_t)sx->stx_dev_major << 32 | sx->stx_dev_minor;
	id->ino = sx->stx_ino;
	id->type = sx->stx_mode & S_IFMT;
}

static int check_id(const struct node *n, const struct statx *sx)
{
	struct node_id id;

	id_of(sx, &id);
	return node_same(&id, &n->id) ? 0 : -ESTALE;
}

/* On an overlay a file that is written to for the first time may get another number
 * (copied up, where it has hard links), under the name that the node has: the node
 * goes on with that one. */
static int renumbered(struct node *n, int fd, const struct statx *sx)
{
	struct node_id id;
	struct statfs fs;

	id_of(sx, &id);
	if (id.type != S_IFREG || n->id.type != S_IFREG || fstatfs(fd, &fs) || fs.f_type != OVERLAYFS_SUPER_MAGIC)
		return -ESTALE;
	n->id = id;
	return 0;
}

/* Is this descriptor the node's file?  Closes it if not. */
static int verified(struct node *n, int fd, struct statx *sx)
{
	int rc = fd < 0 ? fd : stat_fd(fd, sx);

	if (rc == 0)
		rc = check_id(n, sx);
	if (rc == -ESTALE && fd >= 0)
		rc = renumbered(n, fd, sx);
	if (rc < 0 && fd >= 0)
		close(fd);
	return rc < 0 ? rc : fd;
}

/* Opens n in its directory, which is open. */
static int open_path(struct node_table *t, struct node *n, int dir)
{
	const char *name = n->parent ? n->name : n->tree->name;
	struct statx sx;
	int fd;

	if (node_orphan(n))
		return -ESTALE;
	fd = verified(n, open_beneath(dir, name, O_PATH | (n->id.type == S_IFDIR ? O_DIRECTORY : 0), 0), &sx);
	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
		fd = -ESTALE;
	if (fd < 0)
		return fd;
	fd_lru_put(&t->fds->paths, &n->path, fd);
	n->real = false;
	return fd;
}

/* Opens chain[depth - 1] ... chain[0], each in the one before. */
static int open_chain(struct node_table *t, struct node **chain, size_t depth, struct node *from)
{
	int dir = from ? from->path.fd : chain[depth - 1]->tree->fd;

	if (from)
		fd_slot_touch(&from->path);
	while (depth--) {
		struct node *above = chain[depth]->parent;
		int fd = open_path(t, chain[depth], dir);

		/* a long chain must not take all descriptors there are */
		if (above && above != from && t->fds->paths.count > t->fds->paths.budget)
			fd_slot_close(&above->path);
		if (fd < 0)
			return fd;
		dir = fd;
	}
	return dir;
}

static int own_path_fd(struct node_table *t, struct node *n)
{
	struct node *some[DEPTH_INLINE], **chain = some, *at = n;
	size_t depth = 0, i = 0;
	int fd;

	if (n->path.fd >= 0) {
		fd_slot_touch(&n->path);
		return n->path.fd;
	}
	for (; at && at->path.fd < 0; at = at->parent)
		depth++;
	if (depth > DEPTH_INLINE && !(chain = calloc(depth, sizeof(*chain))))
		return -ENOMEM;
	for (at = n; at && at->path.fd < 0; at = at->parent)
		chain[i++] = at;
	fd = open_chain(t, chain, depth, at);
	if (chain != some)
		free(chain);
	return fd;
}

int node_path_fd(struct node_table *t, struct node *n)
{
	if (n->path.fd < 0 && n->stream.fd >= 0) { /* a directory that is being read serves as well */
		fd_slot_touch(&n->stream);
		return n->stream.fd;
	}
	return own_path_fd(t, n);
}

int node_place(struct node_table *t, struct node *n, int *dir, const char **name)
{
	int fd;

	if (node_orphan(n))
		return -ESTALE;
	if (!n->parent) { /* a tree's root: only a single file has a place */
		*dir = n->tree->fd;
		*name = n->tree->name;
		return *name ? 0 : -EBUSY;
	}
	fd = node_path_fd(t, n->parent);
	if (fd < 0)
		return fd;
	*dir = fd;
	*name = n->name;
	return 0;
}

/* Not the node's own descriptor, but a new one that an orphan's is good for. */
static int orphan_fd(const struct node *n)
{
	int fd = n->real && n->path.fd >= 0 ? fcntl(n->path.fd, F_DUPFD_CLOEXEC, 3) : -1;

	return fd < 0 ? -ESTALE : fd;
}

int node_real_stat(struct node_table *t, struct node *n, uint64_t flags, struct statx *sx)
{
	const char *name;
	int dir, fd;

	if (n->id.type == S_IFDIR && n->path.fd < 0 && n->parent && !node_orphan(n)) {
		fd = node_place(t, n, &dir, &name);
		if (fd >= 0)
			fd = verified(n, open_beneath(dir, name, flags | O_DIRECTORY, 0), sx);
		return fd == -ENOENT || fd == -ELOOP || fd == -ENOTDIR ? -ESTALE : fd;
	}
	if (n->id.type == S_IFDIR) {
		fd = node_path_fd(t, n);
		return fd < 0 ? fd : verified(n, open_beneath(fd, ".", flags | O_DIRECTORY, 0), sx);
	}
	if (n->id.type != S_IFREG)
		return n->id.type == S_IFLNK ? -ELOOP : -ENXIO;
	if (node_orphan(n))
		return verified(n, orphan_fd(n), sx);
	fd = node_place(t, n, &dir, &name);
	if (fd < 0)
		return fd;
	/* O_NONBLOCK: were it a fifo by now, opening must not wait */
	fd = verified(n, open_beneath(dir, name, flags | O_NONBLOCK | O_NOCTTY, 0), sx);
	return fd == -ENOENT || fd == -ELOOP ? -ESTALE : fd;
}

int node_real_fd(struct node_table *t, struct node *n, uint64_t flags)
{
	struct statx sx;

	return node_real_stat(t, n, flags, &sx);
}

int node_stat(struct node_table *t, struct node *n, struct statx *sx)
{
	const char *name;
	int dir, rc;

	if (n->path.fd < 0 && n->id.type != S_IFDIR) {
		rc = node_place(t, n, &dir, &name);
		if (rc < 0)
			return rc;
		rc = stat_name(dir, name, sx);
		if (rc == -ENOENT)
			return -ESTALE;
		return rc < 0 ? rc : check_id(n, sx);
	}
	rc = node_path_fd(t, n);
	return rc < 0 ? rc : stat_fd(rc, sx);
}

void node_keep(struct node_table *t, struct node *n)
{
	int fd;

	if (n->id.type != S_IFREG) {
		(void)own_path_fd(t, n);
		return;
	}
	/* for reading only: it serves for everything but truncation, and does
	 * not make a host overlay copy a file up that is about to go */
	fd = node_real_fd(t, n, O_RDONLY);
	if (fd < 0) {
		(void)own_path_fd(t, n);
		return;
	}
	fd_slot_close(&n->path);
	fd_lru_put(&t->fds->paths, &n->path, fd);
	n->real = true;
}
