/*
 * path_name.c - from a dentry to its path.
 */
#include "vfs/internal.h"

#include <string.h>

static bool put_before(char *buf, char **p, const char *s, size_t n)
{
	if ((size_t)(*p - buf) < n)
		return false;
	*p -= n;
	memcpy(*p, s, n);
	return true;
}

/* Walks up from (m, d) to root under the dcache lock. 0, 1: above it (unreachable), -1: too long. */
static int build(const struct path *at, const struct path *root, char *buf, char **p)
{
	struct mount *m = at->mnt;
	struct dentry *d = at->dentry;

	while (d != root->dentry || m != root->mnt) {
		if (m ? d == m->root : d->parent == d) {
			if (!m || !m->parent)
				return 1;
			d = m->point;
			m = m->parent;
			continue;
		}
		if (d->parent == d)
			return 1;
		if (!put_before(buf, p, d->name, d->name_len) || !put_before(buf, p, "/", 1))
			return -1;
		d = d->parent;
	}
	return 0;
}

static const char unreachable[] = "(unreachable)";

char *vfs_path_name(const struct path *at, const struct path *root, char *buf, size_t size)
{
	static const char deleted[] = " (deleted)";
	struct dcache *dc = dcache_of(at->dentry);
	char *p = buf + size, *end;
	int r;
	struct mutex *held;

	if (!put_before(buf, &p, "", 1))
		goto too_long;
	if (!at->mnt && at->dentry->parent == at->dentry && strcmp(at->dentry->name, "/"))
		return put_before(buf, &p, at->dentry->name, at->dentry->name_len) ? p : NULL;
	if (at->dentry->flags & DENTRY_UNHASHED && !put_before(buf, &p, deleted, sizeof(deleted) - 1))
		goto too_long;
	end = p;
	held = brlock_read(&dc->lock);
	r = build(at, root, buf, &p);
	mutex_unlock(held);
	if (r < 0 || (p == end && !put_before(buf, &p, "/", 1)))
		goto too_long;
	if (r > 0 && !put_before(buf, &p, unreachable, sizeof(unreachable) - 1))
		goto too_long;
	return p;
too_long:
	errno = ENAMETOOLONG;
	return NULL;
}

char *vfs_path_from_top(const struct path *at, const struct path *root, char *buf, size_t size)
{
	char *name = vfs_path_name(at, root, buf, size);

	/* all other names begin with a slash, or with what no path begins with */
	return name && !strncmp(name, unreachable, sizeof(unreachable) - 1) ? name + sizeof(unreachable) - 1 : name;
}
