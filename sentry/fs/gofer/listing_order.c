/*
 * listing_order.c - in which order are a directory's entries being visited: the listing's (find,
 * tar, grep -r), that of inode numbers (cp, rm), or of names (git, shells' patterns)?
 *
 * The other two orders are made when the listing's does not fit, once a listing, and are
 * immutable then; whoever is second throws his away.
 */
#include "fs/gofer/internal.h"

#include <stdlib.h>
#include <string.h>

#define NEAR 16u /* entries between two visits that are in order */
#define SORT_MAX 65536u

struct glist_sorted {
	uint32_t *entry, *rank; /* by place; place, by entry */
};

static int by_ino(const void *a, const void *b, void *arg)
{
	const struct glist *l = arg;
	uint64_t x = l->entries[*(const uint32_t *)a].ino, y = l->entries[*(const uint32_t *)b].ino;

	return (x > y) - (x < y);
}

static int by_name(const void *a, const void *b, void *arg)
{
	const struct glist *l = arg;
	struct qstr x = glist_name(l, *(const uint32_t *)a), y = glist_name(l, *(const uint32_t *)b);
	int c = memcmp(x.name, y.name, x.len < y.len ? x.len : y.len);

	return c ? c : (x.len > y.len) - (x.len < y.len);
}

void glist_sorted_free(struct glist_sorted *s)
{
	if (!s)
		return;
	free(s->entry);
	free(s->rank);
	free(s);
}

static struct glist_sorted *sort(struct glist *l, int (*compare)(const void *, const void *, void *))
{
	struct glist_sorted *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->entry = reallocarray(NULL, l->n, sizeof(*s->entry));
	s->rank = reallocarray(NULL, l->n, sizeof(*s->rank));
	if (!s->entry || !s->rank) {
		glist_sorted_free(s);
		return NULL;
	}
	for (uint32_t i = 0; i < l->n; i++)
		s->entry[i] = i;
	qsort_r(s->entry, l->n, sizeof(*s->entry), compare, l);
	for (uint32_t i = 0; i < l->n; i++)
		s->rank[s->entry[i]] = i;
	return s;
}

static struct glist_sorted *sorted(struct glist *l, enum glist_order o)
{
	_Atomic(struct glist_sorted *) *slot = &l->sorted[o];
	struct glist_sorted *s = *slot, *none = NULL;

	if (s || l->n > SORT_MAX)
		return s;
	s = sort(l, o == ORDER_INO ? by_ino : by_name);
	if (s && !atomic_compare_exchange_strong(slot, &none, s)) {
		glist_sorted_free(s);
		s = none;
	}
	return s;
}

static bool follows(uint32_t before, uint32_t reach, uint32_t at) { return at > before && at < (reach > before ? reach : before) + NEAR; }

enum glist_order glist_order_of(struct glist *l, uint32_t before, uint32_t reach, uint32_t i)
{
	if (follows(before, reach, i))
		return ORDER_LISTING;
	for (enum glist_order o = 0; o < ORDER_LISTING; o++) {
		const struct glist_sorted *s = sorted(l, o);

		if (s && follows(s->rank[before], s->rank[reach], s->rank[i]))
			return o;
	}
	return ORDER_NONE;
}

int64_t glist_after(struct glist *l, enum glist_order o, uint32_t i)
{
	const struct glist_sorted *s;

	if (o == ORDER_LISTING)
		return i + 1 < l->n ? (int64_t)i + 1 : -1;
	s = o == ORDER_NONE ? NULL : sorted(l, o);
	return s && s->rank[i] + 1 < l->n ? (int64_t)s->entry[s->rank[i] + 1] : -1;
}
