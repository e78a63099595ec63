/*
 * mount_tree.c - trees of mounts as a whole: copied, attached, moved, taken away.
 *
 * A tree that is mounted nowhere (a bind before it is attached, what open_tree(2) and fsmount(2) make) is in a
 * namespace of its own, which ends when the tree is attached somewhere, or with the file that it was made for.
 */
#include "vfs/internal.h"

struct mount *mount_copy(const struct mount *m, struct dentry *root)
{
	/* the limit is of all namespaces together: somebody could copy one over and over */
	struct mount *c = m->sb->vfs->dc.n_mounts < MOUNTS_MAX ? mount_new(m->sb, root, m->flags) : NULL;

	if (!c)
		return NULL;
	c->flags_locked = m->flags_locked;
	c->idmap = m->idmap;
	user_ns_get(c->idmap);
	return c;
}

void mount_mark_tree(struct mount *m)
{
	struct mount *o;

	TAILQ_FOREACH (o, &m->ns->mounts, ns_link)
		o->copy = NULL;
	m->copy = m;
	for (o = m; o; o = TAILQ_NEXT(o, ns_link)) /* parents come before children */
		if (o->parent && o->parent->copy)
			o->copy = o;
}

bool mount_has_locked_below(struct mount_ns *ns, const struct path *p)
{
	struct mount *m;

	TAILQ_FOREACH (m, &ns->mounts, ns_link)
		if (m->locked && m->parent == p->mnt && dentry_is_below(m->point, p->dentry))
			return true;
	return false;
}

void mount_tree_last(struct mount *m)
{
	struct mount_ns *ns = m->ns;
	struct mount *o, *next, *last = TAILQ_LAST(&ns->mounts, mount_list);
	bool end = false;

	mount_mark_tree(m);
	brlock_write(&ns->vfs->dc.lock);
	for (o = m; o && !end; o = next) {
		next = TAILQ_NEXT(o, ns_link);
		end = o == last;
		if (o->copy) {
			TAILQ_REMOVE(&ns->mounts, o, ns_link);
			TAILQ_INSERT_TAIL(&ns->mounts, o, ns_link);
		}
	}
	brlock_write_end(&ns->vfs->dc.lock);
}

void mount_detach_tree(struct mount *m, struct mount_list *gone)
{
	struct mount *o, *before;

	mount_mark_tree(m);
	for (o = TAILQ_LAST(&m->ns->mounts, mount_list); o; o = before) { /* children before parents */
		before = o == m ? NULL : TAILQ_PREV(o, mount_list, ns_link);
		if (o->copy)
			mount_detach(o, gone);
	}
}

/* --- detached trees --------------------------------------------------------------------- */

struct mount_ns *mount_tree_begin(struct mount_ns *by, struct mount *root)
{
	struct mount_ns *ns = mount_ns_alloc(by->vfs, by->owner);

	if (!ns)
		return NULL;
	ns->detached = true;
	ns->root = root;
	brlock_write(&ns->vfs->dc.lock);
	mount_join_locked(root, ns);
	brlock_write_end(&ns->vfs->dc.lock);
	return ns;
}

void mount_tree_end(struct mount_ns *tree, struct mount_list *gone)
{
	mount_detach_tree(tree->root, gone);
	mount_ns_free(tree);
}

/* What is mounted below src's part from root on, under src's copy. */
static int copy_below(struct mount *src, struct dentry *root, struct mount_ns *to)
{
	struct mount *m;

	TAILQ_FOREACH (m, &src->ns->mounts, ns_link)
		m->copy = NULL;
	src->copy = to->root;
	for (m = src; m; m = TAILQ_NEXT(m, ns_link)) {
		if (!m->parent || !m->parent->copy || (m->parent == src && !dentry_is_below(m->point, root)))
			continue;
		m->copy = mount_copy(m, m->root);
		if (!m->copy)
			return -ENOSPC;
		m->copy->locked = m->locked;
		brlock_write(&to->vfs->dc.lock);
		mount_join_locked(m->copy, to);
		mount_hang_locked(m->copy, &(struct path){ m->parent->copy, m->point });
		brlock_write_end(&to->vfs->dc.lock);
	}
	return 0;
}

