/*
 * mount_tree.c - open_tree, move_mount, mount_setattr: mounts by descriptors.
 */
#include "syscalls/fs_util.h"

#include "fs/nsfs.h"
#include "syscalls/fd_util.h"
#include "vfs/file.h"

#define AT_RECURSIVE 0x8000u

static unsigned walk_flags(bool follow, bool empty) { return (follow ? WALK_FOLLOW : 0) | (empty ? WALK_EMPTY : 0); }

/* --- open_tree -------------------------------------------------------------------------- */

/* An O_PATH descriptor. */
static int64_t install_path(struct task *t, const struct path *p, unsigned mode, bool cloexec)
{
	struct file *f;
	int r = vfs_open_path(p, LINUX_O_PATH, t->cred, &f);

	if (r)
		return r;
	f->mode |= mode;
	return install_new(t, f, cloexec);
}

int64_t install_tree(struct task *t, struct path *p, bool cloexec)
{
	int64_t r = install_path(t, p, FILE_UNMOUNT, cloexec);

	if (r < 0)
		vfs_tree_dissolve(p->mnt);
	path_put(p);
	return r;
}

int64_t sys_open_tree(struct task *t, const uint64_t a[6])
{
	const unsigned flags = (unsigned)a[2];
	bool cloexec = flags & LINUX_OPEN_TREE_CLOEXEC, clone = flags & LINUX_OPEN_TREE_CLONE;
	struct path p, tree;
	int64_t r;

	if (flags & ~(LINUX_AT_EMPTY_PATH | LINUX_AT_NO_AUTOMOUNT | AT_RECURSIVE | LINUX_AT_SYMLINK_NOFOLLOW | LINUX_OPEN_TREE_CLONE | LINUX_OPEN_TREE_CLOEXEC))
		return -EINVAL;
	if (flags & AT_RECURSIVE && !clone)
		return -EINVAL;
	r = clone ? may_mount(t) : 0;
	if (!r)
		r = at_walk(t, (int)a[0], a[1], walk_flags(!(flags & LINUX_AT_SYMLINK_NOFOLLOW), flags & LINUX_AT_EMPTY_PATH), &p);
	if (r)
		return r;
	if (!clone) {
		r = install_path(t, &p, 0, cloexec);
	} else {
		r = vfs_tree_copy(t->fs->ns, &p, flags & AT_RECURSIVE, &tree);
		if (!r)
			r = install_tree(t, &tree, cloexec);
	}
	path_put(&p);
	return r;
}

/* --- move_mount -------------------------------------------------------------------------- */

static int move(struct task *t, const struct path *from, const struct path *to, unsigned flags)
{
	struct path root;
	int r;

	if (flags & LINUX_MOVE_MOUNT_SET_GROUP)
		return -EINVAL; /* every mount is private, and so in no group that could be taken over */
	if (!(flags & LINUX_MOVE_MOUNT_BENEATH))
		return vfs_mount_move(t->fs->ns, from, to, NULL);
	fs_context_root(t->fs, &root);
	r = vfs_mount_move(t->fs->ns, from, to, &root);
	path_put(&root);
	return r;
}

int64_t sys_move_mount(struct task *t, const uint64_t a[6])
{
	const unsigned flags = (unsigned)a[4], both = LINUX_MOVE_MOUNT_SET_GROUP | LINUX_MOVE_MOUNT_BENEATH;
	struct path from, to;
	int r = may_mount(t);

	if (r)
		return r;
	if (flags & ~LINUX_MOVE_MOUNT_FLAGS || (flags & both) == both)
		return -EINVAL;
	r = at_walk(t, (int)a[0], a[1], walk_flags(flags & LINUX_MOVE_MOUNT_F_SYMLINKS, flags & LINUX_MOVE_MOUNT_F_EMPTY_PATH), &from);
	if (r)
		return r;
	r = at_walk(t, (int)a[2], a[3], walk_flags(flags & LINUX_MOVE_MOUNT_T_SYMLINKS, flags & LINUX_MOVE_MOUNT_T_EMPTY_PATH), &to);
	if (!r) {
		r = move(t, &from, &to, flags);
		path_put(&to);
	}
	path_put(&from);
	return r;
}

/* --- mount_setattr ---------------------------------------------------------------------- */

int mount_attr_flags(uint64_t attr, unsigned *flags)
{
	static const struct {
		unsigned attr, flag;
	} rows[] = {
		{ LINUX_MOUNT_ATTR_RDONLY, LINUX_MS_RDONLY }, { LINUX_MOUNT_ATTR_NOSUID, LINUX_MS_NOSUID }, { LINUX_MOUNT_ATTR_NODEV, LINUX_MS_NODEV },
		{ LINUX_MOUNT_ATTR_NOEXEC, LINUX_MS_NOEXEC }, { LINUX_MOUNT_ATTR_NODIRATIME, LINUX_MS_NODIRATIME },
		{ LINUX_MOUNT_ATTR_NOSYMFOLLOW, LINUX_MS_NOSYMFOLLOW },
	};

	*flags = 0;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (attr & rows[i].attr)
			*flags |= rows[i].flag;
	switch (attr & LINUX_MOUNT_ATTR_ATIME) {
	case LINUX_MOUNT_ATTR_RELATIME:
		*flags |= LINUX_MS_RELATIME;
		return 0;
	case LINUX_MOUNT_ATTR_NOATIME:
		*flags |= LINUX_MS_NOATIME;
		return 0;
	case LINUX_MOUNT_ATTR_STRICTATIME:
		*flags |= LINUX_MS_STRICTATIME;
		return 0;
	default:
		return -EINVAL;
	}
}

