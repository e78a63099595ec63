/*
 * dcache_table.c - where cached names are found: the hash by directory and name, and each
 * directory's list of children.
 *
 * Any thread, under the dcache lock: those who find read under it, those who change are
 * its writers.
 */
#include "vfs/internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define BUCKETS_MIN 4096

int dcache_init(struct dcache *dc, unsigned cpus)
{
	brlock_init(&dc->lock, RANK_DCACHE, cpus);
	mutex_init(&dc->lru_mu, RANK_DCACHE_LRU);
	TAILQ_INIT(&dc->lru);
	dc->n_buckets = BUCKETS_MIN;
	dc->buckets = calloc(dc->n_buckets, sizeof(*dc->buckets));
	dc->next_cookie = 3;
	if (getrandom(&dc->seed, sizeof(dc->seed), 0) != sizeof(dc->seed))
		return -EIO;
	return dc->buckets ? 0 : -ENOMEM;
}

/* Keyed by a random number, so that a program cannot choose names that collide. */
static uint32_t dcache_hash(const struct dcache *dc, const struct dentry *parent, const char *name, uint32_t len)
{
	const uint64_t k = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t h = (dc->seed ^ (uintptr_t)parent) * k, w;

	for (; len >= 8; len -= 8, name += 8) {
		memcpy(&w, name, 8);
		h = (h ^ w) * k;
		h ^= h >> 29 ^ dc->seed;
	}
	w = len;
	for (uint32_t i = 0; i < len; i++)
		w = w << 8 | (uint8_t)name[i];
	h = (h ^ w) * k;
	h ^= h >> 32;
	return (uint32_t)(h * k >> 32);
}

static struct dentry_bucket *bucket(struct dcache *dc, uint32_t hash) { return &dc->buckets[hash & (dc->n_buckets - 1)]; }

void dcache_grow(struct dcache *dc)
{
	size_t n = dc->n_buckets * 4;
	struct dentry_bucket *b = calloc(n, sizeof(*b));
	struct dentry *d;

	if (!b)
		return;
	for (size_t i = 0; i < dc->n_buckets; i++)
		while ((d = LIST_FIRST(&dc->buckets[i]))) {
			LIST_REMOVE(d, hash_link);
			LIST_INSERT_HEAD(&b[d->hash & (n - 1)], d, hash_link);
		}
	free(dc->buckets);
	dc->buckets = b;
	dc->n_buckets = n;
}

void dcache_hash_in(struct dcache *dc, struct dentry *d)
{
	d->hash = dcache_hash(dc, d->parent, d->name, d->name_len);
	LIST_INSERT_HEAD(bucket(dc, d->hash), d, hash_link);
	d->flags |= DENTRY_HASHED;
}

void dcache_hash_out(struct dentry *d)
{
	if (d->flags & DENTRY_HASHED)
		LIST_REMOVE(d, hash_link);
	d->flags &= ~DENTRY_HASHED;
}

void dcache_child_in(struct dcache *dc, struct dentry *d)
{
	d->cookie = dc->next_cookie++;
	TAILQ_INSERT_TAIL(&d->parent->children, d, child_link);
}

void dcache_child_out(struct dcache *dc, struct dentry *d)
{
	TAILQ_REMOVE(&d->parent->children, d, child_link);
	dc->children_out++;
}

struct dentry *dcache_find_locked(struct dcache *dc, const struct dentry *parent, const char *name, uint32_t len)
{
	uint32_t hash = dcache_hash(dc, parent, name, len);
	struct dentry *d;

	LIST_FOREACH (d, bucket(dc, hash), hash_link)
		if (d->hash == hash && d->parent == parent && d->name_len == len && !memcmp(d->name, name, len))
			return d;
	return NULL;
}
