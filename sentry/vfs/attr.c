/*
 * attr.c - attributes: stat and its changes, truncation, statfs.
 */
#include "vfs/idmap.h"
#include "vfs/internal.h"
#include "vfs/told.h"

#include <string.h>

int inode_getattr(struct inode *i, struct kstat *out)
{
	int r = 0;

	memset(out, 0, sizeof(*out));
	mutex_lock(&i->a_mu);
	*out = (struct kstat){ .ino = i->ino, .size = i->size, .blocks = LINUX_S_ISREG(i->mode) ? (i->size + 511) / 512 : 0, .mode = i->mode, .nlink = i->nlink,
		.uid = i->uid, .gid = i->gid, .blksize = 4096, .dev = i->sb->dev, .rdev = i->rdev, .atime = i->atime, .mtime = i->mtime,
		.ctime = i->ctime, .btime = i->btime };
	mutex_unlock(&i->a_mu);
	if (i->ops->getattr)
		r = i->ops->getattr(i, out);
	return r;
}

int vfs_getattr(const struct path *p, struct kstat *out)
{
	int r = inode_getattr(p->dentry->inode, out);

	if (!r && mount_is_idmapped(p->mnt)) {
		out->uid = idmap_seen(p->mnt, false, out->uid);
		out->gid = idmap_seen(p->mnt, true, out->gid);
	}
	return r;
}

void inode_setattr_copy(struct inode *i, const struct iattr *a)
{
	int64_t now = now_realtime();

	mutex_lock(&i->a_mu);
	if (a->valid & ATTR_MODE)
		i->mode = (i->mode & LINUX_S_IFMT) | (a->mode & 07777);
	if (a->valid & ATTR_UID)
		i->uid = a->uid;
	if (a->valid & ATTR_GID)
		i->gid = a->gid;
	if (a->valid & ATTR_ATIME)
		i->atime = a->atime == TIME_NOW ? now : a->atime;
	if (a->valid & ATTR_MTIME)
		i->mtime = a->mtime == TIME_NOW ? now : a->mtime;
	i->ctime = now;
	mutex_unlock(&i->a_mu);
	inode_changed(i);
}

static int apply(struct inode *i, const struct iattr *a)
{
	if (i->ops->setattr)
		return i->ops->setattr(i, a);
	if (!(i->sb->sflags & SUPER_IN_MEMORY) || a->valid & ATTR_SIZE)
		return -EPERM;
	inode_setattr_copy(i, a);
	return 0;
}

/* Through a mount that maps ids: what belongs to nobody there, who may do with the file system what he wants gives to somebody. */
static bool is_nobodys(const struct cred *c, bool group, uint32_t id)
{
	return c->idmap && cred_idmap_seen(c->idmap, c->fs_ns, group, id) == ID_NONE && cred_capable_in(c, c->fs_ns, LINUX_CAP_CHOWN);
}

/* The rules of chown(2). */
static int may_chown(struct inode *i, const struct iattr *a, const struct cred *c)
{
	if (!(a->valid & (ATTR_UID | ATTR_GID)) || cred_capable_over(c, i->uid, i->gid, LINUX_CAP_CHOWN))
		return 0;
	if (a->valid & ATTR_UID && !is_nobodys(c, false, i->uid) && (c->fsuid != i->uid || a->uid != i->uid))
		return -EPERM;
	if (a->valid & ATTR_GID && !is_nobodys(c, true, i->gid) && (c->fsuid != i->uid || (a->gid != i->gid && !cred_in_group(c, a->gid))))
		return -EPERM;
	return 0;
}

/* The rules of utimensat(2): setting both to now needs no more than write permission. */
static int may_set_times(struct inode *i, const struct iattr *a, const struct cred *c)
{
	bool now = a->valid & ATTR_ATIME && a->valid & ATTR_MTIME && a->atime == TIME_NOW && a->mtime == TIME_NOW;

	if (inode_owner_or_capable(i, c))
		return 0;
	return now ? inode_permission(i, 2, c) : -EPERM;
}

uint32_t inode_set_id_lost(const struct inode *i, const struct cred *c)
{
	uint32_t lost = i->mode & LINUX_S_ISUID;

	/* the group's, where its members may not run it, only by who could not set it */
	if (i->mode & LINUX_S_ISGID &&
	    (i->mode & 010 || (!cred_in_group(c, i->gid) && !cred_capable_over(c, i->uid, i->gid, LINUX_CAP_FSETID))))
		lost |= LINUX_S_ISGID;
	return lost;
}

uint32_t inode_set_id_lost_to_write(const struct inode *i, const struct cred *c)
{
	if (!(i->mode & (LINUX_S_ISUID | LINUX_S_ISGID)) || cred_capable_over(c, i->uid, i->gid, LINUX_CAP_FSETID))
		return 0;
	return inode_set_id_lost(i, c);
}

