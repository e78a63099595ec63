/*
 * dir.c - see cgroup.h: instances, directories and the names in them.
 *
 * All names are pinned in the dentry cache, which is the directory.  A group's files come and go with the controllers
 * that the group above enables; its directory's mu is held for that.  Tasks' own threads, the event thread (the
 * first mount), and the timers' (told).  No locks held but directories' mu, which the vfs holds.
 */
#include "fs/cgroup/cgroup.h"

#include "kernel/ns.h"
#include "kernel/task_table.h"
#include "vfs/notify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CGROUP2_MAGIC 0x63677270

static const struct inode_ops node_ops;

/* --- inodes ------------------------------------------------------------------------------- */

static struct inode *new_inode(struct superblock *sb, struct cgroup *g, const struct cgroup_file *file, uint32_t mode)
{
	struct cgroup_node *n = malloc(sizeof(*n));
	struct inode *i = n ? inode_new(sb, &node_ops, inode_next_ino(sb->vfs), mode) : NULL;

	if (!i) {
		free(n);
		return NULL;
	}
	*n = (struct cgroup_node){ cgroup_get(g), file };
	i->priv = n;
	if (LINUX_S_ISDIR(mode))
		i->nlink = 2;
	return i;
}

static void evict(struct inode *i)
{
	struct cgroup_node *n = i->priv;

	if (!n)
		return;
	if (!n->file) /* its file system goes, as its container has */
		(void)cgroup_remove(n->g, true);
	cgroup_put(n->g);
	free(n);
}

static uint32_t mode_of(const struct cgroup_file *file)
{
	return LINUX_S_IFREG | (file->blind ? 0 : 0444u) | (file->store ? 0200u : 0);
}

bool cgroup_has_file(const struct cgroup_file *file, const struct cgroup *g, unsigned controllers)
{
	return (!file->below || g->parent) && (!file->controllers || file->controllers & controllers);
}

/* Which of them it has with `to`, and not with `from`. */
static bool comes(const struct cgroup_file *file, const struct cgroup *g, unsigned from, unsigned to)
{
	return file->controllers && cgroup_has_file(file, g, to) && !cgroup_has_file(file, g, from);
}

static int add_file(struct dentry *dir, struct cgroup *g, const struct cgroup_file *file)
{
	const struct qstr name = { file->name, (uint32_t)strlen(file->name) };
	struct inode *i = new_inode(dir->sb, g, file, mode_of(file));
	struct dentry *d;
	int r;

	if (!i)
		return -ENOMEM;
	if (dir->inode) { /* it belongs to whom the directory belongs to */
		i->uid = dir->inode->uid;
		i->gid = dir->inode->gid;
	}
	/* somebody may look it up at this moment: what he has found not to be there is what it becomes */
	r = dir->inode ? dentry_lookup_locked(dir, &name, &d) : dcache_enter(dir, &name, NULL, &d);
	if (!r && !d->inode)
		dentry_instantiate(d, i);
	else
		inode_put(i);
	if (!r)
		dentry_put(d);
	return r;
}

int cgroup_add_files(struct dentry *dir, struct cgroup *g, unsigned from, unsigned to)
{
	int r = 0;

	for (size_t i = 0; i < cgroup_n_files && !r; i++)
		if (comes(&cgroup_files[i], g, from, to))
			r = add_file(dir, g, &cgroup_files[i]);
	return r;
}

static void drop_file(struct dentry *dir, const char *name)
{
	const struct qstr q = { name, (uint32_t)strlen(name) };
	struct dentry *d = dcache_get(dir, &q);

	if (!d)
		return;
	if (d->inode)
		dentry_drop(d);
	dentry_put(d);
}

void cgroup_drop_files(struct dentry *dir, struct cgroup *g, unsigned from, unsigned to)
{
	for (size_t i = 0; i < cgroup_n_files; i++)
		if (comes(&cgroup_files[i], g, to, from))
			drop_file(dir, cgroup_files[i].name);
}

static void drop_all(struct dentry *dir)
{
	for (size_t i = 0; i < cgroup_n_files; i++)
		drop_file(dir, cgroup_files[i].name);
}

static int add_all(struct dentry *dir, struct cgroup *g, unsigned controllers)
{
	int r = 0;

	for (size_t i = 0; i < cgroup_n_files && !r; i++)
		if (cgroup_has_file(&cgroup_files[i], g, controllers))
			r = add_file(dir, g, &cgroup_files[i]);
	return r;
}

/* --- directories ------------------------------------------------------------------------------ */

/* Every other name that there is, is in the cache. */
static int lookup(struct inode *dir, const struct qstr *name, struct inode **out)
{
	*out = NULL;
	return 0;
}

static void own_files(struct dentry *dir, const struct inode *owner)
{
	for (size_t i = 0; i < cgroup_n_files; i++) {
		const struct qstr q = { cgroup_files[i].name, (uint32_t)strlen(cgroup_files[i].name) };
		struct dentry *d = dcache_get(dir, &q);

		if (d && d->inode) {
			d->inode->uid = owner->uid;
			d->inode->gid = owner->gid;
		}
		if (d)
			dentry_put(d);
	}
}

