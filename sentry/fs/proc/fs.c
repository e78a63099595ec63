/*
 * fs.c - /proc as a file system: inodes, lookups, links, directories.  The contents are tables (root.c,
 * pid.c ...); node.c finds the process that a node is about; text.c makes the text of a file.
 */
#include "fs/proc/options.h"

#include "abi/capability.h"
#include "abi/fcntl.h"
#include "abi/fs.h"
#include "fs/proc/proc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PROC_MAGIC 0x9fa0

/* --- nodes ---------------------------------------------------------------------- */
static const struct inode_ops proc_inode_ops, proc_magic_ops;

static void owner(const struct superblock *sb, const struct pnode *n, uint32_t *uid, uint32_t *gid)
{
	struct pctx c;

	proc_setting_owner(vfs_kernel(sb->vfs), n->e, uid, gid);
	if (!n->pid || pctx_begin(&c, sb, n))
		return;
	pnode_owner(&c, uid, gid);
	pctx_end(&c);
}

static struct inode *node_inode(struct superblock *sb, const struct pnode *n)
{
	const struct inode_ops *ops = n->e->kind == P_MAGIC ? &proc_magic_ops : &proc_inode_ops;
	struct pnode *copy = malloc(sizeof(*copy));
	uint32_t uid = 0, gid = 0;
	struct inode *i;

	if (!copy)
		return NULL;
	*copy = *n;
	i = inode_new(sb, ops, pnode_ino(n), pnode_mode(n));
	if (!i) {
		free(copy);
		return NULL;
	}
	i->priv = copy;
	if (n->e->kind == P_DIR)
		i->nlink = 2;
	owner(sb, n, &uid, &gid);
	inode_take_owner(i, i->mode, uid, gid); /* nobody else has it yet */
	return i;
}

int pnode_find(struct pctx *c, const struct qstr *q, struct pnode *out)
{
	const struct pentry *dir = c->node->e;

	*out = (struct pnode){ .pid = c->node->pid, .tid = c->node->tid, .start = c->node->start, .fd = -1 };
	for (const struct pentry *e = dir->table; e && e->name; e++) {
		if (strlen(e->name) != q->len || memcmp(e->name, q->name, q->len) || !proc_shows_entry(c, e))
			continue;
		out->e = e;
		return 0;
	}
	return dir->lookup ? dir->lookup(c, q, out) : -ENOENT;
}

static int proc_lookup(struct inode *dir, const struct qstr *name, struct inode **out)
{
	struct pctx c;
	struct pnode n;
	int ret = pctx_begin(&c, dir->sb, pnode_of(dir));

	*out = NULL;
	if (ret)
		return ret == -ESRCH ? -ENOENT : ret;
	ret = c.node->e->flags & PE_PTRACE ? proc_may_access(&c) : 0;
	if (!ret)
		ret = pnode_find(&c, name, &n);
	pctx_end(&c);
	if (ret == -ENOENT)
		return 0;
	if (!ret && !(*out = node_inode(dir->sb, &n)))
		ret = -ENOMEM;
	return ret;
}

static void set_owner(struct inode *i, uint32_t uid, uint32_t gid)
{
	mutex_lock(&i->a_mu);
	inode_take_owner(i, i->mode, uid, gid);
	mutex_unlock(&i->a_mu);
}

static int proc_revalidate(struct dentry *d)
{
	struct pctx c;
	const struct pnode *n = d->inode ? pnode_of(d->inode) : NULL;
	uint32_t uid, gid;

	if (!n || !n->pid)
		return n != NULL;
	if (n->fd >= 0)
		return 0;
	if (pctx_begin(&c, d->sb, n))
		return 0;
	pnode_owner(&c, &uid, &gid); /* its program may be another */
	pctx_end(&c);
	set_owner(d->inode, uid, gid);
	return 1;
}

static uint32_t links(struct inode *i)
{
	const struct pnode *n = pnode_of(i);
	uint32_t count = i->nlink;
	struct pctx c;

	if (!n->e->count || pctx_begin(&c, i->sb, n))
		return count;
	count += n->e->count(&c);
	pctx_end(&c);
	return count;
}

static int proc_getattr(struct inode *i, struct kstat *st)
{
	uint32_t uid, gid, nlink = links(i);

	if (proc_dir_permitted(i, PROC_HIDE_OTHERS) == -ENOENT)
		return -ENOENT;
	owner(i->sb, pnode_of(i), &uid, &gid);
	set_owner(i, uid, gid);
	mutex_lock(&i->a_mu);
	*st = (struct kstat){ .ino = i->ino, .mode = i->mode, .nlink = nlink, .uid = uid, .gid = gid, .blksize = 1024, .dev = i->sb->dev,
			      .atime = i->atime, .mtime = i->mtime, .ctime = i->ctime };
	mutex_unlock(&i->a_mu);
	if (LINUX_S_ISLNK(st->mode) && pnode_of(i)->fd >= 0)
		st->size = 64;
	return 0;
}

