/*
 * mount_attr.c - what holds of a mount, and of its file system: remounts, mount_setattr(2).
 */
#include "vfs/internal.h"

#define ATIME_FLAGS (LINUX_MS_NOATIME | LINUX_MS_NODIRATIME | LINUX_MS_RELATIME | LINUX_MS_STRICTATIME)

/* When a read counts as an access; relatime is what is not said. */
static unsigned atime_kind(unsigned flags)
{
	unsigned kind = flags & (LINUX_MS_NOATIME | LINUX_MS_NODIRATIME | LINUX_MS_STRICTATIME);

	return kind & LINUX_MS_STRICTATIME ? kind & ~LINUX_MS_NOATIME : kind;
}

/* Flags that mean protection are not taken back where they are locked, nor is that of access times changed. */
bool mount_loosens(const struct mount *m, unsigned flags)
{
	const unsigned strict = LINUX_MS_RDONLY | LINUX_MS_NOSUID | LINUX_MS_NODEV | LINUX_MS_NOEXEC;

	return m->flags_locked && (m->flags & strict & ~flags || atime_kind(m->flags) != atime_kind(flags));
}

bool mount_may_be_made_again(const struct mount *m, unsigned flags)
{
	return !m->flags_locked || (!(m->flags & ~flags & LINUX_MS_RDONLY) && atime_kind(m->flags) == atime_kind(flags));
}

/* A file system's own flags and options. mounts_mu held. */
static int super_remount(struct superblock *sb, unsigned flags, const char *options)
{
	int r = sb->ops->remount ? sb->ops->remount(sb, flags, options) : 0;

	if (!r)
		sb->flags = (sb->flags & ~LINUX_MS_RDONLY) | (flags & LINUX_MS_RDONLY);
	return r;
}

int vfs_reconfigure(struct superblock *sb, unsigned flags, unsigned mask, const char *options)
{
	int r;

	mutex_lock(&sb->vfs->mounts_mu);
	r = super_remount(sb, (sb->flags & ~mask) | (flags & mask), options);
	names_changed(sb->vfs);
	mutex_unlock(&sb->vfs->mounts_mu);
	return r;
}

int vfs_remount(struct mount_ns *ns, const struct path *at, unsigned flags, const char *options, bool bind_only)
{
	int r = 0;

	if (!path_is_mount_root(at))
		return -EINVAL;
	mutex_lock(&ns->vfs->mounts_mu);
	if (!(flags & ATIME_FLAGS)) /* stays as it is */
		flags |= at->mnt->flags & ATIME_FLAGS;
	if (at->mnt->ns != ns)
		r = -EINVAL;
	if (!r && mount_loosens(at->mnt, flags))
		r = -EPERM;
	if (!r && !bind_only)
		r = super_remount(at->dentry->sb, flags, options);
	if (!r) {
		at->mnt->flags = flags & LINUX_MS_MOUNT_FLAGS;
		names_changed(ns->vfs);
		mount_ns_changed(ns);
	}
	mutex_unlock(&ns->vfs->mounts_mu);
	return r;
}

/* --- mount_setattr --------------------------------------------------------------------- */

static unsigned changed_flags(const struct mount *m, const struct mount_change *c) { return (m->flags & ~c->clear) | c->set; }

/* A map is for once, of a mount that nobody has seen, by who may do with its file system what he wants. */
static int may_idmap(const struct mount *m, const struct mount_change *c)
{
	if (c->idmap == m->sb->owner)
		return -EINVAL;
	if (m->idmap)
		return -EPERM;
	if (!m->sb->type->idmaps)
		return -EINVAL;
	if (!cred_capable_in(c->cred, m->sb->owner, LINUX_CAP_SYS_ADMIN))
		return -EPERM;
	return m->ns->detached ? 0 : -EINVAL;
}

/* Of a tree that is marked. */
static int may_change(struct mount_ns *ns, const struct mount_change *c)
{
	struct mount *m;
	int r = 0;

	TAILQ_FOREACH (m, &ns->mounts, ns_link) {
		if (r || !m->copy)
			continue;
		r = mount_loosens(m, changed_flags(m, c)) ? -EPERM : c->idmap ? may_idmap(m, c) : 0;
	}
	return r;
}

static void change(struct mount_ns *ns, const struct mount_change *c)
{
	struct mount *m;

	TAILQ_FOREACH (m, &ns->mounts, ns_link) {
		if (!m->copy)
			continue;
		m->flags = changed_flags(m, c) & LINUX_MS_MOUNT_FLAGS;
		if (c->idmap) {
			user_ns_get(c->idmap);
			atomic_store_explicit(&m->idmap, c->idmap, memory_order_release);
		}
	}
	names_changed(ns->vfs);
	mount_ns_changed(ns);
}

int vfs_mount_setattr(struct mount_ns *ns, const struct path *at, const struct mount_change *c, bool recursive)
{
	struct mount *m = at->mnt, *o;
	int r = -EINVAL;

	if (!path_is_mount_root(at))
		return r;
	mutex_lock(&ns->vfs->mounts_mu);
	if (!m->ns || (m->ns != ns && (m->parent || !m->ns->detached)))
		goto out;
	mount_mark_tree(m);
	if (!recursive)
		TAILQ_FOREACH (o, &m->ns->mounts, ns_link)
			o->copy = o == m ? m : NULL;
	r = may_change(m->ns, c);
	if (!r)
		change(m->ns, c);
out:
	mutex_unlock(&ns->vfs->mounts_mu);
	return r;
}
