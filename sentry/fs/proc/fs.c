/*
 * fs.c - the machinery of /proc: nodes, directories, text files.
 */
#include "fs/proc/internal.h"

#include "abi/fcntl.h"
#include "abi/capability.h"
#include "abi/fs.h"
#include "fs/proc/proc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define PROC_MAGIC 0x9fa0
#define WRITE_MAX 4096

/* --- text --------------------------------------------------------------------- */
static bool reserve(struct pbuf *b, size_t n)
{
	size_t want = b->len + n + 1, cap = b->cap ? b->cap : 1024;
	char *grown;

	if (b->failed)
		return false;
	if (want <= b->cap)
		return true;
	while (cap < want)
		cap *= 2;
	grown = realloc(b->p, cap);
	if (!grown) {
		b->failed = true;
		return false;
	}
	b->p = grown;
	b->cap = cap;
	return true;
}

void pappend(struct pbuf *b, const void *data, size_t n)
{
	if (!reserve(b, n))
		return;
	memcpy(b->p + b->len, data, n);
	b->len += n;
	b->p[b->len] = 0;
}

void pprintf(struct pbuf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (!reserve(b, 256))
		return;
	va_start(ap, fmt);
	n = vsnprintf(b->p + b->len, b->cap - b->len, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->failed = true;
		return;
	}
	if ((size_t)n >= b->cap - b->len) {
		if (!reserve(b, (size_t)n))
			return;
		va_start(ap, fmt);
		vsnprintf(b->p + b->len, b->cap - b->len, fmt, ap);
		va_end(ap);
	}
	b->len += (size_t)n;
}

bool parse_number(const struct qstr *q, int *out)
{
	int v = 0;

	if (!q->len || q->len > 9 || (q->len > 1 && q->name[0] == '0'))
		return false;
	for (uint32_t i = 0; i < q->len; i++) {
		if (q->name[i] < '0' || q->name[i] > '9')
			return false;
		v = v * 10 + (q->name[i] - '0');
	}
	*out = v;
	return true;
}

/* --- nodes ---------------------------------------------------------------------- */
const struct pnode *pnode_of(const struct inode *i)
{
	return i->priv;
}

int pctx_begin(struct pctx *c, const struct superblock *sb, const struct pnode *n)
{
	return pctx_begin_in(c, vfs_kernel(sb->vfs), sb->priv, n);
}

int pctx_begin_in(struct pctx *c, struct kernel *k, struct pid_ns *ns, const struct pnode *n)
{
	*c = (struct pctx){ .k = k, .ns = ns, .node = n, .thread = n->tid != 0 };
	if (!n->pid)
		return 0;
	c->tg = tg_find(k->root_pids, n->pid);
	if (c->tg && c->tg->start_time == n->start)
		c->t = n->tid ? task_find(k->root_pids, n->tid) : tg_any_task(c->tg);
	if (!c->tg || c->tg->start_time != n->start || (n->tid && (!c->t || c->t->tg != c->tg))) {
		pctx_end(c);
		return -ESRCH;
	}
	return 0;
}

void pctx_end(struct pctx *c)
{
	if (c->t)
		task_put(c->t);
	if (c->tg)
		tg_put(c->tg);
	c->t = NULL;
	c->tg = NULL;
}

struct cred *pctx_cred(struct pctx *c)
{
	struct cred *cr = NULL;
	struct task *t;

	if (!c->tg)
		return NULL;
	tasks_lock(c->k);
	if ((t = c->t ? c->t : TAILQ_FIRST(&c->tg->tasks)) && (cr = t->cred))
		cred_get(cr);
	tasks_unlock(c->k);
	return cr;
}

int proc_may_access(struct pctx *c)
{
	struct task *me = task_current();
	struct cred *target;
	struct mm *mm;
	bool ok, dumpable = true;

	if (!c->tg || !me || me->tg == c->tg)
		return 0;
	if (!(target = pctx_cred(c)))
		return cred_capable(me->cred, 19 /* CAP_SYS_PTRACE */) ? 0 : -EACCES;
	mm = c->t ? task_get_mm(c->t) : NULL;
	if (mm) {
		dumpable = mm_dumpable(mm);
		mm_put(mm);
	}
	ok = me->cred->fsuid == target->euid && me->cred->fsuid == target->suid && me->cred->fsuid == target->ruid &&
	     me->cred->fsgid == target->egid && me->cred->fsgid == target->sgid && me->cred->fsgid == target->rgid && dumpable &&
	     target->user_ns == me->cred->user_ns && !(target->cap_permitted & ~me->cred->cap_permitted);
	ok = ok || cred_capable_in(me->cred, target->user_ns, LINUX_CAP_SYS_PTRACE);
	cred_put(target);
	return ok ? 0 : -EACCES;
}

