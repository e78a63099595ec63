/*
 * socket_file.c - the open file of a socket: read(2), write(2), ioctl(2) and closing.  Runs on the
 * threads of the calling tasks.
 */
#include "net/socket.h"

#include "abi/fcntl.h"
#include "mm/usercopy.h"
#include "net/rtnetlink.h"
#include "net/stack.h"
#include "vfs/file.h"

#include <errno.h>
#include <sys/stat.h>

static ssize_t file_op_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct socket_msg m = { .uio = u, .flags = file_nonblock(f) ? LINUX_MSG_DONTWAIT : 0 };
	struct socket *s = f->priv;
	ssize_t r;

	if (!u->resid && s->type == LINUX_SOCK_STREAM)
		return 0;
	r = socket_recv(s, &m);
	scm_drop(&m.scm);
	return r;
}

static ssize_t file_op_write(struct file *f, struct uio *u, int64_t *pos)
{
	struct socket *s = f->priv;
	struct sock_caller c = { .cred = f->cred, .id = s->cred };
	struct socket_msg m = { .uio = u, .flags = file_nonblock(f) ? LINUX_MSG_DONTWAIT : 0, .caller = &c };

	if (s->net->world->caller)
		s->net->world->caller(&c);
	return socket_send(s, &m);
}

static uint32_t file_op_poll(struct file *f)
{
	struct socket *s = f->priv;

	return s->ops->poll(s);
}

/* It is who asks that counts, not who made the socket. */
static int interface_ioctl(struct file *f, struct mm *mm, unsigned cmd, uint64_t arg)
{
	struct socket *s = f->priv;
	struct sock_caller c = { .cred = f->cred };

	if (s->net->world->caller)
		s->net->world->caller(&c);
	return netdev_ioctl(s->net, c.cred, mm, cmd, arg);
}

static int file_op_ioctl(struct file *f, struct mm *mm, unsigned cmd, uint64_t arg)
{
	struct socket *s = f->priv, *peer;
	struct seg *g;
	int32_t n;

	if (cmd != LINUX_SIOCINQ && cmd != LINUX_SIOCOUTQ && (cmd != LINUX_SIOCATMARK || s->type != LINUX_SOCK_STREAM))
		return interface_ioctl(f, mm, cmd, arg);
	if (s->state == SOCK_LISTENING)
		return -EINVAL;
	if (cmd == LINUX_SIOCATMARK) {
		n = urgent_at_mark(s);
		return copy_to_user(mm, UADDR(arg), &n, sizeof(n));
	}
	mutex_lock(&s->mu);
	g = STAILQ_FIRST(&s->rq);
	peer = s->peer;
	if (cmd == LINUX_SIOCINQ)
		n = s->type == LINUX_SOCK_DGRAM && g ? g->len : urgent_readable(s);
	else
		n = s->type == LINUX_SOCK_STREAM && peer ? peer->rq_bytes : s->sent_bytes;
	mutex_unlock(&s->mu);
	return copy_to_user(mm, UADDR(arg), &n, sizeof(n));
}

static void file_op_release(struct file *f)
{
	struct socket *s = f->priv;
	struct net_stack *n = s->net;

	net_stack_get(n);
	mutex_lock(&n->world->gc_mu);
	s->file = NULL;
	mutex_unlock(&n->world->gc_mu);
	s->ops->close(s);
	socket_put(s);
	if (n->world->n_sockets)
		scm_collect(n);
	net_stack_put(n);
}

static const struct file_ops socket_file_ops = {
	.read = file_op_read,
	.write = file_op_write,
	.poll = file_op_poll,
	.ioctl = file_op_ioctl,
	.release = file_op_release,
};

int socket_open(struct socket *s, int flags, const struct cred *c, struct file **out)
{
	int r = file_new_anon(s->net->world->vfs, &socket_file_ops, "socket:", S_IFSOCK | 0777, flags | LINUX_O_RDWR, c, s, out);

	if (r) {
		s->ops->close(s);
		socket_put(s);
		return r;
	}
	(*out)->wq = &s->wq;
	(*out)->mode |= FILE_STREAM | FILE_ASYNC;
	s->file = *out;
	s->listener = NULL; /* accepted: no longer waits in a queue */
	return 0;
}

struct socket *socket_of(struct file *f)
{
	return f->ops == &socket_file_ops ? f->priv : NULL;
}
