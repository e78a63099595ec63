/*
 * info.c - the list of all sockets, for /proc/net (see info.h).  A socket is on the
 * list from its making to its last reference; the list's lock nests in no socket's.
 */
#include "net/info.h"

#include "abi/sock_diag.h"
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

int socket_info_state(const struct socket_info *i)
{
	bool inet = i->family != LINUX_AF_UNIX;

	if (inet && i->type != LINUX_SOCK_STREAM)
		return i->peer.len ? LINUX_TCP_ESTABLISHED : LINUX_TCP_CLOSE;
	switch ((enum sock_state)i->state) {
	case SOCK_LISTENING:
		return LINUX_TCP_LISTEN;
	case SOCK_CONNECTING:
		return LINUX_TCP_SYN_SENT;
	case SOCK_CONNECTED:
		if (!inet)
			return LINUX_TCP_ESTABLISHED;
		return i->shut & SHUT_SEND ? LINUX_TCP_FIN_WAIT2 : i->shut & SHUT_RECV ? LINUX_TCP_CLOSE_WAIT : LINUX_TCP_ESTABLISHED;
	case SOCK_UNCONNECTED:
	case SOCK_CLOSED:
		break;
	}
	return LINUX_TCP_CLOSE;
}

/* The other side: gc_mu and s->mu held, so that it and its file stay. */
static void describe_peer(struct socket *s, struct socket_info *i)
{
	struct socket *peer = s->peer;

	if (!peer)
		return;
	i->unread = s->type == LINUX_SOCK_STREAM ? peer->rq_bytes : s->sent_bytes;
	if (peer->file)
		i->peer_ino = peer->file->inode->ino;
}

static void describe(struct socket *s, struct socket_info *i)
{
	struct net_world *n = s->net->world;

	*i = (struct socket_info){ .id = s, .family = s->family, .type = s->type, .protocol = s->protocol, .refs = ref_count(&s->ref) - 1,
		.cookie = s->cookie, .rcvbuf = s->rcvbuf, .sndbuf = s->sndbuf, .v6only = s->inet_flags & INET_V6ONLY };
	mutex_lock(&n->gc_mu);
	if (s->file) {
		i->ino = s->file->inode->ino;
		i->uid = s->file->inode->uid;
	}
	mutex_lock_nested(&s->mu);
	describe_peer(s, i);
	mutex_unlock(&n->gc_mu);
	i->state = s->state;
	i->shut = s->shut;
	i->queued = s->rq_bytes;
	i->waiting = s->n_accept;
	i->backlog = s->backlog;
	if (s->inode) {
		i->bound_ino = s->inode->ino;
		i->bound_dev = s->inode->sb->dev;
	}
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
		if (!r && info.state != SOCK_CLOSED) /* one that only its peer still holds */
			r = fn(&info, arg);
	}
	free(all);
	return r;
}
