/*
 * vfs.c - the object that holds what all file systems share: types, device
 * numbers, character devices, hooks.  Registration happens at boot on one
 * thread; afterwards all that is read only.
 */
#include "vfs/internal.h"

#include <stdlib.h>
#include <string.h>

static int anon_statfs(struct superblock *sb, struct inode *i, struct kstatfs *out)
{
	*out = (struct kstatfs){ .type = LINUX_ANON_INODE_MAGIC, .bsize = 4096, .namelen = LINUX_NAME_MAX };
	return 0;
}

static const struct super_ops anon_super_ops = { .statfs = anon_statfs };
static const struct fs_type anon_type = { .name = "anon_inodefs" };

struct vfs *vfs_new(unsigned cpus)
{
	struct vfs *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	atomic_init(&v->next_dev, 20);
	atomic_init(&v->next_mount_id, 20);
	atomic_init(&v->next_ino, 1);
	names_words_set(v, &v->own_names[0], &v->own_names[1]);
	mutex_init(&v->mounts_mu, RANK_MOUNT);
	mutex_init(&v->rename_mu, RANK_RENAME);
	mutex_init(&v->locks_mu, RANK_FILE);
	LIST_INIT(&v->locked);
	if (dcache_init(&v->dc, cpus) || !(v->anon_sb = super_new(v, &anon_type, &anon_super_ops))) {
		free(v->dc.buckets);
		free(v);
		return NULL;
	}
	return v;
}

int vfs_register(struct vfs *v, const struct fs_type *t)
{
	if (vfs_find_type(v, t->name))
		return -EEXIST;
	if (v->n_types == VFS_TYPES_MAX)
		return -ENOSPC;
	v->types[v->n_types++] = t;
	return 0;
}

const struct fs_type *vfs_find_type(struct vfs *v, const char *name)
{
	for (unsigned i = 0; i < v->n_types; i++)
		if (!strcmp(v->types[i]->name, name))
			return v->types[i];
	return NULL;
}

uint64_t vfs_anon_dev(struct vfs *v) { return linux_makedev(0, atomic_fetch_add(&v->next_dev, 1)); }

uint64_t inode_next_ino(struct vfs *v) { return atomic_fetch_add(&v->next_ino, 1); }

int vfs_register_chrdev(struct vfs *v, unsigned major, unsigned minor_first, unsigned minor_count, int (*open)(struct inode *i, struct file *f))
{
	if (v->n_chrdevs == VFS_CHRDEVS_MAX)
		return -ENOSPC;
	v->chrdevs[v->n_chrdevs++] = (struct chrdev){ major, minor_first, minor_count, open };
	return 0;
}

void vfs_set_fifo_ops(struct vfs *v, int (*open)(struct inode *i, struct file *f), void (*release)(struct inode *i))
{
	v->fifo_open = open;
	v->fifo_release = release;
}

void vfs_set_shm(struct vfs *v, struct superblock *sb) { v->shm_sb = sb; }
struct superblock *vfs_shm(struct vfs *v) { return v->shm_sb; }
void vfs_kernel_set(struct vfs *v, struct kernel *k) { v->kernel = k; }
struct kernel *vfs_kernel(struct vfs *v) { return v->kernel; }

void vfs_host_files_set(struct vfs *v, uint64_t n) { v->host_files = n; }
uint64_t vfs_host_files(const struct vfs *v) { return v->host_files; }
void vfs_host_memory_set(struct vfs *v, uint64_t bytes) { v->host_memory = bytes; }
uint64_t vfs_host_memory(const struct vfs *v) { return v->host_memory; }
struct mm_env *vfs_mm_env(struct vfs *v) { return v->mm_env; }
void vfs_mm_env_set(struct vfs *v, struct mm_env *e) { v->mm_env = e; }

/* --- notifications ------------------------------------------------------------ */

void vfs_add_notifier(struct vfs *v, struct notifier n) { v->notifiers[v->n_notifiers++] = n; }
void vfs_notify_priv_set(struct vfs *v, void *p) { v->notify_priv = p; }
void *vfs_notify_priv(struct vfs *v) { return v->notify_priv; }
uint32_t notify_cookie(struct vfs *v) { return atomic_fetch_add(&v->next_cookie, 1) + 1; }

static void notify(struct inode *i, uint32_t event, const char *name, uint32_t cookie)
{
	const struct vfs *v = i->sb->vfs;

	for (unsigned n = 0; i->watches && n < v->n_notifiers; n++)
		v->notifiers[n].event(i, event, name, cookie);
}

void notify_inode(struct inode *i, uint32_t event)
{
	/* an event about the watched thing itself never says that it is a directory */
	notify(i, event | (LINUX_S_ISDIR(i->mode) && !(event & (NOTIFY_DELETE_SELF | NOTIFY_MOVE_SELF)) ? NOTIFY_ISDIR : 0), NULL, 0);
}

void notify_name(struct inode *dir, const char *name, bool is_dir, uint32_t event, uint32_t cookie)
{
	notify(dir, event | (is_dir ? NOTIFY_ISDIR : 0), name, cookie);
}

void notify_dentry_slow(struct dentry *d, uint32_t event)
{
	char name[LINUX_NAME_MAX + 1];
	struct dentry *parent = dentry_parent(d, name);

	if (!parent) {
		notify_inode(d->inode, event);
		return;
	}
	notify_name(parent->inode, name, LINUX_S_ISDIR(d->inode->mode), event, 0); /* the parent's watchers first, as on Linux */
	notify_inode(d->inode, event);
	dentry_put(parent);
}

void notify_closed_slow(struct file *f, const struct fdtable *owner)
{
	const struct vfs *v = f->inode->sb->vfs;

	for (unsigned n = 0; n < v->n_notifiers; n++)
		if (v->notifiers[n].closed)
			v->notifiers[n].closed(f, owner);
}
