/*
 * socket_msg.c - sendto, sendmsg, sendmmsg, recvfrom, recvmsg, recvmmsg.
 */
#include "syscalls/socket_util.h"

#include "abi/resource.h"
#include "abi/time.h"
#include "syscalls/poll_util.h"
#include "syscalls/socket_cmsg.h"
#include "syscalls/syscall.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#define MMSG_MAX 1024u

static int with_nonblock(const struct file *f, int flags)
{
	return file_nonblock(f) ? flags | LINUX_MSG_DONTWAIT : flags;
}

/* Messages carry the real ids, connections the effective ones. */
static struct sock_caller sender_of(struct task *t)
{
	struct sock_caller c = caller_of(t);

	c.id.uid = t->cred->ruid;
	c.id.gid = t->cred->rgid;
	return c;
}

/* Raises SIGPIPE for a failed send. */
static void send_sigpipe(struct task *t, struct socket *s, int64_t result, int flags)
{
	if (result == -EPIPE && s->type == LINUX_SOCK_STREAM && !(flags & LINUX_MSG_NOSIGNAL))
		signal_send_task(t, LINUX_SIGPIPE, NULL);
}

/* Sends with files accounted as in flight. The files are used up. */
static int64_t send_scm(struct task *t, struct socket *s, struct socket_msg *m)
{
	int64_t r = scm_send_files(s->net, &m->scm, rlimit_get(t, LINUX_RLIMIT_NOFILE));

	if (!r) {
		r = socket_send(s, m);
		scm_received(s->net, &m->scm); /* still ours: it was not sent */
	}
	scm_drop(&m->scm);
	send_sigpipe(t, s, r, m->flags);
	return r;
}

int64_t sys_sendto(struct task *t, const uint64_t a[6])
{
	struct sock_caller c = sender_of(t);
	struct sockaddr_buf addr = { 0 };
	struct socket *s;
	struct file *f;
	struct uio u;
	int64_t r = get_socket(t, (int)a[0], &f, &s);

	if (r)
		return r;
	if (a[4])
		r = copy_addr_from_user(t, UADDR(a[4]), (int)a[5], &addr);
	if (!r) {
		struct socket_msg m = { .uio = &u, .flags = with_nonblock(f, (int)a[3]), .caller = &c, .name = a[4] ? &addr : NULL };

		uio_user(&u, t->mm, UADDR(a[1]), a[2] > MAX_RW_COUNT ? MAX_RW_COUNT : a[2]);
		r = send_scm(t, s, &m);
	}
	file_put(f);
	return r;
}

static int import_iov(struct task *t, const struct linux_msghdr *h, struct iovec_user small[8], struct iovec_user **iov, struct uio *u)
{
	ssize_t n;

	if (h->iovlen > MAX_IOVECS)
		return -EMSGSIZE;
	n = uio_import(t->mm, UADDR(h->iov), h->iovlen, small, iov);
	if (n < 0)
		return (int)n;
	uio_user_iov(u, t->mm, *iov, h->iovlen);
	return 0;
}

static int64_t send_one(struct task *t, struct socket *s, const struct file *f, const struct linux_msghdr *h, int flags)
{
	struct sock_caller c = sender_of(t);
	struct iovec_user small[8], *iov = small;
	struct sockaddr_buf addr = { 0 };
	struct uio u;
	struct socket_msg m = { .uio = &u, .flags = with_nonblock(f, flags), .caller = &c };
	int64_t r = 0;

	if (h->name && h->namelen) {
		r = copy_addr_from_user(t, UADDR(h->name), h->namelen > (int)sizeof(addr.bytes) ? (int)sizeof(addr.bytes) : h->namelen, &addr);
		m.name = &addr;
	}
	if (!r)
		r = import_iov(t, h, small, &iov, &u);
	if (r)
		return r;
	if (h->control)
		r = cmsg_import(t, s, UADDR(h->control), h->controllen, &m, &c.id);
	if (!r)
		r = send_scm(t, s, &m);
	if (iov != small)
		free(iov);
	return r;
}

int64_t sys_sendmsg(struct task *t, const uint64_t a[6])
{
	struct linux_msghdr h;
	struct socket *s;
	struct file *f;
	int64_t r = get_socket(t, (int)a[0], &f, &s);

	if (r)
		return r;
	r = copy_from_user(t->mm, &h, UADDR(a[1]), sizeof(h));
	if (!r)
		r = send_one(t, s, f, &h, (int)a[2]);
	file_put(f);
	return r;
}

int64_t sys_sendmmsg(struct task *t, const uint64_t a[6])
{
	unsigned n = (unsigned)a[2] > MMSG_MAX ? MMSG_MAX : (unsigned)a[2], i;
	struct socket *s;
	struct file *f;
	int64_t r = get_socket(t, (int)a[0], &f, &s);

	if (r)
		return r;
	for (i = 0; i < n; i++) {
		uaddr at = UADDR(a[1] + i * sizeof(struct linux_mmsghdr));
		struct linux_msghdr h;
		uint32_t len;

		r = copy_from_user(t->mm, &h, at, sizeof(h));
		if (!r)
			r = send_one(t, s, f, &h, (int)a[3]);
		if (r < 0)
			break;
		len = (uint32_t)r;
		r = copy_to_user(t->mm, uaddr_add(at, offsetof(struct linux_mmsghdr, len)), &len, sizeof(len));
		if (r)
			break;
	}
	file_put(f);
	return i ? i : r;
}

