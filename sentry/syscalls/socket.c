/*
 * socket.c - socket, socketpair, bind, connect, listen, accept, names, options,
 * shutdown.
 */
#include "syscalls/socket_util.h"

#include "abi/capability.h"
#include "kernel/ns.h"
#include "kernel/pid.h"
#include "syscalls/fd_util.h"
#include "syscalls/syscall.h"

#include <errno.h>
#include <string.h>

#define TYPE_FLAGS (LINUX_SOCK_NONBLOCK | LINUX_SOCK_CLOEXEC)

int get_socket(struct task *t, int fd, struct file **f, struct socket **s)
{
	*f = fd_get_io(t->files, fd);
	if (!*f)
		return -EBADF;
	*s = socket_of(*f);
	if (*s)
		return 0;
	file_put(*f);
	return -ENOTSOCK;
}

struct sock_caller caller_of(struct task *t)
{
	return (struct sock_caller){
		.cred = t->cred,
		.fs = t->fs,
		.id = { t->tg->own_tgid, t->cred->euid, t->cred->egid, t->tg->tgid, t->tg->pid_ns->ino },
	};
}

int copy_addr_from_user(struct task *t, uaddr at, int len, struct sockaddr_buf *out)
{
	if (len < 0 || (size_t)len > sizeof(out->bytes))
		return -EINVAL;
	memset(out, 0, sizeof(*out));
	out->len = len;
	return len ? copy_from_user(t->mm, out->bytes, at, len) : 0;
}

int copy_addr_to_user(struct task *t, const struct sockaddr_buf *a, uaddr at, uaddr len_at)
{
	int32_t room, full = (int32_t)a->len;

	if (copy_from_user(t->mm, &room, len_at, sizeof(room)))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	if (room > full)
		room = full;
	if (room && copy_to_user(t->mm, at, a->bytes, room))
		return -EFAULT;
	return copy_to_user(t->mm, len_at, &full, sizeof(full));
}

static int open_socket(struct task *t, struct socket *s, int type, struct file **f)
{
	return socket_open(s, type & LINUX_SOCK_NONBLOCK, t->cred, f);
}

int64_t sys_socket(struct task *t, const uint64_t a[6])
{
	int type = (int)a[1], r;
	struct sock_caller c = caller_of(t);
	struct socket *s;
	struct file *f;

	if (type & ~(LINUX_SOCK_TYPE_MASK | TYPE_FLAGS))
		return -EINVAL;
	r = socket_create(t->ns->net, (int)a[0], type & LINUX_SOCK_TYPE_MASK, (int)a[2], &c, &s);
	if (!r)
		r = open_socket(t, s, type, &f);
	return r ? r : install_new(t, f, type & LINUX_SOCK_CLOEXEC);
}

int64_t sys_socketpair(struct task *t, const uint64_t a[6])
{
	int type = (int)a[1], r;
	struct sock_caller c = caller_of(t);
	struct socket *s[2];
	struct file *f[2];

	if (type & ~(LINUX_SOCK_TYPE_MASK | TYPE_FLAGS))
		return -EINVAL;
	r = socket_create_pair(t->ns->net, (int)a[0], type & LINUX_SOCK_TYPE_MASK, (int)a[2], &c, s);
	if (r)
		return r;
	r = open_socket(t, s[0], type, &f[0]);
	if (r) {
		s[1]->ops->close(s[1]);
		socket_put(s[1]);
		return r;
	}
	r = open_socket(t, s[1], type, &f[1]);
	if (r) {
		file_put(f[0]);
		return r;
	}
	return install_pair(t, f, type & LINUX_SOCK_CLOEXEC, UADDR(a[3]));
}

int64_t sys_bind(struct task *t, const uint64_t a[6])
{
	struct sock_caller c = caller_of(t);
	struct sockaddr_buf addr;
	struct socket *s;
	struct file *f;
	int r = get_socket(t, (int)a[0], &f, &s);

	if (r)
		return r;
	r = copy_addr_from_user(t, UADDR(a[1]), (int)a[2], &addr);
	if (!r)
		r = s->ops->bind ? s->ops->bind(s, &c, &addr) : -EOPNOTSUPP;
	file_put(f);
	return r;
}

int64_t sys_connect(struct task *t, const uint64_t a[6])
{
	struct sock_caller c = caller_of(t);
	struct sockaddr_buf addr;
	struct socket *s;
	struct file *f;
	int r = get_socket(t, (int)a[0], &f, &s);

	if (r)
		return r;
	r = copy_addr_from_user(t, UADDR(a[1]), (int)a[2], &addr);
	if (!r)
		r = s->ops->connect ? s->ops->connect(s, &c, &addr, file_nonblock(f)) : -EOPNOTSUPP;
	file_put(f);
	return r;
}

