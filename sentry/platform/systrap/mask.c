/*
 * mask.c - a task's signal mask while it is lent to the program, whose thread
 * then changes it in its slot (guest-code/answers.S).
 *
 * The mask and the bit that takes it back are one word, and both sides change it
 * by one atomic instruction: a change made before the taking is seen by it, and
 * one made after it fails.  A program that forges the word has forged the mask of
 * that thread, as it may.
 */
#include "platform/systrap/systrap.h"

static _Atomic uint64_t *mask_word(uint8_t *slot)
{
	return (_Atomic uint64_t *)(void *)(slot + ST_MASK);
}

void st_mask_prepare(struct st_ctx *c)
{
	atomic_store(mask_word(c->slot), ST_MASK_ASK);
}

bool st_mask_lend(struct platform_ctx *base, uint64_t mask, uint64_t held)
{
	struct st_ctx *c = (struct st_ctx *)base;

	if (!c->slot)
		return false;
	mutex_lock(&c->mu);
	c->lent = mask_word(c->slot);
	atomic_store_explicit((_Atomic uint64_t *)(void *)(c->slot + ST_MASK_HELD), held, memory_order_relaxed);
	atomic_store(c->lent, mask & ~(uint64_t)ST_MASK_NEVER);
	mutex_unlock(&c->mu);
	return true;
}

uint64_t st_mask_take(struct platform_ctx *base)
{
	struct st_ctx *c = (struct st_ctx *)base;
	uint64_t mask;

	mutex_lock(&c->mu);
	if (c->lent)
		c->mask = atomic_fetch_or(c->lent, ST_MASK_ASK) & ~(uint64_t)ST_MASK_NEVER;
	c->lent = NULL;
	mask = c->mask;
	mutex_unlock(&c->mu);
	return mask;
}
