/*
 * mount.c - mounts and mount namespaces: the objects, their tree, references.
 *
 * A namespace's mu (RANK_MOUNT) serialises changes; each change of links also
 * happens under the dcache lock, because walks follow them under that alone.
 * An attached mount has one reference from its namespace; it holds its parent and
 * the dentry it is mounted on.  What programs ask for is in mount_ops.c.
 */
#include "vfs/internal.h"

#include <stdlib.h>

static struct mount_bucket *bucket(struct vfs *v, const struct mount *parent, const struct dentry *point)
{
	uint64_t h = ((uintptr_t)parent >> 4) * UINT64_C(0x9e3779b97f4a7c15) ^ ((uintptr_t)point >> 4) * UINT64_C(0xc2b2ae3d27d4eb4f);

	return &v->dc.mounts[h >> 32 & (MOUNT_BUCKETS - 1)];
}

struct mount *mount_new(struct superblock *sb, struct dentry *root, unsigned flags)
{
	struct mount *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	ref_init(&m->ref);
	ref_get(&sb->ref);
	dentry_get(root);
	m->sb = sb;
	m->root = root;
	m->flags = flags & LINUX_MS_MOUNT_FLAGS;
	m->id = (int)atomic_fetch_add(&sb->vfs->next_mount_id, 1);
	return m;
}

void mount_get_locked(struct mount *m)
{
	if (m)
		atomic_fetch_add_explicit(&m->ref.n, 1, memory_order_relaxed);
}

void mount_get(struct mount *m)
{
	if (m)
		ref_get(&m->ref);
}

void mount_put(struct mount *m)
{
	struct dcache *dc;
	bool last;

	if (!m || ref_put_unless_last(&m->ref))
		return;
	dc = &m->sb->vfs->dc;
	brlock_write(&dc->lock);
	last = ref_put(&m->ref);
	brlock_write_end(&dc->lock);
	if (!last)
		return;
	dentry_put(m->root);
	super_put(m->sb);
	free(m);
}

int mount_id(const struct mount *m) { return m->id; }
unsigned mount_flags(const struct mount *m) { return m ? m->flags : 0; }

void path_get(const struct path *p)
{
	if (p->mnt)
		mount_get(p->mnt);
	if (p->dentry)
		dentry_get(p->dentry);
}

void path_put(struct path *p)
{
	struct path old = *p;

	p->mnt = NULL;
	p->dentry = NULL;
	dentry_put(old.dentry);
	mount_put(old.mnt);
}

bool path_is_mount_root(const struct path *p) { return p->mnt && p->mnt->root == p->dentry; }

int path_want_write(const struct path *p)
{
	if (p->mnt && p->mnt->flags & LINUX_MS_RDONLY)
		return -EROFS;
	return p->dentry->sb->flags & LINUX_MS_RDONLY ? -EROFS : 0;
}

struct mount *mount_at_locked(struct vfs *v, const struct mount *parent, const struct dentry *point)
{
	struct mount *m;

	LIST_FOREACH (m, bucket(v, parent, point), hash_link)
		if (m->parent == parent && m->point == point)
			return m;
	return NULL;
}

void path_cross_mounts(struct path *p)
{
	struct vfs *v = p->dentry->sb->vfs;
	struct mount *m;
	struct path old;
	struct mutex *held;

	while (p->dentry->flags & DENTRY_MOUNTED) {
		held = brlock_read(&v->dc.lock);
		m = mount_at_locked(v, p->mnt, p->dentry);
		if (m) {
			mount_get_locked(m);
			dentry_get_locked(m->root);
		}
		mutex_unlock(held);
		if (!m)
			return;
		old = *p;
		*p = (struct path){ m, m->root };
		path_put(&old);
	}
}

void mount_ns_changed(struct mount_ns *ns)
{
	atomic_fetch_add(&ns->changes, 1);
	waitq_wake(&ns->wq, EVENT_READABLE | EVENT_PRI | EVENT_ERR);
}

const _Atomic unsigned *mount_ns_changes(struct mount_ns *ns, struct waitq **wq)
{
	*wq = &ns->wq;
	return &ns->changes;
}

/* --- links (ns->mu and the dcache lock held) ------------------------------------ */

void mount_attach_locked(struct mount *m, const struct path *at, struct mount_ns *ns)
{
	struct vfs *v = m->sb->vfs;

	names_changed(v);
	mount_ns_changed(ns);
	m->ns = ns;
	TAILQ_INSERT_TAIL(&ns->mounts, m, ns_link);
	v->dc.n_mounts++;
	if (!at)
		return;
	m->parent = at->mnt;
	m->point = at->dentry;
	mount_get_locked(m->parent);
	dentry_get_locked(m->point);
	m->point->flags |= DENTRY_MOUNTED;
	LIST_INSERT_HEAD(bucket(v, m->parent, m->point), m, hash_link);
}

static bool point_in_use(struct vfs *v, const struct dentry *point)
{
	struct mount *m;

	for (unsigned i = 0; i < MOUNT_BUCKETS; i++)
		LIST_FOREACH (m, &v->dc.mounts[i], hash_link)
			if (m->point == point)
				return true;
	return false;
}

