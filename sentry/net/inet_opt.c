/*
 * inet_opt.c - socket options of the level TCP.  Between sockets of the sandbox most have no effect: they
 * are stored and returned.  (IP and IPv6: ip_opt.c)
 */
#include "net/outside.h"
#include "net/stack.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct tcp_info_head { /* the first bytes of struct tcp_info; the rest reads as zero */
	uint8_t state, ca_state, retransmits, probes, backoff, options, wscale, flags;
	uint32_t rto, ato, snd_mss, rcv_mss;
};
#define TCP_ESTABLISHED 1
#define TCP_CLOSE 7
#define TCP_LISTEN 10
#define LOOPBACK_MSS 65483u

static const uint32_t tcp_defaults[32] = {
	[LINUX_TCP_KEEPIDLE] = 7200,
	[LINUX_TCP_KEEPINTVL] = 75,
	[LINUX_TCP_KEEPCNT] = 9,
	[LINUX_TCP_SYNCNT] = 6,
	[LINUX_TCP_LINGER2] = 60,
	[LINUX_TCP_MAXSEG] = LOOPBACK_MSS,
	[LINUX_TCP_QUICKACK] = 1,
	[LINUX_TCP_WINDOW_CLAMP] = 65536,
};
/* What a number may be. A flag: any number, on or off. */
static const struct tcp_option {
	int opt, min, max;
	bool flag;
} options[] = {
	{ LINUX_TCP_NODELAY, 0, 0, true },
	{ LINUX_TCP_MAXSEG, 88, 32767, false },
	{ LINUX_TCP_CORK, 0, 0, true },
	{ LINUX_TCP_KEEPIDLE, 1, 32767, false },
	{ LINUX_TCP_KEEPINTVL, 1, 32767, false },
	{ LINUX_TCP_KEEPCNT, 1, 127, false },
	{ LINUX_TCP_SYNCNT, 1, 127, false },
	{ LINUX_TCP_LINGER2, INT32_MIN, INT32_MAX, false },
	{ LINUX_TCP_DEFER_ACCEPT, INT32_MIN, INT32_MAX, false },
	{ LINUX_TCP_WINDOW_CLAMP, 0, INT32_MAX, false },
	{ LINUX_TCP_QUICKACK, INT32_MIN, INT32_MAX, false },
	{ LINUX_TCP_THIN_LINEAR_TIMEOUTS, 0, 1, false },
	{ LINUX_TCP_THIN_DUPACK, 0, 1, false },
	{ LINUX_TCP_USER_TIMEOUT, 0, INT32_MAX, false },
	{ LINUX_TCP_FASTOPEN, 0, INT32_MAX, false },
	{ LINUX_TCP_NOTSENT_LOWAT, INT32_MIN, INT32_MAX, false },
	{ LINUX_TCP_SAVE_SYN, 0, 1, false },
	{ LINUX_TCP_FASTOPEN_CONNECT, 0, 1, false },
};

static const struct tcp_option *find(int opt)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		if (options[i].opt == opt)
			return &options[i];
	return NULL;
}

static void keep(struct socket *s, int opt, uint32_t n)
{
	mutex_lock(&s->mu);
	s->tcp_values[opt] = n;
	s->tcp_flags |= 1u << opt;
	mutex_unlock(&s->mu);
}

static int set_tcp(struct socket *s, int opt, int n)
{
	const struct tcp_option *o = find(opt);

	if (!o)
		return -ENOPROTOOPT;
	if (o->flag)
		n = !!n;
	else if (n < o->min || n > o->max)
		return -EINVAL;
	keep(s, opt, (uint32_t)n);
	if (s->peer && socket_is_far(s->peer))
		far_changed(s->peer);
	return 0;
}

/* Of congestion there is none; the names that any kernel knows. */
static const char *const congestion[] = { "cubic", "reno" };

static int set_congestion(struct socket *s, const char *name, unsigned len)
{
	size_t n = strnlen(name, len);

	if (!len)
		return -EINVAL;
	for (uint32_t i = 0; i < sizeof(congestion) / sizeof(*congestion); i++) {
		if (strlen(congestion[i]) == n && !memcmp(congestion[i], name, n)) {
			keep(s, LINUX_TCP_CONGESTION, i);
			return 0;
		}
	}
	return -ENOENT;
}

int inet_setopt(struct socket *s, int level, int opt, const void *v, unsigned len)
{
	int n = 0;

	if (len)
		memcpy(&n, v, len < sizeof(n) ? len : sizeof(n));
	if (level == LINUX_IPPROTO_TCP && s->type == LINUX_SOCK_STREAM)
		return opt == LINUX_TCP_CONGESTION ? set_congestion(s, v, len) : len < sizeof(n) ? -EINVAL : set_tcp(s, opt, n);
	if (level == LINUX_IPPROTO_IP || (level == LINUX_IPPROTO_IPV6 && s->family == LINUX_AF_INET6))
		return ip_setopt(s, level, opt, v, len);
	return -ENOPROTOOPT;
}

static int put(void *v, unsigned *len, const void *from, unsigned n)
{
	if (*len > n)
		*len = n;
	memcpy(v, from, *len);
	return 0;
}

static int get_tcp(struct socket *s, int opt, void *v, unsigned *len)
{
	uint8_t info[104] = { 0 };
	uint32_t n;

	if (opt == LINUX_TCP_CONGESTION) {
		snprintf((char *)info, 16, "%s", congestion[s->tcp_values[opt]]);
		return put(v, len, info, 16);
	}
	if (opt == LINUX_TCP_INFO) {
		struct tcp_info_head h = { .rto = 204000, .ato = 40000, .snd_mss = LOOPBACK_MSS, .rcv_mss = 536 };

		h.state = s->state == SOCK_LISTENING ? TCP_LISTEN : s->peer ? TCP_ESTABLISHED : TCP_CLOSE;
		memcpy(info, &h, sizeof(h));
		return put(v, len, info, sizeof(info));
	}
	if (!find(opt))
		return -ENOPROTOOPT;
	mutex_lock(&s->mu);
	n = s->tcp_flags >> opt & 1 ? s->tcp_values[opt] : tcp_defaults[opt];
	mutex_unlock(&s->mu);
	return put(v, len, &n, sizeof(n));
}

int inet_getopt(struct socket *s, int level, int opt, void *v, unsigned *len)
{
	if (level == LINUX_IPPROTO_TCP && s->type == LINUX_SOCK_STREAM)
		return get_tcp(s, opt, v, len);
	if (level == LINUX_IPPROTO_IP || (level == LINUX_IPPROTO_IPV6 && s->family == LINUX_AF_INET6))
		return ip_getopt(s, level, opt, v, len);
	return -ENOPROTOOPT;
}
