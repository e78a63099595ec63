/*
 * inode.c - inodes and superblocks: birth, reference counts, times.
 */
#include "vfs/internal.h"
#include "vfs/told.h"

#include <stdlib.h>

struct inode *inode_new(struct superblock *sb, const struct inode_ops *ops, uint64_t ino, uint32_t mode)
{
	struct inode *i = calloc(1, sizeof(*i));

	if (!i)
		return NULL;
	ref_init(&i->ref);
	mutex_init(&i->mu, RANK_INODE);
	mutex_init(&i->a_mu, RANK_LEAF);
	i->sb = sb;
	i->ops = ops;
	i->ino = ino;
	i->mode = mode;
	i->nlink = 1;
	i->atime = i->mtime = i->ctime = now_realtime();
	i->btime = i->ctime;
	return i;
}

uint64_t inode_size(struct inode *i)
{
	uint64_t size;

	mutex_lock(&i->a_mu);
	size = i->size;
	mutex_unlock(&i->a_mu);
	return size;
}

void inode_written_through(struct inode *i, struct inode *real)
{
	int64_t now = now_realtime();
	uint64_t size = inode_size(real);

	mutex_lock(&i->a_mu);
	i->size = size;
	i->mtime = i->ctime = now;
	mutex_unlock(&i->a_mu);
	inode_changed(i);
}

void inode_init_owner(struct inode *i, const struct inode *dir, const struct cred *c)
{
	i->uid = c->fsuid;
	i->gid = c->fsgid;
	if (dir->mode & LINUX_S_ISGID) {
		i->gid = dir->gid;
		if (LINUX_S_ISDIR(i->mode))
			i->mode |= LINUX_S_ISGID;
	}
}

void inode_get(struct inode *i) { ref_get(&i->ref); }

void inode_put(struct inode *i)
{
	struct vfs *v;

	if (!i || !ref_put(&i->ref))
		return;
	v = i->sb->vfs;
	if (atomic_load(&i->named)) /* whoever finds the file again has another inode, that is not marked */
		names_changed(v);
	if (i->locks)
		locks_release_inode(i);
	if (i->fifo && v->fifo_release)
		v->fifo_release(i);
	if (i->sb->ops->evict)
		i->sb->ops->evict(i);
	mutex_destroy(&i->mu);
	mutex_destroy(&i->a_mu);
	free(i->link);
	free(i);
}

void inode_touch(struct inode *i, uint32_t attr_mask)
{
	int64_t now = now_realtime();

	mutex_lock(&i->a_mu);
	if (attr_mask & ATTR_ATIME)
		i->atime = now;
	if (attr_mask & ATTR_MTIME)
		i->mtime = now;
	if (attr_mask & ATTR_CTIME)
		i->ctime = now;
	mutex_unlock(&i->a_mu);
	inode_changed(i);
}

struct superblock *super_new(struct vfs *v, const struct fs_type *t, const struct super_ops *ops)
{
	struct superblock *sb = calloc(1, sizeof(*sb));

	if (!sb)
		return NULL;
	ref_init(&sb->ref);
	sb->ops = ops;
	sb->type = t;
	sb->vfs = v;
	sb->dev = vfs_anon_dev(v);
	mutex_init(&sb->two_mu, RANK_INODE);
	return sb;
}

void super_put(struct superblock *sb)
{
	if (!sb || !ref_put(&sb->ref))
		return;
	if (sb->root)
		dcache_kill_tree(sb->root);
	if (sb->ops->kill)
		sb->ops->kill(sb);
	mutex_destroy(&sb->two_mu);
	free(sb->source);
	user_ns_put(sb->owner);
	free(sb);
}
