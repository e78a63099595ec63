/*
 * fs.h - file system structures and constants of Linux on x86_64 (asm/stat.h,
 * linux/stat.h, linux/mount.h, asm/statfs.h, linux/dirent.h, linux/fs.h).
 */
#ifndef SENTRY_ABI_FS_H
#define SENTRY_ABI_FS_H

#include <stdint.h>

#define LINUX_S_IFMT 0170000u
#define LINUX_S_IFSOCK 0140000u
#define LINUX_S_IFLNK 0120000u
#define LINUX_S_IFREG 0100000u
#define LINUX_S_IFBLK 0060000u
#define LINUX_S_IFDIR 0040000u
#define LINUX_S_IFCHR 0020000u
#define LINUX_S_IFIFO 0010000u
#define LINUX_S_ISUID 04000u
#define LINUX_S_ISGID 02000u
#define LINUX_S_ISVTX 01000u
#define LINUX_S_ISDIR(m) (((m) & LINUX_S_IFMT) == LINUX_S_IFDIR)
#define LINUX_S_ISREG(m) (((m) & LINUX_S_IFMT) == LINUX_S_IFREG)
#define LINUX_S_ISLNK(m) (((m) & LINUX_S_IFMT) == LINUX_S_IFLNK)
#define LINUX_S_ISCHR(m) (((m) & LINUX_S_IFMT) == LINUX_S_IFCHR)
#define LINUX_S_ISBLK(m) (((m) & LINUX_S_IFMT) == LINUX_S_IFBLK)
#define LINUX_S_ISFIFO(m) (((m) & LINUX_S_IFMT) == LINUX_S_IFIFO)
#define LINUX_S_ISSOCK(m) (((m) & LINUX_S_IFMT) == LINUX_S_IFSOCK)
#define LINUX_DT_DIR 4
#define LINUX_DT_REG 8
#define LINUX_DT_OF_MODE(m) (((m) & LINUX_S_IFMT) >> 12)

#define LINUX_NAME_MAX 255
#define LINUX_PATH_MAX 4096

struct linux_stat {
	uint64_t dev, ino, nlink;
	uint32_t mode, uid, gid, pad0;
	uint64_t rdev;
	int64_t size, blksize, blocks;
	int64_t atime, atime_nsec, mtime, mtime_nsec, ctime, ctime_nsec;
	int64_t unused[3];
};

struct linux_statx_timestamp {
	int64_t sec;
	uint32_t nsec;
	int32_t pad;
};

struct linux_statx {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, pad0;
	uint64_t ino, size, blocks, attributes_mask;
	struct linux_statx_timestamp atime, btime, ctime, mtime;
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t mnt_id;
	uint32_t dio_mem_align, dio_offset_align;
	uint64_t spare[12];
};
#define LINUX_STATX_BASIC_STATS 0x7ffu
#define LINUX_STATX_BTIME 0x800u
#define LINUX_STATX_MNT_ID 0x1000u
#define LINUX_STATX_RESERVED 0x80000000u
#define LINUX_STATX_ATTR_MOUNT_ROOT 0x2000u

struct linux_statfs {
	int64_t type, bsize;
	uint64_t blocks, bfree, bavail, files, ffree;
	int32_t fsid[2];
	int64_t namelen, frsize, flags, spare[4];
};

struct linux_dirent64 { /* then the name, its NUL, padding to 8 */
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};
struct linux_dirent { /* then the name, its NUL, padding, the type as last byte */
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	char name[];
};

/* mount(2) and superblock flags */
#define LINUX_MS_RDONLY 1u
#define LINUX_MS_NOSUID 2u
#define LINUX_MS_NODEV 4u
#define LINUX_MS_NOEXEC 8u
#define LINUX_MS_SYNCHRONOUS 16u
#define LINUX_MS_REMOUNT 32u
#define LINUX_MS_MANDLOCK 64u
#define LINUX_MS_DIRSYNC 128u
#define LINUX_MS_NOSYMFOLLOW 256u
#define LINUX_MS_NOATIME 1024u
#define LINUX_MS_NODIRATIME 2048u
#define LINUX_MS_BIND 4096u
#define LINUX_MS_MOVE 8192u
#define LINUX_MS_REC 16384u
#define LINUX_MS_SILENT 32768u
#define LINUX_MS_UNBINDABLE (1u << 17)
#define LINUX_MS_PRIVATE (1u << 18)
#define LINUX_MS_SLAVE (1u << 19)
#define LINUX_MS_SHARED (1u << 20)
#define LINUX_MS_RELATIME (1u << 21)
#define LINUX_MS_STRICTATIME (1u << 24)
#define LINUX_MS_LAZYTIME (1u << 25)
/* those that belong to a mount, not to the file system */
#define LINUX_MS_MOUNT_FLAGS                                                                                                                         \
	(LINUX_MS_RDONLY | LINUX_MS_NOSUID | LINUX_MS_NODEV | LINUX_MS_NOEXEC | LINUX_MS_NOATIME | LINUX_MS_NODIRATIME | LINUX_MS_RELATIME |         \
	 LINUX_MS_STRICTATIME | LINUX_MS_NOSYMFOLLOW)

