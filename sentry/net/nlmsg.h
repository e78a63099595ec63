/*
 * nlmsg.h - netlink messages: made one after the other in a buffer, and attributes
 * read from a request that has been copied.
 */
#ifndef SENTRY_NET_NLMSG_H
#define SENTRY_NET_NLMSG_H

#include "abi/netlink.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Messages being made. */
struct nlbuf {
	uint8_t *p;
	size_t len, cap;
	bool failed; /* no memory */
	uint32_t seq, pid; /* of the request and of the socket that made it */
	uint16_t flags; /* of each message */
	size_t start; /* of the message under way */
};
void nl_begin(struct nlbuf *b, uint16_t type, const void *fixed, size_t n);
void nl_attr(struct nlbuf *b, uint16_t type, const void *v, size_t n);
void nl_attr32(struct nlbuf *b, uint16_t type, uint32_t v);
void nl_attr8(struct nlbuf *b, uint16_t type, uint8_t v);
void nl_text(struct nlbuf *b, uint16_t type, const char *s);
/* Attributes within one: what is put between the two. */
size_t nl_nest(struct nlbuf *b, uint16_t type);
void nl_nest_end(struct nlbuf *b, size_t nest);
void nl_end(struct nlbuf *b);

#define NLATTRS 64
/* The attributes of a stretch, by type; those of higher types are passed over.  v points into the stretch, unaligned. */
struct nlattrs {
	struct {
		const uint8_t *v;
		size_t n;
	} a[NLATTRS];
};
/* -EINVAL: one does not fit. */
int nl_parse(const uint8_t *p, size_t n, struct nlattrs *out);
/* The same of a request, behind a fixed part that is copied to *fixed: -EINVAL when that is not whole. */
int nl_parse_request(const struct linux_nlmsghdr *h, void *fixed, size_t n, struct nlattrs *out);
static inline bool nl_has(const struct nlattrs *l, unsigned type) { return l->a[type].v; }
/* A number, 0 when it is not there (or too short). */
uint32_t nl_get32(const struct nlattrs *l, unsigned type);
/* A text that fits out, "" when it is not there. -EINVAL, -ERANGE: too long */
int nl_get_text(const struct nlattrs *l, unsigned type, char *out, size_t room);

#endif
