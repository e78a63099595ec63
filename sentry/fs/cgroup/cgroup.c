/*
 * cgroup.c - see cgroup.h: one directory, made at mount.  A file's text is made
 * at each read.  Groups below it cannot be made and nothing can be set: the limits
 * are the engine's to change.
 */
#include "fs/cgroup/cgroup.h"

#include "abi/fs.h"
#include "kernel/kernel.h"
#include "kernel/task.h"
#include "mm/usercopy.h"
#include "vfs/file.h"
#include "vfs/vfs.h"

#include <errno.h>
#include <stdlib.h>

#define CGROUP2_MAGIC 0x63677270

static ssize_t text_read(struct file *f, struct uio *u, int64_t *pos)
{
	const struct cgroup_file *what = f->inode->priv;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	ssize_t n = 0;

	if (!out)
		return -ENOMEM;
	if (what->show)
		what->show(out, task_current());
	else
		fputs(what->text, out);
	if (fclose(out))
		n = -ENOMEM;
	else if (*pos >= 0 && (size_t)*pos < len)
		n = uio_copy_out(u, text + *pos, len - (size_t)*pos);
	if (n > 0)
		*pos += n;
	free(text);
	return n;
}

static const struct file_ops text_ops = { .read = text_read };
static const struct file_ops dir_ops = { .readdir = dcache_readdir };

static int node_open(struct inode *i, struct file *f)
{
	f->ops = LINUX_S_ISDIR(i->mode) ? &dir_ops : &text_ops;
	return 0;
}

static int no_lookup(struct inode *dir, const struct qstr *name, struct inode **out)
{
	*out = NULL;
	return 0;
}

static int no_setattr(struct inode *i, const struct iattr *a)
{
	return a->valid & (ATTR_MODE | ATTR_UID | ATTR_GID) ? -EPERM : 0;
}

static const struct inode_ops node_ops = { .lookup = no_lookup, .open = node_open, .setattr = no_setattr };

static bool fill(struct superblock *sb)
{
	for (size_t k = 0; k < cgroup_n_files; k++) {
		struct inode *i = inode_new(sb, &node_ops, inode_next_ino(sb->vfs), LINUX_S_IFREG | 0444);

		if (!i)
			return false;
		i->priv = (void *)(uintptr_t)&cgroup_files[k];
		if (!dentry_add(sb->root, cgroup_files[k].name, i))
			return false;
	}
	return true;
}

static int statfs_root(struct superblock *sb, struct inode *i, struct kstatfs *out)
{
	*out = (struct kstatfs){ .type = CGROUP2_MAGIC, .bsize = 4096, .namelen = 255 };
	return 0;
}

static const struct super_ops super_ops = { .statfs = statfs_root };

static int cgroup_mount(struct vfs *v, const struct fs_type *type, const struct fs_context_args *a, struct superblock **out)
{
	struct superblock *sb = super_new(v, type, &super_ops);
	struct inode *root;

	if (!sb)
		return -ENOMEM;
	sb->sflags |= SUPER_IN_MEMORY;
	root = inode_new(sb, &node_ops, inode_next_ino(v), LINUX_S_IFDIR | 0755);
	if (root)
		root->nlink = 2;
	sb->root = root ? dentry_make_root(sb, root) : NULL;
	if (!sb->root || !fill(sb)) {
		super_put(sb);
		return -ENOMEM;
	}
	*out = sb;
	return 0;
}

static const struct fs_type cgroup_type = { .name = "cgroup2", .mount = cgroup_mount, .user_mountable = true };

int cgroup_register(struct kernel *k)
{
	return vfs_register(k->vfs, &cgroup_type);
}
