/*
 * fsconfig.c - fsopen, fspick, fsconfig, fsmount: file systems configured by descriptors.
 */
#include "syscalls/fs_util.h"

#include "fs/fsconf.h"
#include "syscalls/fd_util.h"
#include "vfs/file.h"

#include <stdlib.h>

#define STRING_MAX 256 /* a key, a value: with the terminating 0 */

static struct fs_context_args caller(struct task *t) { return (struct fs_context_args){ .cred = t->cred, .fs = t->fs }; }

static int copy_string(struct task *t, uint64_t from, char *buf, size_t size)
{
	ssize_t n = copy_str_from_user(t->mm, buf, UADDR(from), size);

	return n == -ENAMETOOLONG ? -EINVAL : n < 0 ? (int)n : 0;
}

int64_t sys_fsopen(struct task *t, const uint64_t a[6])
{
	char name[STRING_MAX] UNINITIALIZED;
	const struct fs_type *type;
	struct file *f;
	int r = may_mount(t);

	if (r)
		return r;
	if ((unsigned)a[1] & ~LINUX_FSOPEN_CLOEXEC)
		return -EINVAL;
	r = copy_string(t, a[0], name, sizeof(name));
	if (r)
		return r;
	type = vfs_find_type(t->k->vfs, name);
	if (!type)
		return -ENODEV;
	r = fsconf_new(t->k->vfs, type, t->cred, &f);
	return r ? r : install_new(t, f, (unsigned)a[1] & LINUX_FSOPEN_CLOEXEC);
}

int64_t sys_fspick(struct task *t, const uint64_t a[6])
{
	const unsigned flags = (unsigned)a[2];
	struct file *f = NULL;
	struct path p;
	int r = may_mount(t);

	if (r)
		return r;
	if (flags & ~(LINUX_FSPICK_CLOEXEC | LINUX_FSPICK_SYMLINK_NOFOLLOW | LINUX_FSPICK_NO_AUTOMOUNT | LINUX_FSPICK_EMPTY_PATH))
		return -EINVAL;
	r = at_walk(t, (int)a[0], a[1], (flags & LINUX_FSPICK_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) | (flags & LINUX_FSPICK_EMPTY_PATH ? WALK_EMPTY : 0), &p);
	if (r)
		return r;
	r = path_is_mount_root(&p) ? fsconf_pick(p.dentry->sb, t->cred, &f) : -EINVAL;
	path_put(&p);
	return r ? r : install_new(t, f, flags & LINUX_FSPICK_CLOEXEC);
}

/* --- fsconfig ------------------------------------------------------------------------------ */

/* Which arguments a command has. */
static int check_arguments(unsigned cmd, bool key, bool value, int aux)
{
	switch (cmd) {
	case LINUX_FSCONFIG_SET_FLAG:
		return key && !value && !aux ? 0 : -EINVAL;
	case LINUX_FSCONFIG_SET_STRING:
		return key && value && !aux ? 0 : -EINVAL;
	case LINUX_FSCONFIG_SET_BINARY:
		return key && value && aux > 0 && aux <= 1 << 20 ? 0 : -EINVAL;
	case LINUX_FSCONFIG_SET_PATH:
	case LINUX_FSCONFIG_SET_PATH_EMPTY:
		return key && value && (aux == LINUX_AT_FDCWD || aux >= 0) ? 0 : -EINVAL;
	case LINUX_FSCONFIG_SET_FD:
		return key && !value && aux >= 0 ? 0 : -EINVAL;
	case LINUX_FSCONFIG_CMD_CREATE:
	case LINUX_FSCONFIG_CMD_CREATE_EXCL:
	case LINUX_FSCONFIG_CMD_RECONFIGURE:
		return !key && !value && !aux ? 0 : -EINVAL;
	default:
		return -EOPNOTSUPP;
	}
}

