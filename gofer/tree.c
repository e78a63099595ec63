/*
 * tree.c - opens the exported trees, before confinement, with what privilege
 * the caller gave.
 *
 * With CAP_SYS_ADMIN a tree is cloned with open_tree(2): the clone is mounted
 * nowhere, so ".." ends at its root, nothing the host mounts later appears in
 * it, and it can be made nodev and read-only without touching the host's.
 * Without, the tree is an O_PATH descriptor and all rests on openat2's
 * RESOLVE_BENEATH.
 *
 * A tree that is a single file cannot be opened again from an O_PATH
 * descriptor without /proc.  With privilege it is therefore mounted on a file
 * in a small tmpfs, and that is cloned, so that the file has a name; without,
 * the directory it lies in is kept.
 *
 * Or the caller gives a descriptor: a detached mount that it has made itself.
 */
#include "tree.h"

#include "libipc/fd.h"
#include "libipc/holder.h"
#include "libipc/log.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* errno values that mean "not privileged for that here" */
static bool unprivileged(int e)
{
	return e == EPERM || e == ENOSYS || e == EINVAL;
}

static struct err *tree_attributes(const struct tree *t)
{
	struct mount_attr a = { .attr_set = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID, .propagation = MS_PRIVATE };

	if (t->read_only)
		a.attr_set |= MOUNT_ATTR_RDONLY;
	if (!mount_setattr(t->fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &a, sizeof(a)))
		return NULL;
	if (errno == ENOSYS) { /* before Linux 5.12; what is read-only is refused by us all the same */
		log_info("tree %s: %s", t->path, "mount_setattr is not known to this kernel");
		return NULL;
	}
	return err_new(errno, "mount attributes");
}

static int clone_tree(int dir, const char *path)
{
	return open_tree(dir, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | (*path ? 0 : AT_EMPTY_PATH));
}

static struct err *open_directory(struct tree *t, int fd)
{
	int c = clone_tree(fd, "");

	if (c < 0 && !unprivileged(errno))
		return err_new(errno, "open_tree");
	if (c < 0) {
		log_info("tree %s: no mount of its own (%s)", t->path, strerror(errno));
		t->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		return t->fd < 0 ? err_new(errno, "dup") : NULL;
	}
	t->fd = c;
	t->detached = true;
	return tree_attributes(t);
}

/* A directory with just this file in it, as a detached mount. */
static int make_holder(const char *path)
{
	_cleanup_close_ int clone = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	return clone < 0 ? -1 : holder_make(clone);
}

static struct err *open_file_in_parent(struct tree *t)
{
	_cleanup_free_ char *a = realpath(t->path, NULL); /* the file itself, not a link to it */
	_cleanup_free_ char *b = a ? strdup(a) : NULL;

	if (!b)
		return err_new(errno, "its path");
	log_info("tree %s: no mount of its own; its directory is kept open", t->path);
	t->name = strdup(basename(b));
	t->fd = open(dirname(a), O_PATH | O_DIRECTORY | O_CLOEXEC);
	return t->fd < 0 ? err_new(errno, "its directory") : !t->name ? err_new(ENOMEM, "tree") : NULL;
}

/* unshared: whether this process has made its own mount namespace already */
static struct err *open_file(struct tree *t, bool *unshared)
{
	int fd = -1;

	if (!*unshared && !unshare(CLONE_NEWNS)) {
		if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
			return err_new(errno, "private mounts");
		*unshared = true;
	}
	if (*unshared)
		fd = make_holder(t->path);
	if (fd < 0 && !unprivileged(errno))
		return err_new(errno, "mount for a single file");
	if (fd < 0)
		return open_file_in_parent(t);
	t->fd = fd;
	t->detached = true;
	t->name = strdup(HOLDER_NAME);
	return t->name ? tree_attributes(t) : err_new(ENOMEM, "tree");
}

/* The caller's mount, with the attributes that it wants. */
static struct err *take_given(struct tree *t)
{
	struct statvfs st;

	if (fstatvfs(t->fd, &st) || fcntl(t->fd, F_SETFD, FD_CLOEXEC))
		return err_new(errno, "the descriptor");
	t->read_only |= (st.f_flag & ST_RDONLY) != 0;
	t->detached = true;
	t->name = t->holder ? strdup(HOLDER_NAME) : NULL;
	return t->holder && !t->name ? err_new(ENOMEM, "tree") : NULL;
}

static struct err *tree_open(struct tree *t, bool *unshared)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (t->fd >= 0)
		return take_given(t);
	/* the path is the user's own: links in it are followed */
	fd = open(t->path, O_PATH | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return err_new(errno, "open");
	if (S_ISDIR(st.st_mode))
		return open_directory(t, fd);
	return open_file(t, unshared);
}

struct err *trees_open(struct tree *trees, size_t n)
{
	bool unshared = false;

	for (size_t i = 0; i < n; i++) {
		struct err *e = tree_open(&trees[i], &unshared);

		if (e)
			return err_wrap(e, "tree %zu, %s", i, trees[i].path);
	}
	return NULL;
}
