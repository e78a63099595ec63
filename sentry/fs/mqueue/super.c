/*
 * super.c - the mqueue file system: names, creation with its limits, mq_open(2) and
 * mq_unlink(2) as walks in a mount that only they see.
 */
#include "abi/capability.h"
#include "abi/resource.h"
#include "fs/mqueue/internal.h"
#include "kernel/ipc.h"
#include "kernel/ns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct mqueue_fs *fs_of(const struct superblock *sb)
{
	return sb->priv;
}

/* --- limits ---------------------------------------------------------------------------- */

/* Those of the maker's IPC namespace; they are the queue's unless it opens another's mount. */
static int check_attr(struct task *t, const struct linux_mq_attr *a)
{
	bool hard = ns_capable(t, LINUX_CAP_SYS_RESOURCE);
	uint64_t msgs = hard ? MQ_MSG_HARD_MAX : ipc_limit(t->ns->ipc, IPC_MQ_MSG), size = hard ? MQ_SIZE_HARD_MAX : ipc_limit(t->ns->ipc, IPC_MQ_SIZE);

	if (a->maxmsg <= 0 || a->msgsize <= 0)
		return -EINVAL;
	return (uint64_t)a->maxmsg > msgs || (uint64_t)a->msgsize > size ? -EINVAL : 0;
}

static struct linux_mq_attr default_attr(struct task *t)
{
	const struct ipc_ns *ns = t->ns->ipc;
	uint64_t msgs = ipc_limit(ns, IPC_MQ_MSG), size = ipc_limit(ns, IPC_MQ_SIZE);
	uint64_t usual_msgs = ipc_limit(ns, IPC_MQ_MSG_DEFAULT), usual_size = ipc_limit(ns, IPC_MQ_SIZE_DEFAULT);

	return (struct linux_mq_attr){ .maxmsg = (int64_t)(usual_msgs < msgs ? usual_msgs : msgs), .msgsize = (int64_t)(usual_size < size ? usual_size : size) };
}

/* What Linux charges: the texts, and 96 bytes of its own a message. */
static uint64_t charge_of(const struct mq *q)
{
	return (uint64_t)q->max * ((uint64_t)q->size + 96);
}

static int charge(struct mqueue_fs *m, struct task *t, struct mq *q)
{
	uint64_t limit = rlimit_get(t, LINUX_RLIMIT_MSGQUEUE);
	struct mq_user *u, *spare = calloc(1, sizeof(*spare));
	int r = 0;

	if (!spare)
		return -ENOMEM;
	q->uid = t->cred->ruid;
	q->charge = charge_of(q);
	mutex_lock(&m->mu);
	LIST_FOREACH(u, &m->users, link)
		if (u->uid == q->uid)
			break;
	if (m->n_queues >= ipc_limit(t->ns->ipc, IPC_MQ_QUEUES) && !ns_capable(t, LINUX_CAP_SYS_RESOURCE))
		r = -ENOSPC;
	else if (q->charge > limit || (u ? u->bytes : 0) > limit - q->charge)
		r = -EMFILE;
	if (!r && !u) {
		u = spare;
		spare = NULL;
		u->uid = q->uid;
		LIST_INSERT_HEAD(&m->users, u, link);
	}
	if (!r) {
		u->bytes += q->charge;
		m->n_queues++;
	}
	mutex_unlock(&m->mu);
	free(spare);
	return r;
}

static void uncharge(struct mqueue_fs *m, const struct mq *q)
{
	struct mq_user *u, *gone = NULL;

	mutex_lock(&m->mu);
	m->n_queues--;
	LIST_FOREACH(u, &m->users, link) {
		if (u->uid != q->uid)
			continue;
		u->bytes -= q->charge;
		if (!u->bytes) {
			LIST_REMOVE(u, link);
			gone = u;
		}
		break;
	}
	mutex_unlock(&m->mu);
	free(gone);
}