/* /proc's permissions cannot be changed; O_TRUNC and the like pass. */
static int proc_setattr(struct inode *i, const struct iattr *a)
{
	return a->valid & (ATTR_MODE | ATTR_UID | ATTR_GID) ? -EPERM : 0;
}

/* --- links ------------------------------------------------------------------------ */
static int proc_follow(struct inode *i, struct mount **mnt, struct dentry **d)
{
	const struct pentry *e = pnode_of(i)->e;
	struct pctx c;
	int ret;

	if (!e->follow)
		return -ENOTSUP;
	ret = pctx_begin(&c, i->sb, pnode_of(i));
	if (ret)
		return ret;
	ret = proc_may_access(&c);
	if (!ret && e->may_follow)
		ret = e->may_follow(&c);
	if (!ret)
		ret = e->follow(&c, mnt, d);
	pctx_end(&c);
	return ret;
}

/* What a magic link says: the path it leads to. */
static int magic_text(struct pctx *c, char **out)
{
	struct task *me = task_current();
	char *buf = malloc(8192), *name;
	struct path p, root = { NULL, NULL };
	int ret = buf ? c->node->e->follow(c, &p.mnt, &p.dentry) : -ENOMEM;

	if (ret) {
		free(buf);
		return ret;
	}
	if (me) {
		mutex_lock(&me->fs->mu);
		root = me->fs->root;
		path_get(&root);
		mutex_unlock(&me->fs->mu);
	}
	name = vfs_path_from_top(&p, me ? &root : NULL, buf, 8192);
	*out = name ? strdup(name) : NULL;
	ret = !name ? -ENAMETOOLONG : *out ? 0 : -ENOMEM;
	path_put(&p);
	if (root.dentry)
		path_put(&root);
	free(buf);
	return ret;
}

static int proc_readlink(struct inode *i, char **out)
{
	const struct pentry *e = pnode_of(i)->e;
	struct pbuf b = { 0 };
	struct pctx c;
	int ret = pctx_begin(&c, i->sb, pnode_of(i));

	if (ret)
		return ret == -ESRCH ? -ENOENT : ret;
	if (e->kind == P_MAGIC) {
		ret = proc_may_access(&c);
		if (!ret)
			ret = magic_text(&c, out);
	} else {
		ret = e->flags & PE_PTRACE ? proc_may_access(&c) : 0;
		if (!ret)
			ret = e->link(&c, &b);
		if (!ret && (b.failed || !b.p))
			ret = -ENOMEM;
		if (ret)
			free(b.p);
		else
			*out = b.p;
	}
	pctx_end(&c);
	return ret;
}

/* Linux: proc_fd_permission(), set_permissions(). */
static int proc_permission(struct inode *i, unsigned mask, const struct cred *cr)
{
	unsigned flags = pnode_of(i)->e->flags;
	struct task *me = task_current();
	struct pctx c;
	int ret;

	if (flags & PE_USER_NS)
		return proc_limit_permitted(mask, cr) ? 0 : -EACCES;
	if ((ret = proc_dir_permitted(i, PROC_HIDE_CONTENTS)))
		return ret;
	if (flags & PE_NET && cred_capable_in(cr, proc_net_owner(vfs_kernel(i->sb->vfs)), LINUX_CAP_NET_ADMIN))
		return mask & ~(i->mode >> 6) & 7 ? -EACCES : 0;
	ret = inode_mode_permission(i, mask, cr);
	if (!(flags & PE_SELF) || !ret || !me || pctx_begin(&c, i->sb, pnode_of(i)))
		return ret;
	ret = c.tg == me->tg ? 0 : ret;
	pctx_end(&c);
	return ret;
}

/* --- directories --------------------------------------------------------------------- */
#define POS_TABLE 2
#define POS_OWN 1024 /* a directory's own numbering begins here */

void pnode_list(struct pctx *c, int64_t *pos, struct dirent_sink *s)
{
	const struct pnode *dir = c->node;
	struct pnode node = { .pid = dir->pid, .tid = dir->tid, .start = dir->start, .fd = -1 };
	const struct pentry *e;
	int64_t n = 0;

	for (; *pos < POS_TABLE; ++*pos)
		if (s->add(s, "..", (size_t)*pos + 1, pnode_ino(dir), LINUX_DT_OF_MODE(LINUX_S_IFDIR), *pos + 1))
			return;
	for (e = dir->e->table; e && e->name; e++, n++) {
		if (*pos > POS_TABLE + n || !proc_shows_entry(c, e))
			continue;
		node.e = e;
		if (s->add(s, e->name, strlen(e->name), pnode_ino(&node), LINUX_DT_OF_MODE(pnode_mode(&node)), POS_TABLE + n + 1))
			return;
		*pos = POS_TABLE + n + 1;
	}
	if (dir->e->next && *pos < POS_OWN)
		*pos = POS_OWN;
	while (dir->e->next) {
		struct pnode own = { .pid = dir->pid, .tid = dir->tid, .start = dir->start, .fd = -1 };
		int64_t at = *pos - POS_OWN;
		char name[32];

		if (!dir->e->next(c, &at, name, &own) || s->add(s, name, strlen(name), pnode_ino(&own), LINUX_DT_OF_MODE(pnode_mode(&own)), at + POS_OWN))
			return;
		*pos = at + POS_OWN;
	}
}

