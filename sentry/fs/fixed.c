/*
 * fixed.c - see fixed.h.  Nothing changes after the mount, so there are no locks:
 * the dentries made then are pinned, the texts the inodes' own.  Tasks' own threads.
 */
#include "fs/fixed.h"

#include "abi/fs.h"
#include "kernel/kernel.h"
#include "kernel/task.h"
#include "mm/usercopy.h"
#include "vfs/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct content { /* an inode's priv; NULL: a directory made at mount */
	const struct fixed_dir *dir; /* of arg */
	unsigned arg;
	void (*show)(FILE *f, struct task *t); /* NULL: the text */
	char text[];
};

static const struct fixed_fs *fs_of(const struct superblock *sb)
{
	return (const struct fixed_fs *)(const void *)((const char *)sb->type - offsetof(struct fixed_fs, type));
}

/* --- reading ------------------------------------------------------------------------ */

static ssize_t fixed_read(struct file *f, struct uio *u, int64_t *pos)
{
	const struct content *c = f->inode->priv;
	char *text = NULL;
	size_t len = 0;
	ssize_t n;
	FILE *out;

	if (!c->show)
		return uio_copy_text(c->text, strlen(c->text), u, pos);
	out = open_memstream(&text, &len);
	if (!out)
		return -ENOMEM;
	c->show(out, task_current());
	n = fclose(out) ? -ENOMEM : uio_copy_text(text, len, u, pos);
	free(text);
	return n;
}

static const struct file_ops text_ops = { .read = fixed_read };
static const struct file_ops dir_ops = { .readdir = dcache_readdir };

/* --- directories made as they are looked at --------------------------------------------- */

static const struct inode_ops node_ops;

static uint64_t ino_in(const struct inode *dir, unsigned i)
{
	return (dir->ino << 6 | (i + 1)) | UINT64_C(1) << 40;
}

static const struct fixed_dir *dir_of(const struct inode *i)
{
	const struct content *c = i->priv;

	return c ? c->dir : NULL;
}

static int made_readdir(struct file *f, struct dirent_sink *s)
{
	const struct content *c = f->inode->priv;
	struct kernel *k = vfs_kernel(f->inode->sb->vfs);
	struct fixed_entry e;

	for (; f->pos < 2; f->pos++)
		if (s->add(s, "..", (size_t)f->pos + 1, f->inode->ino, LINUX_DT_OF_MODE(LINUX_S_IFDIR), f->pos + 1))
			return 0;
	for (;; f->pos++) {
		unsigned i = f->pos - 2 < UINT32_MAX ? (unsigned)(f->pos - 2) : UINT32_MAX;

		e = (struct fixed_entry){ 0 };
		if (!c->dir->entry(k, c->arg, i, &e) ||
			s->add(s, e.name, strlen(e.name), ino_in(f->inode, i), LINUX_DT_OF_MODE(e.dir ? LINUX_S_IFDIR : LINUX_S_IFREG), f->pos + 1))
			return 0;
	}
}

static const struct file_ops made_dir_ops = { .readdir = made_readdir };

static struct inode *made_inode(struct inode *dir, unsigned i, const struct fixed_entry *e)
{
	const struct content *in = dir->priv;
	char *text = e->dir ? NULL : in->dir->text(vfs_kernel(dir->sb->vfs), in->arg, i);
	struct content *c = text || e->dir ? calloc(1, sizeof(*c) + (text ? strlen(text) : 0) + 1) : NULL;
	struct inode *n = c ? inode_new(dir->sb, &node_ops, ino_in(dir, i), e->dir ? LINUX_S_IFDIR | 0755 : LINUX_S_IFREG | 0444) : NULL;

	if (n) {
		c->dir = e->dir;
		c->arg = e->arg;
		if (text)
			strcpy(c->text, text);
		n->priv = c;
		n->size = e->dir ? 0 : fs_of(dir->sb)->file_size;
		n->nlink = e->dir ? 2 : 1;
	} else {
		free(c);
	}
	free(text);
	return n;
}