static bool may_bind_unmounted(const struct dentry *d)
{
	const struct super_ops *ops = d->sb->ops;

	return d->inode && ops->may_bind && ops->may_bind(d->inode);
}

int mount_tree_copy(struct mount_ns *by, const struct path *from, bool recursive, struct mount **out, struct mount_list *gone)
{
	struct mount_ns *tree;
	struct mount *m;
	int r;

	if (from->mnt ? from->mnt->ns != by : !may_bind_unmounted(from->dentry))
		return -EINVAL;
	/* without what is mounted below it would be seen what that hides */
	if (from->mnt && !recursive && mount_has_locked_below(by, from))
		return -EINVAL;
	if (by->vfs->dc.n_mounts >= MOUNTS_MAX)
		return -ENOSPC;
	m = from->mnt ? mount_copy(from->mnt, from->dentry) : mount_new(from->dentry->sb, from->dentry, 0);
	tree = m ? mount_tree_begin(by, m) : NULL;
	if (!tree) {
		mount_put(m);
		return -ENOMEM;
	}
	r = recursive && from->mnt ? copy_below(from->mnt, from->dentry, tree) : 0;
	if (r)
		mount_tree_end(tree, gone);
	else
		*out = m;
	return r;
}

void mount_attach_tree(struct mount *root, const struct path *at, struct mount_ns *ns)
{
	struct mount_ns *tree = root->ns;
	struct mount *m;

	brlock_write(&ns->vfs->dc.lock);
	while ((m = TAILQ_FIRST(&tree->mounts))) {
		TAILQ_REMOVE(&tree->mounts, m, ns_link);
		m->ns = ns;
		TAILQ_INSERT_TAIL(&ns->mounts, m, ns_link);
	}
	mount_hang_locked(root, at);
	names_changed(ns->vfs);
	mount_ns_changed(ns);
	brlock_write_end(&ns->vfs->dc.lock);
	mount_ns_free(tree);
}

int vfs_tree_copy(struct mount_ns *ns, const struct path *from, bool recursive, struct path *out)
{
	struct mount_list gone = TAILQ_HEAD_INITIALIZER(gone);
	struct mount *m = NULL;
	int r;

	mutex_lock(&ns->vfs->mounts_mu);
	r = mount_tree_copy(ns, from, recursive, &m, &gone);
	if (!r) {
		*out = (struct path){ m, m->root };
		path_get(out);
	}
	mutex_unlock(&ns->vfs->mounts_mu);
	mounts_gone(&gone);
	return r;
}

int vfs_tree_new(struct mount_ns *ns, struct superblock *sb, unsigned flags, struct path *out)
{
	struct dentry *seen = sb->type->seen_root ? sb->type->seen_root(sb) : NULL;
	struct mount *m = NULL;
	int r = 0;

	mutex_lock(&ns->vfs->mounts_mu);
	if (ns->vfs->dc.n_mounts >= MOUNTS_MAX)
		r = -ENOSPC;
	else if (!(m = mount_new(sb, seen ? seen : sb->root, flags)))
		r = -ENOMEM;
	else if (!mount_tree_begin(ns, m))
		r = -ENOMEM;
	if (!r) {
		*out = (struct path){ m, m->root };
		path_get(out);
	}
	mutex_unlock(&ns->vfs->mounts_mu);
	if (r)
		mount_put(m);
	dentry_put(seen);
	return r;
}

void vfs_tree_dissolve(struct mount *m)
{
	struct mount_list gone = TAILQ_HEAD_INITIALIZER(gone);
	struct vfs *v = m->sb->vfs;

	mutex_lock(&v->mounts_mu);
	if (m->ns && m->ns->detached && m->ns->root == m)
		mount_tree_end(m->ns, &gone);
	mutex_unlock(&v->mounts_mu);
	mounts_gone(&gone);
}
