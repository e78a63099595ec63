/*
 * confine_memory.c - a file in memory whose owner may choose huge pages for parts of it.
 *
 * memfd_create's files have what the host's administrator chose for all of them
 * (shmem_enabled), mostly no huge pages; a file system of one's own has a choice of its own:
 * they are for those mappings that ask for them (MADV_HUGEPAGE).  The file has no
 * name any more and its file system no place, so nothing can be found from it.
 */
#include "libipc/confine_internal.h"
#include "libipc/fd.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NAME "memfd:redoubt-memory" /* what memfd_create would call it */

static int set(int fs, const char *key, const char *value)
{
	return (int)syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, key, value, 0);
}

int confine_memory(void)
{
	_cleanup_close_ int fs = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC), mnt = -1, file = -1;

	/* no bound of its own (size 0); the root directory and the file */
	if (fs < 0 || set(fs, "huge", "advise") || set(fs, "size", "0") || set(fs, "nr_inodes", "2") ||
		syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -1;
	mnt = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOATIME);
	if (mnt < 0)
		return -1;
	file = openat(mnt, NAME, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file < 0 || unlinkat(mnt, NAME, 0))
		return -1;
	return TAKE_FD(file);
}
