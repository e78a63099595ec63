/*
 * descriptor.c - the host descriptors of a node: at most two, one for reading and one for both,
 * shared by all who have it open.  When the last one closes they stay for a while (idle list),
 * so that opening again asks nobody.
 */
#include "fs/gofer/internal.h"

#include <unistd.h>

static int ask_open(struct gnode *n, bool write, int *fd)
{
	struct gofer_open req = { .flags = write ? LINUX_O_RDWR : LINUX_O_RDONLY };
	struct gofer_open_reply rep;
	struct msg_arena a = { NULL };
	int r = GCALL_NODE(n, open, &req, node, &rep, &a);

	if (r)
		return r;
	*fd = rep.fd;
	rep.fd = -1;
	if (n->inode && (rep.attr.ino != n->ino || rep.attr.dev != n->dev))
		gofer_renumber(n->inode, &rep.attr);
	if (gsuper(n->sb)->shared && n->inode)
		gofer_set_attr(n->inode, &rep.attr);
	GREPLY_FREE(open, &rep, &a);
	return 0;
}

int gnode_fd(struct gnode *n, bool write)
{
	int fd, *slot = write ? &n->fd_rw : &n->fd_ro, made, r;

	mutex_lock(&n->mu);
	fd = n->fd_rw >= 0 || write ? n->fd_rw : n->fd_ro;
	mutex_unlock(&n->mu);
	if (fd >= 0)
		return fd;
	r = ask_open(n, write, &made);
	if (r)
		return r;
	mutex_lock(&n->mu);
	fd = *slot;
	if (fd < 0)
		fd = *slot = made;
	mutex_unlock(&n->mu);
	if (fd != made)
		close(made);
	return fd;
}

void gnode_add_user(struct gnode *n, bool write)
{
	struct gofer_super *s = gsuper(n->sb);

	mutex_lock(&s->mu);
	n->users++;
	if (n->idle) {
		TAILQ_REMOVE(&s->idle, n, idle_link);
		s->n_idle--;
		n->idle = false;
	}
	mutex_unlock(&s->mu);
	if (write)
		n->writers++;
}

/* One user less, or a descriptor that has none yet. */
static void rest(struct gnode *n, unsigned users)
{
	struct gofer_super *s = gsuper(n->sb);
	bool trim;

	mutex_lock(&s->mu);
	n->users -= users;
	if (!n->users && !n->idle) {
		n->idle = true;
		TAILQ_INSERT_TAIL(&s->idle, n, idle_link);
		s->n_idle++;
	}
	trim = s->n_idle > s->idle_max;
	mutex_unlock(&s->mu);
	if (trim)
		gofer_idle_trim(s, s->idle_max);
}

void gnode_drop_user(struct gnode *n, bool write)
{
	if (write)
		n->writers--;
	rest(n, 1);
}

bool gnode_take_fd(struct gnode *n, int *fd, bool ahead)
{
	bool taken;

	mutex_lock(&n->mu);
	taken = n->fd_ro < 0 && n->fd_rw < 0 && !(ahead && n->touched); /* an overlay of the host gives another file for writing */
	if (taken) {
		n->fd_ro = *fd;
		*fd = -1;
	}
	mutex_unlock(&n->mu);
	if (!taken)
		return false;
	n->ahead = ahead;
	rest(n, 0);
	return true;
}

bool gnode_has_fd(struct gnode *n)
{
	bool has;

	mutex_lock(&n->mu);
	has = n->fd_ro >= 0 || n->fd_rw >= 0;
	mutex_unlock(&n->mu);
	return has;
}

void gofer_idle_trim(struct gofer_super *s, unsigned keep)
{
	for (;;) {
		struct gnode *n = NULL;
		int ro, rw;

		mutex_lock(&s->mu);
		if (s->n_idle > keep && (n = TAILQ_FIRST(&s->idle))) {
			TAILQ_REMOVE(&s->idle, n, idle_link);
			s->n_idle--;
			n->idle = false;
			memobj_get(&n->obj);
		}
		mutex_unlock(&s->mu);
		if (!n)
			return;
		mutex_lock(&n->mu);
		ro = rw = -1;
		if (!n->users && ref_count(&n->obj.ref) == 2) { /* not opened again meanwhile, nor mapped */
			ro = n->fd_ro;
			rw = n->fd_rw;
			n->fd_ro = n->fd_rw = -1;
		}
		mutex_unlock(&n->mu);
		if (ro >= 0)
			close(ro);
		if (rw >= 0)
			close(rw);
		memobj_put(&n->obj);
	}
}
