/*
 * super.c - unions: from the options of mount(2) to layers, and their end.
 */
#include "fs/union/internal.h"

#include "vfs/idmap.h"

#include <stdlib.h>
#include <string.h>

static const struct fs_type union_type;

/* --- layers ---------------------------------------------------------------------------------- */

/* The file systems whose names and files may lie in a layer: those that keep them. */
static bool is_storage(const struct superblock *sb)
{
	static const char *const types[] = { "tmpfs", "ramfs", "gofer", "overlay" };

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (!strcmp(sb->type->name, types[i]))
			return true;
	return false;
}

static int find_dir(const struct fs_context_args *a, const char *name, struct path *out)
{
	struct walk w = { .fs = a->fs, .cred = a->cred, .flags = WALK_FOLLOW | WALK_DIRECTORY };
	struct mount_ns *ns;
	int r = vfs_walk(&w, name, out);

	if (r)
		return r;
	ns = fs_context_get_ns(a->fs);
	r = mount_ns_may_uncover(ns, out);
	mount_ns_put(ns);
	if (r)
		path_put(out);
	return r;
}

static void set_layer(struct ulayer *l, struct dentry *d)
{
	ref_get(&d->sb->ref);
	dentry_get(d);
	*l = (struct ulayer){ .sb = d->sb, .root = d };
}

static int refuse(struct usuper *s, const struct fs_context_args *a, const char *why, int r)
{
	union_tells(s->sb->vfs, a, why);
	return r;
}

static int add_lower(struct usuper *s, const struct fs_context_args *a, const char *name)
{
	struct path p;
	int r = find_dir(a, name, &p);

	if (r)
		return r;
	if (mount_is_idmapped(p.mnt))
		r = refuse(s, a, "a lower directory is of a mount that maps ids, which is not supported", -EINVAL);
	if (!r && !is_storage(p.dentry->sb))
		r = refuse(s, a, "a lower directory is of a file system that cannot be one", -EINVAL);
	if (!r && p.dentry->sb->type == &union_type && usuper(p.dentry->sb)->depth >= s->depth)
		s->depth = usuper(p.dentry->sb)->depth + 1;
	if (!r && s->depth > UNION_DEPTH_MAX)
		r = refuse(s, a, "maximum fs stacking depth exceeded", -EINVAL);
	if (!r)
		set_layer(&s->layers[s->n_layers++], p.dentry);
	path_put(&p);
	return r;
}

/* Whether a is b, or lies somewhere in it. */
static bool is_below(struct dentry *a, const struct dentry *b)
{
	struct dentry *up;
	char name[LINUX_NAME_MAX + 1];

	dentry_get(a);
	while (a && a != b) {
		up = dentry_parent(a, name);
		dentry_put(a);
		a = up;
	}
	dentry_put(a);
	return a;
}

static int check_upper(struct usuper *s, const struct fs_context_args *a, const struct path *upper, const struct path *work)
{
	const struct superblock *sb = upper->dentry->sb;

	if (!is_storage(sb) || sb->type == &union_type)
		return refuse(s, a, "the upper directory is of a file system that cannot be one", -EINVAL);
	if (mount_is_idmapped(upper->mnt))
		return refuse(s, a, "the upper directory is of a mount that maps ids, which is not supported", -EINVAL);
	if (path_want_write(upper))
		return refuse(s, a, "the upper directory is read-only", -EINVAL);
	if (upper->mnt != work->mnt)
		return refuse(s, a, "workdir and upperdir must reside under the same mount", -EINVAL);
	if (is_below(upper->dentry, work->dentry) || is_below(work->dentry, upper->dentry))
		return refuse(s, a, "workdir and upperdir must be separate subtrees", -EINVAL);
	return 0;
}

static void check_xattrs(struct usuper *s)
{
	struct path p = { NULL, s->work };
	char name[64];

	union_xattr(s, "opaque", name);
	if (!vfs_setxattr(&p, name, "0", 1, 0, s->cred))
		(void)vfs_setxattr(&p, name, NULL, 0, 0, s->cred);
	else
		s->no_xattrs = true;
	if (s->no_xattrs)
		union_says(s->sb->vfs, "upper fs does not take the union's xattrs: a removed directory cannot be made again; userxattr may help");
}

