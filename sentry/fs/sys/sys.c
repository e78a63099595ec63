/*
 * sys.c - /sys: a fixed tree made at mount: processors, memory node, loopback
 * interface, transparent huge pages.  Files are constant texts.
 */
#include "fs/sys/sys.h"

#include "abi/fs.h"
#include "kernel/kernel.h"
#include "mm/usercopy.h"
#include "vfs/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYSFS_MAGIC 0x62656572

static ssize_t text_read(struct file *f, struct uio *u, int64_t *pos)
{
	const char *text = f->inode->priv;
	size_t len = strlen(text);
	ssize_t n;

	if (*pos < 0 || (size_t)*pos >= len)
		return 0;
	n = uio_copy_out(u, text + *pos, len - (size_t)*pos);
	if (n > 0)
		*pos += n;
	return n;
}

static const struct file_ops text_ops = { .read = text_read };
static const struct file_ops dir_ops = { .readdir = dcache_readdir };

static int text_open(struct inode *i, struct file *f)
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

static const struct inode_ops sys_ops = { .lookup = no_lookup, .open = text_open, .setattr = no_setattr };

static struct dentry *add(struct dentry *dir, const char *name, uint32_t mode, const char *text)
{
	struct inode *i = inode_new(dir->sb, &sys_ops, inode_next_ino(dir->sb->vfs), mode);
	struct dentry *d;

	if (!i)
		return NULL;
	if (text) {
		i->priv = strdup(text);
		i->size = 4096;
	} else {
		i->nlink = 2;
	}
	d = dentry_add(dir, name, i);
	return d;
}

/* Adds a/b/c with the text, making the directories. False: no memory. */
static bool add_path(struct dentry *root, const char *path, const char *text)
{
	struct dentry *d = root;
	char part[256];

	for (;;) {
		const char *slash = strchr(path, '/');
		size_t len = slash ? (size_t)(slash - path) : strlen(path);
		struct qstr q = { path, (uint32_t)len };
		struct dentry *child;

		memcpy(part, path, len);
		part[len] = 0;
		if (!slash)
			return !text ? add(d, part, LINUX_S_IFDIR | 0755, NULL) : add(d, part, LINUX_S_IFREG | 0444, text);
		child = dcache_get(d, &q);
		if (child)
			dentry_put(child); /* pinned */
		d = child ? child : add(d, part, LINUX_S_IFDIR | 0755, NULL);
		if (!d)
			return false;
		path = slash + 1;
	}
}

static bool fill(struct kernel *k, struct dentry *root)
{
	char range[32], path[64];
	bool ok = true;

	snprintf(range, sizeof(range), k->cpus > 1 ? "0-%u\n" : "0\n", k->cpus - 1);
	ok &= add_path(root, "devices/system/cpu/online", range);
	ok &= add_path(root, "devices/system/cpu/possible", range);
	ok &= add_path(root, "devices/system/cpu/present", range);
	ok &= add_path(root, "devices/system/cpu/offline", "\n");
	ok &= add_path(root, "devices/system/cpu/kernel_max", "8191\n");
	for (unsigned i = 0; ok && i < k->cpus; i++) {
		char id[16];

		snprintf(id, sizeof(id), "%u\n", i);
		snprintf(path, sizeof(path), "devices/system/cpu/cpu%u/topology/core_id", i);
		ok &= add_path(root, path, id);
		snprintf(path, sizeof(path), "devices/system/cpu/cpu%u/topology/physical_package_id", i);
		ok &= add_path(root, path, "0\n");
		snprintf(path, sizeof(path), "devices/system/cpu/cpu%u/topology/thread_siblings_list", i);
		ok &= add_path(root, path, id);
	}
	ok &= add_path(root, "devices/system/node/online", "0\n");
	ok &= add_path(root, "devices/system/node/possible", "0\n");
	ok &= add_path(root, "devices/system/node/node0/cpulist", range);
	ok &= add_path(root, "kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
	ok &= add_path(root, "kernel/mm/transparent_hugepage/hpage_pmd_size", "2097152\n");
	ok &= add_path(root, "class/net/lo/address", "00:00:00:00:00:00\n");
	ok &= add_path(root, "class/net/lo/mtu", "65536\n");
	ok &= add_path(root, "class/net/lo/operstate", "unknown\n");
	ok &= add_path(root, "class/net/lo/type", "772\n");
	ok &= add_path(root, "class/net/lo/ifindex", "1\n");
	ok &= add_path(root, "class/net/lo/flags", "0x9\n");
	ok &= add_path(root, "fs/cgroup", NULL);
	ok &= add_path(root, "block", NULL);
	ok &= add_path(root, "bus", NULL);
	ok &= add_path(root, "dev", NULL);
	ok &= add_path(root, "firmware", NULL);
	ok &= add_path(root, "module", NULL);
	ok &= add_path(root, "power", NULL);
	return ok;
}

static int sys_statfs(struct superblock *sb, struct inode *i, struct kstatfs *out)
{
	*out = (struct kstatfs){ .type = SYSFS_MAGIC, .bsize = 4096, .namelen = 255 };
	return 0;
}

static void sys_evict(struct inode *i)
{
	free(i->priv);
}

static const struct super_ops sys_super_ops = { .statfs = sys_statfs, .evict = sys_evict };

static int sys_mount(struct vfs *v, const struct fs_type *type, const struct fs_context_args *a, struct superblock **out)
{
	struct superblock *sb = super_new(v, type, &sys_super_ops);
	struct inode *root;

	if (!sb)
		return -ENOMEM;
	sb->sflags |= SUPER_IN_MEMORY;
	root = inode_new(sb, &sys_ops, inode_next_ino(v), LINUX_S_IFDIR | 0755);
	sb->root = root ? dentry_make_root(sb, root) : NULL;
	if (!sb->root || !fill(vfs_kernel(v), sb->root)) {
		super_put(sb);
		return -ENOMEM;
	}
	*out = sb;
	return 0;
}

static const struct fs_type sys_type = { .name = "sysfs", .mount = sys_mount, .user_mountable = true };

int sys_register(struct kernel *k)
{
	return vfs_register(k->vfs, &sys_type);
}
