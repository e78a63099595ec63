/*
 * engine.c - the engine's life, its interfaces, the event thread's part in it, and the one
 * timer that all of it shares.  See engine.h.
 *
 * It is made with the first interface and stays until the process ends.  Nothing wakes up
 * while no frames come and nothing that was sent is unanswered.
 */
#include "net/outside/engine.h"

#include "lib/wait.h"
#include "libipc/log.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAMES_A_TURN 64 /* then others get their turn of the event thread */
#define FRAME_MAX (sizeof(struct frame_info) + ETHER_HEAD + PACKET_MAX + 64)
#define TICK_STEP (4 * MS) /* timers are rounded up to this */
#define COMPLAINTS_A_SECOND 100

/* --- the timer ------------------------------------------------------------------------ */

void engine_due(struct outside *o, int64_t when)
{
	struct timeval tv;
	int64_t left;

	if (when >= o->tick_at)
		return;
	o->tick_at = when;
	left = when - now_monotonic();
	left = left < TICK_STEP ? TICK_STEP : left;
	tv = (struct timeval){ left / SECOND, left % SECOND / 1000 };
	event_add(o->tick, &tv);
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct outside *o = arg;
	int64_t now = now_monotonic(), next;

	mutex_lock(&o->mu);
	o->tick_at = INT64_MAX;
	next = sooner(tcp_tick(o, now), fragments_tick(o, now));
	for (unsigned i = 0; i < o->n_links; i++)
		next = sooner(next, neighbors_tick(o->links[i], now));
	if (next != INT64_MAX)
		engine_due(o, next);
	mutex_unlock(&o->mu);
}

bool engine_may_complain(struct outside *o)
{
	int64_t now = now_monotonic();

	if (now - o->errors_since > SECOND) {
		o->errors_since = now;
		o->n_errors = 0;
	}
	return o->n_errors++ < COMPLAINTS_A_SECOND;
}

/* --- frames ------------------------------------------------------------------------------- */