static int set_upper(struct usuper *s, const struct fs_context_args *a, const struct uoptions *o, struct path *work)
{
	struct path upper;
	int r = find_dir(a, o->upper, &upper);

	if (r)
		return r;
	r = find_dir(a, o->work, work);
	if (!r) {
		r = check_upper(s, a, &upper, work);
		if (!r)
			set_layer(&s->layers[0], upper.dentry);
	}
	path_put(&upper);
	return r;
}

static int set_work(struct usuper *s, const struct path *workdir)
{
	int r = union_make_work(s, workdir->dentry, &s->work);

	if (r == -EINVAL)
		return r;
	if (r) {
		union_says(s->sb->vfs, "the directory work in the work directory cannot be made: mounted read-only");
		return 0;
	}
	check_xattrs(s);
	return s->no_sync ? union_mark_volatile(s) : 0;
}

/* --- layers that overlap ---------------------------------------------------------------------- */

static int by_address(const void *a, const void *b)
{
	const struct dentry *x = *(struct dentry *const *)a, *y = *(struct dentry *const *)b;

	return (x > y) - (x < y);
}

static bool among(struct dentry *const *v, size_t n, const struct dentry *d) { return bsearch(&d, v, n, sizeof(*v), by_address); }

static bool lies_in_one(struct dentry *const *v, size_t n, struct dentry *d)
{
	char name[LINUX_NAME_MAX + 1];
	bool found = false;

	dentry_get(d);
	while (d && !found) {
		struct dentry *up = dentry_parent(d, name);

		dentry_put(d);
		d = up;
		found = d && among(v, n, d);
	}
	dentry_put(d);
	return found;
}

/* None is another one, or lies in another one. */
static int check_overlaps(struct usuper *s, const struct fs_context_args *a)
{
	struct dentry **v = calloc(s->n_layers + 1, sizeof(*v));
	size_t n = 0;
	bool overlap = false;

	if (!v)
		return -ENOMEM;
	for (unsigned l = 0; l < s->n_layers; l++)
		if (s->layers[l].root)
			v[n++] = s->layers[l].root;
	if (s->work)
		v[n++] = s->work;
	qsort(v, n, sizeof(*v), by_address);
	for (size_t i = 0; !overlap && i < n; i++)
		overlap = (i && v[i] == v[i - 1]) || lies_in_one(v, n, v[i]);
	free(v);
	return overlap ? refuse(s, a, "directories of layers are the same, or lie in one another", -ELOOP) : 0;
}

static void number_file_systems(struct usuper *s)
{
	unsigned first = s->layers[0].sb ? 0 : 1;

	s->same_fs = true;
	for (unsigned l = first; l < s->n_layers; l++) {
		unsigned k = first;

		while (s->layers[k].sb != s->layers[l].sb)
			k++;
		s->layers[l].dev = k < l ? s->layers[k].dev : vfs_anon_dev(s->sb->vfs);
		s->same_fs &= s->layers[l].sb == s->layers[first].sb;
	}
}

static int set_layers(struct usuper *s, const struct fs_context_args *a, const struct uoptions *o)
{
	struct path work = { NULL, NULL };
	int r = o->upper ? set_upper(s, a, o, &work) : 0;

	for (unsigned i = 0; !r && i < o->n_lower; i++)
		r = add_lower(s, a, o->lower[i]);
	if (!r && o->upper)
		r = set_work(s, &work);
	path_put(&work);
	if (!r)
		r = check_overlaps(s, a);
	if (!r)
		number_file_systems(s);
	return r;
}

/* --- the superblock --------------------------------------------------------------------------- */

static struct dentry *top(const struct usuper *s) { return s->layers[0].root ? s->layers[0].root : s->layers[1].root; }

static int union_statfs(struct superblock *sb, struct inode *i, struct kstatfs *out)
{
	int r = vfs_statfs(&(struct path){ NULL, top(usuper(sb)) }, out);

	out->type = LINUX_OVERLAY_MAGIC;
	return r;
}