/* --- inodes -------------------------------------------------------------------------------- */

static int mq_inode_open(struct inode *i, struct file *f)
{
	struct mq *q = i->priv;

	f->ops = &mq_file_ops;
	f->wq = &q->wq;
	return 0;
}

static const struct inode_ops mq_inode_ops = { .open = mq_inode_open };
static const struct inode_ops mq_root_ops;

static int mq_create(struct inode *dir, struct dentry *d, uint32_t mode, const struct cred *c)
{
	struct mqueue_fs *m = fs_of(dir->sb);
	struct task *t = task_current();
	struct linux_mq_attr a;
	struct inode *i;
	struct mq *q;
	int r;

	if (!t)
		return -EACCES;
	a = atomic_load(&m->creator) == t && m->attr ? *m->attr : default_attr(t);
	r = check_attr(t, &a);
	if (r)
		return r;
	q = mq_new(a.maxmsg, a.msgsize);
	r = q ? charge(m, t, q) : -ENOMEM;
	if (r) {
		if (q)
			mq_free(q);
		return r;
	}
	i = inode_new(dir->sb, &mq_inode_ops, inode_next_ino(dir->sb->vfs), LINUX_S_IFREG | (mode & 07777));
	if (!i) {
		uncharge(m, q);
		mq_free(q);
		return -ENOMEM;
	}
	i->priv = q;
	i->size = 80; /* of the status line */
	inode_init_owner(i, dir, c);
	dentry_instantiate(d, i);
	inode_touch(dir, ATTR_MTIME | ATTR_CTIME);
	return 0;
}

static int mq_unlink_op(struct inode *dir, struct dentry *d)
{
	mutex_lock(&d->inode->a_mu);
	d->inode->nlink--;
	mutex_unlock(&d->inode->a_mu);
	inode_touch(dir, ATTR_MTIME | ATTR_CTIME);
	return 0;
}

static int mq_setattr(struct inode *i, const struct iattr *a)
{
	inode_setattr_copy(i, a);
	return 0;
}

static int root_readdir(struct file *f, struct dirent_sink *s)
{
	int r;

	mutex_lock(&f->inode->mu);
	r = dcache_readdir(f, s);
	mutex_unlock(&f->inode->mu);
	return r;
}

static int64_t root_llseek(struct file *f, int64_t off, int whence)
{
	return llseek_size(f, off, whence, 0);
}

static const struct file_ops root_file_ops = { .readdir = root_readdir, .llseek = root_llseek };

static int root_open(struct inode *i, struct file *f)
{
	f->ops = &root_file_ops;
	return 0;
}

static const struct inode_ops mq_root_ops = { .create = mq_create, .unlink = mq_unlink_op, .open = root_open, .setattr = mq_setattr };

/* --- superblock ------------------------------------------------------------------------------- */

static int statfs(struct superblock *sb, struct inode *i, struct kstatfs *out)
{
	*out = (struct kstatfs){ .type = LINUX_MQUEUE_MAGIC, .bsize = PAGE_SIZE, .namelen = LINUX_NAME_MAX };
	return 0;
}

static void evict(struct inode *i)
{
	struct mq *q = i->priv;

	if (!q)
		return;
	uncharge(fs_of(i->sb), q);
	mq_free(q);
}

static void kill_super(struct superblock *sb)
{
	struct mqueue_fs *m = sb->priv;

	mutex_destroy(&m->create_mu);
	mutex_destroy(&m->mu);
	free(m);
}

static const struct super_ops mq_super_ops = { .statfs = statfs, .evict = evict, .kill = kill_super };

/* Everybody in an IPC namespace who mounts it sees the same queues.  extra: that of a container being made. */
static int mount_mqueue(struct vfs *v, const struct fs_type *t, const struct fs_context_args *a, struct superblock **out)
{
	struct task *me = task_current();
	const struct ipc_ns *ns = a->extra ? a->extra : me ? me->ns->ipc : NULL;

	if (!ns)
		return -ENODEV;
	*out = ipc_ns_mqueue(ns)->sb;
	ref_get(&(*out)->ref);
	return 0;
}

