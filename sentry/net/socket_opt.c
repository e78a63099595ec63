/*
 * socket_opt.c - SOL_SOCKET options (socket(7)); other levels are the family's.
 */
#include "net/socket.h"
#include "net/stack.h"

#include <errno.h>
#include <string.h>

#define NSEC INT64_C(1000000000)
#define BUFFER_MAX 212992u /* net.core.[rw]mem_max */
#define SNDBUF_MIN 4608u
#define RCVBUF_MIN 2304u

struct timeval64 {
	int64_t sec, usec;
};

/* Boolean options: kept as a bit of s->flags. */
static const uint64_t booleans = UINT64_C(1) << LINUX_SO_DEBUG | UINT64_C(1) << LINUX_SO_REUSEADDR | UINT64_C(1) << LINUX_SO_DONTROUTE |
				 UINT64_C(1) << LINUX_SO_BROADCAST | UINT64_C(1) << LINUX_SO_KEEPALIVE | UINT64_C(1) << LINUX_SO_OOBINLINE |
				 UINT64_C(1) << LINUX_SO_REUSEPORT | UINT64_C(1) << LINUX_SO_PASSCRED | UINT64_C(1) << LINUX_SO_TIMESTAMP |
				 UINT64_C(1) << LINUX_SO_TIMESTAMPNS;

static bool is_boolean(int opt)
{
	return opt >= 0 && opt < 64 && booleans >> opt & 1;
}

static int set_timeout(_Atomic int64_t *to, const void *v, unsigned len)
{
	struct timeval64 tv;

	if (len < sizeof(tv))
		return -EINVAL;
	memcpy(&tv, v, sizeof(tv));
	if (tv.usec < 0 || tv.usec >= 1000000)
		return -EDOM;
	if (tv.sec < 0)
		*to = 0;
	else if ((!tv.sec && !tv.usec) || tv.sec > INT64_MAX / NSEC - 1)
		*to = WAIT_FOREVER;
	else
		*to = tv.sec * NSEC + tv.usec * 1000;
	return 0;
}

/* Linux doubles what is asked for, and tells the doubled value. */
static uint32_t buffer_size(int v, bool force, uint32_t min)
{
	uint32_t n = v < 0 ? 0 : (uint32_t)v;

	if (n > BUFFER_MAX && !force)
		n = BUFFER_MAX;
	if (n > INT32_MAX / 2)
		n = INT32_MAX / 2;
	return n * 2 < min ? min : n * 2;
}

/* SO_PEEK_OFF is for unix sockets and UDP. */
static bool can_peek_from(const struct socket *s)
{
	return s->family == LINUX_AF_UNIX || (s->family != LINUX_AF_NETLINK && s->type == LINUX_SOCK_DGRAM);
}