uint64_t pnode_ino(const struct pnode *n)
{
	/* stable numbers for a node, unlike any other's in practice */
	uint64_t h = (uint64_t)(uintptr_t)n->e * 0x9e3779b97f4a7c15u;

	h ^= ((uint64_t)(uint32_t)n->pid << 32 | (uint32_t)n->tid) * 0xff51afd7ed558ccdu;
	h ^= (uint64_t)(uint32_t)n->fd * 0xc4ceb9fe1a85ec53u;
	return (h >> 16 & 0xffffffff) | 0x1000;
}

static uint32_t type_bits(enum pkind k)
{
	return k == P_DIR ? LINUX_S_IFDIR : k == P_FILE ? LINUX_S_IFREG : LINUX_S_IFLNK;
}

uint32_t pnode_mode(const struct pnode *n)
{
	return type_bits(n->e->kind) | (n->mode ? n->mode : n->e->mode);
}

static const struct inode_ops proc_inode_ops, proc_magic_ops;

/* Who the process runs as, or root when it is not dumpable. */
void pnode_owner(struct pctx *c, uint32_t *uid, uint32_t *gid)
{
	struct cred *cr = pctx_cred(c);
	struct mm *mm = c->t ? task_get_mm(c->t) : NULL;

	*uid = *gid = 0;
	if (cr && (!mm || mm_dumpable(mm) || c->node->e->kind == P_DIR)) {
		*uid = cr->euid;
		*gid = cr->egid;
	}
	if (mm)
		mm_put(mm);
	if (cr)
		cred_put(cr);
}

static void owner(const struct superblock *sb, const struct pnode *n, uint32_t *uid, uint32_t *gid)
{
	struct pctx c;

	*uid = *gid = 0;
	if (!n->pid || pctx_begin(&c, sb, n))
		return;
	pnode_owner(&c, uid, gid);
	pctx_end(&c);
}

static struct inode *node_inode(struct superblock *sb, const struct pnode *n)
{
	struct pnode *copy = malloc(sizeof(*copy));
	struct inode *i;

	if (!copy)
		return NULL;
	*copy = *n;
	i = inode_new(sb, n->e->kind == P_MAGIC ? &proc_magic_ops : &proc_inode_ops, pnode_ino(n), pnode_mode(n));
	if (!i) {
		free(copy);
		return NULL;
	}
	i->priv = copy;
	if (n->e->kind == P_DIR)
		i->nlink = 2;
	owner(sb, n, &i->uid, &i->gid);
	return i;
}

