/* charge.c - see charge.h. */
#include "mm/charge.h"

#include "lib/lock.h"
#include "mm/memfile.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define SMALL 16 /* pages: so short a run is taken to be there; asking costs more */

struct account {
	bool open; /* [mu] */
	charge_told_fn *told; /* [I] while it is open */
	void *arg; /* [I] */
	_Atomic uint64_t handed; /* pages */
	_Atomic uint64_t line; /* pages */
	_Atomic bool refuse;
};

struct charges {
	struct mutex mu; /* RANK_LEAF */
	uint8_t *owner; /* [I] the array; its elements, an account each, by owner_of and the like */
	_Atomic uint64_t top; /* no page from here on has an owner */
	struct account accounts[CHARGE_ACCOUNTS];
};

static __thread uint8_t current_account;

struct charges *charges_new(uint64_t pages)
{
	struct charges *c = calloc(1, sizeof(*c));
	void *owner = c ? mmap(NULL, pages, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) : MAP_FAILED;

	if (owner == MAP_FAILED) {
		free(c);
		return NULL;
	}
	c->owner = owner;
	mutex_init(&c->mu, RANK_LEAF);
	return c;
}

int charge_open(struct charges *c, charge_told_fn *told, void *arg, unsigned *id)
{
	int r = -ENOSPC;

	mutex_lock(&c->mu);
	for (unsigned i = CHARGE_NOBODY + 1; r && i < CHARGE_ACCOUNTS; i++) {
		struct account *a = &c->accounts[i];

		if (a->open || atomic_load(&a->handed)) /* a page that was charged to it is on its way out */
			continue;
		a->open = true;
		a->told = told;
		a->arg = arg;
		atomic_store(&a->refuse, false);
		atomic_store(&a->line, UINT64_MAX);
		*id = i;
		r = 0;
	}
	mutex_unlock(&c->mu);
	return r;
}

static uint8_t owner_of(const struct charges *c, uint64_t page)
{
	return __atomic_load_n(&c->owner[page], __ATOMIC_RELAXED);
}

/* Whoever takes an owner out of the array takes the page off the account. */
static bool disown(struct charges *c, uint64_t page, uint8_t id)
{
	return __atomic_compare_exchange_n(&c->owner[page], &id, CHARGE_NOBODY, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

#define AT_ONCE 8u /* owners in a word */
#define EACH 0x0101010101010101u

/* Whether one of the AT_ONCE owners from there on, a multiple of that, may be id (none is: false, for certain). */
static bool word_has(const struct charges *c, uint64_t page, unsigned id)
{
	uint64_t v = __atomic_load_n((const uint64_t *)(const void *)(c->owner + page), __ATOMIC_RELAXED) ^ EACH * id;

	return (v - EACH) & ~v & EACH << 7;
}

/* The next page of id's in [page, top), or top. */
static uint64_t next_of(const struct charges *c, unsigned id, uint64_t page, uint64_t top)
{
	while (page < top && owner_of(c, page) != id) {
		page++;
		while (page % AT_ONCE == 0 && page + AT_ONCE <= top && !word_has(c, page, id))
			page += AT_ONCE;
	}
	return page < top ? page : top;
}

void charge_close(struct charges *c, unsigned id)
{
	const uint64_t top = atomic_load(&c->top);
	struct account *a = &c->accounts[id];

	for (uint64_t p = next_of(c, id, 0, top); p < top; p = next_of(c, id, p + 1, top))
		if (disown(c, p, (uint8_t)id))
			atomic_fetch_sub(&a->handed, 1);
	mutex_lock(&c->mu);
	a->open = false;
	mutex_unlock(&c->mu);
}

void charge_set_line(struct charges *c, unsigned id, uint64_t bytes)
{
	atomic_store(&c->accounts[id].line, bytes >> PAGE_SHIFT);
}

void charge_refuse(struct charges *c, unsigned id, bool refuse)
{
	atomic_store(&c->accounts[id].refuse, refuse);
}

uint64_t charge_handed(const struct charges *c, unsigned id)
{
	return atomic_load(&c->accounts[id].handed) << PAGE_SHIFT;
}

static uint64_t committed(const struct memfile *m, uint64_t page, uint64_t end)
{
	uint64_t off = page << PAGE_SHIFT, stop = end << PAGE_SHIFT, a, b, n = 0;

	if (end - page <= SMALL)
		return stop - off;
	for (; off < stop && memfile_next_data(m, off, stop, &a, &b); off = b)
		n += b - a;
	return n;
}

uint64_t charge_used(const struct charges *c, unsigned id, const struct memfile *m)
{
	const uint64_t top = atomic_load(&c->top);
	uint64_t p = 0, end, n = 0;

	for (; (p = next_of(c, id, p, top)) < top; p = end) {
		for (end = p + 1; end < top && owner_of(c, end) == id; end++)
			;
		n += committed(m, p, end);
	}
	return n;
}

void charge_to(unsigned id)
{
	current_account = (uint8_t)id;
}

bool charge_refused(const struct charges *c)
{
	return current_account && atomic_load_explicit(&c->accounts[current_account].refuse, memory_order_relaxed);
}

void charge_take(struct charges *c, uint64_t page, uint64_t n)
{
	struct account *a = &c->accounts[current_account];
	uint64_t top = atomic_load_explicit(&c->top, memory_order_relaxed);

	if (current_account == CHARGE_NOBODY)
		return;
	while (top < page + n && !atomic_compare_exchange_weak(&c->top, &top, page + n))
		;
	for (uint64_t p = page; p < page + n; p++)
		__atomic_store_n(&c->owner[p], current_account, __ATOMIC_RELAXED);
	if (atomic_fetch_add(&a->handed, n) + n > atomic_load(&a->line))
		a->told(a->arg);
}

void charge_drop(struct charges *c, uint64_t page, uint64_t n)
{
	for (uint64_t p = page; p < page + n; p++) {
		uint8_t id = owner_of(c, p);

		if (id && disown(c, p, id))
			atomic_fetch_sub(&c->accounts[id].handed, 1);
	}
}
