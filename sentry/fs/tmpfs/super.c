/*
 * super.c - instances of tmpfs: options, inodes' birth and death, memfds.
 */
#include "fs/tmpfs/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- options ----------------------------------------------------------------------- */

static bool parse_size(const char *s, uint64_t total, uint64_t *out)
{
	char *end;
	unsigned long long v;

	errno = 0;
	v = strtoull(s, &end, 0);
	if (errno || end == s)
		return false;
	if (*end == '%') {
		v = total / 100 * v;
		end++;
	} else {
		static const char units[] = "kmgtp";
		const char *u = *end ? strchr(units, *end | 32) : NULL;

		if (u) {
			unsigned shift = 10 * (unsigned)(u - units + 1);

			if (v >> (64 - shift))
				return false;
			v <<= shift;
			end++;
		}
	}
	*out = v;
	return !*end;
}

static bool parse_u32(const char *s, int base, uint32_t max, uint32_t *out)
{
	char *end;
	unsigned long v;

	errno = 0;
	v = strtoul(s, &end, base);
	if (errno || end == s || *end || v > max)
		return false;
	*out = (uint32_t)v;
	return true;
}

/* An id of who mounts, whose numbers are those of his user namespace. NULL: nobody does, the options say nothing of ids. */
static bool parse_id(const char *s, bool group, const struct cred *c, uint32_t *out)
{
	uint32_t n;

	if (!parse_u32(s, 10, UINT32_MAX, &n))
		return false;
	n = user_ns_kernel_id(c ? c->user_ns : NULL, group, n);
	if (n == ID_NONE)
		return false;
	*out = n;
	return true;
}

static bool changes_nothing(const char *key, bool flag)
{
	static const char *const names[2][4] = { { "huge", "mpol", "context", "rootcontext" }, { "inode64", "inode32", "noswap" } };

	for (size_t i = 0; i < 4 && names[flag][i]; i++)
		if (!strcmp(key, names[flag][i]))
			return true;
	return false;
}

/* -ENOENT: not known; -EINVAL: not its value. */
static int parse_one(struct tmpfs_super *s, const char *key, const char *value, const struct cred *c)
{
	static const char *const known[] = { "size", "nr_blocks", "nr_inodes", "mode", "uid", "gid" };
	uint64_t n;
	bool ok = false;
	size_t i = 0;

	if (changes_nothing(key, !value))
		return 0;
	while (i < 6 && strcmp(key, known[i]))
		i++;
	if (i == 6)
		return changes_nothing(key, value) ? -EINVAL : -ENOENT;
	if (!value)
		return -EINVAL;
	switch (*key) {
	case 's':
		ok = parse_size(value, s->host_memory, &n);
		s->max_pages = ok ? (n + PAGE_SIZE - 1) / PAGE_SIZE : s->max_pages;
		break;
	case 'n':
		ok = parse_size(value, 0, &n);
		if (ok)
			*(key[3] == 'b' ? &s->max_pages : &s->max_inodes) = n;
		break;
	case 'm':
		ok = parse_u32(value, 8, UINT32_MAX, &s->mode);
		s->mode &= 07777;
		break;
	default:
		ok = parse_id(value, *key == 'g', c, *key == 'g' ? &s->gid : &s->uid);
	}
	return ok ? 0 : -EINVAL;
}

static int tmpfs_option(const struct fs_context_args *a, const char *key, char *value)
{
	struct tmpfs_super s = { 0 };

	return parse_one(&s, key, value, a->cred);
}

static int tmpfs_parse(struct tmpfs_super *s, const char *options, const struct cred *c)
{
	char *copy, *p, *o;
	int r = 0;

	if (!options || !*options)
		return 0;
	p = copy = strdup(options);
	if (!copy)
		return -ENOMEM;
	while (!r && (o = strsep(&p, ","))) {
		char *value = strchr(o, '=');

		if (value)
			*value++ = 0;
		if (*o && parse_one(s, o, value, c))
			r = -EINVAL;
	}
	free(copy);
	return r;
}

/* --- inodes ---------------------------------------------------------------------------- */

struct inode *tmpfs_inode(struct superblock *sb, uint32_t mode)
{
	struct tmpfs_node *n = calloc(1, sizeof(*n));
	struct inode *i = n ? inode_new(sb, LINUX_S_ISDIR(mode) ? &tmpfs_dir_inode_ops : &tmpfs_inode_ops, inode_next_ino(sb->vfs), mode) : NULL;

	if (!i) {
		free(n);
		return NULL;
	}
	memobj_init(&n->obj, &tmpfs_memobj_ops);
	mutex_init(&n->mu, RANK_MEMOBJ);
	LIST_INIT(&n->xattrs);
	ref_get(&sb->ref);
	n->sb = sb;
	n->seals = LINUX_F_SEAL_SEAL;
	i->priv = n;
	if (LINUX_S_ISREG(mode)) {
		i->obj = &n->obj;
	}
	atomic_fetch_add(&tmpfs_sb(sb)->inodes, 1);
	return i;
}