/* Every other name that there is, is in the cache. */
static int fixed_lookup(struct inode *dir, const struct qstr *name, struct inode **out)
{
	const struct content *c = dir->priv;
	struct fixed_entry e = { 0 };

	*out = NULL;
	for (unsigned i = 0; c && c->dir && c->dir->entry(vfs_kernel(dir->sb->vfs), c->arg, i, &e); i++) {
		if (strlen(e.name) == name->len && !memcmp(e.name, name->name, name->len)) {
			*out = made_inode(dir, i, &e);
			return *out ? 0 : -ENOMEM;
		}
		e = (struct fixed_entry){ 0 };
	}
	return 0;
}

static int fixed_open(struct inode *i, struct file *f)
{
	f->ops = !LINUX_S_ISDIR(i->mode) ? &text_ops : dir_of(i) ? &made_dir_ops : &dir_ops;
	return 0;
}

static int no_setattr(struct inode *i, const struct iattr *a)
{
	return a->valid & (ATTR_MODE | ATTR_UID | ATTR_GID) ? -EPERM : 0;
}

static const struct inode_ops node_ops = { .lookup = fixed_lookup, .open = fixed_open, .setattr = no_setattr };

/* --- making the tree ------------------------------------------------------------------ */

static struct dentry *add_node(struct dentry *dir, const char *name, uint32_t mode, struct content *c)
{
	struct inode *i = inode_new(dir->sb, &node_ops, inode_next_ino(dir->sb->vfs), mode);

	if (!i) {
		free(c);
		return NULL;
	}
	i->priv = c;
	if (!LINUX_S_ISDIR(mode))
		i->size = fs_of(dir->sb)->file_size;
	else
		i->nlink = 2;
	return dentry_add(dir, name, i);
}

static bool add_leaf(struct dentry *dir, const char *name, const struct fixed_file *f)
{
	const char *text = f->text ? f->text : "";
	struct content *c;

	if (!f->show && !f->text && !f->dir)
		return add_node(dir, name, LINUX_S_IFDIR | 0755, NULL);
	c = malloc(sizeof(*c) + strlen(text) + 1);
	if (!c)
		return false;
	c->dir = f->dir;
	c->arg = f->arg;
	c->show = f->show;
	strcpy(c->text, text);
	return add_node(dir, name, f->dir ? LINUX_S_IFDIR | 0755 : LINUX_S_IFREG | 0444, c);
}

bool fixed_add(struct dentry *root, const struct fixed_file *f)
{
	const char *path = f->path;
	struct dentry *d = root, *child;
	char part[LINUX_NAME_MAX + 1];

	for (;;) {
		size_t len = strcspn(path, "/");
		struct qstr q = { path, (uint32_t)len };

		if (!path[len])
			return add_leaf(d, path, f);
		memcpy(part, path, len);
		part[len] = 0;
		child = dcache_get(d, &q);
		if (child)
			dentry_put(child); /* pinned */
		d = child ? child : add_node(d, part, LINUX_S_IFDIR | 0755, NULL);
		if (!d)
			return false;
		path += len + 1;
	}
}

/* --- the mount -------------------------------------------------------------------------- */

static int fixed_statfs(struct superblock *sb, struct inode *i, struct kstatfs *out)
{
	*out = (struct kstatfs){ .type = fs_of(sb)->magic, .bsize = 4096, .namelen = LINUX_NAME_MAX };
	return 0;
}

static void fixed_evict(struct inode *i)
{
	free(i->priv);
}

static const struct super_ops super_ops = { .statfs = fixed_statfs, .evict = fixed_evict };

int fixed_mount(struct vfs *v, const struct fs_type *type, const struct fs_context_args *a, struct superblock **out)
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
	if (!sb->root || !fs_of(sb)->fill(vfs_kernel(v), sb->root)) {
		super_put(sb);
		return -ENOMEM;
	}
	*out = sb;
	return 0;
}
