/*
 * dir.c - names that come and go in a union: in the upper layer, where a whiteout says that a
 * lower name is gone.
 */
#include "fs/union/internal.h"

void union_dir_changed(struct inode *dir) { union_refresh(dir); }

/* --- creation ------------------------------------------------------------------------------ */

/* Makes it in work and moves it over the whiteout. */
static int make_over(struct usuper *s, struct dentry *dir, const struct qstr *name, const struct inode *whiteout, const struct below_new *new,
	struct inode *target, struct dentry **out)
{
	bool is_dir = !target && LINUX_S_ISDIR(new->mode);
	struct dentry *made = NULL;
	struct temp_name temp;
	int r;

	union_temp_name(s, &temp);
	r = target ? below_link(s->work, &temp.q, target, s->cred) : below_make(s->work, &temp.q, new, &made);
	if (r)
		return r;
	if (is_dir)
		r = union_set_opaque(s, made, -EIO);
	if (!r && is_dir) /* a directory replaces no file */
		r = below_rename(dir, name, whiteout, s->work, &temp.q, LINUX_RENAME_EXCHANGE, s->cred);
	else if (!r)
		r = below_rename(s->work, &temp.q, target ? target : made->inode, dir, name, 0, s->cred);
	if (r || is_dir)
		union_discard(s, &temp.q);
	if (r || !out)
		dentry_put(made);
	else
		*out = made;
	return r;
}

/* target: it is linked; NULL: a new file is made. */
static int add_upper(struct inode *dir, const struct qstr *name, const struct below_new *new, struct inode *target, struct dentry **out)
{
	struct usuper *s = usuper(dir->sb);
	struct dentry *upper, *there;
	int r = union_copy_up(dir, UINT64_MAX);

	if (r)
		return r;
	upper = node_upper(unode(dir));
	r = below_find(upper, name, s->cred, &there);
	if (r == -ENOENT)
		return target ? below_link(upper, name, target, s->cred) : below_make(upper, name, new, out);
	if (r)
		return r;
	if (is_whiteout(there->inode))
		r = make_over(s, upper, name, there->inode, new, target, out);
	else
		r = -ESTALE; /* put there past the union */
	dentry_put(there);
	return r;
}

static int add(struct inode *dir, struct dentry *d, const struct below_new *new)
{
	struct qstr q = name_of(d);
	struct ustack k = { NULL };
	struct inode *i;
	int r = add_upper(dir, &q, new, NULL, &k.upper);

	if (!r)
		r = union_inode(dir->sb, &k, &i);
	if (r)
		return r;
	dentry_instantiate(d, i);
	union_dir_changed(dir);
	return 0;
}

static struct below_new new_of(struct inode *dir, uint32_t mode, const struct cred *owner)
{
	return (struct below_new){ .mode = mode, .by = usuper(dir->sb)->cred, .owner = owner };
}

int union_create(struct inode *dir, struct dentry *d, uint32_t mode, const struct cred *c)
{
	struct below_new n = new_of(dir, mode, c);

	return add(dir, d, &n);
}

int union_mkdir(struct inode *dir, struct dentry *d, uint32_t mode, const struct cred *c) { return union_create(dir, d, mode, c); }

int union_mknod(struct inode *dir, struct dentry *d, uint32_t mode, uint64_t rdev, const struct cred *c)
{
	struct below_new n = new_of(dir, mode, c);

	if (LINUX_S_ISCHR(mode) && !rdev) /* it would be a whiteout */
		return -EPERM;
	n.rdev = rdev;
	return add(dir, d, &n);
}

int union_symlink(struct inode *dir, struct dentry *d, const char *target, const struct cred *c)
{
	struct below_new n = new_of(dir, LINUX_S_IFLNK | 0777, c);

	n.target = target;
	return add(dir, d, &n);
}

int union_link(struct inode *dir, struct dentry *d, struct inode *target)
{
	struct qstr q = name_of(d);
	int r = union_copy_up(target, UINT64_MAX);

	if (!r)
		r = add_upper(dir, &q, NULL, node_upper(unode(target))->inode, NULL);
	if (r)
		return r;
	union_refresh(target);
	inode_get(target);
	dentry_instantiate(d, target);
	union_dir_changed(dir);
	return 0;
}

