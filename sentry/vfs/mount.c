/*
 * mount.c - mounts: the objects, their references, their links.
 *
 * mounts_mu (RANK_MOUNT) serialises changes of all trees; each change of links also
 * happens under the dcache lock, because walks follow them under that alone.
 * An attached mount has one reference from its namespace (mount_ns.c); it holds its parent and
 * the dentry it is mounted on.  What leaves a tree is put when mounts_mu is let go (mounts_gone): with it
 * a file system may end, and files in it.  What programs ask for is in mount_ops.c and mount_tree.c.
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
	user_ns_put(m->idmap);
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

/* --- links (mounts_mu held) -------------------------------------------------------- */

void mount_join_locked(struct mount *m, struct mount_ns *ns)
{
	m->ns = ns;
	TAILQ_INSERT_TAIL(&ns->mounts, m, ns_link);
	m->sb->vfs->dc.n_mounts++;
}

void mount_hang_locked(struct mount *m, const struct path *at)
{
	struct vfs *v = m->sb->vfs;

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

struct path mount_unhang_locked(struct mount *m)
{
	struct path was = { m->parent, m->point };

	if (!was.mnt)
		return was;
	LIST_REMOVE(m, hash_link);
	m->parent = NULL;
	m->point = NULL;
	if (!point_in_use(m->sb->vfs, was.dentry))
		was.dentry->flags &= ~DENTRY_MOUNTED;
	return was;
}

void mount_detach(struct mount *m, struct mount_list *gone)
{
	struct vfs *v = m->sb->vfs;

	brlock_write(&v->dc.lock);
	names_changed(v);
	mount_ns_changed(m->ns);
	m->was = mount_unhang_locked(m);
	TAILQ_REMOVE(&m->ns->mounts, m, ns_link);
	v->dc.n_mounts--;
	m->ns = NULL;
	brlock_write_end(&v->dc.lock);
	TAILQ_INSERT_TAIL(gone, m, ns_link);
}

void mounts_gone(struct mount_list *gone)
{
	struct mount *m;

	while ((m = TAILQ_FIRST(gone))) {
		TAILQ_REMOVE(gone, m, ns_link);
		path_put(&m->was);
		mount_put(m);
	}
}
