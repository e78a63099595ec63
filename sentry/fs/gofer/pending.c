/*
 * pending.c - a request of what is likely to be wanted next, under way while the program works.
 *
 * Whoever has got a batch of names (ahead.c) or listings (list_ahead.c) and has found the
 * batches before it used asks for the next at once, and does not wait: the gofer works
 * meanwhile.  Who misses something next takes what has come, asks for what follows that before
 * most of it is cached, and only if his is not in it asks himself.
 * A tree has at most one such request that nobody has taken.
 *
 * What comes may be used much later than it was asked for.  So it holds nothing that would
 * keep the tree alive (nodes, no dentries), and is thrown away when it does not count any more:
 * names of the directory were changed (gnode.changes), an inode that was changed here was
 * evicted (gofer_super.forgotten), the tree's age has ended.  Any thread; s->pending is
 * under s->mu, and belongs to who takes it from there.
 */
#include "fs/gofer/internal.h"
#include "lib/wait.h"

void gpending_send(struct gofer_super *s, struct gpending *p, uint32_t method, const struct msg_desc *request, const void *body)
{
	bool busy;

	count(COUNT_GOFER_REQUESTS);
	p->asked = gofer_asking(s);
	gofer_near_ahead(s->conn);
	p->call = rpc_client_send(s->client, method, request, body);
	if (!p->call) {
		p->ops->free(p);
		return;
	}
	mutex_lock(&s->mu);
	busy = s->pending;
	if (!busy)
		s->pending = p;
	mutex_unlock(&s->mu);
	if (busy) { /* somebody was faster */
		p->ops->enter(s, p);
		p->ops->free(p);
	}
}

bool gpending_free(struct gofer_super *s)
{
	bool none;

	mutex_lock(&s->mu);
	none = !s->pending;
	mutex_unlock(&s->mu);
	return none;
}

struct gpending *gpending_take(struct gofer_super *s, const struct gnode *dir, const struct qstr *name)
{
	struct gpending *p;

	mutex_lock(&s->mu);
	p = s->pending;
	s->pending = NULL;
	mutex_unlock(&s->mu);
	if (!p)
		return NULL;
	lock_wake_owed();
	p->wanted = dir && p->ops->brings(p, dir, name);
	p->ops->enter(s, p);
	return p;
}

void gpending_done(struct gofer_super *s, struct gpending *p, bool right)
{
	if (!p)
		return;
	if (right && !p->wanted)
		p->ops->go_on(s, p);
	p->ops->free(p);
}

struct dentry *gnode_dentry(struct gnode *n)
{
	struct gofer_super *s = gsuper(n->sb);
	struct inode *i;
	struct dentry *d;

	mutex_lock(&s->mu);
	i = n->inode && ref_get_unless_zero(&n->inode->ref) ? n->inode : NULL;
	mutex_unlock(&s->mu);
	d = i ? inode_dentry(i) : NULL;
	inode_put(i);
	return d;
}

struct dentry *gpending_dir(struct gofer_super *s, const struct gpending *p, struct gnode *n)
{
	return super_knows_since(s->sb, p->asked.when) ? gnode_dentry(n) : NULL;
}
