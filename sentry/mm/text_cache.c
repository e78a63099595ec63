/*
 * text_cache.c - the patched page versions of all files, the newest of each page
 * kept for processes to come, up to MAX_PAGES; and the numbers of call sites,
 * which lead to the entries of a process's table.
 *
 * A version is found by its file and offset, and believed only when its bytes are
 * those that the file has now, but for the patches: files may have been written,
 * or a new one may lie where an old one was.
 *
 * Any thread, with an address space locked: texts.mu is RANK_MEMOBJ.
 */
#include "mm/text.h"

#include "lib/lock.h"
#include "mm/memfile.h"

#include <stdlib.h>
#include <string.h>

#define MAX_PAGES 1024u
#define N_BUCKETS 256u

struct texts {
	struct memfile *mf; /* [I] */
	const struct platform_patching *patching; /* [I] */
	unsigned max_sites; /* [I] */
	struct mutex mu; /* the rest is under it */
	TAILQ_HEAD(, text_page) lru; /* cached ones, the least used first */
	LIST_HEAD(, text_page) buckets[N_BUCKETS];
	unsigned n_pages, next_site;
	uint16_t *site_refs; /* how many versions have the site of that number */
};

struct texts *texts_new(struct memfile *mf, const struct platform_patching *p)
{
	struct texts *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->mf = mf;
	t->patching = p;
	t->max_sites = (unsigned)((p->table_end - p->table) / p->entry_size);
	t->site_refs = calloc(t->max_sites, sizeof(*t->site_refs));
	if (!t->site_refs) {
		free(t);
		return NULL;
	}
	mutex_init(&t->mu, RANK_MEMOBJ);
	TAILQ_INIT(&t->lru);
	return t;
}

const struct platform_patching *texts_patching(const struct texts *t)
{
	return t->patching;
}

static unsigned bucket(const struct memobj *obj, uint64_t off)
{
	uint64_t h = ((uint64_t)(uintptr_t)obj >> 4) * 31 + (off >> PAGE_SHIFT);

	return (unsigned)(h ^ h >> 8) % N_BUCKETS;
}

static void drop_locked(struct texts *t, struct text_page *p)
{
	if (--p->refs)
		return;
	for (unsigned i = 0; i < p->n; i++)
		t->site_refs[p->sites[i].index]--;
	memfile_put(t->mf, p->mem, PAGE_SIZE);
	free(p);
}

static void uncache_locked(struct texts *t, struct text_page *p)
{
	TAILQ_REMOVE(&t->lru, p, lru);
	LIST_REMOVE(p, hash);
	p->cached = false;
	t->n_pages--;
	drop_locked(t, p);
}

static void cache_locked(struct texts *t, struct text_page *p)
{
	if (t->n_pages == MAX_PAGES)
		uncache_locked(t, TAILQ_FIRST(&t->lru));
	TAILQ_INSERT_TAIL(&t->lru, p, lru);
	LIST_INSERT_HEAD(&t->buckets[bucket(p->obj, p->obj_off)], p, hash);
	p->cached = true;
	p->refs++;
	t->n_pages++;
}

static struct text_page *find_locked(struct texts *t, const struct memobj *obj, uint64_t off)
{
	struct text_page *p;

	LIST_FOREACH(p, &t->buckets[bucket(obj, off)], hash)
		if (p->obj == obj && p->obj_off == off)
			return p;
	return NULL;
}

/* A number for a new site; -1: there are none. */
static int new_index_locked(struct texts *t)
{
	for (unsigned i = 0; i < t->max_sites; i++) {
		unsigned n = (t->next_site + i) % t->max_sites;

		if (!t->site_refs[n]) {
			t->next_site = n + 1;
			return (int)n;
		}
	}
	return -1;
}

static bool has_site(const struct text_page *p, unsigned at)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->sites[i].site.at == at)
			return true;
	return false;
}

static bool overlaps(const struct text_page *p, const struct platform_site *s)
{
	for (unsigned i = 0; i < p->n; i++) {
		const struct platform_site *o = &p->sites[i].site;

		if (s->at < o->at + o->len && o->at < s->at + s->len)
			return true;
	}
	return false;
}

static void add_site_locked(struct texts *t, struct text_page *p, const struct platform_site *s, unsigned index)
{
	p->sites[p->n].site = *s;
	p->sites[p->n++].index = (uint16_t)index;
	t->site_refs[index]++;
}

/* Patches the page at `bytes` as old is; false: it is not the same page any more. */
static bool patch_as(struct texts *t, uint8_t *bytes, const struct text_page *old)
{
	for (unsigned i = 0; i < old->n; i++)
		if (!t->patching->matches(bytes, &old->sites[i].site))
			return false;
	for (unsigned i = 0; i < old->n; i++)
		t->patching->patch(bytes, &old->sites[i].site, old->sites[i].index);
	return !memcmp(bytes, memfile_ptr(t->mf, old->mem), PAGE_SIZE);
}