void mount_left_locked(struct vfs *v, struct dentry *point)
{
	if (point && !point_in_use(v, point))
		point->flags &= ~DENTRY_MOUNTED;
}

void mount_detach(struct mount *m)
{
	struct vfs *v = m->sb->vfs;
	struct mount *parent;
	struct dentry *point;

	brlock_write(&v->dc.lock);
	names_changed(v);
	mount_ns_changed(m->ns);
	parent = m->parent;
	point = m->point;
	if (parent) {
		LIST_REMOVE(m, hash_link);
		mount_left_locked(v, point);
	}
	TAILQ_REMOVE(&m->ns->mounts, m, ns_link);
	v->dc.n_mounts--;
	m->ns = NULL;
	m->parent = NULL;
	m->point = NULL;
	brlock_write_end(&v->dc.lock);
	dentry_put(point);
	mount_put(parent);
	mount_put(m);
}

/* --- namespaces -------------------------------------------------------------------- */

static struct mount_ns *ns_alloc(struct vfs *v)
{
	struct mount_ns *ns = calloc(1, sizeof(*ns));

	if (!ns)
		return NULL;
	ref_init(&ns->ref);
	mutex_init(&ns->mu, RANK_MOUNT);
	TAILQ_INIT(&ns->mounts);
	waitq_init(&ns->wq);
	ns->vfs = v;
	return ns;
}

struct mount_ns *mount_ns_new(struct superblock *root, unsigned flags)
{
	struct mount_ns *ns = ns_alloc(root->vfs);
	struct mount *m = ns ? mount_new(root, root->root, flags) : NULL;

	if (!m) {
		free(ns);
		return NULL;
	}
	super_put(root); /* the mount has one of its own */
	ns->root = m;
	brlock_write(&ns->vfs->dc.lock);
	mount_attach_locked(m, NULL, ns);
	brlock_write_end(&ns->vfs->dc.lock);
	return ns;
}

void mount_ns_get(struct mount_ns *ns) { ref_get(&ns->ref); }

/* As its root's number is, apart from those that the kernel gives to other namespaces. */
uint64_t mount_ns_ino(const struct mount_ns *ns) { return UINT64_C(0xf8000000) + (uint64_t)ns->root->id; }

void mount_ns_put(struct mount_ns *ns)
{
	struct mount *m;

	if (!ns || !ref_put(&ns->ref))
		return;
	mutex_lock(&ns->mu);
	while ((m = TAILQ_LAST(&ns->mounts, mount_list)))
		mount_detach(m);
	mutex_unlock(&ns->mu);
	mutex_destroy(&ns->mu);
	waitq_destroy(&ns->wq);
	user_ns_put(ns->owner);
	free(ns);
}

void mount_ns_root(struct mount_ns *ns, struct path *out)
{
	struct mutex *held = brlock_read(&ns->vfs->dc.lock);

	*out = (struct path){ ns->root, ns->root->root };
	mount_get_locked(out->mnt);
	dentry_get_locked(out->dentry);
	mutex_unlock(held);
	path_cross_mounts(out);
}

/* ns->mu is held, and all of ns is copied: p is moved to the same place in the copy. */
static void move_to_copy(const struct mount_ns *ns, struct path *p)
{
	struct path old = *p;

	if (!p->mnt || p->mnt->ns != ns)
		return;
	p->mnt = old.mnt->copy;
	path_get(p);
	path_put(&old);
}

/* Mounts stand in the list after their parents, so one pass copies the tree.  Which copy is
 * whose is noted in the mounts themselves, and so not known any more when ns->mu is let go. */
struct mount_ns *mount_ns_dup(struct mount_ns *ns, struct user_ns *owner, struct path *root, struct path *cwd)
{
	struct mount_ns *n = ns_alloc(ns->vfs);
	struct mount *m, *c;

	if (!n)
		return NULL;
	user_ns_get(n->owner = owner);
	mutex_lock(&ns->mu);
	TAILQ_FOREACH (m, &ns->mounts, ns_link)
		m->copy = NULL; /* one of an earlier copying may be gone */
	TAILQ_FOREACH (m, &ns->mounts, ns_link) {
		struct path at;

		/* the limit is of all namespaces together: somebody could copy one over and over */
		m->copy = c = ns->vfs->dc.n_mounts < MOUNTS_MAX ? mount_new(m->sb, m->root, m->flags) : NULL;
		if (!c || (m->parent && !m->parent->copy)) {
			mutex_unlock(&ns->mu);
			mount_put(c);
			mount_ns_put(n);
			return NULL;
		}
		c->locked = m->locked || owner != ns->owner;
		c->flags_locked = m->flags_locked || owner != ns->owner;
		brlock_write(&ns->vfs->dc.lock);
		if (m == ns->root)
			n->root = c;
		if (m->parent)
			at = (struct path){ m->parent->copy, m->point };
		mount_attach_locked(c, m->parent ? &at : NULL, n);
		brlock_write_end(&ns->vfs->dc.lock);
	}
	move_to_copy(ns, root);
	move_to_copy(ns, cwd);
	mutex_unlock(&ns->mu);
	return n;
}
