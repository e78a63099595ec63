/*
 * socket_opt.c - SOL_SOCKET options (socket(7)); other levels are the family's.  Options of device queues,
 * filter extensions and busy polling have nothing to act on here: they are checked as Linux checks
 * them, stored and returned.
 */
#include "net/socket.h"
#include "abi/sock_diag.h"
#include "net/outside.h"
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

#define BIT(opt) (UINT64_C(1) << (opt))

/* Boolean options: kept as a bit of s->flags. */
static const uint64_t booleans = BIT(LINUX_SO_DEBUG) | BIT(LINUX_SO_REUSEADDR) | BIT(LINUX_SO_DONTROUTE) | BIT(LINUX_SO_BROADCAST) | BIT(LINUX_SO_KEEPALIVE) |
				 BIT(LINUX_SO_OOBINLINE) | BIT(LINUX_SO_NO_CHECK) | BIT(LINUX_SO_REUSEPORT) | BIT(LINUX_SO_PASSCRED) |
				 BIT(LINUX_SO_TIMESTAMP) | BIT(LINUX_SO_PASSSEC) | BIT(LINUX_SO_TIMESTAMPNS) | BIT(LINUX_SO_RXQ_OVFL) |
				 BIT(LINUX_SO_WIFI_STATUS) | BIT(LINUX_SO_NOFCS) | BIT(LINUX_SO_LOCK_FILTER) | BIT(LINUX_SO_SELECT_ERR_QUEUE);

/* Numbers that are kept: a row's place is its place in s->so_values. */
static const struct kept {
	int opt, min, max, initial;
	int free_min, free_max; /* what it takes no privilege to set */
} kept[] = {
	{ LINUX_SO_PRIORITY, INT32_MIN, INT32_MAX, 0, 0, 6 },
	{ LINUX_SO_MARK, INT32_MIN, INT32_MAX, 0, 1, 0 },
	{ LINUX_SO_BUSY_POLL, 0, INT32_MAX, 0, 0, 0 },
	{ LINUX_SO_INCOMING_CPU, INT32_MIN, INT32_MAX, -1, INT32_MIN, INT32_MAX },
};
#define KEPT (sizeof(kept) / sizeof(*kept))
_Static_assert(KEPT == SOCK_KEPT_OPTIONS, "socket.so_values");

void socket_options_init(struct socket *s)
{
	s->lowat = 1;
	s->peek_off = -1;
	s->pacing = UINT64_MAX;
	for (size_t i = 0; i < KEPT; i++)
		s->so_values[i] = kept[i].initial;
}

static const struct kept *find_kept(int opt)
{
	for (size_t i = 0; i < KEPT; i++)
		if (kept[i].opt == opt)
			return &kept[i];
	return NULL;
}

static int set_kept(struct socket *s, const struct kept *k, int n, bool privileged)
{
	if (n < k->min || n > k->max)
		return -EINVAL;
	if (!privileged && (n < k->free_min || n > k->free_max))
		return -EPERM;
	mutex_lock(&s->mu);
	s->so_values[k - kept] = n;
	mutex_unlock(&s->mu);
	return 0;
}

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

/* Linux doubles the requested size, and getsockopt returns the doubled value. */
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

/* --- setting --------------------------------------------------------------------------------- */

static int set_pacing(struct socket *s, const void *v, unsigned len)
{
	uint64_t rate = 0;

	memcpy(&rate, v, len >= sizeof(rate) ? sizeof(rate) : sizeof(uint32_t));
	mutex_lock(&s->mu);
	s->pacing = len < sizeof(rate) && rate == UINT32_MAX ? UINT64_MAX : rate;
	mutex_unlock(&s->mu);
	return 0;
}

static int set_linger(struct socket *s, const void *v, unsigned len)
{
	if (len < sizeof(s->linger))
		return -EINVAL;
	mutex_lock(&s->mu);
	memcpy(&s->linger, v, sizeof(s->linger));
	mutex_unlock(&s->mu);
	return 0;
}

/* Of what comes here: there is no device that notes times, and when what was sent left is not told. */
static int set_timestamping(struct socket *s, int n)
{
	if ((unsigned)n & ~LINUX_SOF_TIMESTAMPING_KNOWN)
		return -EINVAL;
	s->timestamping = (unsigned)n;
	return 0;
}

static int set_peek_off(struct socket *s, int n)
{
	if (!can_peek_from(s))
		return -EOPNOTSUPP;
	mutex_lock(&s->mu);
	s->peek_off = n < 0 ? -1 : n;
	mutex_unlock(&s->mu);
	return 0;
}

static int set_boolean(struct socket *s, int opt, bool on)
{
	if (opt == LINUX_SO_TIMESTAMP || opt == LINUX_SO_TIMESTAMPNS)
		s->flags &= ~(BIT(LINUX_SO_TIMESTAMP) | BIT(LINUX_SO_TIMESTAMPNS)); /* one or the other */
	if (on)
		s->flags |= BIT(opt);
	else
		s->flags &= ~BIT(opt);
	if (opt == LINUX_SO_KEEPALIVE && s->peer && socket_is_far(s->peer))
		far_changed(s->peer);
	return 0;
}