static void evict(struct inode *i)
{
	struct tmpfs_node *n = tmpfs_node(i);

	atomic_fetch_sub(&tmpfs_sb(i->sb)->inodes, 1);
	tmpfs_free_xattrs(n);
	memobj_put(&n->obj);
}

/* --- superblock ---------------------------------------------------------------------------- */

/* The same without a limit, as Linux has it: systemd's credentials, initrds. */
static const struct fs_type ramfs_type;
#define RAMFS_MAGIC 0x858458f6

static uint32_t default_mode(const struct fs_type *t)
{
	return t == &ramfs_type ? 0755 : 01777;
}

static int statfs(struct superblock *sb, struct inode *i, struct kstatfs *out)
{
	struct tmpfs_super *s = tmpfs_sb(sb);
	uint64_t used = s->pages, inodes = s->inodes;

	*out = (struct kstatfs){ .type = sb->type == &ramfs_type ? RAMFS_MAGIC : LINUX_TMPFS_MAGIC, .bsize = PAGE_SIZE, .namelen = LINUX_NAME_MAX };
	if (s->max_pages) {
		out->blocks = s->max_pages;
		out->bfree = out->bavail = used < s->max_pages ? s->max_pages - used : 0;
	}
	if (s->max_inodes) {
		out->files = s->max_inodes;
		out->ffree = inodes < s->max_inodes ? s->max_inodes - inodes : 0;
	}
	return 0;
}

static int remount(struct superblock *sb, unsigned flags, const char *options)
{
	struct tmpfs_super *s = tmpfs_sb(sb), n = { .max_pages = s->max_pages, .max_inodes = s->max_inodes, .host_memory = s->host_memory };
	int r = sb->type == &ramfs_type ? 0 : tmpfs_parse(&n, options, NULL);

	if (r)
		return r;
	if ((n.max_pages && s->pages > n.max_pages) || (n.max_inodes && s->inodes > n.max_inodes))
		return -EINVAL;
	s->max_pages = n.max_pages;
	s->max_inodes = n.max_inodes;
	return 0;
}

/* Pages, and files: half of the host's memory, whatever part of it is the container's. */
static uint64_t usual_most(const struct tmpfs_super *s) { return s->host_memory / 2 / PAGE_SIZE; }

static int show_options(struct superblock *sb, char *buf, size_t size)
{
	struct tmpfs_super *s = tmpfs_sb(sb);
	int n = 0;

	buf[0] = 0;
	if (s->max_pages && s->max_pages != usual_most(s))
		n += snprintf(buf + n, size - (size_t)n, ",size=%lluk", (unsigned long long)(s->max_pages * PAGE_SIZE / 1024));
	if (s->max_inodes && s->max_inodes != usual_most(s) && (size_t)n < size)
		n += snprintf(buf + n, size - (size_t)n, ",nr_inodes=%llu", (unsigned long long)s->max_inodes);
	if (s->mode != default_mode(sb->type) && (size_t)n < size)
		n += snprintf(buf + n, size - (size_t)n, ",mode=%o", s->mode);
	return n;
}

static void kill_super(struct superblock *sb) { free(sb->priv); }

static int sync_super(struct superblock *sb) { return 0; }

static const struct super_ops tmpfs_super_ops = {
	.statfs = statfs,
	.evict = evict,
	.kill = kill_super,
	.sync = sync_super,
	.remount = remount,
	.show_options = show_options,
};

/* bounded: to what is usual where the options say nothing. */
static int make(struct vfs *v, const struct fs_type *t, const struct fs_context_args *a, bool bounded, struct superblock **out)
{
	struct tmpfs_super *s = calloc(1, sizeof(*s));
	struct superblock *sb;
	struct inode *i;
	int r;

	if (!s)
		return -ENOMEM;
	s->mode = default_mode(t);
	s->uid = a->cred ? a->cred->fsuid : 0;
	s->gid = a->cred ? a->cred->fsgid : 0;
	s->mf = vfs_mm_env(v)->mf;
	s->host_memory = vfs_host_memory(v);
	if (bounded)
		s->max_pages = s->max_inodes = usual_most(s);
	r = tmpfs_parse(s, a->options, a->cred);
	if (t == &ramfs_type) { /* it knows the mode only, and says nothing */
		r = r == -EINVAL ? 0 : r;
		s->max_pages = s->max_inodes = 0;
	}
	sb = r ? NULL : super_new(v, t, &tmpfs_super_ops);
	if (!sb) {
		free(s);
		return r ? r : -ENOMEM;
	}
	sb->priv = s;
	user_ns_get(sb->owner = a->cred ? a->cred->user_ns : NULL);
	sb->sflags = SUPER_IN_MEMORY | SUPER_NO_NEGATIVE | SUPER_STEADY;
	sb->flags = a->flags & LINUX_MS_RDONLY;
	sb->source = strdup(a->source ? a->source : "tmpfs");
	i = tmpfs_inode(sb, LINUX_S_IFDIR | s->mode);
	if (i) {
		i->uid = s->uid;
		i->gid = s->gid;
		i->nlink = 2;
		i->size = 2 * ENTRY_SIZE;
		sb->root = dentry_make_root(sb, i);
	}
	if (!sb->root) {
		inode_put(i);
		super_put(sb);
		return -ENOMEM;
	}
	*out = sb;
	return 0;
}