/* Its files are there before anybody can find it. */
static int make(struct inode *dir, struct dentry *d, uint32_t mode, const struct cred *c)
{
	struct cgroup *g, *parent = cgroup_node(dir)->g;
	struct inode *i;
	int r;

	if (strchr(d->name, '\n'))
		return -EINVAL;
	r = cgroup_new(parent->k, parent, d->name, &g);
	if (r)
		return r;
	i = new_inode(dir->sb, g, NULL, mode);
	r = i ? add_all(d, g, parent->control) : -ENOMEM;
	if (r) {
		drop_all(d);
		(void)cgroup_remove(g, true);
		if (i)
			inode_put(i);
	} else {
		inode_init_owner(i, dir, c);
		own_files(d, i);
		dentry_instantiate(d, i);
		tasks_lock(g->k);
		g->dir = d;
		tasks_unlock(g->k);
		mutex_lock(&dir->a_mu);
		dir->nlink++;
		mutex_unlock(&dir->a_mu);
	}
	cgroup_put(g);
	return r;
}

static int unmake(struct inode *dir, struct dentry *d)
{
	int r = cgroup_remove(cgroup_node(d->inode)->g, false);

	if (r)
		return r;
	drop_all(d);
	mutex_lock(&dir->a_mu);
	dir->nlink--;
	mutex_unlock(&dir->a_mu);
	return 0;
}

static const struct file_ops dir_ops = { .readdir = dcache_readdir };

static int open_node(struct inode *i, struct file *f)
{
	if (cgroup_node(i)->file)
		return cgroup_open(i, f);
	f->ops = &dir_ops;
	return 0;
}

static int setattr(struct inode *i, const struct iattr *a)
{
	inode_setattr_copy(i, a);
	return 0;
}

static const struct inode_ops node_ops = { .lookup = lookup, .mkdir = make, .rmdir = unmake, .open = open_node, .setattr = setattr };

/* --- what others may wait for ------------------------------------------------------------------ */

/* Those who watch the file hear that it has changed. */
static void told(struct cgroup *g, unsigned what)
{
	struct dentry *dir = cgroup_dir(g), *d;

	for (size_t i = 0; dir && i < cgroup_n_files; i++) {
		const struct cgroup_file *file = &cgroup_files[i];
		const struct qstr name = { file->name, (uint32_t)strlen(file->name) };

		if (!file->polled || !(what & 1u << file->told) || !(d = dcache_get(dir, &name)))
			continue;
		notify_dentry(d, NOTIFY_MODIFY);
		dentry_put(d);
	}
	dentry_put(dir);
}

/* --- the file system ---------------------------------------------------------------------------- */

static int statfs(struct superblock *sb, struct inode *i, struct kstatfs *out)
{
	*out = (struct kstatfs){ .type = CGROUP2_MAGIC, .bsize = 4096, .namelen = LINUX_NAME_MAX };
	return 0;
}

static const struct super_ops super_ops = { .statfs = statfs, .evict = evict };

static int make_super(struct vfs *v, const struct fs_type *type, struct cgroup *g, struct superblock **out)
{
	struct superblock *sb = super_new(v, type, &super_ops);
	struct inode *root;
	int r;

	if (!sb)
		return -ENOMEM;
	sb->sflags |= SUPER_IN_MEMORY | SUPER_NO_NEGATIVE;
	root = new_inode(sb, g, NULL, LINUX_S_IFDIR | 0755);
	sb->root = root ? dentry_make_root(sb, root) : NULL;
	r = sb->root ? 0 : -ENOMEM;
	if (!r) {
		mutex_lock(&root->mu);
		r = add_all(sb->root, g, CGROUP_CONTROLLERS);
		mutex_unlock(&root->mu);
	}
	if (r) {
		super_put(sb);
		return r;
	}
	tasks_lock(g->k);
	g->dir = sb->root;
	tasks_unlock(g->k);
	*out = sb;
	return 0;
}

/* extra: the container's quota (control/), or NULL: that of the running task. */
static int cgroup_mount(struct vfs *v, const struct fs_type *type, const struct fs_context_args *a, struct superblock **out)
{
	struct task_quota *q = a->extra ? a->extra : task_current()->tg->quota;
	struct kernel *k = vfs_kernel(v);
	int r = 0;

	mutex_lock(&k->containers_mu);
	if (!q->cgroup_fs)
		r = make_super(v, type, q->cgroup, &q->cgroup_fs);
	if (!r) {
		ref_get(&q->cgroup_fs->ref);
		*out = q->cgroup_fs;
	}
	mutex_unlock(&k->containers_mu);
	return r;
}

static struct dentry *seen_root(struct superblock *sb)
{
	struct task *t = task_current();
	struct cgroup *root = t && t->ns && t->ns->cgroup ? t->ns->cgroup->root : NULL;

	return root && root->root == cgroup_node(sb->root->inode)->g ? cgroup_dir(root) : NULL;
}

static int cgroup_option(const struct fs_context_args *a, const char *key, char *value)
{
	static const char *const known[] = { "nsdelegate", "favordynmods", "nofavordynmods", "memory_localevents", "memory_recursiveprot" };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(key, known[i]))
			return value ? -EINVAL : 0;
	return -ENOENT;
}

static const struct fs_type cgroup_type = { .name = "cgroup2", .mount = cgroup_mount, .user_mountable = true, .option = cgroup_option, .seen_root = seen_root };

int cgroup_register(struct kernel *k)
{
	cgroups_set_told(k, told);
	return vfs_register(k->vfs, &cgroup_type);
}