int union_tmpfile(struct inode *dir, uint32_t mode, const struct cred *c, struct inode **out)
{
	struct usuper *s = usuper(dir->sb);
	struct ustack k = { NULL };
	struct dentry *upper;
	struct inode *i;
	int r = union_copy_up(dir, UINT64_MAX);

	if (r)
		return r;
	upper = node_upper(unode(dir));
	if (!upper->inode->ops->tmpfile)
		return -EOPNOTSUPP;
	r = inode_permission(upper->inode, 3, s->cred);
	if (!r)
		r = upper->inode->ops->tmpfile(upper->inode, mode, c, &i);
	if (r)
		return r;
	k.upper = dentry_new_anon(upper->sb, "#union", i);
	if (!k.upper) {
		inode_put(i);
		return -ENOMEM;
	}
	k.upper->flags |= DENTRY_UNHASHED;
	return union_inode(dir->sb, &k, out);
}

/* --- removal ------------------------------------------------------------------------------- */

int union_whiteout(struct usuper *s, struct dentry *dir, const struct qstr *name)
{
	struct below_new n = { .mode = LINUX_S_IFCHR, .by = s->cred, .owner = s->cred };

	return below_make(dir, name, &n, NULL);
}

/* Puts a whiteout there, and what was there into work. */
static int exchange_whiteout(struct usuper *s, struct dentry *dir, const struct qstr *name, const struct inode *what, const struct temp_name *temp)
{
	int r = union_whiteout(s, s->work, &temp->q);

	if (r)
		return r;
	r = below_rename(dir, name, what, s->work, &temp->q, LINUX_RENAME_EXCHANGE, s->cred);
	union_discard(s, &temp->q);
	return r;
}

int union_take_out(struct usuper *s, struct dentry *dir, const struct qstr *name, const struct inode *what, bool leave_whiteout)
{
	struct temp_name temp;
	int r;

	union_temp_name(s, &temp);
	if (leave_whiteout)
		return exchange_whiteout(s, dir, name, what, &temp);
	r = below_remove(dir, name, what, s->cred);
	if (r != -ENOTEMPTY)
		return r;
	r = below_rename(dir, name, what, s->work, &temp.q, 0, s->cred); /* with its whiteouts */
	if (!r)
		union_discard(s, &temp.q);
	return r;
}

void union_lost_name(struct inode *i)
{
	struct unode *n = unode(i);
	bool lower = !node_upper(n);
	uint32_t links;

	mutex_lock(&i->a_mu);
	links = i->nlink;
	mutex_unlock(&i->a_mu);
	if (lower)
		n->gone = true;
	else
		union_refresh(i);
	mutex_lock(&i->a_mu);
	if (LINUX_S_ISDIR(i->mode))
		i->nlink = 0;
	else if (lower)
		i->nlink = links ? links - 1 : 0;
	mutex_unlock(&i->a_mu);
	inode_changed(i);
}

static int remove_name(struct inode *dir, struct dentry *d)
{
	struct usuper *s = usuper(dir->sb);
	struct unode *n = unode(d->inode);
	struct qstr q = name_of(d);
	int r = union_copy_up(dir, UINT64_MAX), below;

	if (r)
		return r;
	mutex_lock_nested(&n->copy_mu);
	r = below = union_below(dir, &q);
	if (r >= 0 && node_upper(n))
		r = union_take_out(s, node_upper(unode(dir)), &q, node_upper(n)->inode, below);
	else if (r >= 0)
		r = union_whiteout(s, node_upper(unode(dir)), &q);
	if (!r)
		union_lost_name(d->inode);
	mutex_unlock(&n->copy_mu);
	if (!r)
		union_dir_changed(dir);
	return r;
}

int union_unlink(struct inode *dir, struct dentry *d) { return remove_name(dir, d); }

int union_rmdir(struct inode *dir, struct dentry *d)
{
	int r = union_is_empty(d->inode);

	if (r <= 0)
		return r ? r : -ENOTEMPTY;
	return remove_name(dir, d);
}
