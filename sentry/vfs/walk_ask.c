/*
 * walk_ask.c - asking a file system for several names of a path at once, and what
 * becomes cached of its answer.
 *
 * Called without the dcache lock, by who holds references to the directory.  Answers are
 * believed only if no name of the file system was changed meanwhile (change_seq).
 */
#include "vfs/internal.h"

#include <string.h>

/* The plain components from p on, until one of: the end, ".", "..", too long. */
static unsigned plain_names(const char *p, struct qstr *q, const char **end)
{
	unsigned k = 0;

	while (k < LOOKUP_MANY_MAX) {
		size_t len;

		p += strspn(p, "/");
		len = strcspn(p, "/");
		if (!len || len > LINUX_NAME_MAX || (len == 1 && p[0] == '.') || (len == 2 && p[0] == '.' && p[1] == '.'))
			break;
		q[k++] = (struct qstr){ p, (uint32_t)len };
		p += len;
		*end = p;
	}
	return k;
}

static bool unchanged(const struct superblock *sb, uint64_t seq)
{
	return !atomic_load(&sb->changing) && atomic_load(&sb->change_seq) == seq;
}

/* Where others may change names, what the answer says of a cached one counts more; but what is
 * kept is not theirs. */
static bool overruled(const struct dentry *d, uint64_t seq)
{
	if (d->flags & (DENTRY_PINNED | DENTRY_KEEPS))
		return false;
	return d->sb->sflags & SUPER_REVALIDATE || (d->sb->sflags & SUPER_AGES && unchanged(d->sb, seq));
}

/* What the file system found becomes cached, unless names were changed meanwhile.
 * A cached name that leads elsewhere now is dropped, if others may change the tree.
 * age: of before asking. */
static void enter_answers(struct dentry *dir, const struct qstr *q, struct inode **found, unsigned k, uint64_t seq, uint32_t age)
{
	struct superblock *sb = dir->sb;
	struct dcache *dc = &sb->vfs->dc;
	struct dentry *d = NULL, *prev = NULL;
	struct mutex *held;

	for (unsigned i = 0; i < k; i++) {
		bool same;

		held = brlock_read(&dc->lock);
		d = dcache_find_locked(dc, dir, q[i].name, q[i].len);
		if (d)
			dentry_get_locked(d);
		mutex_unlock(held);
		same = d && d->inode == found[i];
		if (d && same)
			dentry_renew(d, age);
		if (d && !same) {
			bool over = overruled(d, seq);

			if (over)
				dentry_drop(d);
			dentry_put(d);
			if (!over)
				break;
			d = NULL;
		}
		if (!d) {
			if (!unchanged(sb, seq))
				break;
			if (found[i])
				inode_get(found[i]);
			if (dcache_enter(dir, &q[i], found[i], &d))
				break;
			dentry_renew(d, age);
		}
		dentry_put(prev);
		prev = dir = d;
		if (!d->inode || !LINUX_S_ISDIR(d->inode->mode))
			break;
	}
	dentry_put(prev);
}

/* Follows those of the names that are cached, and not old; how many there are.  *dir becomes where they
 * lead: a new reference. */
static unsigned known_names(struct dentry **dir, const struct qstr *names, unsigned n)
{
	struct dcache *dc = dcache_of(*dir);
	struct mutex *held = brlock_read(&dc->lock);
	struct dentry *d;
	unsigned k = 0;

	while (k < n && (d = dcache_find_locked(dc, *dir, names[k].name, names[k].len)) && !dentry_is_old(d)) {
		*dir = d;
		k++;
	}
	dentry_get_locked(*dir);
	mutex_unlock(held);
	return k;
}

/* One request for all of them, or none. */
static void prefetch(struct dentry *dir, const struct qstr *names, unsigned n)
{
	struct inode *found[LOOKUP_MANY_MAX + 1] = { NULL };
	struct superblock *sb = dir->sb;
	uint64_t seq = atomic_load(&sb->change_seq);
	uint32_t age = super_age(sb);
	bool negative = false;
	int r;

	if (!n || !dir->inode || !dir->inode->ops->lookup_many || n > LOOKUP_MANY_MAX || atomic_load(&sb->changing))
		return;
	r = dir->inode->ops->lookup_many(dir->inode, names, n, found, &negative);
	if (r < 0)
		return;
	enter_answers(dir, names, found, (unsigned)r + (negative && (unsigned)r < n), seq, age);
	for (int i = 0; i < r; i++)
		inode_put(found[i]);
}

void dentry_prefetch(struct dentry *dir, const struct qstr *names, unsigned n)
{
	unsigned k;

	if (dir->sb->sflags & SUPER_REVALIDATE) {
		prefetch(dir, names, n);
		return;
	}
	k = known_names(&dir, names, n);
	prefetch(dir, names + k, n - k);
	dentry_put(dir);
}

static bool is_known(struct dentry *dir, const struct qstr *name)
{
	struct dentry *d = dcache_get(dir, name);
	bool known = d && !dentry_is_old(d);

	dentry_put(d);
	return known;
}

const char *dentry_ask_ahead(struct dentry *at, const char *name, bool again, unsigned flags)
{
	struct inode *dir = at->inode, *found[LOOKUP_MANY_MAX + 1] = { NULL };
	struct superblock *sb = dir->sb;
	struct qstr q[LOOKUP_MANY_MAX];
	uint64_t seq = atomic_load(&sb->change_seq);
	uint32_t age = super_age(sb);
	const char *end = name;
	unsigned k = plain_names(name, q, &end);
	bool negative = false;
	int r;

	if (k && dir->ops->lookup_ahead && dir->ops->lookup_ahead(at, &q[0], k == 1, flags & WALK_OPEN) && (!again || is_known(at, &q[0])))
		return NULL;
	if (!k || (k == 1 && !again && !(sb->sflags & SUPER_REVALIDATE)) || (!(sb->sflags & SUPER_REVALIDATE) && atomic_load(&sb->changing)))
		return NULL;
	r = dir->ops->lookup_many(dir, q, k, found, &negative);
	if (r < 0)
		return NULL; /* the plain lookup will tell the error */
	enter_answers(at, q, found, (unsigned)r + (negative && (unsigned)r < k), seq, age);
	for (int i = 0; i < r; i++)
		inode_put(found[i]);
	if ((unsigned)r < k)
		end = q[r].name + q[r].len;
	return end;
}
