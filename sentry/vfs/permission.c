/*
 * permission.c - may these credentials do that: mode bits, capabilities, sticky
 * directories.  Mode and owner are read without a_mu: each is one word, and a change
 * that races is before or after, as in Linux.
 */
#include "vfs/idmap.h"
#include "vfs/internal.h"

static inline uint32_t relaxed(const _Atomic uint32_t *p) { return atomic_load_explicit(p, memory_order_relaxed); }

static bool capable_over(struct inode *i, const struct cred *c, int cap)
{
	return cred_capable_over(c, relaxed(&i->uid), relaxed(&i->gid), cap);
}

/* Through a mount that maps ids, but not its owner's. */
static bool owner_is_unseen(struct inode *i, const struct cred *c)
{
	return c->idmap && (cred_idmap_seen(c->idmap, c->fs_ns, false, relaxed(&i->uid)) == ID_NONE ||
				   cred_idmap_seen(c->idmap, c->fs_ns, true, relaxed(&i->gid)) == ID_NONE);
}

int inode_mode_permission(struct inode *i, unsigned mask, const struct cred *c)
{
	uint32_t mode = relaxed(&i->mode), bits;

	if (mask & 2 && owner_is_unseen(i, c))
		return -EACCES;
	if (c->fsuid == relaxed(&i->uid))
		bits = mode >> 6;
	else if (cred_in_group(c, relaxed(&i->gid)))
		bits = mode >> 3;
	else
		bits = mode;
	if (!(mask & ~bits & 7))
		return 0;
	if (LINUX_S_ISDIR(mode)) {
		if (capable_over(i, c, LINUX_CAP_DAC_OVERRIDE))
			return 0;
		return !(mask & 2) && capable_over(i, c, LINUX_CAP_DAC_READ_SEARCH) ? 0 : -EACCES;
	}
	if ((!(mask & 1) || mode & 0111) && capable_over(i, c, LINUX_CAP_DAC_OVERRIDE))
		return 0;
	return mask == 4 && capable_over(i, c, LINUX_CAP_DAC_READ_SEARCH) ? 0 : -EACCES;
}

void vfs_set_device_asked(struct vfs *v, vfs_device_asked_fn *fn)
{
	atomic_store(&v->device_asked, fn);
}

static bool is_device(uint32_t mode)
{
	return LINUX_S_ISCHR(mode) || LINUX_S_ISBLK(mode);
}

static int ask_for_device(struct inode *i, unsigned mask)
{
	vfs_device_asked_fn *fn = atomic_load(&i->sb->vfs->device_asked);

	return fn && i->rdev ? fn(relaxed(&i->mode), i->rdev, (mask & 4 ? 2u : 0) | (mask & 2 ? 4u : 0)) : 0;
}

int inode_permission(struct inode *i, unsigned mask, const struct cred *c)
{
	int r = i->ops->permission ? i->ops->permission(i, mask, c) : inode_mode_permission(i, mask, c);

	return r || !is_device(relaxed(&i->mode)) ? r : ask_for_device(i, mask);
}

/* A whiteout is like another, and none is a device. */
int may_make_device(struct vfs *v, uint32_t mode, uint64_t rdev, const struct cred *c)
{
	vfs_device_asked_fn *fn = atomic_load(&v->device_asked);

	if (!is_device(mode) || (LINUX_S_ISCHR(mode) && !rdev))
		return 0;
	if (!cred_capable(c, LINUX_CAP_MKNOD))
		return -EPERM;
	return fn ? fn(mode, rdev, 1) : 0;
}

int inode_permission_idmapped(const struct mount *m, struct inode *i, unsigned mask, const struct cred *c)
{
	IDMAP_BUF;

	return inode_permission(i, mask, idmap_cred(m, c, &buf));
}

int vfs_permission(const struct path *p, unsigned mask, const struct cred *c)
{
	struct inode *i = p->dentry->inode;
	uint32_t type = i->mode & LINUX_S_IFMT;

	if (mask & 2 && (type == LINUX_S_IFREG || type == LINUX_S_IFDIR || type == LINUX_S_IFLNK) && path_want_write(p))
		return -EROFS;
	if (mask & 1 && type == LINUX_S_IFREG && mount_flags(p->mnt) & LINUX_MS_NOEXEC)
		return -EACCES;
	return inode_permission_at(p->mnt, i, mask, c);
}

bool inode_owner_or_capable(struct inode *i, const struct cred *c)
{
	return c->fsuid == relaxed(&i->uid) || capable_over(i, c, LINUX_CAP_FOWNER);
}

bool path_owner_or_capable(const struct path *p, const struct cred *c)
{
	IDMAP_BUF;

	return inode_owner_or_capable(p->dentry->inode, idmap_cred(p->mnt, c, &buf));
}

int dir_may_create(const struct path *dir, const struct cred *c)
{
	int r = path_want_write(dir);

	if (dir->dentry->inode->iflags & INODE_DEAD)
		return -ENOENT;
	if (r)
		return r;
	if (!idmap_is_none(dir->mnt) && (idmap_stored(dir->mnt, false, c->fsuid) == ID_NONE || idmap_stored(dir->mnt, true, c->fsgid) == ID_NONE))
		return -EOVERFLOW;
	return inode_permission_at(dir->mnt, dir->dentry->inode, 3, c);
}

int dir_may_delete(const struct path *dir, struct dentry *victim, bool directory, const struct cred *c)
{
	struct inode *di = dir->dentry->inode, *i = victim->inode;
	IDMAP_BUF;
	int r;

	if (!i)
		return -ENOENT;
	c = idmap_cred(dir->mnt, c, &buf);
	if (owner_is_unseen(i, c))
		return -EOVERFLOW;
	r = path_want_write(dir);
	if (r)
		return r;
	r = inode_permission(di, 3, c);
	if (r)
		return r;
	if (relaxed(&di->mode) & LINUX_S_ISVTX && c->fsuid != relaxed(&i->uid) && c->fsuid != relaxed(&di->uid) &&
	    !capable_over(i, c, LINUX_CAP_FOWNER))
		return -EPERM;
	if (directory && !LINUX_S_ISDIR(i->mode))
		return -ENOTDIR;
	if (!directory && LINUX_S_ISDIR(i->mode))
		return -EISDIR;
	return 0;
}
