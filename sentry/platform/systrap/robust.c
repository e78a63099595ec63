/*
 * robust.c - the head of a task's list of robust futexes, which its program sets in its
 * slot (guest-code/answers.S): an address that means nothing before the task ends, and
 * is checked as any other then.
 */
#include "platform/systrap/systrap.h"

void st_robust_prepare(struct st_ctx *c)
{
	mutex_lock(&c->mu);
	c->robust_at = (_Atomic uint64_t *)(void *)(c->slot + ST_ROBUST);
	atomic_store_explicit(c->robust_at, c->robust, memory_order_relaxed);
	mutex_unlock(&c->mu);
}

void st_robust_leave(struct st_ctx *c)
{
	mutex_lock(&c->mu);
	if (c->robust_at)
		c->robust = atomic_load_explicit(c->robust_at, memory_order_relaxed);
	c->robust_at = NULL;
	mutex_unlock(&c->mu);
}

uint64_t st_robust_get(struct platform_ctx *base)
{
	struct st_ctx *c = (struct st_ctx *)base;
	uint64_t v;

	mutex_lock(&c->mu);
	v = c->robust_at ? atomic_load_explicit(c->robust_at, memory_order_relaxed) : c->robust;
	mutex_unlock(&c->mu);
	return v;
}

void st_robust_set(struct platform_ctx *base, uint64_t head)
{
	struct st_ctx *c = (struct st_ctx *)base;

	mutex_lock(&c->mu);
	c->robust = head;
	if (c->robust_at)
		atomic_store_explicit(c->robust_at, head, memory_order_relaxed);
	mutex_unlock(&c->mu);
}
