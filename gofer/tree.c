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
 */
#include "tree.h"

#include "libipc/fd.h"
#include "libipc/log.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define HOLDER_NAME "file"
#define HOLDER_AT "/proc" /* where the holder is mounted for a moment, in a mount namespace of our own */

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
	_cleanup_close_ int clone = -1, fs = -1, mnt = -1, file = -1, held = -1;

	clone = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (clone < 0)
		return -1;
	fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "size", "4096", 0) || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -1;
	mnt = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOEXEC);
	if (mnt < 0)
		return -1;
	file = openat(mnt, HOLDER_NAME, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	if (file < 0)
		return -1;
	/* before Linux 6.15 a mount can only be put on one that is attached */
	if (move_mount(mnt, "", AT_FDCWD, HOLDER_AT, MOVE_MOUNT_F_EMPTY_PATH))
		return -1;
	if (!move_mount(clone, "", mnt, HOLDER_NAME, MOVE_MOUNT_F_EMPTY_PATH))
		held = clone_tree(mnt, "");
	if (umount2(HOLDER_AT, MNT_DETACH))
		return -1;
	return TAKE_FD(held);
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

static struct err *tree_open(struct tree *t, bool *unshared)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

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
