/*
 * mount_api.h - what the tests of mounts by descriptors share: the calls, which this C library
 * may not have, and a place to mount in.
 */
#ifndef TESTS_GUEST_FS_MOUNT_API_H
#define TESTS_GUEST_FS_MOUNT_API_H

#include "fs.h"

#include <linux/mount.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>

/* sys/mount.h and linux/mount.h of this C library do not go together */
int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);
int umount(const char *target);
int umount2(const char *target, int flags);
#define MNT_DETACH 2
#define MOVE_MOUNT_BENEATH_ 0x200 /* Linux 6.5 */
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

struct attr {
	uint64_t set, clear, propagation, userns_fd;
};

static inline int open_tree_(int fd, const char *path, unsigned flags) { return (int)syscall(SYS_open_tree, fd, path, flags); }
static inline int move_mount_(int from, const char *from_path, int to, const char *to_path, unsigned flags)
{
	return (int)syscall(SYS_move_mount, from, from_path, to, to_path, flags);
}
static inline int mount_setattr_(int fd, const char *path, unsigned flags, const void *a, size_t size)
{
	return (int)syscall(SYS_mount_setattr, fd, path, flags, a, size);
}
static inline int set_attr_sized(const char *path, unsigned flags, const void *a, size_t size) { return mount_setattr_(AT_FDCWD, path, flags, a, size); }
static inline int set_attr(const char *path, unsigned flags, const struct attr *a) { return set_attr_sized(path, flags, a, sizeof(*a)); }
static inline int fsopen_(const char *type, unsigned flags) { return (int)syscall(SYS_fsopen, type, flags); }
static inline int fspick_(int fd, const char *path, unsigned flags) { return (int)syscall(SYS_fspick, fd, path, flags); }
static inline int fsconfig_(int fd, unsigned cmd, const char *key, const void *value, int aux)
{
	return (int)syscall(SYS_fsconfig, fd, cmd, key, value, aux);
}
static inline int fsmount_(int fd, unsigned flags, unsigned attr) { return (int)syscall(SYS_fsmount, fd, flags, attr); }

static inline bool begin(void)
{
	in_temp();
	umask(022);
	CHECK(mkdir("t", 0755) == 0);
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount("t", "t", "tmpfs", 0, NULL))
		return false;
	CHECK(chdir("t") == 0);
	return true;
}

static inline bool is_link(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISLNK(st.st_mode);
}

/* How many lines of a file have that word at the end of a path in them. */
static inline int lines_of(const char *file, const char *word)
{
	char line[4096];
	FILE *f = fopen(file, "r");
	int n = 0;

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		n += strstr(line, word) != NULL;
	fclose(f);
	return n;
}

static inline void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

/* As root in a user namespace of its own, with a mount namespace; false: that is not to be had here. */
static inline bool enter_user_ns(void)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return false;
	write_text("/proc/self/setgroups", "deny");
	write_text("/proc/self/uid_map", "0 0 1");
	write_text("/proc/self/gid_map", "0 0 1");
	return true;
}

#endif
