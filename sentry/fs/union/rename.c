/*
 * rename.c - renaming in a union: in the upper layer.
 *
 * A directory that has lower ones is not moved (EXDEV, as on Linux without redirect_dir: mv(1)
 * copies it).  Where a lower name would come to light a whiteout is left, and a directory
 * that comes to lie over a lower one is opaque.  The whiteout is made before and moved
 * after the name itself; whoever is killed in between leaves both names, and loses none.
 */
#include "fs/union/internal.h"

struct moving {
	struct usuper *s;
	struct inode *old_dir, *new_dir;
	struct dentry *from, *to; /* their upper ones */
	struct qstr old_name, new_name;
	struct inode *what, *with; /* the union's; with: what is replaced or changes places, or NULL */
	bool below_old, below_new; /* the lower layers have the name */
};

static struct inode *upper_of(struct inode *i) { return node_upper(unode(i))->inode; }

static bool can_move(const struct inode *i) { return !LINUX_S_ISDIR(i->mode) || !unode(i)->n_lower; }

static int find_below(struct moving *m)
{
	int r = union_below(m->old_dir, &m->old_name);

	if (r < 0)
		return r;
	m->below_old = r;
	r = union_below(m->new_dir, &m->new_name);
	if (r < 0)
		return r;
	m->below_new = r;
	return 0;
}

static int cover(struct moving *m, struct inode *i, bool below)
{
	return LINUX_S_ISDIR(i->mode) && below ? union_set_opaque(m->s, node_upper(unode(i)), -EXDEV) : 0;
}

static int exchange(struct moving *m)
{
	int r = union_copy_up(m->with, UINT64_MAX);

	if (!r)
		r = cover(m, m->what, m->below_new);
	if (!r)
		r = cover(m, m->with, m->below_old);
	return r ? r : below_rename(m->from, &m->old_name, upper_of(m->what), m->to, &m->new_name, LINUX_RENAME_EXCHANGE, m->s->cred);
}

/* An upper directory with nothing but whiteouts is about to be replaced: they go, and show nothing. */
static int empty_upper(struct moving *m, struct dentry *there)
{
	int r = m->below_new ? union_set_opaque(m->s, there, -EXDEV) : 0;

	return r ? r : union_clear_whiteouts(m->s, there);
}

/* there: what the upper layer has at the new name, or NULL. *swapped: it is at the old one now. */
static int move(struct moving *m, struct dentry *there, bool *swapped)
{
	struct inode *what = upper_of(m->what);
	int r = 0;

	*swapped = there && is_whiteout(there->inode) && LINUX_S_ISDIR(what->mode);
	if (there && LINUX_S_ISDIR(there->inode->mode))
		r = empty_upper(m, there);
	return r ? r : below_rename(m->from, &m->old_name, what, m->to, &m->new_name, *swapped ? LINUX_RENAME_EXCHANGE : 0, m->s->cred);
}

/* The old name is free now, or a whiteout has come there that may not be wanted. */
static void clean_old(struct moving *m, struct dentry *there, bool swapped, const struct temp_name *whiteout)
{
	struct dentry *d;
	int r = 0;

	if (swapped && !m->below_old) {
		r = below_remove(m->from, &m->old_name, there->inode, m->s->cred);
	} else if (!swapped && m->below_old) {
		r = below_find(m->s->work, &whiteout->q, m->s->cred, &d);
		if (!r) {
			r = below_rename(m->s->work, &whiteout->q, d->inode, m->from, &m->old_name, 0, m->s->cred);
			dentry_put(d);
		}
	} else if (m->below_old) {
		union_discard(m->s, &whiteout->q);
	}
	if (r)
		union_says(m->s->sb->vfs, "a renamed file's old name could not be hidden");
}

static int replace(struct moving *m)
{
	struct dentry *there = NULL;
	struct temp_name whiteout;
	bool swapped = false;
	int r = cover(m, m->what, m->below_new);

	union_temp_name(m->s, &whiteout);
	if (!r && m->below_old)
		r = union_whiteout(m->s, m->s->work, &whiteout.q);
	if (r)
		return r;
	r = below_find(m->to, &m->new_name, m->s->cred, &there);
	if (!r || r == -ENOENT)
		r = move(m, there, &swapped);
	if (!r)
		clean_old(m, there, swapped, &whiteout);
	else if (m->below_old)
		union_discard(m->s, &whiteout.q);
	dentry_put(there);
	return r;
}

static int replace_locked(struct moving *m);

/* A directory that is replaced is locked, as one that is removed: it stays empty. */
static int replace_node(struct moving *m)
{
	bool dir = m->with && LINUX_S_ISDIR(m->with->mode);
	int r = 1;

	if (dir) {
		mutex_lock_nested(&m->with->mu);
		r = union_is_empty(m->with);
	}
	r = r > 0 ? replace_locked(m) : r ? r : -ENOTEMPTY;
	if (dir)
		mutex_unlock(&m->with->mu);
	return r;
}

static int replace_locked(struct moving *m)
{
	struct unode *gone = m->with ? unode(m->with) : NULL;
	int r;

	if (!gone)
		return replace(m);
	mutex_lock_nested(&gone->copy_mu);
	r = replace(m);
	if (!r)
		union_lost_name(m->with);
	mutex_unlock(&gone->copy_mu);
	return r;
}

int union_rename(struct inode *old_dir, struct dentry *old, struct inode *new_dir, struct dentry *nd, unsigned flags)
{
	struct moving m = { .s = usuper(old_dir->sb), .old_dir = old_dir, .new_dir = new_dir, .old_name = name_of(old), .new_name = name_of(nd),
		.what = old->inode, .with = nd->inode };
	bool swap = flags & LINUX_RENAME_EXCHANGE;
	int r = can_move(m.what) && (!swap || can_move(m.with)) ? 0 : -EXDEV;

	if (!r)
		r = union_copy_up(m.what, UINT64_MAX);
	if (!r)
		r = union_copy_up(new_dir, UINT64_MAX);
	if (!r)
		r = union_copy_up(old_dir, UINT64_MAX); /* a file that is no more below it may have an upper one */
	if (!r)
		r = find_below(&m);
	if (r)
		return r;
	m.from = node_upper(unode(old_dir));
	m.to = node_upper(unode(new_dir));
	r = swap ? exchange(&m) : replace_node(&m);
	if (r)
		return r;
	union_refresh(m.what);
	union_dir_changed(old_dir);
	if (new_dir != old_dir)
		union_dir_changed(new_dir);
	return 0;
}
