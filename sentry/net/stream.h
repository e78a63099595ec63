/*
 * stream.h - byte streams: UNIX streams and TCP.  Between two sockets of the sandbox no packets are
 * exchanged: a sender appends segments to the peer's receive queue.  The peer may also be the far end of a
 * connection to the outside, whose engine is told of each change (net/outside.h).
 *
 * The queue is guarded by the lock of the socket that owns it.  s->peer never changes once
 * set, until s is closed.  A sender may go on while less than its SO_SNDBUF bytes wait at the
 * peer; once it is blocked, it is woken when they have fallen to the low-water mark.
 *
 * stream.c: sending, readiness, shutdown, closing; stream_recv.c: receiving; urgent.c:
 * urgent data; connect.c and unix.c: how two sockets become peers.
 */
#ifndef SENTRY_NET_STREAM_H
#define SENTRY_NET_STREAM_H

#include "net/outside.h"

static inline bool socket_is_unix(const struct socket *s)
{
	return s->family == LINUX_AF_UNIX;
}

#define STREAM_FAR_BUFFER (1u << 20) /* in each direction, if the program has not chosen */

/* How many bytes of the sender's may wait at its peer. */
static inline uint32_t stream_room(const struct socket *sender)
{
	const struct socket *peer = sender->peer;

	return sender->sndbuf == SOCKET_BUFFER && peer && socket_is_far(peer) ? STREAM_FAR_BUFFER : (uint32_t)sender->sndbuf;
}

/* A blocked sender is woken when no more than this waits at its peer. */
static inline uint32_t stream_low_water(const struct socket *sender)
{
	return stream_room(sender) / 4;
}

/* Bytes of different senders are not joined into one segment or one read. */
static inline bool same_sender(const struct sock_id *a, const struct sock_id *b)
{
	return a->tgid == b->tgid && a->pid == b->pid && a->uid == b->uid && a->gid == b->gid;
}

/* As the slots of struct socket_ops. */
ssize_t stream_send(struct socket *s, struct socket_msg *m);
ssize_t stream_recv(struct socket *s, struct socket_msg *m);
uint32_t stream_poll(struct socket *s);
int stream_shutdown(struct socket *s, int how);
void stream_close(struct socket *s);

#endif
