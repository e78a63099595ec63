/*
 * mount.c - mount, umount2, pivot_root, statfs, sync.
 */
#include "kernel/ns.h"
#include "net/socket.h"
#include "syscalls/fs_util.h"

#include <string.h>

int may_mount(struct task *t) { return cred_capable_in(t->cred, mount_ns_owner(t->fs->ns), LINUX_CAP_SYS_ADMIN) ? 0 : -EPERM; }

static bool is_one_of(const struct fs_type *fs, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(names[i], fs->name))
			return true;
	return false;
}

/* Outside the container's own user namespace: file systems that are safe there. */
bool may_mount_type(struct task *t, const struct fs_type *fs)
{
	static const char *const safe[] = { "tmpfs", "ramfs", "devpts", "mqueue", "overlay", "proc", "sysfs" };

	if (!fs->user_mountable)
		return false;
	if (cred_capable(t->cred, LINUX_CAP_SYS_ADMIN))
		return true;
	if (!strcmp(fs->name, "cgroup2")) /* what is below the root of one's control groups */
		return t->ns->cgroup && cred_capable_in(t->cred, t->ns->cgroup->owner, LINUX_CAP_SYS_ADMIN);
	if (!strcmp(fs->name, "sysfs") && !cred_capable_in(t->cred, net_stack_owner(t->ns->net), LINUX_CAP_SYS_ADMIN)) /* it shows the network's interfaces */
		return false;
	return cred_capable_own(t->cred, LINUX_CAP_SYS_ADMIN) && is_one_of(fs, safe, sizeof(safe) / sizeof(*safe));
}

/* Nor any proc or sysfs there that would show what a mount on the one that is there hides. */
bool mount_reveals(struct task *t, const struct fs_type *fs, unsigned flags)
{
	static const char *const views[] = { "proc", "sysfs" };

	return !cred_capable(t->cred, LINUX_CAP_SYS_ADMIN) && is_one_of(fs, views, 2) && !mount_ns_shows(t->fs->ns, fs, flags);
}

/* A whole file system's flags and options are those of who made it. */
static bool may_remount(struct task *t, const struct path *at, unsigned flags)
{
	return flags & LINUX_MS_BIND || cred_capable_in(t->cred, at->dentry->sb->owner, LINUX_CAP_SYS_ADMIN);
}

static int new_mount(struct task *t, const struct path *at, const char *type, const char *source, unsigned flags, const char *options)
{
	struct vfs *v = t->k->vfs;
	const struct fs_type *fs = vfs_find_type(v, type);
	struct fs_context_args args = { .source = source, .options = options, .flags = flags, .cred = t->cred, .fs = t->fs };
	struct superblock *sb;
	int r;

	if (!fs)
		return -ENODEV;
	if (!may_mount_type(t, fs) || mount_reveals(t, fs, flags))
		return -EPERM;
	r = fs->mount(v, fs, &args, &sb);
	if (r)
		return r;
	r = vfs_mount(t->fs->ns, at, sb, flags);
	if (r)
		super_put(sb);
	return r;
}

static int from_source(struct task *t, const char *source, const struct path *at, unsigned flags)
{
	struct walk w = { .fs = t->fs, .cred = t->cred, .flags = WALK_FOLLOW };
	struct path from;
	int r = vfs_walk(&w, source, &from);

	if (r)
		return r;
	r = flags & LINUX_MS_MOVE ? vfs_mount_move(t->fs->ns, &from, at, NULL) : vfs_bind(t->fs->ns, &from, at, flags & LINUX_MS_REC);
	path_put(&from);
	return r;
}

static int do_mount(struct task *t, const char *source, const struct path *at, const char *type, unsigned flags, const char *options)
{
	const unsigned propagation = LINUX_MS_SHARED | LINUX_MS_PRIVATE | LINUX_MS_SLAVE | LINUX_MS_UNBINDABLE;

	if (flags & LINUX_MS_REMOUNT)
		return may_remount(t, at, flags) ? vfs_remount(t->fs->ns, at, flags, options, flags & LINUX_MS_BIND) : -EPERM;
	if (flags & (LINUX_MS_BIND | LINUX_MS_MOVE))
		return from_source(t, source, at, flags);
	if (flags & propagation) /* every mount is private */
		return path_is_mount_root(at) ? 0 : -EINVAL;
	if (!type[0])
		return -EINVAL;
	return new_mount(t, at, type, source, flags, options);
}

static int optional_string(struct task *t, uint64_t from, char *buf, size_t size)
{
	ssize_t n;

	buf[0] = 0;
	if (!from)
		return 0;
	n = copy_str_from_user(t->mm, buf, UADDR(from), size);
	return n == -ENAMETOOLONG ? -EINVAL : n < 0 ? (int)n : 0;
}