static void take_frame(struct link *l, uint8_t *p, size_t n)
{
	static const uint8_t all[MAC_LEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	const size_t head = sizeof(struct frame_info) + ETHER_HEAD;
	struct frame_info info;
	const uint8_t *ether = p + sizeof(info);

	if (n < head)
		return;
	memcpy(&info, p, sizeof(info));
	l->rx_packets++;
	l->rx_bytes += n - sizeof(info);
	/* the host shows what others send too, if somebody made the interface promiscuous */
	if (memcmp(ether, l->mac, MAC_LEN) && memcmp(ether, all, MAC_LEN) && !(ether[0] & 1))
		return;
	ip_input(l, &info, get16(ether + 12), p + head, n - head);
}

/* As many as there are, to a bound. */
static void take_frames(struct link *l, int fd)
{
	struct outside *o = l->o;

	for (int i = 0; i < FRAMES_A_TURN; i++) {
		const size_t at = l->plain ? sizeof(struct frame_info) : 0;
		ssize_t n = read(fd, o->frame + at, FRAME_MAX - at);

		if (n < 0) /* nothing more; or ENETDOWN, which is told once when the interface goes down */
			return;
		if (!n && l->plain) { /* who was at its other end has gone */
			log_warning("network: %s leads nowhere any more", l->dev->name);
			event_del(l->in);
			return;
		}
		memset(o->frame, 0, at);
		mutex_lock(&o->mu);
		take_frame(l, o->frame, (size_t)n + at);
		mutex_unlock(&o->mu);
	}
}

static void on_frame(evutil_socket_t fd, short what, void *arg)
{
	struct link *l = arg;

	take_frames(l, fd);
	mutex_lock(&l->o->mu);
	tcp_pay(l->o);
	mutex_unlock(&l->o->mu);
}

/* Where byte `at` of v is, and the next one, which may be in another piece. */
static void two_bytes(const struct iovec *v, size_t at, uint8_t *out[2])
{
	for (int i = 0; i < 2; at++) {
		if (at < v->iov_len) {
			out[i++] = (uint8_t *)v->iov_base + at;
			continue;
		}
		at -= v->iov_len + 1;
		v++;
	}
}

/* Of what follows the first `from` bytes. */
static uint16_t sum_from(const struct iovec *v, unsigned n, size_t from)
{
	uint32_t sum = 0;
	bool odd = false;

	for (unsigned i = 0; i < n; i++) {
		size_t skip = from < v[i].iov_len ? from : v[i].iov_len, len = v[i].iov_len - skip;
		uint16_t part = sum_fold(sum_add(0, (const uint8_t *)v[i].iov_base + skip, len));

		from -= skip;
		sum += odd ? (uint16_t)(part << 8 | part >> 8) : part;
		odd ^= len & 1;
	}
	return (uint16_t)~sum_fold(sum);
}

/* As link_write, where nobody completes checksums: for as long as it takes, the field has what it must. */
static ssize_t send_plain(struct link *l, const struct frame_info *f, struct msghdr *m)
{
	const struct iovec *packet = m->msg_iov + 1;
	const unsigned n = (unsigned)m->msg_iovlen - 1;
	uint8_t *field[2], before[2];
	uint16_t sum;
	ssize_t r;

	if (!(f->flags & FRAME_NEEDS_CSUM))
		return sendmsg(l->fd, m, MSG_DONTWAIT | MSG_NOSIGNAL);
	two_bytes(packet, (size_t)f->csum_start + f->csum_offset, field);
	sum = sum_from(packet, n, f->csum_start);
	if (!sum)
		sum = UINT16_MAX; /* the same number; UDP has 0 for none */
	for (int i = 0; i < 2; i++) {
		before[i] = *field[i];
		*field[i] = ((const uint8_t *)&sum)[i];
	}
	r = sendmsg(l->fd, m, MSG_DONTWAIT | MSG_NOSIGNAL);
	for (int i = 0; i < 2; i++)
		*field[i] = before[i];
	return r;
}

int link_write(struct link *l, const struct frame_info *f, const uint8_t to[MAC_LEN], uint16_t ether_type, const struct iovec *v, unsigned n)
{
	uint8_t head[sizeof(*f) + ETHER_HEAD], *ether = head + sizeof(*f);
	struct iovec all[40] = { { head, sizeof(head) } };
	struct frame_info info = *f;
	struct msghdr m = { .msg_iov = all, .msg_iovlen = n + 1 };
	ssize_t r;

	if (n > sizeof(all) / sizeof(all[0]) - 1)
		return -EMSGSIZE;
	if (info.flags & FRAME_NEEDS_CSUM) { /* they count from the frame's beginning */
		info.csum_start = (uint16_t)(info.csum_start + ETHER_HEAD);
		info.hdr_len = (uint16_t)(info.hdr_len + ETHER_HEAD);
	}
	memcpy(head, &info, sizeof(info));
	memcpy(ether, to, MAC_LEN);
	memcpy(ether + MAC_LEN, l->mac, MAC_LEN);
	put16(ether + 12, ether_type);
	memcpy(all + 1, v, n * sizeof(*v));
	if (l->plain) {
		all[0] = (struct iovec){ ether, ETHER_HEAD };
		r = send_plain(l, f, &m);
	} else {
		r = sendmsg(l->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	if (r < 0)
		return errno == EAGAIN || errno == ENOBUFS ? -EAGAIN : errno == EPIPE || errno == ECONNRESET ? -ENETDOWN : -errno;
	l->tx_packets++;
	l->tx_bytes += (uint64_t)r - (l->plain ? 0 : sizeof(info));
	return 0;
}

/* --- life ------------------------------------------------------------------------------------- */

static struct outside *engine_new(struct net_stack *n, struct event_base *loop)
{
	struct outside *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->tick = event_new(loop, -1, 0, on_tick, o);
	o->frame = malloc(FRAME_MAX);
	if (!o->tick || !o->frame) {
		if (o->tick)
			event_free(o->tick);
		free(o->frame);
		free(o);
		return NULL;
	}
	mutex_init(&o->mu, RANK_OUTSIDE);
	o->net = n;
	o->tick_at = INT64_MAX;
	LIST_INIT(&o->assemblies);
	LIST_INIT(&o->timed);
	LIST_INIT(&o->owing);
	TAILQ_INIT(&o->half_open);
	TAILQ_INIT(&o->time_waits);
	for (unsigned i = 0; i < TCP_BUCKETS; i++)
		LIST_INIT(&o->hash[i]);
	return o;
}

static int make_device(struct net_stack *n, const struct outside_link *c, struct link *l)
{
	struct net_device *d;
	int r;

	mutex_lock(&n->world->mu);
	r = device_new_locked(n, DEVICE_WIRE, c->name, c->index && !device_find_locked(n, c->index) ? c->index : 0, &d);
	if (!r) {
		memcpy(d->mac, c->mac, sizeof(d->mac));
		if (device_set_mtu_locked(d, c->mtu))
			r = -EINVAL;
		device_set_up_locked(d, c->up);
		d->outside = l;
		l->dev = d;
		l->index = d->index;
	}
	mutex_unlock(&n->world->mu);
	return r;
}

int outside_add_link(struct net_stack *n, struct event_base *loop, const struct outside_link *c)
{
	struct outside *o = n->world->outside ? n->world->outside : engine_new(n, loop);
	struct link *l;
	int r = -ENOMEM;

	if (!o)
		return -ENOMEM;
	n->world->outside = o;
	if (o->n_links == OUTSIDE_LINKS_MAX)
		return -ENOSPC;
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	l->o = o;
	l->fd = c->fd;
	l->plain = c->plain;
	o->whole |= c->plain;
	memcpy(l->mac, c->mac, MAC_LEN);
	LIST_INIT(&l->neighbors);
	l->in = event_new(loop, c->fd, EV_READ | EV_PERSIST, on_frame, l);
	if (l->in)
		r = make_device(n, c, l);
	if (r) {
		if (l->in)
			event_free(l->in);
		free(l);
		return r;
	}
	mutex_lock(&o->mu);
	o->links[o->n_links++] = l;
	mutex_unlock(&o->mu);
	event_add(l->in, NULL);
	return 0;
}

unsigned outside_time_waits(const struct net_stack *n)
{
	const struct outside *o = n->world->outside;

	return o && o->net == n ? o->n_time_waits : 0;
}

struct outside_counts outside_counts(const struct net_device *d)
{
	const struct link *l = d->outside;

	return l ? (struct outside_counts){ l->rx_packets, l->rx_bytes, l->rx_dropped, l->tx_packets, l->tx_bytes } : (struct outside_counts){ 0 };
}
