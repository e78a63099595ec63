/*
 * info.c - the list of all sockets, for /proc/net (see info.h).  A socket is on the
 * list from its making to its last reference; the list's lock nests in no socket's.
 */
#include "net/info.h"

#include "net/stack.h"
#include "vfs/file.h"

#include <errno.h>
#include <stdlib.h>

int net_sockets(struct net_stack *n, struct socket ***out, size_t *n_out)
{
	struct socket **all = NULL, *s;
	size_t room, used;

	for (room = 64;; room *= 2) {
		struct socket **bigger = realloc(all, room * sizeof(*all));

		if (!bigger) {
			free(all);
			return -ENOMEM;
		}
		all = bigger;
		mutex_lock(&n->mu);
		if (n->n_all <= room)
			break;
		mutex_unlock(&n->mu);
	}
	used = 0;
	LIST_FOREACH(s, &n->all, all_link)
		if (ref_get_unless_zero(&s->ref))
			all[used++] = s;
	mutex_unlock(&n->mu);
	*out = all;
	*n_out = used;
	return 0;
}

static void describe(struct socket *s, struct socket_info *i)
{
	struct net_world *n = s->net->world;

	*i = (struct socket_info){ .id = s, .family = s->family, .type = s->type, .protocol = s->protocol, .refs = ref_count(&s->ref) - 1 };
	mutex_lock(&n->gc_mu);
	if (s->file) {
		i->ino = s->file->inode->ino;
		i->uid = s->file->inode->uid;
	}
	mutex_unlock(&n->gc_mu);
	mutex_lock(&s->mu);
	i->state = s->state;
	i->shut = s->shut;
	i->queued = s->rq_bytes;
	i->waiting = s->n_accept;
	if (s->name)
		i->name = s->name->addr;
	if (s->peer_name)
		i->peer = s->peer_name->addr;
	mutex_unlock(&s->mu);
}

int net_each_socket(struct net_stack *n, int (*fn)(const struct socket_info *i, void *arg), void *arg)
{
	struct socket_info info;
	struct socket **all;
	size_t count;
	int r = net_sockets(n, &all, &count);

	if (r)
		return r;
	for (size_t i = 0; i < count; i++) {
		describe(all[i], &info);
		socket_put(all[i]);
		if (!r)
			r = fn(&info, arg);
	}
	free(all);
	return r;
}
