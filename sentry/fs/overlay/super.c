/*
 * super.c - overlay instances: a read-only lower tree and changes in memory.
 */
#include "fs/overlay/internal.h"

#include "fs/tmpfs/tmpfs.h"
#include "lib/wait.h"

#include <stdlib.h>
#include <string.h>

#define FIGURES_NS INT64_C(100000000) /* the lower file system's are asked once in that time */

/* Nothing that is done here changes them, and what others do there is told a little late,
 * but in a tree whose changes are to be seen at once. */
static bool figures_known(struct ovl_super *s, int64_t now, struct kstatfs *out)
{
	struct kstatfs figures;
	int64_t at;

	if (s->lower->sflags & SUPER_REVALIDATE)
		return false;
	mutex_lock(&s->mu);
	at = s->figures_at;
	figures = s->figures;
	mutex_unlock(&s->mu);
	if (!at || now - at >= FIGURES_NS || !super_knows_since(s->lower, at))
		return false;
	*out = figures;
	return true;
}

static void learn_figures(struct ovl_super *s, const struct kstatfs *figures, int64_t asked)
{
	mutex_lock(&s->mu);
	s->figures = *figures;
	s->figures_at = asked;
	mutex_unlock(&s->mu);
}

/* Sizes are the lower file system's: memory has no figure that a program could use. */
static int ovl_statfs(struct superblock *sb, struct inode *i, struct kstatfs *out)
{
	struct ovl_super *s = osuper(sb);
	struct superblock *lower = s->lower;
	int64_t now = now_monotonic();
	int r = 0;

	if (figures_known(s, now, out))
		return 0;
	if (lower->ops->statfs)
		r = lower->ops->statfs(lower, lower->root->inode, out);
	out->type = LINUX_OVERLAY_MAGIC;
	if (!r)
		learn_figures(s, out, now);
	return r;
}

static void ovl_kill(struct superblock *sb)
{
	struct ovl_super *s = osuper(sb);

	ovl_drop_table(s);
	super_put(s->upper);
	super_put(s->lower);
	cred_put(s->cred);
	mutex_destroy(&s->mu);
	free(s);
}

static const struct super_ops ovl_super_ops = { .statfs = ovl_statfs, .evict = ovl_evict, .kill = ovl_kill };

static const struct fs_type overlay_type = { .name = "overlay", .idmaps = true };

int overlay_over_memory(struct vfs *v, struct superblock *lower, const char *options, const struct cred *c, struct superblock **out)
{
	struct ovl_super *s = calloc(1, sizeof(*s));
	struct superblock *sb = s ? super_new(v, &overlay_type, &ovl_super_ops) : NULL;
	struct inode *root;
	int r;

	if (!sb) {
		free(s);
		return -ENOMEM;
	}
	mutex_init(&s->mu, RANK_LEAF);
	sb->priv = s;
	ref_get(&lower->ref);
	s->lower = lower;
	sb->source = strdup("overlay");
	s->cred = cred_dup(c);
	r = s->cred ? ovl_init_table(s) : -ENOMEM;
	if (!r)
		r = tmpfs_new(v, options, &s->upper);
	/* names are believed as long as those below, and not longer */
	sb->sflags = SUPER_MOVES_DENTRIES | (lower->sflags & (SUPER_STEADY | SUPER_AGES)) | (lower->sflags & SUPER_REVALIDATE ? SUPER_UNCACHED : 0);
	if (!r) {
		dentry_get(lower->root);
		r = ovl_inode_lower(sb, lower->root, &root);
	}
	if (!r) {
		sb->root = dentry_make_root(sb, root);
		r = sb->root ? 0 : -ENOMEM;
	}
	if (r) {
		super_put(sb);
		return r;
	}
	*out = sb;
	return 0;
}
