/*
 * devpts.c - /dev/pts: ptmx and a node for each open terminal; and the
 * registration of the terminal devices (ptmx 5:2, tty 5:0, console 5:1, 136:N).
 *
 * All instances show the kernel's one set of terminals.  Names are looked up
 * in the terminal table each time (SUPER_REVALIDATE): nothing is kept here.
 */
#include "fs/devpts/devpts.h"

#include "abi/fs.h"
#include "vfs/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEVPTS_MAGIC 0x1cd1
#define PTMX_INO 2
#define INO_OF(index) ((index) + 3ul)

struct devpts_options {
	uint32_t mode, ptmx_mode, gid;
	bool set_gid;
};

static uint64_t pts_rdev(unsigned index)
{
	return linux_makedev(PTS_MAJOR, index);
}

static int devpts_setattr(struct inode *i, const struct iattr *a)
{
	inode_setattr_copy(i, a);
	return 0;
}

static const struct inode_ops node_ops = { .setattr = devpts_setattr };

static int parse_index(const struct qstr *name)
{
	unsigned v = 0;

	if (name->len > 4 || (name->len > 1 && name->name[0] == '0'))
		return -1;
	for (uint32_t i = 0; i < name->len; i++) {
		if (name->name[i] < '0' || name->name[i] > '9')
			return -1;
		v = v * 10 + (unsigned)(name->name[i] - '0');
	}
	return v < TTY_MAX ? (int)v : -1;
}

static struct inode *ptmx_inode(struct superblock *sb)
{
	const struct devpts_options *o = sb->priv;
	struct inode *i = inode_new(sb, &node_ops, PTMX_INO, LINUX_S_IFCHR | o->ptmx_mode);

	if (i)
		i->rdev = 5u << 8 | 2;
	return i;
}

static struct inode *slave_inode(struct superblock *sb, unsigned index)
{
	const struct devpts_options *o = sb->priv;
	struct tty *t = tty_by_index(vfs_kernel(sb->vfs), index);
	struct inode *i;

	if (!t)
		return NULL;
	i = inode_new(sb, &node_ops, INO_OF(index), LINUX_S_IFCHR | o->mode);
	if (i) {
		i->uid = t->uid;
		i->gid = o->set_gid ? o->gid : t->gid;
		i->rdev = pts_rdev(index);
	}
	tty_put(t);
	return i;
}

static int root_lookup(struct inode *dir, const struct qstr *name, struct inode **out)
{
	int index = parse_index(name);

	if (name->len == 4 && !memcmp(name->name, "ptmx", 4))
		*out = ptmx_inode(dir->sb);
	else
		*out = index < 0 ? NULL : slave_inode(dir->sb, (unsigned)index);
	return 0;
}

static int root_revalidate(struct dentry *d)
{
	struct qstr q = { d->name, d->name_len };
	int index = parse_index(&q);
	struct tty *t;

	if (index < 0)
		return 1;
	t = tty_by_index(vfs_kernel(d->sb->vfs), (unsigned)index);
	if (!t)
		return 0;
	tty_put(t);
	return 1;
}

static int root_readdir(struct file *f, struct dirent_sink *s)
{
	struct kernel *k = vfs_kernel(f->inode->sb->vfs);

	if (f->pos == 0) {
		if (s->add(s, ".", 1, 1, LINUX_DT_OF_MODE(LINUX_S_IFDIR), 1))
			return 0;
		f->pos = 1;
	}
	if (f->pos == 1) {
		if (s->add(s, "..", 2, 1, LINUX_DT_OF_MODE(LINUX_S_IFDIR), 2))
			return 0;
		f->pos = 2;
	}
	if (f->pos == 2) {
		if (s->add(s, "ptmx", 4, PTMX_INO, LINUX_DT_OF_MODE(LINUX_S_IFCHR), 3))
			return 0;
		f->pos = 3;
	}
	for (;;) {
		int index = tty_for_each_index(k, (unsigned)(f->pos - 3));
		char name[16];
		int n;

		if (index < 0)
			return 0;
		n = snprintf(name, sizeof(name), "%d", index);
		if (s->add(s, name, (size_t)n, INO_OF((unsigned)index), LINUX_DT_OF_MODE(LINUX_S_IFCHR), index + 4))
			return 0;
		f->pos = index + 4;
	}
}

static const struct file_ops root_file_ops = { .readdir = root_readdir };

static int root_open(struct inode *i, struct file *f)
{
	f->ops = &root_file_ops;
	return 0;
}

static const struct inode_ops root_ops = {
	.lookup = root_lookup,
	.revalidate = root_revalidate,
	.open = root_open,
	.setattr = devpts_setattr,
};

