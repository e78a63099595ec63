/*
 * records.c - the records of descriptors that a stub's threads look at
 * (guest-code/answers.S): a page behind that of the orders, which the stub can
 * only read, and in each slot how many of them its thread may use.  Behind them lie the
 * calls that trap (entry.S), and a word that tells where nothing is.
 */
#include "platform/systrap/systrap.h"

#include <string.h>

_Static_assert(ST_RECORDS + ST_RECORDS_MAX * sizeof(uint16_t) == ST_TRAPS && ST_TRAPS + ST_N_TRAPS * 8 == ST_NOTHING &&
		       ST_NOTHING + 8 == ST_ORDERS + ST_ORDERS_SIZE,
	       "they fill their page");
_Static_assert(ST_RECORD_EMPTY_SET == PLATFORM_EMPTY_SET, "as patch.S has it");

static void let_use(struct st_ctx *c, unsigned n)
{
	__atomic_store_n((uint32_t *)(void *)(c->slot + ST_N_RECORDS), n, __ATOMIC_RELAXED);
}

void st_records_prepare(struct st_ctx *c)
{
	let_use(c, 0);
}

bool st_records_get(struct platform_ctx *base, struct platform_records *r)
{
	struct st_ctx *c = (struct st_ctx *)base;
	struct st_as *as = c->as;
	uint8_t *page;

	if (!as || atomic_exchange(&as->records_taken, true))
		return false;
	ref_get(&as->ref);
	page = as->p->slots + (size_t)as->orders_slot * ST_SLOT_SIZE + (ST_RECORDS - ST_ORDERS);
	memset(page, 0, ST_RECORDS_MAX * sizeof(uint16_t));
	*r = (struct platform_records){ .as = &as->base, .at = (_Atomic uint16_t *)(void *)page, .n = ST_RECORDS_MAX };
	return true;
}

void st_records_put(struct platform_records *r)
{
	struct st_as *as = (struct st_as *)r->as;

	atomic_store(&as->records_taken, false);
	st_as_put(as);
}

bool st_records_use(struct platform_ctx *base, const struct platform_records *r)
{
	struct st_ctx *c = (struct st_ctx *)base;
	bool mine = r && c->as && r->as == &c->as->base;

	if (c->slot)
		let_use(c, mine ? r->n : 0);
	return mine;
}

/* A word of what the stub can only read; as->mu held. */
static void tell_locked(struct st_as *as, uint64_t at, uint64_t value)
{
	if (as->pid)
		__atomic_store_n((uint64_t *)(void *)(as->p->slots + (size_t)as->orders_slot * ST_SLOT_SIZE + (at - ST_ORDERS)), value,
			__ATOMIC_SEQ_CST);
}

void st_as_nothing(struct platform_as *base, uint64_t start, uint64_t len)
{
	struct st_as *as = (struct st_as *)base;
	uint64_t pages = len / PAGE_SIZE;

	if (pages > ST_NOTHING_PAGES)
		pages = ST_NOTHING_PAGES;
	mutex_lock(&as->mu);
	tell_locked(as, ST_NOTHING, start / PAGE_SIZE << ST_NOTHING_BITS | pages);
	mutex_unlock(&as->mu);
}

void st_as_traps(struct platform_as *base, uint64_t at)
{
	struct st_as *as = (struct st_as *)base;

	mutex_lock(&as->mu);
	for (unsigned i = 0; i < ST_N_TRAPS; i++)
		if (!at || (at ^ at >> ST_TRAPS_SHIFT) % ST_N_TRAPS == i)
			tell_locked(as, ST_TRAPS + i * 8, at);
	mutex_unlock(&as->mu);
}
