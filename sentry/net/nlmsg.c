/*
 * nlmsg.c - see nlmsg.h.  Works on private copies, takes no locks.
 */
#include "net/nlmsg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- making messages ------------------------------------------------------------------ */

static void put(struct nlbuf *b, const void *v, size_t n)
{
	size_t room = LINUX_NLMSG_ALIGN(n);

	if (b->failed)
		return;
	if (b->len + room > b->cap) {
		size_t cap = (b->len + room) * 2;
		uint8_t *p = realloc(b->p, cap);

		if (!p) {
			b->failed = true;
			return;
		}
		b->p = p;
		b->cap = cap;
	}
	memcpy(b->p + b->len, v, n);
	memset(b->p + b->len + n, 0, room - n);
	b->len += room;
}

void nl_begin(struct nlbuf *b, uint16_t type, const void *fixed, size_t n)
{
	const struct linux_nlmsghdr h = { .type = type, .flags = b->flags, .seq = b->seq, .pid = b->pid };

	b->start = b->len;
	put(b, &h, sizeof(h));
	put(b, fixed, n);
}

void nl_attr(struct nlbuf *b, uint16_t type, const void *v, size_t n)
{
	const struct linux_rtattr a = { .len = (uint16_t)(sizeof(a) + n), .type = type };

	put(b, &a, sizeof(a));
	put(b, v, n);
}

void nl_attr32(struct nlbuf *b, uint16_t type, uint32_t v)
{
	nl_attr(b, type, &v, sizeof(v));
}

void nl_attr8(struct nlbuf *b, uint16_t type, uint8_t v)
{
	nl_attr(b, type, &v, sizeof(v));
}

void nl_text(struct nlbuf *b, uint16_t type, const char *s)
{
	nl_attr(b, type, s, strlen(s) + 1);
}

size_t nl_nest(struct nlbuf *b, uint16_t type)
{
	const struct linux_rtattr a = { .type = type };
	size_t at = b->len;

	put(b, &a, sizeof(a));
	return at;
}

void nl_nest_end(struct nlbuf *b, size_t nest)
{
	uint16_t len = (uint16_t)(b->len - nest);

	if (!b->failed)
		memcpy(b->p + nest, &len, sizeof(len));
}

void nl_end(struct nlbuf *b)
{
	uint32_t len = (uint32_t)(b->len - b->start);

	if (!b->failed)
		memcpy(b->p + b->start, &len, sizeof(len));
}

/* --- reading requests ------------------------------------------------------------------ */

int nl_parse(const uint8_t *p, size_t n, struct nlattrs *out)
{
	struct linux_rtattr a;
	size_t step;

	memset(out, 0, sizeof(*out));
	while (n >= sizeof(a)) {
		memcpy(&a, p, sizeof(a));
		if (a.len < sizeof(a) || a.len > n)
			return -EINVAL;
		a.type &= 0x3fff; /* without the marks of nesting and byte order */
		if (a.type < NLATTRS) {
			out->a[a.type].v = p + sizeof(a);
			out->a[a.type].n = a.len - sizeof(a);
		}
		step = LINUX_NLMSG_ALIGN(a.len);
		if (step > n)
			step = n;
		p += step;
		n -= step;
	}
	return 0;
}

int nl_parse_request(const struct linux_nlmsghdr *h, void *fixed, size_t n, struct nlattrs *out)
{
	size_t have = h->len - sizeof(*h), skip = LINUX_NLMSG_ALIGN(n);

	if (have < n)
		return -EINVAL;
	memcpy(fixed, h + 1, n);
	return nl_parse((const uint8_t *)(h + 1) + skip, have > skip ? have - skip : 0, out);
}

uint32_t nl_get32(const struct nlattrs *l, unsigned type)
{
	uint32_t v = 0;

	if (l->a[type].n >= sizeof(v))
		memcpy(&v, l->a[type].v, sizeof(v));
	return v;
}

int nl_get_text(const struct nlattrs *l, unsigned type, char *out, size_t room)
{
	size_t n = l->a[type].v ? strnlen((const char *)l->a[type].v, l->a[type].n) : 0;

	if (n >= room)
		return -ERANGE;
	if (n)
		memcpy(out, l->a[type].v, n);
	out[n] = 0;
	return 0;
}
