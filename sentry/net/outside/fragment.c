/*
 * fragment.c - datagrams that are larger than what the wire takes: cutting them up, and
 * putting together those that come (RFC 791, RFC 8200 4.5).  See engine.h.
 *
 * What comes is bounded in number and time; pieces that overlap make the whole worthless
 * (RFC 5722), as everybody who sends such is hostile.
 */
#include "net/outside/engine.h"

#include "lib/wait.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ASSEMBLIES_MAX 16
#define LIFETIME (30 * SECOND)
#define FRAGMENT_HEADER 44
#define FRAGMENT_HEAD 8 /* IPv6's extension header */

/* --- receiving -------------------------------------------------------------------------- */

static void drop(struct outside *o, struct assembly *s)
{
	LIST_REMOVE(s, link);
	o->n_assemblies--;
	free(s->bytes);
	free(s);
}

int64_t fragments_tick(struct outside *o, int64_t now)
{
	struct assembly *s, *next;
	int64_t due = INT64_MAX;

	for (s = LIST_FIRST(&o->assemblies); s; s = next) {
		next = LIST_NEXT(s, link);
		if (s->deadline <= now)
			drop(o, s);
		else if (s->deadline < due)
			due = s->deadline;
	}
	return due;
}

static struct assembly *find(struct outside *o, const struct arrival *a, uint32_t id)
{
	struct assembly *s, *last = NULL;

	LIST_FOREACH(s, &o->assemblies, link) {
		if (s->id == id && s->proto == a->proto && !memcmp(s->from, a->from, 16) && !memcmp(s->to, a->to, 16))
			return s;
		last = s;
	}
	if (o->n_assemblies == ASSEMBLIES_MAX)
		drop(o, last);
	s = calloc(1, sizeof(*s));
	if (!s || !(s->bytes = malloc(PACKET_MAX))) {
		free(s);
		return NULL;
	}
	s->id = id;
	s->proto = a->proto;
	memcpy(s->from, a->from, 16);
	memcpy(s->to, a->to, 16);
	s->deadline = now_monotonic() + LIFETIME;
	engine_due(o, s->deadline);
	LIST_INSERT_HEAD(&o->assemblies, s, link);
	o->n_assemblies++;
	return s;
}

/* false: it contradicts what came before. */
static bool place(struct assembly *s, const struct arrival *a, uint32_t off, bool more)
{
	uint32_t n = (uint32_t)a->n, end = off + n;

	if (!n || end > PACKET_MAX || (more && n % 8) || s->n_parts == PARTS_MAX)
		return false;
	if ((!more && s->total && s->total != end) || (s->total && end > s->total))
		return false;
	for (unsigned i = 0; i < s->n_parts; i++) {
		const struct part *p = &s->parts[i];

		if (off < p->off + p->len && p->off < end)
			return false;
		if (!more && p->off + p->len > end)
			return false;
	}
	s->parts[s->n_parts++] = (struct part){ off, n };
	memcpy(s->bytes + off, a->p, n);
	s->got += n;
	if (!more)
		s->total = end;
	return true;
}

bool fragment_input(struct outside *o, struct arrival *a, uint32_t id, uint32_t off, bool more)
{
	static uint8_t whole[PACKET_MAX]; /* [o->mu] */
	struct assembly *s = find(o, a, id);

	if (!s)
		return false;
	if (!place(s, a, off, more)) {
		drop(o, s);
		return false;
	}
	if (!s->total || s->got != s->total)
		return false;
	memcpy(whole, s->bytes, s->total);
	a->p = whole;
	a->n = s->total;
	a->checked = false;
	drop(o, s);
	return true;
}

/* --- sending ----------------------------------------------------------------------------- */

/* The IP header of one piece, at most IP6_HEAD + FRAGMENT_HEAD bytes; its length. */
static size_t put_head(const struct departure *d, uint32_t id, uint32_t off, size_t n, bool more, uint8_t *h)
{
	if (ip_is_v4(d->to)) {
		ip4_put_head(h, d, n, id, off / 8 | (more ? MORE_FRAGMENTS : 0));
		return IP4_HEAD;
	}
	ip6_put_head(h, d, n + FRAGMENT_HEAD, FRAGMENT_HEADER);
	h[IP6_HEAD] = d->proto;
	h[IP6_HEAD + 1] = 0;
	put16(h + IP6_HEAD + 2, off | more);
	put32(h + IP6_HEAD + 4, id);
	return IP6_HEAD + FRAGMENT_HEAD;
}

int fragment_send(struct outside *o, const struct departure *d, struct link *l, const uint8_t next[16], uint32_t mtu)
{
	static const struct frame_info plain;
	uint8_t *all = malloc(d->n), head[IP6_HEAD + FRAGMENT_HEAD];
	size_t at = 0, room = (mtu - sizeof(head)) & ~(size_t)7;
	uint32_t id = o->next_id++;
	uint16_t sum;
	int r = 0;

	if (!all)
		return -ENOBUFS;
	for (unsigned i = 0; i < d->n_v; i++) {
		memcpy(all + at, d->v[i].iov_base, d->v[i].iov_len);
		at += d->v[i].iov_len;
	}
	if (d->sum_at) { /* nobody completes it in pieces; 0 would mean that there is none */
		sum = (uint16_t)~sum_fold(sum_add(0, all, d->n));
		sum = sum ? sum : 0xffff;
		memcpy(all + d->sum_at, &sum, 2);
	}
	for (at = 0; !r && at < d->n; at += room) {
		size_t n = d->n - at < room ? d->n - at : room;
		struct iovec v[2] = { { head, 0 }, { all + at, n } };

		v[0].iov_len = put_head(d, id, (uint32_t)at, n, at + n < d->n, head);
		r = neighbor_send(l, next, &plain, v, 2);
	}
	free(all);
	return r;
}
