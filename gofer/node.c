/*
 * node.c - the table of known names.  One thread; see node.h.
 */
#include "node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS_FIRST 1024u
#define STREAMS_MAX 64u
#define ORPHANS_MAX 1024u /* removed files kept open make the host's file system slow */

void node_fds_init(struct node_fds *f, unsigned budget)
{
	unsigned streams = budget / 8 < STREAMS_MAX ? budget / 8 : STREAMS_MAX;

	fd_lru_init(&f->streams, streams);
	fd_lru_init(&f->orphans, (budget - streams) / 4 < ORPHANS_MAX ? (budget - streams) / 4 : ORPHANS_MAX);
	fd_lru_init(&f->paths, budget - streams - f->orphans.budget);
}

void node_fds_trim(struct node_fds *f)
{
	fd_lru_trim(&f->paths);
	fd_lru_trim(&f->orphans);
	fd_lru_trim(&f->streams);
}

bool node_table_init(struct node_table *t, uint32_t max, uint64_t seed, struct node_fds *fds)
{
	*t = (struct node_table){ .n_buckets = BUCKETS_FIRST, .max = max, .seed = seed, .fds = fds };
	t->buckets = calloc(t->n_buckets, sizeof(*t->buckets));
	return t->buckets != NULL;
}

void node_table_destroy(struct node_table *t)
{
	free(t->buckets);
	*t = (struct node_table){ 0 };
}

static uint64_t mix(uint64_t h)
{
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93u;
	h ^= h >> 32;
	return h;
}

static uint64_t hash_name(const struct node_table *t, const struct node *dir, const char *name)
{
	uint64_t h = mix(t->seed ^ (uintptr_t)dir);

	for (size_t len = strlen(name); len;) {
		size_t step = len < 8 ? len : 8;
		uint64_t w = 0;

		memcpy(&w, name, step);
		h = mix(h ^ w) + step;
		name += step;
		len -= step;
	}
	return mix(h);
}

static struct node **bucket(const struct node_table *t, const struct node *dir, const char *name)
{
	return &t->buckets[hash_name(t, dir, name) & (t->n_buckets - 1)];
}

/* Out of memory leaves the table as it is: slower, not wrong. */
static void grow(struct node_table *t)
{
	struct node **old = t->buckets, **b = calloc(t->n_buckets * 2, sizeof(*b));
	size_t n = t->n_buckets;

	if (!b)
		return;
	t->buckets = b;
	t->n_buckets = n * 2;
	for (size_t i = 0; i < n; i++) {
		for (struct node *at = old[i], *next; at; at = next) {
			struct node **to = bucket(t, at->parent, at->name);

			next = at->chain;
			at->chain = *to;
			*to = at;
		}
	}
	free(old);
}

static void hash_in(struct node_table *t, struct node *n)
{
	struct node **b = bucket(t, n->parent, n->name);

	n->chain = *b;
	*b = n;
	n->hashed = true;
}

static void hash_out(struct node_table *t, struct node *n)
{
	struct node **at = bucket(t, n->parent, n->name);

	while (*at != n)
		at = &(*at)->chain;
	*at = n->chain;
	n->chain = NULL;
	n->hashed = false;
}

static struct node *node_new(struct node_table *t, const struct node_id *id)
{
	struct node *n;

	if (t->count >= t->max) {
		errno = ENFILE;
		return NULL;
	}
	n = calloc(1, sizeof(*n));
	if (!n)
		return NULL;
	n->id = *id;
	n->refs = 1;
	n->path = n->stream = FD_SLOT_NONE;
	t->count++;
	return n;
}

static void node_free(struct node_table *t, struct node *n)
{
	if (n->hashed)
		hash_out(t, n);
	fd_slot_close(&n->path);
	fd_slot_close(&n->stream);
	free(n->name);
	free(n);
	t->count--;
}

struct node *node_root(struct node_table *t, struct tree *tree, const struct node_id *id, int fd)
{
	struct node *n = node_new(t, id);

	if (!n)
		return NULL;
	n->tree = tree;
	n->path.fd = fd;
	return n;
}

struct node *node_find(const struct node_table *t, const struct node *dir, const char *name)
{
	struct node *n = *bucket(t, dir, name);

	while (n && (n->parent != dir || strcmp(n->name, name) != 0))
		n = n->chain;
	return n;
}

struct node *node_found(struct node_table *t, struct node *dir, const char *name, const struct node_id *id)
{
	struct node *n = node_find(t, dir, name);

	if (n && node_same(&n->id, id)) {
		n->refs++;
		return n;
	}
	if (n)
		node_orphan_it(t, n);
	if (t->count >= t->n_buckets)
		grow(t);
	n = node_new(t, id);
	if (!n)
		return NULL;
	n->name = strdup(name);
	if (!n->name) {
		node_free(t, n);
		errno = ENOMEM;
		return NULL;
	}
	n->parent = dir;
	n->tree = dir->tree;
	dir->refs++;
	hash_in(t, n);
	return n;
}

void node_ref(struct node *n)
{
	n->refs++;
}

void node_unref(struct node_table *t, struct node *n)
{
	while (n && !--n->refs) {
		struct node *parent = n->parent;

		node_free(t, n);
		n = parent;
	}
}

void node_orphan_it(struct node_table *t, struct node *n)
{
	hash_out(t, n);
	fd_slot_move(&n->path, &t->fds->orphans);
}

static bool is_below(const struct node *n, const struct node *top)
{
	while (n && n != top)
		n = n->parent;
	return n != NULL;
}

void node_move(struct node_table *t, struct node *n, struct node *dir, const char *name)
{
	struct node *old_dir = n->parent, *there = node_find(t, dir, name);
	char *copy = strdup(name);

	if (there && there != n)
		node_orphan_it(t, there);
	if (!copy || is_below(dir, n)) {
		free(copy);
		node_orphan_it(t, n);
		return;
	}
	hash_out(t, n);
	free(n->name);
	n->name = copy;
	n->parent = dir;
	dir->refs++;
	hash_in(t, n);
	node_unref(t, old_dir);
}

void node_exchange(struct node_table *t, struct node *dir1, const char *name1, struct node *dir2, const char *name2)
{
	struct node *a = node_find(t, dir1, name1), *b = node_find(t, dir2, name2);
	char *name;

	if (!a || !b) {
		if (a)
			node_move(t, a, dir2, name2);
		if (b)
			node_move(t, b, dir1, name1);
		return;
	}
	if (a == b)
		return;
	if (is_below(dir2, a) || is_below(dir1, b)) {
		node_orphan_it(t, a);
		node_orphan_it(t, b);
		return;
	}
	hash_out(t, a);
	hash_out(t, b);
	name = a->name;
	a->name = b->name;
	b->name = name;
	/* each directory loses one reference and gains one */
	a->parent = dir2;
	b->parent = dir1;
	hash_in(t, a);
	hash_in(t, b);
}
