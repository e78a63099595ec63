/*
 * stub_queue.c - the orders that wait: which become one, and which are not given at
 * all.  Called with mm->mu held.
 */
#include "mm/mm_internal.h"

static bool covers(const struct platform_order *a, const struct platform_order *b)
{
	return a->addr <= b->addr && b->addr + b->len <= a->addr + a->len;
}

bool stub_queue_merge(struct platform_order *last, const struct platform_order *o)
{
	uint64_t end = o->addr + o->len, last_end = last->addr + last->len;

	if (o->kind != PLATFORM_PROTECT && last->kind != PLATFORM_PROTECT && covers(o, last)) {
		*last = *o; /* mapping replaces what is there */
		return true;
	}
	if (o->kind != last->kind)
		return false;
	if (o->kind == PLATFORM_UNMAP && o->addr <= last_end && last->addr <= end) {
		last->addr = o->addr < last->addr ? o->addr : last->addr;
		last->len = (end > last_end ? end : last_end) - last->addr;
		return true;
	}
	if (o->kind == PLATFORM_MAP && o->addr == last_end && o->prot == last->prot && o->fd == last->fd && o->off == last->off + last->len &&
		o->present == last->present) {
		last->len += o->len;
		return true;
	}
	return false;
}

bool stub_queue_is_fresh(const struct stub_queue *q, unsigned i)
{
	return q->fresh & 1u << i;
}

static void drop_order(struct stub_queue *q, unsigned i)
{
	uint32_t below = (1u << i) - 1;

	q->n--;
	for (unsigned j = i; j < q->n; j++)
		q->o[j] = q->o[j + 1];
	q->fresh = (q->fresh & below) | (q->fresh >> 1 & ~below);
}

bool stub_queue_take_back(struct stub_queue *q, uint64_t lo, uint64_t hi)
{
	struct platform_order *o, rest;
	unsigned i = 0;

	while (i < q->n && (!stub_queue_is_fresh(q, i) || lo < q->o[i].addr || hi > q->o[i].addr + q->o[i].len))
		i++;
	if (q->due || i == q->n || q->n == STUB_QUEUE)
		return false;
	rest = *(o = &q->o[i]);
	rest.addr = hi;
	rest.len = o->addr + o->len - hi;
	rest.off += hi - o->addr;
	o->len = lo - o->addr;
	if (!o->len)
		drop_order(q, i);
	if (rest.len) {
		q->fresh |= 1u << q->n;
		q->o[q->n++] = rest;
	}
	return true;
}