/* A version of the page at mem with site s, and those of old (may be NULL), with
 * which it is patched already. */
static struct text_page *new_page_locked(struct texts *t, const struct text_page *old, uint64_t mem, const struct platform_site *s)
{
	struct text_page *p;
	int index = -1;

	if (!old || (old->n < TEXT_SITES_PER_PAGE && !overlaps(old, s)))
		index = new_index_locked(t);
	p = index >= 0 ? calloc(1, sizeof(*p)) : NULL;
	if (!p)
		return NULL;
	p->mem = mem;
	p->refs = 1;
	for (unsigned i = 0; old && i < old->n; i++)
		add_site_locked(t, p, &old->sites[i].site, old->sites[i].index);
	add_site_locked(t, p, s, (unsigned)index);
	t->patching->patch(memfile_ptr(t->mf, mem), s, (unsigned)index);
	return p;
}

/* Another user of it. */
static void use_locked(struct texts *t, struct text_page *p)
{
	p->refs++;
	TAILQ_REMOVE(&t->lru, p, lru);
	TAILQ_INSERT_TAIL(&t->lru, p, lru);
}

static struct text_page *get_locked(struct texts *t, const struct memobj *obj, uint64_t obj_off, uint64_t mem, const struct platform_site *s)
{
	struct text_page *old = find_locked(t, obj, obj_off), *p;

	if (old && !patch_as(t, memfile_ptr(t->mf, mem), old)) {
		uncache_locked(t, old);
		return NULL; /* the next time */
	}
	if (old && has_site(old, s->at)) {
		use_locked(t, old);
		memfile_put(t->mf, mem, PAGE_SIZE);
		return old;
	}
	p = new_page_locked(t, old, mem, s);
	if (!p)
		return NULL;
	p->obj = obj;
	p->obj_off = obj_off;
	if (old)
		uncache_locked(t, old);
	cache_locked(t, p);
	return p;
}

struct text_page *text_page_get(struct texts *t, const struct memobj *obj, uint64_t obj_off, uint64_t mem, unsigned end,
				const struct regs *r)
{
	struct text_page *p = NULL;
	struct platform_site s;

	mutex_lock(&t->mu);
	if (t->patching->find(memfile_ptr(t->mf, mem), end, r, &s))
		p = get_locked(t, obj, obj_off, mem, &s);
	mutex_unlock(&t->mu);
	if (!p)
		memfile_put(t->mf, mem, PAGE_SIZE);
	return p;
}

struct text_page *text_page_known(struct texts *t, const struct memobj *obj, uint64_t obj_off, uint8_t *bytes)
{
	struct text_page *p;

	mutex_lock(&t->mu);
	p = find_locked(t, obj, obj_off);
	if (p && patch_as(t, bytes, p)) {
		use_locked(t, p);
	} else if (p) {
		uncache_locked(t, p);
		p = NULL;
	}
	mutex_unlock(&t->mu);
	return p;
}

/* A version of the page with those bytes, at mem, that has all such sites; NULL: there are none. */
static struct text_page *sought_locked(struct texts *t, const uint8_t *bytes, uint64_t mem, struct platform_site *s)
{
	struct text_page *p = calloc(1, sizeof(*p));
	int index;

	if (!p)
		return NULL;
	p->mem = mem;
	memcpy(memfile_ptr(t->mf, mem), bytes, PAGE_SIZE);
	do {
		index = new_index_locked(t);
		if (index < 0)
			break;
		add_site_locked(t, p, s, (unsigned)index);
		t->patching->patch(memfile_ptr(t->mf, mem), s, (unsigned)index);
	} while (p->n < TEXT_SITES_PER_PAGE && t->patching->next(bytes, s->at + s->len, s));
	return p;
}

void text_page_seek(struct texts *t, const struct memobj *obj, uint64_t obj_off, const uint8_t *bytes)
{
	struct text_page *p = NULL;
	struct platform_site s;
	uint64_t mem;

	if (!t->patching->next(bytes, 0, &s) || memfile_alloc(t->mf, PAGE_SIZE, PAGE_SIZE, 0, &mem))
		return;
	memfile_commit(t->mf, mem, PAGE_SIZE);
	mutex_lock(&t->mu);
	if (!find_locked(t, obj, obj_off))
		p = sought_locked(t, bytes, mem, &s);
	if (p) {
		p->obj = obj;
		p->obj_off = obj_off;
		cache_locked(t, p);
	}
	mutex_unlock(&t->mu);
	if (!p)
		memfile_put(t->mf, mem, PAGE_SIZE);
}

bool text_next_known(struct texts *t, const struct memobj *obj, uint64_t *off, uint64_t end)
{
	mutex_lock(&t->mu);
	while (*off < end && !find_locked(t, obj, *off))
		*off += PAGE_SIZE;
	mutex_unlock(&t->mu);
	return *off < end;
}

void text_page_put(struct texts *t, struct text_page *p)
{
	mutex_lock(&t->mu);
	drop_locked(t, p);
	mutex_unlock(&t->mu);
}
