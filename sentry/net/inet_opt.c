/*
 * inet_opt.c - options of the level TCP.  On the loopback most have no effect;
 * they are kept and told back.  (IP and IPv6: ip_opt.c)
 */
#include "net/stack.h"

#include <errno.h>
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
static const uint32_t tcp_known = 1u << LINUX_TCP_NODELAY | 1u << LINUX_TCP_MAXSEG | 1u << LINUX_TCP_CORK | 1u << LINUX_TCP_KEEPIDLE |
				  1u << LINUX_TCP_KEEPINTVL | 1u << LINUX_TCP_KEEPCNT | 1u << LINUX_TCP_SYNCNT | 1u << LINUX_TCP_LINGER2 |
				  1u << LINUX_TCP_DEFER_ACCEPT | 1u << LINUX_TCP_WINDOW_CLAMP | 1u << LINUX_TCP_QUICKACK |
				  1u << LINUX_TCP_USER_TIMEOUT | 1u << LINUX_TCP_FASTOPEN;

static bool tcp_is_known(int opt)
{
	return opt > 0 && opt < 32 && tcp_known >> opt & 1;
}

static int set_tcp(struct socket *s, int opt, int n)
{
	if (opt == LINUX_TCP_CONGESTION)
		return 0;
	if (!tcp_is_known(opt))
		return -ENOPROTOOPT;
	if (opt == LINUX_TCP_NODELAY || opt == LINUX_TCP_CORK)
		n = !!n;
	if (n < 0 || ((opt == LINUX_TCP_KEEPIDLE || opt == LINUX_TCP_KEEPINTVL || opt == LINUX_TCP_KEEPCNT) && n < 1))
		return -EINVAL;
	mutex_lock(&s->mu);
	s->tcp_values[opt] = (uint32_t)n;
	s->tcp_flags |= 1u << opt;
	mutex_unlock(&s->mu);
	return 0;
}

int inet_setopt(struct socket *s, int level, int opt, const void *v, unsigned len)
{
	int n = 0;

	if (len)
		memcpy(&n, v, len < sizeof(n) ? len : sizeof(n));
	if (level == LINUX_IPPROTO_TCP && s->type == LINUX_SOCK_STREAM)
		return len < sizeof(n) && opt != LINUX_TCP_CONGESTION ? -EINVAL : set_tcp(s, opt, n);
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

	if (opt == LINUX_TCP_CONGESTION)
		return put(v, len, "cubic\0\0\0\0\0\0\0\0\0\0", 16);
	if (opt == LINUX_TCP_INFO) {
		struct tcp_info_head h = { .rto = 204000, .ato = 40000, .snd_mss = LOOPBACK_MSS, .rcv_mss = 536 };

		h.state = s->state == SOCK_LISTENING ? TCP_LISTEN : s->peer ? TCP_ESTABLISHED : TCP_CLOSE;
		memcpy(info, &h, sizeof(h));
		return put(v, len, info, sizeof(info));
	}
	if (!tcp_is_known(opt))
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