static const struct fs_type mqueue_type = { .name = "mqueue", .mount = mount_mqueue, .user_mountable = true };

static int make_super(struct mqueue_fs *m, struct vfs *v)
{
	struct superblock *sb = super_new(v, &mqueue_type, &mq_super_ops);
	struct inode *root;

	if (!sb)
		return -ENOMEM;
	m->sb = sb;
	sb->priv = m;
	sb->sflags = SUPER_IN_MEMORY | SUPER_NO_NEGATIVE;
	sb->source = strdup("mqueue");
	root = inode_new(sb, &mq_root_ops, inode_next_ino(v), LINUX_S_IFDIR | 01777);
	if (root) {
		root->nlink = 2;
		sb->root = dentry_make_root(sb, root);
	}
	return sb->root ? 0 : -ENOMEM;
}

/* Mounts that are left keep the superblock, and with it the structure. */
static void mqueue_free(struct mqueue_fs *m)
{
	if (m->fs)
		fs_context_put(m->fs);
	super_put(m->sb);
}

static struct mqueue_fs *mqueue_new(struct kernel *k)
{
	struct mqueue_fs *m = calloc(1, sizeof(*m));
	struct mount_ns *ns;

	if (!m)
		return NULL;
	mutex_init(&m->create_mu, RANK_EXEC);
	mutex_init(&m->mu, RANK_LEAF);
	LIST_INIT(&m->users);
	if (make_super(m, k->vfs)) {
		if (m->sb)
			super_put(m->sb);
		else
			free(m);
		return NULL;
	}
	ref_get(&m->sb->ref);
	ns = mount_ns_new(m->sb, 0);
	if (!ns)
		super_put(m->sb);
	m->fs = ns ? fs_context_new(ns) : NULL;
	mount_ns_put(ns); /* the context has its own */
	if (!m->fs) {
		mqueue_free(m);
		return NULL;
	}
	m->fs->umask = 0;
	return m;
}

int mqueue_register(struct kernel *k)
{
	k->mqueue_new = mqueue_new;
	k->mqueue_free = mqueue_free;
	return vfs_register(k->vfs, &mqueue_type);
}

/* --- calls ---------------------------------------------------------------------------------------- */

static int check_name(const char *name)
{
	if (!*name)
		return -ENOENT;
	if (strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
		return -EACCES;
	return strlen(name) > LINUX_NAME_MAX ? -ENAMETOOLONG : 0;
}

int mqueue_open(struct task *t, const char *name, int flags, uint32_t mode, const struct linux_mq_attr *attr, struct file **out)
{
	struct mqueue_fs *m = ipc_ns_mqueue(t->ns->ipc);
	struct walk w = { .fs = m->fs, .cred = t->cred };
	int r = check_name(name);

	if (r)
		return r;
	flags &= LINUX_O_ACCMODE | LINUX_O_CREAT | LINUX_O_EXCL | LINUX_O_NONBLOCK;
	if ((flags & LINUX_O_ACCMODE) == LINUX_O_ACCMODE)
		return -EINVAL;
	if (!(flags & LINUX_O_CREAT))
		return vfs_open(&w, name, flags, 0, out);
	mutex_lock(&m->create_mu);
	m->attr = attr;
	atomic_store(&m->creator, t);
	r = vfs_open(&w, name, flags, mode & 0777 & ~t->fs->umask, out);
	atomic_store(&m->creator, NULL);
	m->attr = NULL;
	mutex_unlock(&m->create_mu);
	return r;
}

int mqueue_unlink(struct task *t, const char *name)
{
	struct walk w = { .fs = ipc_ns_mqueue(t->ns->ipc)->fs, .cred = t->cred };
	int r = check_name(name);

	return r ? r : vfs_unlink(&w, name, false);
}
