/*
 * confine_root.c - pivots into a root that holds nothing, or one tree.
 *
 * The new root is made detached (no directory of the host is needed to mount it
 * on), attached over "/", pivoted into, and the old root is detached from below
 * it.  Needs Linux 5.2 (fsopen, open_tree, move_mount).
 */
#include "libipc/confine_internal.h"
#include "libipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* glibc's <sys/mount.h> and <linux/mount.h> exclude each other before 2.37 */
int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);
int umount2(const char *target, int flags);
#ifndef MNT_DETACH
#define MNT_DETACH 2
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

#define ROOM "room"

static struct err *empty_tree(bool room, int *out)
{
	_cleanup_close_ int fs = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0)
		return err_new(errno, "fsopen tmpfs");
	/* space for the root directory, the room, and nothing else */
	if (syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "mode", "0555", 0) < 0 ||
		syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "size", "4096", 0) < 0 ||
		syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "nr_inodes", room ? "2" : "1", 0) < 0 ||
		syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return err_new(errno, "an empty tmpfs");
	const unsigned attr = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	_cleanup_close_ int m = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, room ? attr : attr | MOUNT_ATTR_RDONLY);
	if (m < 0)
		return err_new(errno, "mounting an empty tmpfs");
	if (room && mkdirat(m, ROOM, 0555) < 0)
		return err_new(errno, "a room in the empty tmpfs");
	*out = TAKE_FD(m);
	return NULL;
}

static struct err *given_tree(const char *path, int *out)
{
	/* with what is mounted below: a user namespace may not uncover what lies under a mount */
	int m = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (m < 0)
		return err_new(errno, "root %s", path);
	*out = m;
	return NULL;
}

/* From the namespace's root into the room, which becomes a mount: ".." at a
 * process's root leads to what is mounted over it, and over the room there is
 * nothing.  Both are read-only from now on. */
static struct err *enter_room(void)
{
	if (mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return err_new(errno, "making the empty root read-only");
	_cleanup_close_ int tree = (int)syscall(SYS_open_tree, AT_FDCWD, "/" ROOM, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0 || syscall(SYS_move_mount, tree, "", AT_FDCWD, "/" ROOM, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_new(errno, "the room in the empty root");
	if (chroot("/" ROOM) < 0 || chdir("/") < 0)
		return err_new(errno, "entering the room");
	return NULL;
}

struct err *confine_root(const char *given, bool room)
{
	_cleanup_close_ int tree = -1;
	/* nothing mounted here may show outside; what is unmounted outside may go here */
	if (mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0)
		return err_new(errno, "making mounts private");
	struct err *e = given ? given_tree(given, &tree) : empty_tree(room, &tree);
	if (e)
		return e;
	if (syscall(SYS_move_mount, tree, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_new(errno, "attaching the new root");
	if (fchdir(tree) < 0)
		return err_new(errno, "entering the new root");
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return err_new(errno, "pivot_root");
	/* the old root now lies over the new one; "." is still the old one's place */
	if (umount2(".", MNT_DETACH) < 0)
		return err_new(errno, "detaching the old root");
	if (chdir("/") < 0)
		return err_new(errno, "chdir to the new root");
	return room ? enter_room() : NULL;
}
