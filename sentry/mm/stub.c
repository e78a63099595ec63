/*
 * stub.c - keeps what the stub process maps within what the page records
 * permit.  Called with mm->mu held; talks to the platform (RANK_PLATFORM).
 *
 * Orders are queued and given together: before a thread of the address space
 * runs program code again (mm_as), and at once where others depend on them.
 * pma.stub tells what the stub will map when the queue is empty.  Private pages
 * that the stub may still reach wait with the queue before they are given back.
 * Widening a protection is not ordered at all: the access that needs it faults.
 * What a loader maps waits for the first fault, as more of it mostly follows.
 *
 * An order that fails must not leave the stub with more than its record says:
 * if in doubt the stub's whole address space is unmapped (it faults back in).
 */
#include "mm/mm_internal.h"
#include "platform/platform.h"

#include <errno.h>
#include <sys/mman.h>

struct platform_as *stub_as(struct mm *mm)
{
	if (!mm->as)
		__atomic_store_n(&mm->as, platform_as_new(mm->env->platform), __ATOMIC_RELEASE);
	return mm->as;
}

/* What the stub may map of p now.  The processor has no write-only or
 * exec-only pages. */
static int permitted(const struct pma *p)
{
	int prot = p->prot;

	if (prot & (PROT_WRITE | PROT_EXEC))
		prot |= PROT_READ;
	return p->cow || p->ro ? prot & ~PROT_WRITE : prot;
}

/* --- the queue ------------------------------------------------------------------ */

static void set_due(struct stub_queue *q, bool due)
{
	__atomic_store_n(&q->due, due, __ATOMIC_RELEASE); /* mm_as looks without the lock */
}

static void set_empty(struct stub_queue *q)
{
	q->n = 0;
	q->fresh = 0;
	set_due(q, false);
}

static void give_back(struct mm *mm)
{
	struct stub_queue *q = &mm->queue;

	for (unsigned i = 0; i < q->n_freed; i++)
		memfile_put(mm->env->mf, q->freed[i].off, q->freed[i].len);
	q->n_freed = 0;
}

static void unmap_all(struct mm *mm)
{
	struct pma *p;

	if (mm->as)
		platform_as_unmap(mm->as, 0, TASK_SIZE); /* fails only when the stub is dead */
	RB_FOREACH(p, pma_tree, &mm->pmas)
		p->stub = 0;
	text_lost(mm);
}

int stub_flush(struct mm *mm)
{
	struct stub_queue *q = &mm->queue;
	int e = 0;

	if (q->n)
		e = stub_as(mm) ? platform_as_orders(mm->as, q->o, q->n) : -ENOMEM;
	set_empty(q);
	if (e) /* the host's limit of mappings, most likely: start afresh */
		unmap_all(mm);
	give_back(mm);
	return e;
}

void stub_forget(struct mm *mm)
{
	set_empty(&mm->queue);
	give_back(mm);
	text_lost(mm);
}

void stub_put_pages(struct mm *mm, uint64_t off, uint64_t len)
{
	struct stub_queue *q = &mm->queue;

	if (!q->n) {
		memfile_put(mm->env->mf, off, len);
		return;
	}
	q->freed[q->n_freed].off = off;
	q->freed[q->n_freed++].len = len;
	if (q->n_freed == STUB_QUEUE)
		stub_flush(mm);
}

static bool covers(const struct platform_order *a, const struct platform_order *b)
{
	return a->addr <= b->addr && b->addr + b->len <= a->addr + a->len;
}

/* o, which comes right after last, made part of it or put in its place. */
static bool merge(struct platform_order *last, const struct platform_order *o)
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

static bool is_fresh(const struct stub_queue *q, unsigned i)
{
	return q->fresh & 1u << i;
}

static void add(struct mm *mm, struct platform_order o, bool fresh)
{
	struct stub_queue *q = &mm->queue;

	if (q->n && fresh == is_fresh(q, q->n - 1) && merge(&q->o[q->n - 1], &o))
		return;
	if (q->n == STUB_QUEUE)
		stub_flush(mm);
	q->o[q->n] = o;
	q->fresh |= (uint32_t)fresh << q->n++;
}

static void add_due(struct mm *mm, struct platform_order o)
{
	add(mm, o, false);
	set_due(&mm->queue, true);
}

void stub_order_later(struct mm *mm, struct platform_order o)
{
	add(mm, o, false);
}

bool stub_hurry(struct mm *mm)
{
	if (!mm->queue.n)
		return false;
	set_due(&mm->queue, true);
	return true;
}

static void drop_order(struct stub_queue *q, unsigned i)
{
	uint32_t below = (1u << i) - 1;

	q->n--;
	for (unsigned j = i; j < q->n; j++)
		q->o[j] = q->o[j + 1];
	q->fresh = (q->fresh & below) | (q->fresh >> 1 & ~below);
}