static int devpts_statfs(struct superblock *sb, struct inode *i, struct kstatfs *out)
{
	*out = (struct kstatfs){ .type = DEVPTS_MAGIC, .bsize = 4096, .namelen = 255 };
	return 0;
}

static void devpts_kill(struct superblock *sb)
{
	free(sb->priv);
}

static int devpts_show(struct superblock *sb, char *buf, size_t size)
{
	const struct devpts_options *o = sb->priv;
	char gid[24] = "";

	if (o->set_gid)
		snprintf(gid, sizeof(gid), ",gid=%u", o->gid);
	return snprintf(buf, size, "%s,mode=%03o,ptmxmode=%03o", gid, o->mode, o->ptmx_mode);
}

static const struct super_ops devpts_super_ops = { .statfs = devpts_statfs, .kill = devpts_kill, .show_options = devpts_show };

static int parse_option(struct devpts_options *o, const char *opt)
{
	char *end = NULL;
	const char *value = strchr(opt, '=');

	if (!strcmp(opt, "newinstance") || !*opt)
		return 0;
	if (!value)
		return -EINVAL;
	value++;
	if (!strncmp(opt, "mode=", 5))
		o->mode = (uint32_t)strtoul(value, &end, 8) & 0777;
	else if (!strncmp(opt, "ptmxmode=", 9))
		o->ptmx_mode = (uint32_t)strtoul(value, &end, 8) & 0777;
	else if (!strncmp(opt, "gid=", 4))
		o->gid = (uint32_t)strtoul(value, &end, 10), o->set_gid = true;
	else if (!strncmp(opt, "uid=", 4) || !strncmp(opt, "max=", 4))
		(void)!strtoul(value, &end, 10);
	return end && !*end && end != value ? 0 : -EINVAL;
}

static int devpts_option(const struct fs_context_args *a, const char *key, char *value)
{
	static const char *const known[] = { "newinstance", "mode", "ptmxmode", "gid", "uid", "max" };
	struct devpts_options o = { 0 };
	char text[300];
	size_t i = 0;

	while (i < 6 && strcmp(key, known[i]))
		i++;
	if (i == 6)
		return -ENOENT;
	if (!i != !value || snprintf(text, sizeof(text), "%s%s%s", key, value ? "=" : "", value ? value : "") >= (int)sizeof(text))
		return -EINVAL;
	return parse_option(&o, text);
}

static int devpts_mount(struct vfs *v, const struct fs_type *type, const struct fs_context_args *a, struct superblock **out)
{
	struct devpts_options *o = calloc(1, sizeof(*o));
	char *copy = strdup(a->options ? a->options : ""), *rest = copy, *opt;
	struct superblock *sb;
	struct inode *root;
	int ret = o && copy ? 0 : -ENOMEM;

	if (!ret)
		*o = (struct devpts_options){ .mode = 0620, .ptmx_mode = 0666 };
	while (!ret && (opt = strsep(&rest, ",")))
		ret = parse_option(o, opt);
	free(copy);
	if (ret) {
		free(o);
		return ret;
	}
	sb = super_new(v, type, &devpts_super_ops);
	if (!sb) {
		free(o);
		return -ENOMEM;
	}
	sb->priv = o;
	sb->sflags |= SUPER_REVALIDATE | SUPER_NO_NEGATIVE;
	root = inode_new(sb, &root_ops, 1, LINUX_S_IFDIR | 0755);
	sb->root = root ? dentry_make_root(sb, root) : NULL;
	if (!sb->root) {
		super_put(sb);
		return -ENOMEM;
	}
	root->nlink = 2;
	*out = sb;
	return 0;
}

static const struct fs_type devpts_type = { .name = "devpts", .mount = devpts_mount, .user_mountable = true, .option = devpts_option };

int devpts_register(struct kernel *k)
{
	int ret;

	k->ttys = tty_table_new();
	if (!k->ttys)
		return -ENOMEM;
	k->session_exit = tty_disassociate;
	k->tty_put = tty_put;
	ret = vfs_register(k->vfs, &devpts_type);
	if (!ret)
		ret = vfs_register_chrdev(k->vfs, 5, 0, 1, tty_dev_open);
	if (!ret)
		ret = vfs_register_chrdev(k->vfs, 5, 1, 1, console_open);
	if (!ret)
		ret = vfs_register_chrdev(k->vfs, 5, 2, 1, ptmx_open);
	if (!ret)
		ret = vfs_register_chrdev(k->vfs, PTS_MAJOR, 0, TTY_MAX, pts_dev_open);
	return ret;
}
