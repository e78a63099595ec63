/*
 * lookup.c - what a name leads to: layer by layer from the top, until a file, a whiteout or an
 * opaque directory ends it.
 */
#include "fs/union/internal.h"

#include <stdio.h>
#include <string.h>

const char *union_xattr(const struct usuper *s, const char *last, char buf[64])
{
	snprintf(buf, 64, "%s.overlay.%s", s->user_xattrs ? "user" : "trusted", last);
	return buf;
}

/* Whether d has an attribute of the union's own; with a value: that one. */
static bool has(struct usuper *s, struct dentry *d, const char *last, const char *value)
{
	struct inode *i = d->inode;
	char name[64], got[8];
	ssize_t n;

	if (!i->ops->getxattr)
		return false;
	n = i->ops->getxattr(i, union_xattr(s, last, name), got, sizeof(got));
	if (!value)
		return n >= 0 || n == -ERANGE;
	return n == (ssize_t)strlen(value) && !memcmp(got, value, (size_t)n);
}

int union_is_opaque(struct usuper *s, struct dentry *d) { return has(s, d, "opaque", "y"); }

int union_set_opaque(struct usuper *s, struct dentry *d, int otherwise)
{
	struct path p = { NULL, d };
	char name[64];

	if (s->no_xattrs)
		return otherwise;
	return vfs_setxattr(&p, union_xattr(s, "opaque", name), "y", 1, 0, s->cred);
}

/* What Linux follows only with metacopy or redirect_dir, and without refuses: it would show another file than is meant. */
static int refuse_redirects(struct usuper *s, struct dentry *d)
{
	bool dir = LINUX_S_ISDIR(d->inode->mode), reg = LINUX_S_ISREG(d->inode->mode);

	if (s->user_xattrs || (!dir && !reg) || !has(s, d, dir ? "redirect" : "metacopy", NULL))
		return 0;
	union_says(s->sb->vfs, dir ? "a redirected directory is not followed" : "a file with metadata only is not followed");
	return -EPERM;
}

/* One layer's answer: 1 go on below, 0 that is all. */
static int look(struct usuper *s, struct dentry *dir, unsigned layer, const struct qstr *name, bool last, struct ustack *k)
{
	struct dentry *d;
	bool found = k->upper || k->n_lower, is_dir, opaque;
	int r = below_find(dir, name, s->cred, &d);

	if (r)
		return r == -ENOENT ? 1 : r;
	is_dir = LINUX_S_ISDIR(d->inode->mode);
	r = is_whiteout(d->inode) || (found && !is_dir) ? 0 : 1;
	if (r) {
		int refused = refuse_redirects(s, d);

		r = refused ? refused : 1;
	}
	if (r <= 0) {
		dentry_put(d);
		return r;
	}
	opaque = is_dir && !last && union_is_opaque(s, d);
	if (!layer)
		k->upper = d;
	else
		r = ustack_push(k, d, layer);
	if (r < 0)
		return r;
	return is_dir && !opaque;
}

static int look_all(struct inode *dir, const struct qstr *name, bool lowers_only, struct ustack *k)
{
	struct usuper *s = usuper(dir->sb);
	struct unode *n = unode(dir);
	struct dentry *upper = node_upper(n);
	int r = 1;

	if (upper && !lowers_only)
		r = look(s, upper, 0, name, !n->n_lower, k);
	for (unsigned l = 0; r == 1 && l < n->n_lower; l++)
		r = look(s, n->lower[l].d, n->lower[l].layer, name, l + 1 == n->n_lower, k);
	return r < 0 ? r : 0;
}

int union_lookup(struct inode *dir, const struct qstr *name, struct inode **out)
{
	struct ustack k = { NULL };
	int r = name->len > LINUX_NAME_MAX ? -ENAMETOOLONG : look_all(dir, name, false, &k);

	if (!r && (k.upper || k.n_lower))
		return union_inode(dir->sb, &k, out);
	ustack_free(&k);
	return r;
}

int union_below(struct inode *dir, const struct qstr *name)
{
	struct unode *n = unode(dir);
	struct usuper *s = usuper(dir->sb);
	int r = -ENOENT;

	for (unsigned l = 0; r == -ENOENT && l < n->n_lower; l++) {
		struct dentry *d;

		r = below_find(n->lower[l].d, name, s->cred, &d);
		if (r)
			continue;
		r = !is_whiteout(d->inode);
		dentry_put(d);
	}
	return r == -ENOENT ? 0 : r;
}