/* Access times are one of three, and not bits: they change only as a whole. */
static int decode_attr(const struct linux_mount_attr *m, struct mount_change *c)
{
	const uint64_t propagations = LINUX_MS_UNBINDABLE | LINUX_MS_PRIVATE | LINUX_MS_SLAVE | LINUX_MS_SHARED;
	const unsigned atime = LINUX_MS_NOATIME | LINUX_MS_RELATIME | LINUX_MS_STRICTATIME;
	const uint64_t known = LINUX_MOUNT_ATTR_RDONLY | LINUX_MOUNT_ATTR_NOSUID | LINUX_MOUNT_ATTR_NODEV | LINUX_MOUNT_ATTR_NOEXEC |
		LINUX_MOUNT_ATTR_ATIME | LINUX_MOUNT_ATTR_NODIRATIME | LINUX_MOUNT_ATTR_NOSYMFOLLOW;
	bool changes = m->attr_clr & LINUX_MOUNT_ATTR_ATIME;

	if (m->propagation & ~propagations || m->propagation & (m->propagation - 1))
		return -EINVAL;
	if ((m->attr_set & ~(uint64_t)LINUX_MOUNT_ATTR_IDMAP) & ~known || m->attr_clr & ~known)
		return -EINVAL; /* no map is taken off */
	if (changes ? (m->attr_clr & LINUX_MOUNT_ATTR_ATIME) != LINUX_MOUNT_ATTR_ATIME : m->attr_set & LINUX_MOUNT_ATTR_ATIME)
		return -EINVAL;
	if (mount_attr_flags(m->attr_set, &c->set) || mount_attr_flags(m->attr_clr & ~(uint64_t)LINUX_MOUNT_ATTR_ATIME, &c->clear))
		return -EINVAL;
	c->clear = (c->clear & ~atime) | (changes ? atime : 0);
	if (!changes)
		c->set &= ~atime;
	return 0;
}

/* The ids of a user namespace, by its file: not the container's own, and one that the caller may do with what he wants.
 * A new reference in *out. */
static int find_idmap(struct task *t, uint64_t fd, struct user_ns **out)
{
	struct file *f = fd <= INT32_MAX ? fd_get_io(t->files, (int)fd) : NULL;
	const struct ns_ref *ns = f ? nsfs_ref(f) : NULL;
	int r = fd > INT32_MAX ? -EINVAL : !f ? -EBADF : !ns || ns->kind != NS_USER ? -EINVAL : 0;

	if (!r && (!ns->user || !cred_capable_in(t->cred, ns->user, LINUX_CAP_SYS_ADMIN)))
		r = -EPERM;
	if (!r && (!atomic_load(&ns->user->uids.n) || !atomic_load(&ns->user->gids.n)))
		r = -EINVAL;
	if (!r)
		user_ns_get(*out = ns->user);
	if (f)
		file_put(f);
	return r;
}

int64_t sys_mount_setattr(struct task *t, const uint64_t a[6])
{
	const unsigned flags = (unsigned)a[2];
	struct linux_mount_attr attr;
	struct mount_change c;
	struct path p;
	int r;

	if (flags & ~(LINUX_AT_EMPTY_PATH | AT_RECURSIVE | LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_NO_AUTOMOUNT))
		return -EINVAL;
	if (a[4] > PAGE_SIZE)
		return -E2BIG;
	if (a[4] < sizeof(attr))
		return -EINVAL;
	r = may_mount(t);
	if (!r)
		r = copy_struct_from_user(t->mm, &attr, sizeof(attr), UADDR(a[3]), a[4]);
	if (r || !(attr.attr_set | attr.attr_clr | attr.propagation))
		return r;
	c = (struct mount_change){ .cred = t->cred };
	r = decode_attr(&attr, &c);
	if (!r && attr.attr_set & LINUX_MOUNT_ATTR_IDMAP)
		r = find_idmap(t, attr.userns_fd, &c.idmap);
	if (!r) {
		r = at_walk(t, (int)a[0], a[1], walk_flags(!(flags & LINUX_AT_SYMLINK_NOFOLLOW), flags & LINUX_AT_EMPTY_PATH), &p);
		if (!r) {
			r = vfs_mount_setattr(t->fs->ns, &p, &c, flags & AT_RECURSIVE);
			path_put(&p);
		}
	}
	user_ns_put(c.idmap);
	return r;
}