int pnode_find(struct pctx *c, const struct qstr *q, struct pnode *out)
{
	const struct pentry *dir = c->node->e;

	*out = (struct pnode){ .pid = c->node->pid, .tid = c->node->tid, .start = c->node->start, .fd = -1 };
	for (const struct pentry *e = dir->table; e && e->name; e++) {
		if (strlen(e->name) != q->len || memcmp(e->name, q->name, q->len))
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

static int proc_revalidate(struct dentry *d)
{
	struct pctx c;
	const struct pnode *n = d->inode ? pnode_of(d->inode) : NULL;

	if (!n || !n->pid)
		return n != NULL;
	if (n->fd >= 0)
		return 0;
	if (pctx_begin(&c, d->sb, n))
		return 0;
	pctx_end(&c);
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

	owner(i->sb, pnode_of(i), &uid, &gid);
	mutex_lock(&i->a_mu);
	i->uid = uid;
	i->gid = gid;
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
	name = vfs_path_name(&p, me ? &root : NULL, buf, 8192);
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
		if (*pos > POS_TABLE + n)
			continue;
		node.e = e;
		if (s->add(s, e->name, strlen(e->name), pnode_ino(&node), LINUX_DT_OF_MODE(type_bits(e->kind)), POS_TABLE + n + 1))
			return;
		*pos = POS_TABLE + n + 1;
	}
	if (dir->e->next && *pos < POS_OWN)
		*pos = POS_OWN;
	while (dir->e->next) {
		struct pnode own = { .pid = dir->pid, .tid = dir->tid, .start = dir->start, .fd = -1 };
		int64_t at = *pos - POS_OWN;
		char name[32];

		if (!dir->e->next(c, &at, name, &own) || s->add(s, name, strlen(name), pnode_ino(&own), LINUX_DT_OF_MODE(type_bits(own.e->kind)), at + POS_OWN))
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

/* --- text files ------------------------------------------------------------------------- */
struct ptext {
	struct mutex mu; /* RANK_FILE */
	struct pbuf b; /* [mu] */
	bool made; /* [mu] */
};

static int make_text(struct file *f, struct pbuf *b)
{
	const struct pnode *n = pnode_of(f->inode);
	struct pctx c;
	int ret = pctx_begin(&c, f->inode->sb, n);

	if (ret)
		return ret;
	ret = n->e->flags & PE_PTRACE ? proc_may_access(&c) : 0;
	if (!ret)
		ret = n->e->show(&c, b);
	pctx_end(&c);
	return ret ? ret : b->failed ? -ENOMEM : 0;
}

static ssize_t text_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct ptext *t = f->priv;
	struct pbuf fresh = { 0 };
	ssize_t ret = 0;

	if (!pnode_of(f->inode)->e->show)
		return -EINVAL;
	mutex_lock(&t->mu);
	if (!*pos || !t->made) {
		mutex_unlock(&t->mu);
		ret = make_text(f, &fresh); /* takes other objects' locks */
		mutex_lock(&t->mu);
		if (ret) {
			free(fresh.p);
		} else {
			free(t->b.p);
			t->b = fresh;
			t->made = true;
		}
	}
	if (!ret && (size_t)*pos < t->b.len) {
		ret = uio_copy_out(u, t->b.p + *pos, t->b.len - (size_t)*pos);
		if (ret > 0)
			*pos += ret;
	}
	mutex_unlock(&t->mu);
	return ret;
}

static ssize_t text_write(struct file *f, struct uio *u, int64_t *pos)
{
	const struct pnode *n = pnode_of(f->inode);
	size_t len = u->resid < WRITE_MAX ? u->resid : WRITE_MAX;
	char *text;
	struct pctx c;
	ssize_t ret;

	if (!n->e->store)
		return -EINVAL;
	text = malloc(len + 1);
	if (!text)
		return -ENOMEM;
	ret = uio_copy_in(u, text, len);
	if (ret >= 0) {
		size_t got = (size_t)ret;

		text[got] = 0;
		ret = pctx_begin(&c, f->inode->sb, n);
		if (!ret) {
			ret = n->e->store(&c, text, got);
			pctx_end(&c);
		}
	}
	free(text);
	return ret;
}

static void text_release(struct file *f)
{
	struct ptext *t = f->priv;

	mutex_destroy(&t->mu);
	free(t->b.p);
	free(t);
}

static const struct file_ops text_ops = { .read = text_read, .write = text_write, .release = text_release };

static int proc_open(struct inode *i, struct file *f)
{
	const struct pnode *n = pnode_of(i);
	struct ptext *t;

	if (n->e->kind == P_DIR) {
		f->ops = &dir_ops;
		return 0;
	}
	if (n->e->flags & PE_PTRACE) {
		struct pctx c;
		int ret = pctx_begin(&c, i->sb, n);

		if (ret)
			return ret;
		ret = proc_may_access(&c);
		pctx_end(&c);
		if (ret)
			return ret;
	}
	if (n->e->ops) {
		f->ops = n->e->ops;
		return 0;
	}
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	mutex_init(&t->mu, RANK_FILE);
	f->priv = t;
	f->ops = &text_ops;
	return 0;
}

static const struct inode_ops proc_inode_ops = {
	.lookup = proc_lookup,
	.revalidate = proc_revalidate,
	.getattr = proc_getattr,
	.setattr = proc_setattr,
	.readlink = proc_readlink,
	.open = proc_open,
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

static void proc_evict(struct inode *i)
{
	free(i->priv);
}

static void proc_kill(struct superblock *sb)
{
	pid_ns_put(sb->priv);
}

static const struct super_ops proc_super_ops = { .statfs = proc_statfs, .evict = proc_evict, .kill = proc_kill };

static int proc_mount(struct vfs *v, const struct fs_type *type, const struct fs_context_args *a, struct superblock **out)
{
	const struct pnode root = { .e = &proc_root_entry, .fd = -1 };
	struct task *t = task_current();
	struct pid_ns *ns = a->extra ? (struct pid_ns *)(uintptr_t)a->extra : t ? task_pid_ns(t) : NULL;
	struct superblock *sb = ns ? super_new(v, type, &proc_super_ops) : NULL;
	struct inode *i;

	if (!sb)
		return ns ? -ENOMEM : -EINVAL;
	pid_ns_get(ns);
	sb->priv = ns;
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

static const struct fs_type proc_type = { .name = "proc", .mount = proc_mount, .user_mountable = true };

int proc_register(struct kernel *k)
{
	return vfs_register(k->vfs, &proc_type);
}