static int union_sync(struct superblock *sb)
{
	struct superblock *upper = usuper(sb)->layers[0].sb;

	return upper && upper->ops->sync && !usuper(sb)->no_sync ? upper->ops->sync(upper) : 0;
}

/* Options are as they were, whatever is said, as on Linux. */
static int union_remount(struct superblock *sb, unsigned flags, const char *options)
{
	return flags & LINUX_MS_RDONLY || usuper(sb)->work ? 0 : -EROFS;
}

static int union_show_options(struct superblock *sb, char *buf, size_t size)
{
	const char *text = usuper(sb)->options;
	size_t n = strlen(text);

	if (n >= size)
		n = size - 1;
	memcpy(buf, text, n);
	buf[n] = 0;
	return (int)n;
}

static void union_kill(struct superblock *sb)
{
	struct usuper *s = usuper(sb);

	dentry_put(s->work);
	for (unsigned l = 0; l < s->n_layers; l++) {
		dentry_put(s->layers[l].root);
		super_put(s->layers[l].sb);
	}
	cred_put(s->cred);
	mutex_destroy(&s->mu);
	free(s->layers);
	free(s->buckets);
	free(s->options);
	free(s);
}

const struct super_ops union_super_ops = {
	.statfs = union_statfs,
	.evict = union_evict,
	.kill = union_kill,
	.sync = union_sync,
	.remount = union_remount,
	.show_options = union_show_options,
};

static int make_root(struct superblock *sb)
{
	struct usuper *s = usuper(sb);
	struct ustack k = { NULL };
	struct inode *i;
	int r = 0;

	k.upper = s->layers[0].root;
	if (k.upper)
		dentry_get(k.upper);
	for (unsigned l = 1; !r && l < s->n_layers; l++) {
		dentry_get(s->layers[l].root);
		r = ustack_push(&k, s->layers[l].root, l);
	}
	if (!r)
		r = union_inode(sb, &k, &i);
	else
		ustack_free(&k);
	if (r)
		return r;
	sb->root = dentry_make_root(sb, i);
	if (sb->root)
		return 0;
	inode_put(i);
	return -ENOMEM;
}

/* A union without layers yet. */
static int make_super(struct vfs *v, const struct fs_context_args *a, const struct uoptions *o, struct superblock **out)
{
	struct usuper *s = calloc(1, sizeof(*s));
	struct superblock *sb = s ? super_new(v, &union_type, &union_super_ops) : NULL;

	if (!sb) {
		free(s);
		return -ENOMEM;
	}
	mutex_init(&s->mu, RANK_LEAF);
	sb->priv = s;
	user_ns_get(sb->owner = a->cred->user_ns);
	s->sb = sb;
	s->depth = 1;
	s->n_layers = 1;
	s->user_xattrs = o->user_xattrs;
	s->no_sync = o->no_sync;
	s->cred = cred_dup(a->cred);
	s->no_devices = a->cred->user_ns;
	s->layers = calloc(1 + o->n_lower, sizeof(*s->layers));
	s->options = uoptions_shown(o);
	sb->source = strdup(a->source ? a->source : "none");
	*out = sb;
	return s->layers && s->options && s->cred && sb->source ? union_init_table(s) : -ENOMEM;
}

static int union_mount(struct vfs *v, const struct fs_type *t, const struct fs_context_args *a, struct superblock **out)
{
	struct superblock *sb = NULL;
	struct uoptions o;
	int r;

	if (!a->fs)
		return -EPERM; /* not at boot: there are no paths yet */
	r = uoptions_parse(v, a, &o);
	if (r)
		return r;
	r = make_super(v, a, &o, &sb);
	if (!r)
		r = set_layers(usuper(sb), a, &o);
	uoptions_free(&o);
	if (!r)
		r = make_root(sb);
	if (r) {
		super_put(sb);
		return r;
	}
	sb->flags = a->flags & LINUX_MS_RDONLY;
	if (!usuper(sb)->work)
		sb->flags |= LINUX_MS_RDONLY;
	*out = sb;
	return 0;
}

static const struct fs_type union_type = { .name = "overlay", .mount = union_mount, .user_mountable = true, .option = union_option, .escapes = true };

int union_register(struct vfs *v) { return vfs_register(v, &union_type); }
