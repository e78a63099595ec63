/*
 * fs_util.h - what the handlers of file calls share: a name from the program with the
 * directory it is relative to, ready for a walk.
 */
#ifndef SENTRY_SYSCALLS_FS_UTIL_H
#define SENTRY_SYSCALLS_FS_UTIL_H

#include "abi/fcntl.h"
#include "abi/fs.h"
#include "syscalls/syscall.h"

#include <errno.h>

/* Large: declare as UNINITIALIZED. */
struct at {
	struct walk w;
	struct file *f; /* dirfd's, or NULL */
	char name[LINUX_PATH_MAX];
};
#define UNINITIALIZED __attribute__((uninitialized))

/* Copies the name and finds dirfd; flags: WALK_*.  On success at_end must follow. */
int at_begin(struct task *t, struct at *a, int dirfd, uint64_t name, unsigned flags);
void at_end(struct at *a);
/* at_begin, walk, at_end. *out: new references. */
int at_walk(struct task *t, int dirfd, uint64_t name, unsigned flags, struct path *out);
/* The path of an open descriptor (O_PATH too): new references, -EBADF. */
int fd_path(struct task *t, int fd, struct path *out);

/* mount.c: who may change the mounts of his namespace: 0 or -EPERM; who may mount a file system of the type; whether
 * one that is mounted with these flags (LINUX_MS_*) would show what is hidden from who mounts it */
int may_mount(struct task *t);
bool may_mount_type(struct task *t, const struct fs_type *fs);
bool mount_reveals(struct task *t, const struct fs_type *fs, unsigned flags);
/* mount_tree.c: MOUNT_ATTR_* as LINUX_MS_*; an access time among them that is none: -EINVAL */
int mount_attr_flags(uint64_t attr, unsigned *flags);
/* Opens the root of a detached tree, which ends with the descriptor. Puts p. */
int64_t install_tree(struct task *t, struct path *p, bool cloexec);

/* rw.c: RLIMIT_FSIZE shortens what is to be written at pos, or refuses it with a signal: 0 or -EFBIG */
int rw_limit_len(struct task *t, int64_t pos, uint64_t *len);
/* The same for a write to f (pos NULL: at its own position); of nothing, and of what is no regular file, there is no limit. */
int rw_limit_size(struct task *t, struct file *f, struct uio *u, const int64_t *pos);
/* rw.c: reads or writes as the caller's limits and signals want it; positioned: at pos, else at the file's own. */
int64_t rw_transfer(struct task *t, struct file *f, struct uio *u, bool write, int64_t pos, bool positioned);

/* async.c: the status flags become `want`; fd is the descriptor that the caller has f by */
int file_set_flags(struct task *t, struct file *f, int fd, uint32_t want);
int64_t file_set_owner(struct task *t, struct file *f, int who); /* a process, or -group, or 0: nobody */
int64_t file_get_owner(struct task *t, struct file *f);
int64_t fcntl_owner(struct task *t, struct file *f, int cmd, uint64_t arg); /* F_SETOWN, F_SETSIG and their like */
int64_t fcntl_notify(struct task *t, struct file *f, int fd, uint32_t arg); /* F_NOTIFY */

#endif