static int check_setattr(struct inode *i, struct iattr *a, const struct cred *c)
{
	int r = 0;

	if (a->valid & (ATTR_OWNER | ATTR_UID | ATTR_GID)) {
		a->valid &= ~ATTR_OWNER;
		r = may_chown(i, a, c);
		if (!r && !LINUX_S_ISDIR(i->mode) && !(a->valid & ATTR_MODE)) {
			uint32_t lost = inode_set_id_lost(i, c);

			if (lost && !inode_owner_or_capable(i, c)) {
				r = -EPERM;
			} else if (lost) {
				a->valid |= ATTR_MODE;
				a->mode = i->mode & 07777 & ~lost;
			}
		}
	} else if (a->valid & ATTR_MODE) {
		if (!inode_owner_or_capable(i, c))
			r = -EPERM;
		else if (!cred_in_group(c, i->gid) && !cred_capable_over(c, i->uid, i->gid, LINUX_CAP_FSETID))
			a->mode &= ~LINUX_S_ISGID;
	}
	if (!r && a->valid & (ATTR_ATIME | ATTR_MTIME))
		r = may_set_times(i, a, c);
	return r;
}

/* Owners as they are stored. Whose file it is must be known, afterwards at least. */
static int map_owners(const struct mount *m, const struct inode *i, struct iattr *a)
{
	if (!mount_is_idmapped(m))
		return 0;
	if (a->valid & ATTR_UID)
		a->uid = idmap_stored(m, false, a->uid);
	if (a->valid & ATTR_GID)
		a->gid = idmap_stored(m, true, a->gid);
	if (idmap_seen(m, false, a->valid & ATTR_UID ? a->uid : i->uid) == ID_NONE || idmap_seen(m, true, a->valid & ATTR_GID ? a->gid : i->gid) == ID_NONE)
		return -EOVERFLOW;
	return 0;
}

int vfs_setattr(const struct path *p, const struct iattr *attr, const struct cred *c)
{
	struct inode *i = p->dentry->inode;
	struct iattr a = *attr;
	int r = path_want_write(p);
	IDMAP_BUF;

	c = idmap_cred(p->mnt, c, &buf);
	if (!r)
		r = map_owners(p->mnt, i, &a);
	if (!r)
		r = check_setattr(i, &a, c);
	if (!r && LINUX_S_ISLNK(i->mode) && a.valid & ATTR_MODE && attr->valid & ATTR_MODE)
		r = -EOPNOTSUPP;
	if (r)
		return r;
	mutex_lock_nested(&i->mu); /* an overlay may hold its own */
	r = apply(i, &a);
	mutex_unlock(&i->mu);
	if (LINUX_S_ISDIR(i->mode))
		names_changed(i->sb->vfs);
	if (!r)
		notify_dentry(p->dentry, NOTIFY_ATTRIB);
	return r;
}

int vfs_truncate_inode(struct inode *i, uint64_t size, const struct cred *c)
{
	struct iattr a = { .valid = ATTR_SIZE, .size = size };
	uint32_t lost = inode_set_id_lost_to_write(i, c);
	int r;

	if (size > INT64_MAX)
		return -EINVAL;
	if (lost) {
		a.valid |= ATTR_MODE;
		a.mode = i->mode & 07777 & ~lost;
	}
	mutex_lock(&i->mu);
	r = apply(i, &a);
	mutex_unlock(&i->mu);
	return r;
}

int path_truncate(const struct path *p, uint64_t size, const struct cred *c)
{
	IDMAP_BUF;

	return vfs_truncate_inode(p->dentry->inode, size, idmap_cred(p->mnt, c, &buf));
}

int vfs_truncate(const struct path *p, uint64_t size, const struct cred *c)
{
	struct inode *i = p->dentry->inode;
	int r;

	if (LINUX_S_ISDIR(i->mode))
		return -EISDIR;
	if (!LINUX_S_ISREG(i->mode))
		return -EINVAL;
	r = vfs_permission(p, 2, c);
	if (!r)
		r = inode_get_write(i);
	if (r)
		return r;
	r = path_truncate(p, size, c);
	inode_put_write(i);
	if (!r)
		notify_dentry(p->dentry, NOTIFY_MODIFY);
	return r;
}

int vfs_statfs(const struct path *p, struct kstatfs *out)
{
	struct superblock *sb = p->dentry->sb;
	unsigned f = mount_flags(p->mnt);
	int r = 0;

	*out = (struct kstatfs){ .bsize = 4096, .namelen = LINUX_NAME_MAX };
	if (sb->ops->statfs)
		r = sb->ops->statfs(sb, p->dentry->inode, out);
	/* ST_RDONLY 1, NOSUID 2, NODEV 4, NOEXEC 8 are MS_*'s bits */
	out->flags = LINUX_ST_VALID | (f & 15) | (sb->flags & LINUX_MS_RDONLY) | (f & LINUX_MS_NOATIME ? 1024 : 0) |
		     (f & LINUX_MS_NODIRATIME ? 2048 : 0) | (f & (LINUX_MS_NOATIME | LINUX_MS_STRICTATIME) ? 0 : 4096) |
		     (f & LINUX_MS_NOSYMFOLLOW ? 8192 : 0);
	return r;
}
