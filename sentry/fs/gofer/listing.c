/*
 * listing.c - what a directory of a gofer tree contains, remembered.
 *
 * A listing is built by the open file that reads the directory (under its position's
 * lock).  When it is complete, and no name of the directory was changed meanwhile, it
 * is published at the directory's node and immutable from then on: the next reader
 * asks nobody, a name that is not in it is known not to be there, and the names
 * after one that is looked up are those likely to be looked up next (ahead.c).
 * Any change of a name drops it.  Trees that others change publish nothing.
 *
 * [s->mu] guards what is published where, and the list of all, oldest use first, which is
 * bounded in bytes.
 */
#include "fs/gofer/internal.h"
#include "lib/wait.h"

#include <stdlib.h>
#include <string.h>

#define LISTS_BYTES ((size_t)4 << 20)

struct glist *glist_new(const struct gnode *dir)
{
	struct glist *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	ref_init(&l->ref);
	l->changes = dir->changes;
	l->since = now_monotonic();
	l->unsure = dir->changing != 0;
	return l;
}

void glist_put(struct glist *l)
{
	if (!l || !ref_put(&l->ref))
		return;
	free(l->entries);
	free(l->names);
	free(l->index);
	for (unsigned k = 0; k < ORDER_LISTING; k++)
		glist_sorted_free(l->sorted[k]);
	free(l);
}

size_t glist_bytes(const struct glist *l)
{
	return sizeof(*l) + l->cap * sizeof(*l->entries) + l->names_cap + (l->index ? (l->index_mask + 1) * sizeof(*l->index) : 0);
}

static bool reserve(struct glist *l, uint32_t n, size_t bytes)
{
	if (l->n + n > l->cap) {
		uint32_t cap = l->n + n > l->cap * 2 ? l->n + n : l->cap * 2;
		struct glist_entry *e = reallocarray(l->entries, cap, sizeof(*e));

		if (!e)
			return false;
		l->entries = e;
		l->cap = cap;
	}
	if (l->names_len + bytes > l->names_cap) {
		size_t cap = l->names_len + bytes > l->names_cap * 2 ? l->names_len + bytes : l->names_cap * 2;
		char *p = cap <= UINT32_MAX ? realloc(l->names, cap) : NULL;

		if (!p)
			return false;
		l->names = p;
		l->names_cap = cap;
	}
	return true;
}

int glist_append_entries(struct glist *l, const struct gofer_dirent *entries, uint32_t n, bool end)
{
	size_t bytes = 0;

	for (uint32_t i = 0; i < n; i++)
		bytes += entries[i].name.len;
	if (!reserve(l, n, bytes))
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		const struct gofer_dirent *e = &entries[i];

		l->entries[l->n++] = (struct glist_entry){ .ino = e->ino, .name = (uint32_t)l->names_len, .len = (uint8_t)e->name.len, .type = (uint8_t)e->type };
		memcpy(l->names + l->names_len, e->name.p, e->name.len);
		l->names_len += e->name.len;
		l->next_cookie = e->cookie;
	}
	l->end = end || !n;
	return 0;
}

int glist_append(struct glist *l, const struct gofer_readdir_reply *rep) { return glist_append_entries(l, rep->entries, rep->n_entries, rep->end); }

struct qstr glist_name(const struct glist *l, uint32_t i) { return (struct qstr){ l->names + l->entries[i].name, l->entries[i].len }; }

/* --- finding a name ---------------------------------------------------------------- */

static uint32_t hash(const char *name, uint32_t len)
{
	uint64_t h = len;

	for (uint32_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)name[i]) * UINT64_C(0x100000001b3);
	return (uint32_t)(h ^ h >> 32);
}

/* Not keyed: chains are cut at PROBES_MAX, and a listing whose names collide so much is not
 * published. */
#define PROBES_MAX 64u

static bool make_index(struct glist *l)
{
	uint32_t size = 8;

	while (size < l->n * 2)
		size *= 2;
	l->index = calloc(size, sizeof(*l->index));
	if (!l->index)
		return false;
	l->index_mask = size - 1;
	for (uint32_t i = 0; i < l->n; i++) {
		struct qstr q = glist_name(l, i);
		uint32_t at = hash(q.name, q.len), probes = 0;

		while (l->index[at & l->index_mask]) {
			if (++probes == PROBES_MAX)
				return false;
			at++;
		}
		l->index[at & l->index_mask] = i + 1;
	}
	return true;
}

int64_t glist_find(const struct glist *l, const struct qstr *name)
{
	uint32_t at = hash(name->name, name->len), i;

	while ((i = l->index[at++ & l->index_mask])) {
		const struct glist_entry *e = &l->entries[i - 1];

		if (e->len == name->len && !memcmp(l->names + e->name, name->name, name->len))
			return i - 1;
	}
	return -1;
}

/* --- published listings ---------------------------------------------------------------- */

/* Returns the reference that the node held. */
static struct glist *unpublish_locked(struct gofer_super *s, struct gnode *n)
{
	struct glist *l = n->list;

	if (!l)
		return NULL;
	TAILQ_REMOVE(&s->lists, l, link);
	s->lists_bytes -= glist_bytes(l);
	n->list = NULL;
	l->dir = NULL;
	return l;
}

static bool current(const struct gnode *n, const struct glist *l) { return !l->unsure && !n->changing && n->changes == l->changes; }

void glist_publish(struct gnode *n, struct glist *l)
{
	struct gofer_super *s = gsuper(n->sb);
	struct glist *old, *over = NULL;

	if (s->shared || !l->end || l->index || !current(n, l) || glist_bytes(l) > LISTS_BYTES / 2 || !make_index(l))
		return;
	mutex_lock(&s->mu);
	old = unpublish_locked(s, n);
	if (current(n, l) && n->hashed) {
		ref_get(&l->ref);
		l->dir = n;
		n->list = l;
		TAILQ_INSERT_TAIL(&s->lists, l, link);
		s->lists_bytes += glist_bytes(l);
	}
	mutex_unlock(&s->mu);
	glist_put(old);
	do {
		mutex_lock(&s->mu);
		over = s->lists_bytes > LISTS_BYTES ? unpublish_locked(s, TAILQ_FIRST(&s->lists)->dir) : NULL;
		mutex_unlock(&s->mu);
		glist_put(over);
	} while (over);
}

struct glist *glist_get(struct gnode *n)
{
	struct gofer_super *s = gsuper(n->sb);
	struct glist *l, *stale = NULL;

	mutex_lock(&s->mu);
	l = n->list;
	if (l && (!current(n, l) || !super_knows_since(n->sb, l->since))) {
		stale = unpublish_locked(s, n);
		l = NULL;
	}
	if (l) {
		ref_get(&l->ref);
		TAILQ_REMOVE(&s->lists, l, link);
		TAILQ_INSERT_TAIL(&s->lists, l, link);
	}
	mutex_unlock(&s->mu);
	glist_put(stale);
	return l;
}

void glist_drop(struct gnode *n)
{
	struct gofer_super *s = gsuper(n->sb);
	struct glist *l;

	mutex_lock(&s->mu);
	l = unpublish_locked(s, n);
	mutex_unlock(&s->mu);
	glist_put(l);
}