/* --- receiving ---------------------------------------------------------------------------- */

int64_t sys_recvfrom(struct task *t, const uint64_t a[6])
{
	struct sockaddr_buf addr = { 0 };
	struct socket *s;
	struct file *f;
	struct uio u;
	int64_t r = get_socket(t, (int)a[0], &f, &s), e;

	if (r)
		return r;
	{
		struct socket_msg m = { .uio = &u, .flags = with_nonblock(f, (int)a[3]), .name = &addr };

		uio_user(&u, t->mm, UADDR(a[1]), a[2] > MAX_RW_COUNT ? MAX_RW_COUNT : a[2]);
		r = socket_recv(s, &m);
		scm_drop(&m.scm);
	}
	if (r >= 0 && a[4]) {
		e = copy_addr_to_user(t, &addr, UADDR(a[4]), UADDR(a[5]));
		if (e)
			r = e;
	}
	file_put(f);
	return r;
}

/* Stores the results that are in the header: address, control, flags. */
static int store_header(struct task *t, struct socket *s, const struct linux_msghdr *h, struct socket_msg *m, uaddr at)
{
	int32_t namelen = (int32_t)m->name->len, flags = m->out_flags | (m->flags & LINUX_MSG_CMSG_CLOEXEC);
	uint64_t used = 0;
	int r = cmsg_export(t, s, m, UADDR(h->control), h->controllen, &used, &flags);

	if (r)
		return r;
	if (h->name) {
		uint32_t n = h->namelen < namelen ? h->namelen : namelen;

		if ((n && copy_to_user(t->mm, UADDR(h->name), m->name->bytes, n)) ||
			copy_to_user(t->mm, uaddr_add(at, offsetof(struct linux_msghdr, namelen)), &namelen, sizeof(namelen)))
			return -EFAULT;
	}
	if (copy_to_user(t->mm, uaddr_add(at, offsetof(struct linux_msghdr, flags)), &flags, sizeof(flags)) ||
		copy_to_user(t->mm, uaddr_add(at, offsetof(struct linux_msghdr, controllen)), &used, sizeof(used)))
		return -EFAULT;
	return 0;
}

static int64_t recv_one(struct task *t, struct socket *s, const struct file *f, uaddr at, int flags)
{
	struct iovec_user small[8], *iov = small;
	struct sockaddr_buf addr = { 0 };
	struct linux_msghdr h;
	struct uio u;
	struct socket_msg m = { .uio = &u, .flags = with_nonblock(f, flags), .name = &addr };
	int64_t r;
	int e;

	if (copy_from_user(t->mm, &h, at, sizeof(h)))
		return -EFAULT;
	if (h.name && h.namelen < 0)
		return -EINVAL;
	r = import_iov(t, &h, small, &iov, &u);
	if (r)
		return r;
	r = socket_recv(s, &m);
	if (iov != small)
		free(iov);
	if (r < 0) {
		scm_drop(&m.scm);
		return r;
	}
	e = store_header(t, s, &h, &m, at);
	return e ? e : r;
}

int64_t sys_recvmsg(struct task *t, const uint64_t a[6])
{
	struct socket *s;
	struct file *f;
	int64_t r = get_socket(t, (int)a[0], &f, &s);

	if (r)
		return r;
	r = recv_one(t, s, f, UADDR(a[1]), (int)a[2]);
	file_put(f);
	return r;
}

int64_t sys_recvmmsg(struct task *t, const uint64_t a[6])
{
	unsigned n = (unsigned)a[2] > MMSG_MAX ? MMSG_MAX : (unsigned)a[2], i = 0;
	int64_t ns = 0, r = a[4] ? copy_timespec_from_user(t, UADDR(a[4]), &ns) : 0;
	int64_t deadline = a[4] ? deadline_after(ns) : WAIT_FOREVER;
	int flags = (int)a[3];
	struct socket *s;
	struct file *f;

	if (!r)
		r = get_socket(t, (int)a[0], &f, &s);
	if (r)
		return r;
	while (i < n) {
		uaddr at = UADDR(a[1] + i * sizeof(struct linux_mmsghdr));
		uint32_t len;

		r = recv_one(t, s, f, at, flags & ~LINUX_MSG_WAITFORONE);
		if (r < 0)
			break;
		len = (uint32_t)r;
		r = copy_to_user(t->mm, uaddr_add(at, offsetof(struct linux_mmsghdr, len)), &len, sizeof(len));
		if (r)
			break;
		i++;
		if (flags & LINUX_MSG_WAITFORONE)
			flags |= LINUX_MSG_DONTWAIT;
		if (now_monotonic() >= deadline)
			break;
	}
	file_put(f);
	return i ? i : r;
}
