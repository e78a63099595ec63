/*
 * holder.c - see holder.h.  Any thread; no state.
 */
#include "holder.h"

#include "fd.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#define HOLDER_AT "/proc" /* where the holder is mounted for a moment */

/* A file system with an empty file in it. */
static int make_place(void)
{
	_cleanup_close_ int fs = fsopen("tmpfs", FSOPEN_CLOEXEC), mnt = -1, file = -1;

	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "size", "4096", 0) || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -1;
	mnt = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOEXEC);
	if (mnt < 0)
		return -1;
	file = openat(mnt, HOLDER_NAME, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	return file < 0 ? -1 : TAKE_FD(mnt);
}

int holder_make(int file_mount)
{
	_cleanup_close_ int mnt = make_place(), held = -1;

	/* before Linux 6.15 a mount can only be put on one that is attached */
	if (mnt < 0 || move_mount(mnt, "", AT_FDCWD, HOLDER_AT, MOVE_MOUNT_F_EMPTY_PATH))
		return -1;
	if (!move_mount(file_mount, "", mnt, HOLDER_NAME, MOVE_MOUNT_F_EMPTY_PATH))
		held = open_tree(mnt, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_EMPTY_PATH);
	if (umount2(HOLDER_AT, MNT_DETACH))
		return -1;
	return TAKE_FD(held);
}