int64_t sys_listen(struct task *t, const uint64_t a[6])
{
	struct sock_caller c = caller_of(t);
	struct socket *s;
	struct file *f;
	int r = get_socket(t, (int)a[0], &f, &s);

	if (r)
		return r;
	r = s->ops->listen ? s->ops->listen(s, &c, (int)a[1]) : -EOPNOTSUPP;
	file_put(f);
	return r;
}

/* The file of an accepted connection, and who it is from. */
static int64_t finish_accept(struct task *t, struct socket *child, uaddr at, uaddr len_at, int flags)
{
	struct sockaddr_buf addr;
	struct file *f;
	int r = open_socket(t, child, flags, &f);

	if (r)
		return r;
	if (at.v) {
		r = child->ops->name(child, true, &addr);
		if (!r)
			r = copy_addr_to_user(t, &addr, at, len_at);
		else
			r = -ECONNABORTED;
		if (r) {
			file_put(f);
			return r;
		}
	}
	return install_new(t, f, flags & LINUX_SOCK_CLOEXEC);
}

static int64_t do_accept(struct task *t, const uint64_t a[3], int flags)
{
	struct socket *s, *child;
	struct file *f;
	int64_t r;

	if (flags & ~TYPE_FLAGS)
		return -EINVAL;
	r = get_socket(t, (int)a[0], &f, &s);
	if (r)
		return r;
	r = socket_accept(s, file_nonblock(f), &child);
	if (!r)
		r = finish_accept(t, child, UADDR(a[1]), UADDR(a[2]), flags);
	file_put(f);
	return r;
}

int64_t sys_accept(struct task *t, const uint64_t a[6])
{
	return do_accept(t, a, 0);
}

int64_t sys_accept4(struct task *t, const uint64_t a[6])
{
	return do_accept(t, a, (int)a[3]);
}

static int64_t get_name(struct task *t, const uint64_t a[3], bool peer)
{
	struct sockaddr_buf addr;
	struct socket *s;
	struct file *f;
	int r = get_socket(t, (int)a[0], &f, &s);

	if (r)
		return r;
	r = s->ops->name(s, peer, &addr);
	file_put(f);
	return r ? r : copy_addr_to_user(t, &addr, UADDR(a[1]), UADDR(a[2]));
}

int64_t sys_getsockname(struct task *t, const uint64_t a[6])
{
	return get_name(t, a, false);
}

int64_t sys_getpeername(struct task *t, const uint64_t a[6])
{
	return get_name(t, a, true);
}

int64_t sys_shutdown(struct task *t, const uint64_t a[6])
{
	struct socket *s;
	struct file *f;
	int r = get_socket(t, (int)a[0], &f, &s);

	if (r)
		return r;
	r = socket_shutdown(s, (int)a[1]);
	file_put(f);
	return r;
}

int64_t sys_setsockopt(struct task *t, const uint64_t a[6])
{
	unsigned len = (unsigned)a[4];
	uint8_t value[256] = { 0 };
	struct socket *s;
	struct file *f;
	int r;

	if ((int)len < 0)
		return -EINVAL;
	if (len > sizeof(value))
		len = sizeof(value);
	r = get_socket(t, (int)a[0], &f, &s);
	if (r)
		return r;
	r = len ? copy_from_user(t->mm, value, UADDR(a[3]), len) : 0;
	if (!r && a[1] == LINUX_SOL_SOCKET && (a[2] == LINUX_SO_ATTACH_FILTER || a[2] == LINUX_SO_DETACH_FILTER))
		r = socket_filter(t, s, (int)a[2], value, len);
	else if (!r)
		r = socket_setopt(s, (int)a[1], (int)a[2], value, len, ns_capable(t, LINUX_CAP_NET_ADMIN));
	file_put(f);
	return r;
}

int64_t sys_getsockopt(struct task *t, const uint64_t a[6])
{
	uint8_t value[256] = { 0 };
	struct socket *s;
	struct file *f;
	unsigned n;
	int32_t len;
	int r = get_socket(t, (int)a[0], &f, &s);

	if (r)
		return r;
	r = copy_from_user(t->mm, &len, UADDR(a[4]), sizeof(len));
	if (!r && len < 0)
		r = -EINVAL;
	n = (unsigned)len > sizeof(value) ? sizeof(value) : (unsigned)len;
	if (!r)
		r = socket_getopt(s, (int)a[1], (int)a[2], value, &n);
	file_put(f);
	if (r)
		return r;
	len = (int32_t)n;
	if (n && copy_to_user(t->mm, UADDR(a[3]), value, n))
		return -EFAULT;
	return copy_to_user(t->mm, UADDR(a[4]), &len, sizeof(len));
}
