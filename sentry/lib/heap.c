/*
 * heap.c - see heap.h.
 *
 * Two tables: blocks, by address, and the call chains that allocated them.  Threads allocate while they
 * hold any lock, so the lock here is a plain one under which nothing is allocated; the tables are made
 * when a profile begins.
 */
#include "lib/heap.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unwind.h>

#define BLOCKS (1u << 16)
#define CHAINS (1u << 12)
#define PROBES 64 /* places that a block may be at, behind that of its address */

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void __wrap_free(void *p);

extern const char __ehdr_start[] __attribute__((visibility("hidden"))); /* the linker's: where the file's address 0 is */

struct chain {
	unsigned n;
	uint64_t bytes; /* that are held */
	uint64_t frames[HEAP_FRAMES];
};

struct block {
	const void *p; /* NULL: none */
	size_t size;
	struct chain *chain;
};

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static _Atomic bool watching; /* [mu to write] */
static struct block *blocks; /* [mu] */
static struct chain *chains; /* [mu] */
static struct heap_totals totals; /* [mu] */
static _Thread_local bool inside; /* finding a chain may allocate */

/* --- the chain ---------------------------------------------------------------------------- */

struct walk {
	struct chain *c;
	unsigned skip; /* frames of this file */
};

static _Unwind_Reason_Code on_frame(struct _Unwind_Context *u, void *arg)
{
	struct walk *w = arg;
	uint64_t ip = _Unwind_GetIP(u);

	if (w->skip) {
		w->skip--;
		return _URC_NO_REASON;
	}
	if (!ip || w->c->n == HEAP_FRAMES)
		return _URC_END_OF_STACK;
	w->c->frames[w->c->n++] = ip - (uint64_t)(uintptr_t)__ehdr_start;
	return _URC_NO_REASON;
}

/* The same chain in the table, or a free place; NULL: it is full. */
static struct chain *chain_place_locked(const struct chain *c)
{
	uint64_t h = c->n;

	for (unsigned i = 0; i < c->n; i++)
		h = (h ^ c->frames[i]) * UINT64_C(0x9e3779b97f4a7c15);
	for (unsigned i = 0; i < PROBES; i++) {
		struct chain *at = &chains[((h >> 32) + i) % CHAINS];

		if (!at->n || (at->n == c->n && !memcmp(at->frames, c->frames, c->n * sizeof(c->frames[0]))))
			return at;
	}
	return NULL;
}

/* --- blocks --------------------------------------------------------------------------------- */

static unsigned block_place(const void *p, unsigned i)
{
	return (unsigned)(((uint64_t)(uintptr_t)p * UINT64_C(0x9e3779b97f4a7c15) >> 40) + i) % BLOCKS;
}

static struct block *find_locked(const void *p)
{
	for (unsigned i = 0; i < PROBES; i++) {
		if (blocks[block_place(p, i)].p == p)
			return &blocks[block_place(p, i)];
	}
	return NULL;
}

static void forget_locked(const void *p)
{
	struct block *b = find_locked(p);

	if (!b)
		return;
	b->chain->bytes -= b->size;
	b->p = NULL;
}

static struct block *free_place_locked(const void *p)
{
	for (unsigned i = 0; i < PROBES; i++) {
		if (!blocks[block_place(p, i)].p)
			return &blocks[block_place(p, i)];
	}
	return NULL;
}

static void note_locked(const void *p, size_t n, const struct chain *c)
{
	struct chain *at = chain_place_locked(c);
	struct block *b;

	forget_locked(p); /* it was given back by one that does not tell: the C library itself */
	b = free_place_locked(p);
	totals.allocations++;
	if (!at || !b) {
		totals.lost++;
		return;
	}
	if (!at->n)
		*at = *c;
	at->bytes += n;
	*b = (struct block){ p, n, at };
}

/* Called by the wrappers alone, which are the frame behind its own. */
static __attribute__((noinline)) void note(const void *p, size_t n)
{
	struct chain c = { .n = 0 };
	struct walk w = { &c, 2 };

	if (!p || inside)
		return;
	inside = true;
	_Unwind_Backtrace(on_frame, &w);
	pthread_mutex_lock(&mu);
	if (watching && c.n)
		note_locked(p, n, &c);
	pthread_mutex_unlock(&mu);
	inside = false;
}

static __attribute__((noinline)) void forget(const void *p)
{
	if (!p || inside)
		return;
	pthread_mutex_lock(&mu);
	if (watching)
		forget_locked(p);
	pthread_mutex_unlock(&mu);
}

/* --- the wrappers ----------------------------------------------------------------------------- */

static inline bool watched(void)
{
	return __builtin_expect(atomic_load_explicit(&watching, memory_order_relaxed), 0);
}

void *__wrap_malloc(size_t n)
{
	void *p = __real_malloc(n);

	if (watched())
		note(p, n);
	return p;
}

void *__wrap_calloc(size_t n, size_t size)
{
	void *p = __real_calloc(n, size);

	if (watched())
		note(p, n * size);
	return p;
}

void *__wrap_realloc(void *old, size_t n)
{
	void *p;

	if (watched())
		forget(old); /* should it fail, the old block is not counted any more */
	p = __real_realloc(old, n);
	if (watched())
		note(p, n);
	return p;
}

void __wrap_free(void *p)
{
	if (watched())
		forget(p);
	__real_free(p);
}

/* --- watching ----------------------------------------------------------------------------------- */

int heap_watch(void)
{
	struct block *b = __real_calloc(BLOCKS, sizeof(*b));
	struct chain *c = __real_calloc(CHAINS, sizeof(*c));
	int r = 0;

	if (!b || !c)
		r = -ENOMEM;
	else if (watching)
		r = -EBUSY;
	if (r) {
		__real_free(b);
		__real_free(c);
		return r;
	}
	pthread_mutex_lock(&mu);
	blocks = b;
	chains = c;
	totals = (struct heap_totals){ 0 };
	watching = true;
	pthread_mutex_unlock(&mu);
	return 0;
}

void heap_look(heap_found_fn *found, void *arg, struct heap_totals *out)
{
	inside = true; /* found may allocate */
	pthread_mutex_lock(&mu);
	for (unsigned i = 0; i < CHAINS; i++) {
		if (chains[i].bytes)
			found(chains[i].frames, chains[i].n, chains[i].bytes, arg);
	}
	*out = totals;
	pthread_mutex_unlock(&mu);
	inside = false;
}

void heap_unwatch(void)
{
	struct block *b;
	struct chain *c;

	pthread_mutex_lock(&mu);
	watching = false;
	b = blocks;
	c = chains;
	blocks = NULL;
	chains = NULL;
	pthread_mutex_unlock(&mu);
	__real_free(b);
	__real_free(c);
}
