/*
 * scm.c - files in messages: references, counting what is in flight, and the
 * collector.
 *
 * A unix socket can be sent over a unix socket, so a set of them may be
 * reachable from nothing but each other's queues.  The collector does what
 * Linux's does (net/unix/garbage.c, before 6.10): a socket all of whose file's
 * references are in flight is a candidate; references from candidates' queues are
 * discounted; who still has some, and all it leads to, is alive; the
 * rest loses its queues.
 *
 * [world->gc_mu] is held from a message's receipt being counted to its end, so
 * that no candidate can become reachable while it is judged: a call that can
 * reach one needs a file reference, which a candidate has only in queues.
 */
#include "net/scm.h"

#include "net/stack.h"
#include "vfs/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void scm_drop(struct scm *s)
{
	for (unsigned i = 0; i < s->n_files; i++)
		if (s->files[i])
			file_put(s->files[i]);
	free(s->files);
	s->files = NULL;
	s->n_files = 0;
}

int scm_dup(const struct scm *from, struct scm *to)
{
	to->files = malloc(from->n_files * sizeof(*to->files));
	if (!to->files)
		return -ENOMEM;
	memcpy(to->files, from->files, from->n_files * sizeof(*to->files));
	to->n_files = from->n_files;
	for (unsigned i = 0; i < to->n_files; i++)
		file_get(to->files[i]);
	return 0;
}

static struct socket *unix_socket_of(struct file *f)
{
	struct socket *s = socket_of(f);

	return s && s->family == LINUX_AF_UNIX ? s : NULL;
}

int scm_send_files(struct net_stack *net, const struct scm *m, uint64_t limit)
{
	struct net_world *n = net->world;
	int r = 0;

	if (!m->n_files)
		return 0;
	mutex_lock(&n->gc_mu);
	if (n->n_files > limit)
		r = -ETOOMANYREFS;
	for (unsigned i = 0; i < m->n_files && !r; i++) {
		struct socket *s = unix_socket_of(m->files[i]);

		if (!s)
			continue;
		if (!s->inflight++)
			TAILQ_INSERT_TAIL(&n->inflight, s, gc_link);
		n->n_sockets++;
	}
	if (!r)
		n->n_files += m->n_files;
	mutex_unlock(&n->gc_mu);
	return r;
}

static void received_locked(struct net_world *n, const struct scm *m)
{
	for (unsigned i = 0; i < m->n_files; i++) {
		struct socket *s = unix_socket_of(m->files[i]);

		if (!s)
			continue;
		if (!--s->inflight)
			TAILQ_REMOVE(&n->inflight, s, gc_link);
		n->n_sockets--;
	}
	n->n_files -= m->n_files;
}

void scm_received(struct net_stack *net, const struct scm *m)
{
	struct net_world *n = net->world;

	if (!m->n_files)
		return;
	mutex_lock(&n->gc_mu);
	received_locked(n, m);
	mutex_unlock(&n->gc_mu);
}

/* --- the collector -------------------------------------------------------------------- */

typedef void visit_fn(struct socket *s, struct socket_queue *work);

/* Calls fn for each candidate among the files in one queue; the queue's lock is held. */
static void visit_queue(struct seg_list *l, visit_fn *fn, struct socket_queue *work)
{
	struct seg *g;

	STAILQ_FOREACH(g, l, link)
	{
		for (unsigned i = 0; i < g->scm.n_files; i++) {
			struct socket *s = unix_socket_of(g->scm.files[i]);

			if (s && s->gc_candidate)
				fn(s, work);
		}
	}
}

/* What s's queue, and the queues of connections that wait to be accepted, hold. */
static void visit_children(struct socket *s, visit_fn *fn, struct socket_queue *work)
{
	struct socket *child;

	mutex_lock_nested(&s->mu);
	visit_queue(&s->rq, fn, work);
	TAILQ_FOREACH(child, &s->accept_q, accept_link)
	{
		mutex_lock_nested(&child->mu);
		visit_queue(&child->rq, fn, work);
		mutex_unlock(&child->mu);
	}
	mutex_unlock(&s->mu);
}

static void discount(struct socket *s, struct socket_queue *work)
{
	s->gc_count--;
}

/* Reached from outside: no candidate, and so is what it leads to. */
static void revive(struct socket *s, struct socket_queue *work)
{
	s->gc_candidate = false;
	TAILQ_INSERT_TAIL(work, s, gc_work);
}

static void take_rest(struct socket *s, struct seg_list *out)
{
	mutex_lock_nested(&s->mu);
	STAILQ_CONCAT(out, &s->rq);
	s->rq_bytes = 0;
	mutex_unlock(&s->mu);
}

static void take_garbage(struct socket *s, struct seg_list *out)
{
	struct socket *child;

	take_rest(s, out);
	mutex_lock_nested(&s->mu);
	TAILQ_FOREACH(child, &s->accept_q, accept_link) take_rest(child, out);
	mutex_unlock(&s->mu);
}

static void mark(struct net_world *n)
{
	struct socket_queue alive = TAILQ_HEAD_INITIALIZER(alive);
	struct socket *s;

	TAILQ_FOREACH(s, &n->inflight, gc_link)
	{
		s->gc_count = s->inflight;
		s->gc_candidate = s->file && ref_count(&s->file->ref) == s->inflight;
	}
	TAILQ_FOREACH(s, &n->inflight, gc_link) if (s->gc_candidate) visit_children(s, discount, NULL);
	TAILQ_FOREACH(s, &n->inflight, gc_link) if (s->gc_candidate && s->gc_count) revive(s, &alive);
	while ((s = TAILQ_FIRST(&alive))) {
		TAILQ_REMOVE(&alive, s, gc_work);
		visit_children(s, revive, &alive);
	}
}

void scm_collect(struct net_stack *net)
{
	struct net_world *n = net->world;
	struct seg_list garbage = STAILQ_HEAD_INITIALIZER(garbage);
	struct socket *s;
	struct seg *g;

	mutex_lock(&n->gc_mu);
	mark(n);
	TAILQ_FOREACH(s, &n->inflight, gc_link) if (s->gc_candidate) take_garbage(s, &garbage);
	STAILQ_FOREACH(g, &garbage, link) received_locked(n, &g->scm);
	mutex_unlock(&n->gc_mu);
	seg_list_free(&garbage);
}
