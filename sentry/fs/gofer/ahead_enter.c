/*
 * ahead_enter.c - caching what was looked up for several names at once (ahead.c, list_ahead.c).
 *
 * In a tree that ages (vfs/age.c) much of it is cached already, and old: a name that still leads
 * to the same inode is renewed, and so are the inode's attributes, to what they were when
 * it was asked for.  One that leads elsewhere now is left alone, and is asked for by itself
 * when it is used.
 *
 * Any thread; dir's mu is held by whoever calls, but for ahead_enter_negative().
 */
#include "fs/gofer/internal.h"

#include "lib/wait.h"

#include <stdlib.h>
#include <string.h>

struct gasked gofer_asking(struct gofer_super *s)
{
	uint32_t age = gofer_age(s); /* first: should it end now, what comes is old */

	return (struct gasked){ .forgotten = s->forgotten, .age = age, .when = now_monotonic() };
}

void gofer_take_link(struct inode *i, const struct msg_str *target)
{
	char *copy = LINUX_S_ISLNK(i->mode) && target->len && !i->link ? strdup(target->p) : NULL;

	if (!copy)
		return;
	mutex_lock(&i->a_mu);
	if (!i->link) {
		i->link = copy;
		copy = NULL;
	}
	mutex_unlock(&i->a_mu);
	free(copy);
}

/* Takes over inode (NULL: there is none).  NULL: the name is cached, and leads elsewhere; else it was known to
 * hold at that age: new reference. */
static struct dentry *enter(struct dentry *dir, const struct qstr *q, struct inode *inode, uint32_t age)
{
	struct dentry *d;

	if (dcache_enter(dir, q, inode, &d))
		return NULL;
	if (d->inode != inode) {
		dentry_put(d);
		return NULL;
	}
	dentry_renew(d, age);
	return d;
}

void ahead_enter_wanted(struct dentry *dir, const struct qstr *q, struct gofer_found *f, const struct gasked *asked)
{
	struct inode *inode = NULL;

	if (f->error ? f->error != ENOENT : gofer_inode(dir->sb, &f->node, &inode))
		return;
	if (inode) {
		gofer_take_link(inode, &f->target);
		if (f->fd >= 0 && LINUX_S_ISREG(inode->mode))
			(void)gnode_take_fd(gnode(inode), &f->fd, false);
	}
	dentry_put(enter(dir, q, inode, asked->age));
}

void ahead_enter(struct dentry *dir, const struct qstr *q, struct gofer_found *f, const struct gasked *asked, unsigned *opened)
{
	struct inode *inode = NULL;
	struct dentry *d;

	if (f->error ? f->error != ENOENT : gofer_inode_ahead(dir->sb, &f->node, asked, &inode))
		return;
	if (inode) {
		gofer_take_link(inode, &f->target);
		if (f->fd >= 0 && LINUX_S_ISREG(inode->mode) && gnode_take_fd(gnode(inode), &f->fd, true))
			(*opened)++;
	}
	d = enter(dir, q, inode, asked->age);
	if (!d)
		return;
	dentry_mark_ahead(d);
	dentry_put(d);
}

void ahead_enter_negative(struct dentry *dir, const struct qstr *name, const struct glist *l, uint32_t age)
{
	struct gnode *n = gnode(dir->inode);
	struct dentry *d = NULL;

	mutex_lock_nested(&dir->inode->mu);
	if (!n->changing && n->changes == l->changes)
		d = enter(dir, name, NULL, age);
	mutex_unlock(&dir->inode->mu);
	dentry_put(d);
}