/* Options whose value is an int. */
static int set_number(struct socket *s, int opt, int n, bool privileged)
{
	const struct kept *k = find_kept(opt);

	if (is_boolean(opt))
		return set_boolean(s, opt, n);
	if (k)
		return set_kept(s, k, n, privileged);
	switch (opt) {
	case LINUX_SO_SNDBUFFORCE:
		if (!privileged)
			return -EPERM;
		s->sndbuf = buffer_size(n, true, SNDBUF_MIN);
		return 0;
	case LINUX_SO_RCVBUFFORCE:
		if (!privileged)
			return -EPERM;
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
		return set_peek_off(s, n);
	case LINUX_SO_TIMESTAMPING:
		return set_timestamping(s, n);
	case LINUX_SO_BSDCOMPAT:
		return 0;
	case LINUX_SO_CNX_ADVICE:
		return n == 1 ? 0 : -EINVAL;
	case LINUX_SO_BINDTOIFINDEX:
		return socket_bind_index(s, n, privileged);
	default:
		return -ENOPROTOOPT;
	}
}

static int set_socket(struct socket *s, int opt, const void *v, unsigned len, bool privileged)
{
	int n;

	switch (opt) {
	case LINUX_SO_RCVTIMEO:
	case LINUX_SO_RCVTIMEO_NEW:
		return set_timeout(&s->rcvtimeo, v, len);
	case LINUX_SO_SNDTIMEO:
	case LINUX_SO_SNDTIMEO_NEW:
		return set_timeout(&s->sndtimeo, v, len);
	case LINUX_SO_BINDTODEVICE:
		return socket_bind_device(s, v, len, privileged);
	}
	if (len < sizeof(n))
		return -EINVAL;
	switch (opt) {
	case LINUX_SO_LINGER:
		return set_linger(s, v, len);
	case LINUX_SO_MAX_PACING_RATE:
		return set_pacing(s, v, len);
	}
	memcpy(&n, v, sizeof(n));
	return set_number(s, opt, n, privileged);
}

int socket_setopt(struct socket *s, int level, int opt, const void *v, unsigned len, bool privileged)
{
	if (level == LINUX_SOL_SOCKET)
		return set_socket(s, opt, v, len, privileged);
	if (s->ops->setopt)
		return s->ops->setopt(s, level, opt, v, len);
	return s->family == LINUX_AF_UNIX ? -EOPNOTSUPP : -ENOPROTOOPT;
}

/* --- reading ---------------------------------------------------------------------------------- */

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
	const struct kept *k = find_kept(opt);

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
	case LINUX_SO_BSDCOMPAT:
	case LINUX_SO_INCOMING_NAPI_ID:
		*n = 0;
		return true;
	case LINUX_SO_BPF_EXTENSIONS:
		*n = 64; /* SKF_AD_MAX */
		return true;
	case LINUX_SO_BINDTOIFINDEX:
		*n = s->bound_index;
		return true;
	default:
		*n = k ? s->so_values[k - kept] : is_boolean(opt) ? sock_flag(s, opt) : 0;
		return k || is_boolean(opt);
	}
}

/* One that is longer than the caller's room is refused. */
static int get_peer_name(struct socket *s, void *v, unsigned *len)
{
	struct sockaddr_buf a;
	int r = s->ops->name(s, true, &a);

	if (r)
		return -ENOTCONN;
	return a.len < *len ? -EINVAL : put(v, len, a.bytes, a.len);
}

/* In 8 bytes where there is room, else in 4. */
static int get_pacing(struct socket *s, void *v, unsigned *len)
{
	uint64_t rate = s->pacing;
	uint32_t low = rate > UINT32_MAX ? UINT32_MAX : (uint32_t)rate;

	return *len >= sizeof(rate) ? put(v, len, &rate, sizeof(rate)) : put(v, len, &low, sizeof(low));
}

static int get_memory(struct socket *s, void *v, unsigned *len)
{
	const uint32_t m[LINUX_SK_WORDS] = { [LINUX_SK_RMEM] = s->rq_bytes, [LINUX_SK_RCVBUF] = s->rcvbuf, [LINUX_SK_WMEM] = s->sent_bytes,
		[LINUX_SK_SNDBUF] = s->sndbuf, [LINUX_SK_DROPS] = s->drops };

	return put(v, len, m, sizeof(m));
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
	case LINUX_SO_RCVTIMEO_NEW:
		return put_timeout(v, len, s->rcvtimeo);
	case LINUX_SO_SNDTIMEO:
	case LINUX_SO_SNDTIMEO_NEW:
		return put_timeout(v, len, s->sndtimeo);
	case LINUX_SO_LINGER:
		return put(v, len, &linger, sizeof(linger));
	case LINUX_SO_PEERCRED:
		s->net->world->show(&cred, &shown);
		return put(v, len, &shown, sizeof(shown));
	case LINUX_SO_BINDTODEVICE:
		return socket_bound_device(s, v, len);
	case LINUX_SO_COOKIE:
		return *len < sizeof(s->cookie) ? -EINVAL : put(v, len, &s->cookie, sizeof(s->cookie));
	case LINUX_SO_NETNS_COOKIE:
		return *len != sizeof(s->net->ino) ? -EINVAL : put(v, len, &s->net->ino, sizeof(s->net->ino));
	case LINUX_SO_MAX_PACING_RATE:
		return get_pacing(s, v, len);
	case LINUX_SO_TIMESTAMPING:
		return put(v, len, (const uint32_t[2]){ s->timestamping, 0 /* no clock of a device's */ }, 2 * sizeof(uint32_t));
	case LINUX_SO_MEMINFO:
		return get_memory(s, v, len);
	case LINUX_SO_PEERNAME:
		return get_peer_name(s, v, len);
	default:
		return -ENOPROTOOPT;
	}
}