/* The mount API of descriptors: open_tree, move_mount, fsopen, fspick, fsmount, mount_setattr. */
#define LINUX_OPEN_TREE_CLONE 1u
#define LINUX_OPEN_TREE_CLOEXEC 02000000u /* O_CLOEXEC */
#define LINUX_MOVE_MOUNT_F_SYMLINKS 1u
#define LINUX_MOVE_MOUNT_F_AUTOMOUNTS 2u
#define LINUX_MOVE_MOUNT_F_EMPTY_PATH 4u
#define LINUX_MOVE_MOUNT_T_SYMLINKS 0x10u
#define LINUX_MOVE_MOUNT_T_AUTOMOUNTS 0x20u
#define LINUX_MOVE_MOUNT_T_EMPTY_PATH 0x40u
#define LINUX_MOVE_MOUNT_SET_GROUP 0x100u
#define LINUX_MOVE_MOUNT_BENEATH 0x200u
#define LINUX_MOVE_MOUNT_FLAGS 0x377u
#define LINUX_FSOPEN_CLOEXEC 1u
#define LINUX_FSMOUNT_CLOEXEC 1u
#define LINUX_FSPICK_CLOEXEC 1u
#define LINUX_FSPICK_SYMLINK_NOFOLLOW 2u
#define LINUX_FSPICK_NO_AUTOMOUNT 4u
#define LINUX_FSPICK_EMPTY_PATH 8u
#define LINUX_FSCONFIG_SET_FLAG 0u
#define LINUX_FSCONFIG_SET_STRING 1u
#define LINUX_FSCONFIG_SET_BINARY 2u
#define LINUX_FSCONFIG_SET_PATH 3u
#define LINUX_FSCONFIG_SET_PATH_EMPTY 4u
#define LINUX_FSCONFIG_SET_FD 5u
#define LINUX_FSCONFIG_CMD_CREATE 6u
#define LINUX_FSCONFIG_CMD_RECONFIGURE 7u
#define LINUX_FSCONFIG_CMD_CREATE_EXCL 8u
#define LINUX_MOUNT_ATTR_RDONLY 1u
#define LINUX_MOUNT_ATTR_NOSUID 2u
#define LINUX_MOUNT_ATTR_NODEV 4u
#define LINUX_MOUNT_ATTR_NOEXEC 8u
#define LINUX_MOUNT_ATTR_ATIME 0x70u /* one of the three: */
#define LINUX_MOUNT_ATTR_RELATIME 0u
#define LINUX_MOUNT_ATTR_NOATIME 0x10u
#define LINUX_MOUNT_ATTR_STRICTATIME 0x20u
#define LINUX_MOUNT_ATTR_NODIRATIME 0x80u
#define LINUX_MOUNT_ATTR_IDMAP 0x100000u
#define LINUX_MOUNT_ATTR_NOSYMFOLLOW 0x200000u

struct linux_mount_attr {
	uint64_t attr_set, attr_clr;
	uint64_t propagation; /* MS_SHARED ... */
	uint64_t userns_fd;
};

#define LINUX_MNT_FORCE 1
#define LINUX_MNT_DETACH 2
#define LINUX_MNT_EXPIRE 4
#define LINUX_UMOUNT_NOFOLLOW 8

#define LINUX_ST_VALID 0x20u

#define LINUX_TMPFS_MAGIC 0x01021994
#define LINUX_ANON_INODE_MAGIC 0x09041934
#define LINUX_OVERLAY_MAGIC 0x794c7630

/* capabilities that the vfs asks for */
#define LINUX_CAP_CHOWN 0
#define LINUX_CAP_DAC_OVERRIDE 1
#define LINUX_CAP_DAC_READ_SEARCH 2
#define LINUX_CAP_FOWNER 3
#define LINUX_CAP_FSETID 4
#define LINUX_CAP_SETFCAP 31
#define LINUX_CAP_SYS_CHROOT 18
#define LINUX_CAP_SYS_ADMIN 21
#define LINUX_CAP_MKNOD 27
#define LINUX_CAP_SYS_RESOURCE 24

/* ioctls that all files answer */
#define LINUX_FIONCLEX 0x5450u
#define LINUX_FIOCLEX 0x5451u
#define LINUX_FIONBIO 0x5421u
#define LINUX_FIOASYNC 0x5452u
#define LINUX_FIONREAD 0x541bu
#define LINUX_FIOSETOWN 0x8901u /* of sockets */
#define LINUX_SIOCSPGRP 0x8902u
#define LINUX_FIOGETOWN 0x8903u
#define LINUX_SIOCGPGRP 0x8904u
#define LINUX_FIOQSIZE 0x5460u
#define LINUX_FIGETBSZ 2u

/* Linux dev_t, 64 bits, as stat tells it */
static inline uint64_t linux_makedev(uint32_t maj, uint32_t min)
{
	return ((uint64_t)(maj & 0xfffff000u) << 32) | ((uint64_t)(maj & 0xfffu) << 8) | ((uint64_t)(min & 0xffffff00u) << 12) | (min & 0xffu);
}
static inline uint32_t linux_major(uint64_t dev) { return (uint32_t)((dev >> 32 & 0xfffff000u) | (dev >> 8 & 0xfffu)); }
static inline uint32_t linux_minor(uint64_t dev) { return (uint32_t)((dev >> 12 & 0xffffff00u) | (dev & 0xffu)); }

#endif