/* Whether a value that no parameter takes could be read at all. */
static int check_other(struct task *t, unsigned cmd, uint64_t value, int aux)
{
	char name[LINUX_PATH_MAX] UNINITIALIZED;
	struct file *f;
	int r = 0;

	if (cmd == LINUX_FSCONFIG_SET_FD) {
		f = fd_get(t->files, aux);
		if (!f)
			return -EBADF;
		file_put(f);
		return 0;
	}
	if (cmd == LINUX_FSCONFIG_SET_BINARY) {
		for (uint64_t off = 0; !r && off < (uint64_t)aux; off += sizeof(name)) {
			uint64_t n = (uint64_t)aux - off < sizeof(name) ? (uint64_t)aux - off : sizeof(name);

			r = copy_from_user(t->mm, name, UADDR(value + off), n) ? -EFAULT : 0;
		}
		return r;
	}
	r = copy_path_from_user(t, UADDR(value), name);
	return r || name[0] || cmd == LINUX_FSCONFIG_SET_PATH_EMPTY ? r : -ENOENT;
}

static int set(struct task *t, struct fsconf *c, unsigned cmd, const uint64_t a[6])
{
	char key[STRING_MAX] UNINITIALIZED, value[STRING_MAX] UNINITIALIZED;
	struct fs_context_args who = caller(t);
	int r = copy_string(t, a[2], key, sizeof(key));

	if (r)
		return r;
	if (cmd == LINUX_FSCONFIG_SET_FLAG)
		return fsconf_set(c, &who, key, FSCONF_FLAG, NULL);
	if (cmd != LINUX_FSCONFIG_SET_STRING) {
		r = check_other(t, cmd, a[3], (int)a[4]);
		return r ? r : fsconf_set(c, &who, key, FSCONF_OTHER, NULL);
	}
	r = copy_string(t, a[3], value, sizeof(value));
	return r ? r : fsconf_set(c, &who, key, FSCONF_STRING, value);
}

static int config(struct task *t, struct fsconf *c, unsigned cmd, const uint64_t a[6])
{
	struct fs_context_args who = caller(t);

	switch (cmd) {
	case LINUX_FSCONFIG_CMD_CREATE:
		return fsconf_create(c, &who, may_mount_type(t, fsconf_type(c)));
	case LINUX_FSCONFIG_CMD_CREATE_EXCL:
		return -EOPNOTSUPP; /* of Linux 6.6 on; for what is on a disk */
	case LINUX_FSCONFIG_CMD_RECONFIGURE:
		return fsconf_reconfigure(c, cred_capable_in(t->cred, fsconf_owner(c), LINUX_CAP_SYS_ADMIN));
	default:
		return set(t, c, cmd, a);
	}
}

int64_t sys_fsconfig(struct task *t, const uint64_t a[6])
{
	const unsigned cmd = (unsigned)a[1];
	struct fsconf *c;
	struct file *f;
	int r;

	if ((int)a[0] < 0)
		return -EINVAL;
	r = check_arguments(cmd, a[2], a[3], (int)a[4]);
	if (r)
		return r;
	f = fd_get_io(t->files, (int)a[0]);
	if (!f)
		return -EBADF;
	c = fsconf_of(f);
	r = c ? config(t, c, cmd, a) : -EINVAL;
	file_put(f);
	return r;
}

/* --- fsmount ------------------------------------------------------------------------------- */

int64_t sys_fsmount(struct task *t, const uint64_t a[6])
{
	const unsigned known = LINUX_MOUNT_ATTR_RDONLY | LINUX_MOUNT_ATTR_NOSUID | LINUX_MOUNT_ATTR_NODEV | LINUX_MOUNT_ATTR_NOEXEC |
		LINUX_MOUNT_ATTR_ATIME | LINUX_MOUNT_ATTR_NODIRATIME | LINUX_MOUNT_ATTR_NOSYMFOLLOW;
	unsigned flags;
	struct fsconf *c;
	struct path tree;
	struct file *f;
	int64_t r = may_mount(t);

	if (r)
		return r;
	if ((unsigned)a[1] & ~LINUX_FSMOUNT_CLOEXEC || (unsigned)a[2] & ~known || mount_attr_flags((unsigned)a[2], &flags))
		return -EINVAL;
	f = fd_get_io(t->files, (int)a[0]);
	if (!f)
		return -EBADF;
	c = fsconf_of(f);
	r = c ? fsconf_mount(c, t->fs->ns, flags, !mount_reveals(t, fsconf_type(c), flags), &tree) : -EINVAL;
	file_put(f);
	return r ? r : install_tree(t, &tree, (unsigned)a[1] & LINUX_FSMOUNT_CLOEXEC);
}
