/*
 * super.c - mounts of gofer trees.
 */
#include "fs/gofer/internal.h"

#include <stdlib.h>
#include <string.h>

static int gofer_statfs_(struct superblock *sb, struct inode *i, struct kstatfs *out)
{
	struct gofer_statfs req;
	struct gofer_statfs_reply rep;
	struct msg_arena a = { NULL };
	int r = GCALL_NODE(gnode(i), statfs, &req, node, &rep, &a);

	if (r == -ESTALE)
		r = GCALL_NODE(gnode(sb->root->inode), statfs, &req, node, &rep, &a);
	if (r)
		return r;
	*out = (struct kstatfs){ .type = rep.type, .bsize = rep.bsize, .blocks = rep.blocks, .bfree = rep.bfree, .bavail = rep.bavail,
		.files = rep.files, .ffree = rep.ffree, .namelen = rep.namelen };
	GREPLY_FREE(statfs, &rep, &a);
	return 0;
}

static void kill_super(struct superblock *sb)
{
	struct gofer_super *s = gsuper(sb);

	gpending_done(s, gpending_take(s, NULL, NULL), false);
	gofer_flush_releases(s);
	mutex_destroy(&s->mu);
	gofer_conn_put(s->conn);
	free(s->buckets);
	free(s);
}

static int sync_super(struct superblock *sb) { return 0; } /* written through to the host at once; its sync is the host's */

static const struct super_ops gofer_super_ops = {
	.statfs = gofer_statfs_,
	.evict = gofer_evict,
	.kill = kill_super,
	.sync = sync_super,
};

static int make_root(struct superblock *sb)
{
	struct gofer_super *s = gsuper(sb);
	struct gofer_attach_reply rep;
	struct msg_arena a = { NULL };
	struct inode *i;
	int r = gofer_attach_root(s, &rep, &a);

	if (r)
		return r;
	s->root_dev = rep.root.attr.dev;
	if (rep.read_only)
		sb->flags |= LINUX_MS_RDONLY;
	r = gofer_inode(sb, &rep.root, &i);
	GREPLY_FREE(attach, &rep, &a);
	if (r)
		return r;
	sb->root = dentry_make_root(sb, i);
	if (sb->root)
		return 0;
	inode_put(i);
	return -ENOMEM;
}

static unsigned idle_max(const struct vfs *v)
{
	uint64_t part = vfs_host_files(v) / IDLE_FDS_PART;

	return part < IDLE_FDS_MAX ? (unsigned)part : IDLE_FDS_MAX;
}

static int gofer_mount_(struct vfs *v, const struct fs_type *t, const struct fs_context_args *args, struct superblock **out)
{
	const struct gofer_mount *g = args->extra;
	struct gofer_super *s;
	struct superblock *sb;
	int r;

	if (!g)
		return -EPERM; /* only at boot: a program has no connection to give */
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->client = g->conn->client;
	s->tree = g->tree;
	s->shared = g->shared;
	s->n_buckets = NODE_BUCKETS_MIN;
	s->buckets = calloc(s->n_buckets, sizeof(*s->buckets));
	mutex_init(&s->mu, RANK_LEAF);
	TAILQ_INIT(&s->idle);
	TAILQ_INIT(&s->lists);
	TAILQ_INIT(&s->come);
	xattr_begin(s);
	s->idle_max = idle_max(v);
	s->lookups.window = 8;
	s->opens.window = 4;
	s->lists_ahead.window = 4;
	sb = s->buckets ? super_new(v, t, &gofer_super_ops) : NULL;
	if (!sb) {
		free(s->buckets);
		free(s);
		return -ENOMEM;
	}
	s->conn = g->conn;
	gofer_conn_get(s->conn);
	sb->priv = s;
	s->sb = sb;
	sb->sflags = s->shared ? SUPER_REVALIDATE | SUPER_TELLS_EXISTS : SUPER_STEADY | (g->ages ? SUPER_AGES : 0);
	sb->flags = args->flags & LINUX_MS_RDONLY;
	sb->source = strdup(args->source ? args->source : "none");
	r = make_root(sb);
	if (r) {
		super_put(sb);
		return r;
	}
	*out = sb;
	return 0;
}

static const struct fs_type gofer_type = { .name = "gofer", .mount = gofer_mount_, .idmaps = true };

int gofer_fs_register(struct vfs *v) { return vfs_register(v, &gofer_type); }