static int set_socket(struct socket *s, int opt, const void *v, unsigned len, bool privileged)
{
	int n;

	if (opt == LINUX_SO_RCVTIMEO)
		return set_timeout(&s->rcvtimeo, v, len);
	if (opt == LINUX_SO_SNDTIMEO)
		return set_timeout(&s->sndtimeo, v, len);
	if (opt == LINUX_SO_BINDTODEVICE)
		return privileged ? 0 : -EPERM;
	if (len < sizeof(n))
		return -EINVAL;
	memcpy(&n, v, sizeof(n));
	if (is_boolean(opt)) {
		if (opt == LINUX_SO_TIMESTAMP || opt == LINUX_SO_TIMESTAMPNS)
			s->flags &= ~(UINT64_C(1) << LINUX_SO_TIMESTAMP | UINT64_C(1) << LINUX_SO_TIMESTAMPNS); /* one or the other */
		if (n)
			s->flags |= UINT64_C(1) << opt;
		else
			s->flags &= ~(UINT64_C(1) << opt);
		return 0;
	}
	switch (opt) {
	case LINUX_SO_SNDBUFFORCE:
	case LINUX_SO_RCVBUFFORCE:
		if (!privileged)
			return -EPERM;
		if (opt == LINUX_SO_SNDBUFFORCE)
			s->sndbuf = buffer_size(n, true, SNDBUF_MIN);
		else
			s->rcvbuf = buffer_size(n, true, RCVBUF_MIN);
		return 0;
	case LINUX_SO_SNDBUF:
		s->sndbuf = buffer_size(n, false, SNDBUF_MIN);
		waitq_wake(&s->wq, EVENT_OUT);
		return 0;
	case LINUX_SO_RCVBUF:
		s->rcvbuf = buffer_size(n, false, RCVBUF_MIN);
		return 0;
	case LINUX_SO_RCVLOWAT:
		s->lowat = n < 0 ? INT32_MAX : n ? (uint32_t)n : 1;
		return 0;
	case LINUX_SO_PEEK_OFF:
		if (!can_peek_from(s))
			return -EOPNOTSUPP;
		mutex_lock(&s->mu);
		s->peek_off = n < 0 ? -1 : n;
		mutex_unlock(&s->mu);
		return 0;
	case LINUX_SO_PRIORITY:
		return (n >= 0 && n <= 6) || privileged ? 0 : -EPERM;
	case LINUX_SO_MARK:
		return privileged ? 0 : -EPERM;
	case LINUX_SO_LINGER:
		if (len < sizeof(struct linux_linger))
			return -EINVAL;
		mutex_lock(&s->mu);
		memcpy(&s->linger, v, sizeof(s->linger));
		mutex_unlock(&s->mu);
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int socket_setopt(struct socket *s, int level, int opt, const void *v, unsigned len, bool privileged)
{
	if (level == LINUX_SOL_SOCKET)
		return set_socket(s, opt, v, len, privileged);
	if (s->ops->setopt)
		return s->ops->setopt(s, level, opt, v, len);
	return s->family == LINUX_AF_UNIX ? -EOPNOTSUPP : -ENOPROTOOPT;
}

static int put(void *v, unsigned *len, const void *from, unsigned n)
{
	if (*len > n)
		*len = n;
	memcpy(v, from, *len);
	return 0;
}

static int put_timeout(void *v, unsigned *len, int64_t ns)
{
	struct timeval64 tv = { 0 };

	if (ns != WAIT_FOREVER)
		tv = (struct timeval64){ ns / NSEC, ns % NSEC / 1000 };
	return put(v, len, &tv, sizeof(tv));
}

/* Options whose value is an int; false: not one of them. */
static bool int_option(struct socket *s, int opt, int *n)
{
	switch (opt) {
	case LINUX_SO_TYPE:
		*n = s->type;
		return true;
	case LINUX_SO_PEEK_OFF:
		*n = s->peek_off;
		return can_peek_from(s);
	case LINUX_SO_DOMAIN:
		*n = s->family;
		return true;
	case LINUX_SO_PROTOCOL:
		*n = s->protocol;
		return true;
	case LINUX_SO_ERROR:
		*n = atomic_exchange(&s->err, 0);
		return true;
	case LINUX_SO_SNDBUF:
		*n = (int)s->sndbuf;
		return true;
	case LINUX_SO_RCVBUF:
		*n = (int)s->rcvbuf;
		return true;
	case LINUX_SO_ACCEPTCONN:
		*n = s->state == SOCK_LISTENING;
		return true;
	case LINUX_SO_RCVLOWAT:
		*n = (int)s->lowat;
		return true;
	case LINUX_SO_SNDLOWAT:
		*n = 1;
		return true;
	case LINUX_SO_PRIORITY:
	case LINUX_SO_MARK:
		*n = 0;
		return true;
	default:
		*n = is_boolean(opt) ? sock_flag(s, opt) : 0;
		return is_boolean(opt);
	}
}

int socket_getopt(struct socket *s, int level, int opt, void *v, unsigned *len)
{
	struct linux_linger linger;
	struct linux_ucred shown;
	struct sock_id cred;
	int n;

	if (level != LINUX_SOL_SOCKET)
		return s->ops->getopt ? s->ops->getopt(s, level, opt, v, len) : s->family == LINUX_AF_UNIX ? -EOPNOTSUPP : -ENOPROTOOPT;
	if (int_option(s, opt, &n))
		return put(v, len, &n, sizeof(n));
	mutex_lock(&s->mu);
	linger = s->linger;
	cred = s->peer_cred;
	mutex_unlock(&s->mu);
	switch (opt) {
	case LINUX_SO_RCVTIMEO:
		return put_timeout(v, len, s->rcvtimeo);
	case LINUX_SO_SNDTIMEO:
		return put_timeout(v, len, s->sndtimeo);
	case LINUX_SO_LINGER:
		return put(v, len, &linger, sizeof(linger));
	case LINUX_SO_PEERCRED:
		s->net->world->show(&cred, &shown);
		return put(v, len, &shown, sizeof(shown));
	case LINUX_SO_BINDTODEVICE:
		*len = 0;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}
