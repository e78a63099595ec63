/*
 * ranges.c - see ranges.h.
 */
#include "mm/ranges.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#define FIT_TRIES 32

static int cmp_off(const struct range *a, const struct range *b)
{
	return a->off < b->off ? -1 : a->off > b->off;
}

static int cmp_size(const struct range *a, const struct range *b)
{
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return cmp_off(a, b);
}

RB_GENERATE_INTERNAL(range_tree, range, by_off, cmp_off, __attribute__((unused)))
RB_GENERATE_INTERNAL(size_tree, range, by_size, cmp_size, static __attribute__((unused)))

void ranges_init(struct ranges *f)
{
	RB_INIT(&f->by_off);
	RB_INIT(&f->by_size);
}

static void link_in(struct ranges *f, struct range *r)
{
	RB_INSERT(range_tree, &f->by_off, r);
	RB_INSERT(size_tree, &f->by_size, r);
}

static void take_out(struct ranges *f, struct range *r)
{
	RB_REMOVE(range_tree, &f->by_off, r);
	RB_REMOVE(size_tree, &f->by_size, r);
}

void ranges_add(struct ranges *f, struct range *r)
{
	struct range *next = RB_NFIND(range_tree, &f->by_off, r);
	struct range *prev = next ? RB_PREV(range_tree, &f->by_off, next) : RB_MAX(range_tree, &f->by_off);

	if (prev && prev->off + prev->len == r->off) {
		take_out(f, prev);
		prev->len += r->len;
		free(r);
		r = prev;
	}
	if (next && r->off + r->len == next->off) {
		take_out(f, next);
		r->len += next->len;
		free(next);
	}
	link_in(f, r);
}

/* Whether an aligned block of len fits into r: its offset in *off. */
static bool fits(const struct range *r, uint64_t len, uint64_t align, uint64_t *off)
{
	uint64_t o = (r->off + align - 1) & ~(align - 1);

	if (o < r->off || o - r->off > r->len || r->len - (o - r->off) < len)
		return false;
	*off = o;
	return true;
}

static struct range *find_hint(struct ranges *f, uint64_t hint, uint64_t len)
{
	struct range key = { .off = hint }, *r;

	r = RB_NFIND(range_tree, &f->by_off, &key);
	if (!r || r->off > hint)
		r = r ? RB_PREV(range_tree, &f->by_off, r) : RB_MAX(range_tree, &f->by_off);
	if (!r || hint < r->off || hint - r->off >= r->len || r->len - (hint - r->off) < len)
		return NULL;
	return r;
}

static struct range *find_fit(struct ranges *f, uint64_t len, uint64_t align, uint64_t *off)
{
	struct range key = { .len = len }, *r;
	int tries = FIT_TRIES;

	for (r = RB_NFIND(size_tree, &f->by_size, &key); r && tries-- > 0; r = RB_NEXT(size_tree, &f->by_size, r))
		if (fits(r, len, align, off))
			return r;
	key.len = len + align;
	r = RB_NFIND(size_tree, &f->by_size, &key);
	return r && fits(r, len, align, off) ? r : NULL;
}

struct range *ranges_find(struct ranges *f, uint64_t len, uint64_t align, uint64_t hint, uint64_t *off)
{
	struct range *r = hint && !(hint & (align - 1)) ? find_hint(f, hint, len) : NULL;

	if (!r)
		return find_fit(f, len, align, off);
	*off = hint;
	return r;
}

int ranges_take(struct ranges *f, struct range *r, uint64_t off, uint64_t len)
{
	uint64_t head = off - r->off, tail = r->off + r->len - (off + len);
	struct range *rest = NULL;

	if (head && tail && !(rest = malloc(sizeof(*rest))))
		return -ENOMEM;
	take_out(f, r);
	if (head) {
		r->len = head;
		link_in(f, r);
		if (tail) {
			rest->off = off + len;
			rest->len = tail;
			link_in(f, rest);
		}
	} else if (tail) {
		r->off = off + len;
		r->len = tail;
		link_in(f, r);
	} else {
		free(r);
	}
	return 0;
}