int64_t sys_mount(struct task *t, const uint64_t a[6])
{
	char source[LINUX_PATH_MAX] UNINITIALIZED, options[LINUX_PATH_MAX] UNINITIALIZED, type[64];
	unsigned flags = (unsigned)a[3];
	struct path at;
	int r;

	if ((flags & 0xffff0000u) == 0xc0ed0000u) /* the magic of old */
		flags &= 0xffff;
	r = optional_string(t, a[2], type, sizeof(type));
	if (!r)
		r = optional_string(t, a[0], source, sizeof(source));
	if (!r)
		r = optional_string(t, a[4], options, sizeof(options));
	if (!r)
		r = at_walk(t, LINUX_AT_FDCWD, a[1], WALK_FOLLOW, &at);
	if (r)
		return r;
	r = may_mount(t);
	if (!r)
		r = do_mount(t, source, &at, type, flags, options);
	path_put(&at);
	return r;
}

int64_t sys_umount2(struct task *t, const uint64_t a[6])
{
	int flags = (int)a[1], r;
	struct path at;

	if (flags & ~(LINUX_MNT_FORCE | LINUX_MNT_DETACH | LINUX_MNT_EXPIRE | LINUX_UMOUNT_NOFOLLOW))
		return -EINVAL;
	r = at_walk(t, LINUX_AT_FDCWD, a[0], flags & LINUX_UMOUNT_NOFOLLOW ? 0 : WALK_FOLLOW, &at);
	if (r)
		return r;
	path_cross_mounts(&at); /* "." may have been mounted over, as by pivot_root(".", ".") */
	r = path_is_mount_root(&at) ? may_mount(t) : -EINVAL;
	if (!r)
		r = vfs_umount(t->fs->ns, &at, flags);
	path_put(&at);
	return r;
}

static bool same_path(const struct path *a, const struct path *b) { return a->mnt == b->mnt && a->dentry == b->dentry; }

/* The caller's root and working directory follow, if they were the old root. */
static void follow_root(struct task *t, const struct path *old, const struct path *to)
{
	struct path cwd, root;

	fs_context_root(t->fs, &root);
	fs_context_cwd(t->fs, &cwd);
	fs_context_set(t->fs, same_path(&root, old) ? to : NULL, same_path(&cwd, old) ? to : NULL);
	atomic_store(&t->work, true); /* task_names_look */
	path_put(&root);
	path_put(&cwd);
}

int64_t sys_pivot_root(struct task *t, const uint64_t a[6])
{
	struct path n, put, old;
	int r = may_mount(t);

	if (!r)
		r = at_walk(t, LINUX_AT_FDCWD, a[0], WALK_FOLLOW | WALK_DIRECTORY, &n);
	if (r)
		return r;
	r = at_walk(t, LINUX_AT_FDCWD, a[1], WALK_FOLLOW | WALK_DIRECTORY, &put);
	if (!r) {
		fs_context_root(t->fs, &old);
		r = vfs_pivot_root(t->fs->ns, &n, &put);
		if (!r)
			follow_root(t, &old, &n);
		path_put(&old);
		path_put(&put);
	}
	path_put(&n);
	return r;
}

/* --- statfs ------------------------------------------------------------------------------ */

static int64_t put_statfs(struct task *t, const struct path *p, uint64_t to)
{
	struct linux_statfs s;
	struct kstatfs k;
	int r = vfs_statfs(p, &k);

	if (r)
		return r;
	s = (struct linux_statfs){ .type = (int64_t)k.type, .bsize = (int64_t)k.bsize, .blocks = k.blocks, .bfree = k.bfree, .bavail = k.bavail,
		.files = k.files, .ffree = k.ffree, .fsid = { (int32_t)p->dentry->sb->dev, 0 }, .namelen = (int64_t)k.namelen,
		.frsize = (int64_t)k.bsize, .flags = (int64_t)k.flags };
	return copy_to_user(t->mm, UADDR(to), &s, sizeof(s));
}

int64_t sys_statfs(struct task *t, const uint64_t a[6])
{
	struct path p;
	int64_t r = at_walk(t, LINUX_AT_FDCWD, a[0], WALK_FOLLOW, &p);

	if (r)
		return r;
	r = put_statfs(t, &p, a[1]);
	path_put(&p);
	return r;
}

int64_t sys_fstatfs(struct task *t, const uint64_t a[6])
{
	struct path p;
	int64_t r = fd_path(t, (int)a[0], &p);

	if (r)
		return r;
	r = put_statfs(t, &p, a[1]);
	path_put(&p);
	return r;
}

/* --- sync: data lies in the host's page cache already -------------------------------------- */

static int sync_one(const struct mount_info *m, void *arg)
{
	if (m->sb->ops->sync)
		m->sb->ops->sync(m->sb);
	return 0;
}

int64_t sys_sync(struct task *t, const uint64_t a[6])
{
	struct path root;

	fs_context_root(t->fs, &root);
	mount_ns_for_each(t->fs->ns, &root, sync_one, NULL);
	path_put(&root);
	return 0;
}

int64_t sys_syncfs(struct task *t, const uint64_t a[6])
{
	struct file *f = fd_get_io(t->files, (int)a[0]);
	struct superblock *sb;
	int r;

	if (!f)
		return -EBADF;
	sb = f->inode->sb;
	r = sb->ops->sync ? sb->ops->sync(sb) : 0;
	file_put(f);
	return r;
}