static int mount_tmpfs(struct vfs *v, const struct fs_type *t, const struct fs_context_args *a, struct superblock **out)
{
	return make(v, t, a, true, out);
}

/* ramfs takes anything, and knows the mode. */
static int ramfs_option(const struct fs_context_args *a, const char *key, char *value)
{
	struct tmpfs_super s = { 0 };

	if (!strcmp(key, "source"))
		return -ENOENT;
	return !strcmp(key, "mode") ? parse_one(&s, key, value, a->cred) : 0;
}

const struct fs_type tmpfs_type = { .name = "tmpfs", .mount = mount_tmpfs, .user_mountable = true, .option = tmpfs_option, .idmaps = true };

static const struct fs_type ramfs_type = { .name = "ramfs", .mount = mount_tmpfs, .user_mountable = true, .option = ramfs_option };

int tmpfs_new(struct vfs *v, const char *options, struct superblock **out)
{
	struct fs_context_args a = { .options = options };

	return make(v, &tmpfs_type, &a, false, out);
}

int tmpfs_register(struct vfs *v)
{
	struct superblock *sb;
	int r = vfs_register(v, &tmpfs_type);

	if (!r)
		r = vfs_register(v, &ramfs_type);
	if (!r)
		r = tmpfs_new(v, "mode=0700", &sb);
	if (!r)
		vfs_set_shm(v, sb);
	return r;
}

/* --- memfds ---------------------------------------------------------------------------------- */

int tmpfs_memfd(struct vfs *v, const char *name, unsigned flags, const struct cred *c, struct file **out)
{
	struct superblock *sb = vfs_shm(v);
	struct inode *i = sb ? tmpfs_inode(sb, LINUX_S_IFREG | 0777) : NULL;
	struct path p = { NULL, NULL };
	char label[280];
	int r;

	if (!i)
		return -ENOMEM;
	i->uid = c->fsuid;
	i->gid = c->fsgid;
	i->nlink = 0;
	tmpfs_node(i)->memfd = true;
	if (flags & LINUX_MFD_NOEXEC_SEAL) {
		i->mode &= ~0111u;
		tmpfs_node(i)->seals = LINUX_F_SEAL_EXEC;
	} else if (flags & LINUX_MFD_ALLOW_SEALING) {
		tmpfs_node(i)->seals = 0;
	}
	snprintf(label, sizeof(label), "/memfd:%s (deleted)", name);
	p.dentry = dentry_new_anon(sb, label, i);
	if (!p.dentry) {
		inode_put(i);
		return -ENOMEM;
	}
	r = file_alloc(&p, LINUX_O_RDWR, c, out);
	dentry_put(p.dentry);
	if (!r)
		(*out)->ops = &tmpfs_file_ops;
	return r;
}

static struct tmpfs_node *memfd_of(struct file *f)
{
	return f->ops == &tmpfs_file_ops ? tmpfs_node(f->inode) : NULL;
}

int tmpfs_add_seals(struct file *f, unsigned seals)
{
	struct tmpfs_node *n = memfd_of(f);
	int r = 0;

	if (!(f->mode & FILE_WRITE))
		return -EPERM;
	if (!n || seals & ~0x3fu)
		return -EINVAL;
	mutex_lock(&f->inode->mu);
	if (n->seals & LINUX_F_SEAL_SEAL)
		r = -EPERM;
	else if (seals & (LINUX_F_SEAL_WRITE | LINUX_F_SEAL_FUTURE_WRITE) && !memobj_seal(&n->obj, seals & LINUX_F_SEAL_WRITE & ~n->seals))
		r = -EBUSY;
	else
		n->seals |= seals;
	mutex_unlock(&f->inode->mu);
	return r;
}

int tmpfs_get_seals(struct file *f)
{
	struct tmpfs_node *n = memfd_of(f);

	return n ? (int)n->seals : -EINVAL;
}