/* [lo, hi), if one of the orders that are fresh maps it, is taken out of that. */
static bool take_back(struct stub_queue *q, uint64_t lo, uint64_t hi)
{
	struct platform_order *o, rest;
	unsigned i = 0;

	while (i < q->n && (!is_fresh(q, i) || lo < q->o[i].addr || hi > q->o[i].addr + q->o[i].len))
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

/* A host file is to be mapped there, whose descriptor is valid as long as the area is. */
static bool queued_file(const struct mm *mm, uint64_t start, uint64_t end)
{
	const struct stub_queue *q = &mm->queue;

	for (unsigned i = 0; i < q->n; i++)
		if (q->o[i].kind == PLATFORM_MAP && q->o[i].fd != memfile_fd(mm->env->mf) && q->o[i].addr < end &&
			start < q->o[i].addr + q->o[i].len)
			return true;
	return false;
}

/* All that was mapped is to go first. */
static void queue_unmap_all(struct mm *mm)
{
	struct stub_queue *q = &mm->queue;

	if (q->n == STUB_QUEUE) {
		unmap_all(mm);
		set_empty(q);
		return;
	}
	for (unsigned i = q->n; i; i--)
		q->o[i] = q->o[i - 1];
	q->o[0] = (struct platform_order){ .kind = PLATFORM_UNMAP, .addr = 0, .len = TASK_SIZE };
	q->n++;
	q->fresh = 0;
}

void mm_inherit_stub(struct mm *mm, struct mm *old, struct platform_ctx *c)
{
	struct platform_as *as = NULL;
	struct pma *p;

	mm_lock(old);
	if (old->as && ref_count(&old->users) == 1 && platform_as_reusable(old->as, c)) {
		as = old->as;
		nothing_ends(old);
		platform_as_traps(old->as, 0);
		old->as = NULL;
		RB_FOREACH(p, pma_tree, &old->pmas)
			p->stub = 0;
		platform_window_end(c);
		set_empty(&old->queue); /* pages that were freed wait on, for teardown */
	}
	mm_unlock(old);
	if (!as)
		return;
	mm_lock(mm);
	if (mm->as) {
		platform_as_unmap(as, 0, TASK_SIZE);
	} else {
		__atomic_store_n(&mm->as, as, __ATOMIC_RELEASE);
		as = NULL;
		queue_unmap_all(mm);
		stub_flush(mm);
	}
	mm_unlock(mm);
	if (as)
		platform_as_free(as);
}

/* --- what records ask for --------------------------------------------------------- */

static void add_map(struct mm *mm, struct pma *p, bool fresh)
{

	struct platform_order o = { .kind = PLATFORM_MAP, .prot = permitted(p), .addr = p->start, .len = pma_len(p), .off = p->off };

	o.fd = p->fd >= 0 ? p->fd : memfile_fd(mm->env->mf);
	if (p->stub)
		o.kind = PLATFORM_PROTECT;
	o.present = p->present;
	p->present = false;
	add(mm, o, fresh);
	p->stub = (uint8_t)o.prot;
	if (o.kind == PLATFORM_MAP)
		text_drop(mm, p->start, p->end);
}

void stub_map(struct mm *mm, struct pma *p)
{
	int prot = permitted(p);

	if (p->stub == prot)
		return;
	if (!prot) {
		stub_unmap(mm, p->start, p->end);
		return;
	}
	add_map(mm, p, false);
	set_due(&mm->queue, true);
}

void stub_map_later(struct mm *mm, struct pma *p)
{
	struct stub_queue *q = &mm->queue;

	if (p->stub || !permitted(p) || (q->due && q->o[q->n - 1].kind == PLATFORM_UNMAP)) {
		stub_map(mm, p); /* in place of what is unmapped, for one */
		return;
	}
	if (q->due)
		stub_flush(mm);
	add_map(mm, p, true);
}

void stub_unmap(struct mm *mm, uint64_t start, uint64_t end)
{
	uint64_t lo = 0, hi = 0;
	bool now = false;

	for (struct pma *p = pma_first(mm, start); p && p->start < end; p = RB_NEXT(pma_tree, &mm->pmas, p)) {
		if (!p->stub)
			continue;
		if (!hi)
			lo = p->start;
		hi = p->end;
		p->stub = 0;
		now |= p->fd < 0 && !p->owned; /* the object may go, and its pages with it */
	}
	if (!hi || take_back(&mm->queue, lo, hi))
		return;
	now |= queued_file(mm, lo, hi);
	/* One order: what lies between them is unmapped anyway or in the range. */
	add_due(mm, (struct platform_order){ .kind = PLATFORM_UNMAP, .addr = lo, .len = hi - lo });
	text_drop(mm, lo, hi);
	if (now)
		stub_flush(mm);
}

/* What remains of what the stub maps of p. */
static int narrowed(const struct pma *p)
{
	int prot = p->stub & permitted(p);

	return prot & PROT_READ ? prot : 0;
}

/* Narrows [lo, hi), whose records are mapped without a hole, to prot. */
static void restrict_run(struct mm *mm, uint64_t lo, uint64_t hi, int prot)
{
	if (!prot) {
		stub_unmap(mm, lo, hi);
		return;
	}
	for (struct pma *p = pma_first(mm, lo); p && p->start < hi; p = RB_NEXT(pma_tree, &mm->pmas, p))
		p->stub = (uint8_t)prot;
	add_due(mm, (struct platform_order){ .kind = PLATFORM_PROTECT, .addr = lo, .len = hi - lo, .prot = prot });
}

void stub_restrict(struct mm *mm, uint64_t start, uint64_t end)
{
	struct pma *p = pma_first(mm, start);

	while (p && p->start < end) {
		uint64_t lo = p->start, hi = p->end;
		int prot = narrowed(p);

		if (p->stub == prot) {
			p = RB_NEXT(pma_tree, &mm->pmas, p);
			continue;
		}
		for (; p && p->start < end && p->stub && narrowed(p) == prot && (p->start == lo || p->start == hi);
			p = RB_NEXT(pma_tree, &mm->pmas, p))
			hi = p->end;
		restrict_run(mm, lo, hi, prot);
	}
}