static int proc_readdir(struct file *f, struct dirent_sink *s)
{
	struct pctx c;
	int ret = pctx_begin(&c, f->inode->sb, pnode_of(f->inode));

	if (ret)
		return ret == -ESRCH ? -ENOENT : ret;
	ret = c.node->e->flags & PE_PTRACE ? proc_may_access(&c) : 0;
	if (!ret)
		pnode_list(&c, &f->pos, s);
	pctx_end(&c);
	return ret;
}

static const struct file_ops dir_ops = { .readdir = proc_readdir };

static int proc_open(struct inode *i, struct file *f)
{
	const struct pnode *n = pnode_of(i);

	if (n->e->flags & PE_PTRACE && !(n->e->flags & PE_LATE)) {
		struct pctx c;
		int ret = pctx_begin(&c, i->sb, n);

		if (ret)
			return ret;
		ret = proc_may_access(&c);
		pctx_end(&c);
		if (ret)
			return ret;
	}
	if (n->e->kind == P_DIR || n->e->ops) {
		f->ops = n->e->kind == P_DIR ? &dir_ops : n->e->ops;
		return 0;
	}
	return proc_text_open(f);
}

static const struct inode_ops proc_inode_ops = {
	.lookup = proc_lookup,
	.revalidate = proc_revalidate,
	.getattr = proc_getattr,
	.setattr = proc_setattr,
	.readlink = proc_readlink,
	.open = proc_open,
	.permission = proc_permission,
};

static const struct inode_ops proc_magic_ops = {
	.revalidate = proc_revalidate,
	.getattr = proc_getattr,
	.setattr = proc_setattr,
	.follow = proc_follow,
	.readlink = proc_readlink,
};

/* --- the file system --------------------------------------------------------------------- */
static int proc_statfs(struct superblock *sb, struct inode *i, struct kstatfs *out)
{
	*out = (struct kstatfs){ .type = PROC_MAGIC, .bsize = 4096, .namelen = 255 };
	return 0;
}

static void proc_evict(struct inode *i) { free(i->priv); }

static const struct super_ops proc_super_ops = { .statfs = proc_statfs, .evict = proc_evict, .kill = proc_super_kill, .remount = proc_remount, .show_options = proc_show_options };

static int proc_mount(struct vfs *v, const struct fs_type *type, const struct fs_context_args *a, struct superblock **out)
{
	const struct pnode root = { .e = &proc_root_entry, .fd = -1 };
	struct task *t = task_current();
	struct pid_ns *ns = a->extra ? (struct pid_ns *)(uintptr_t)a->extra : t ? task_pid_ns(t) : NULL;
	struct superblock *sb = ns ? super_new(v, type, &proc_super_ops) : NULL;
	struct inode *i;
	int r = sb ? proc_super_init(sb, ns, a) : ns ? -ENOMEM : -EINVAL;

	if (r) {
		super_put(sb);
		return r;
	}
	sb->sflags |= SUPER_REVALIDATE | SUPER_NO_NEGATIVE | SUPER_UNCACHED;
	i = node_inode(sb, &root);
	sb->root = i ? dentry_make_root(sb, i) : NULL;
	if (!sb->root) {
		super_put(sb);
		return -ENOMEM;
	}
	*out = sb;
	return 0;
}

struct thread_group *proc_dir_group(struct file *f, bool *gone)
{
	const struct pnode *n = f->inode->sb->type && !strcmp(f->inode->sb->type->name, "proc") ? pnode_of(f->inode) : NULL;
	struct thread_group *tg = NULL;
	struct pctx c;

	*gone = false;
	if (!n || n->e != &proc_pid_entry)
		return NULL;
	if (pctx_begin(&c, f->inode->sb, n)) {
		*gone = true;
		return NULL;
	}
	tg = c.tg;
	c.tg = NULL;
	pctx_end(&c);
	return tg;
}

static const struct fs_type proc_type = { .name = "proc", .mount = proc_mount, .user_mountable = true, .option = proc_option };

int proc_register(struct kernel *k)
{
	return vfs_register(k->vfs, &proc_type);
}
