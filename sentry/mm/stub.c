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

static void set_out(struct stub_queue *q, bool out)
{
	__atomic_store_n(&q->out, out, __ATOMIC_RELEASE);
}

static void set_empty(struct stub_queue *q)
{
	q->n = 0;
	q->fresh = 0;
	set_due(q, false);
}

/* The first n that were freed. */
static void give_back(struct mm *mm, unsigned n)
{
	struct stub_queue *q = &mm->queue;

	for (unsigned i = 0; i < n; i++)
		memfile_put(mm->env->mf, q->freed[i].off, q->freed[i].len);
	q->n_freed -= n;
	for (unsigned i = 0; i < q->n_freed; i++)
		q->freed[i] = q->freed[n + i];
	q->n_out = 0;
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

/* What was given near is done. On an error nothing is mapped any more, nor will be what is queued. */
static int settle(struct mm *mm)
{
	int e;

	if (!mm->queue.out)
		return 0;
	e = platform_as_settle(mm->as);
	set_out(&mm->queue, false);
	if (e) {
		set_empty(&mm->queue);
		unmap_all(mm);
	}
	give_back(mm, mm->queue.n ? mm->queue.n_out : mm->queue.n_freed);
	return e;
}

int stub_flush(struct mm *mm)
{
	struct stub_queue *q = &mm->queue;
	int e = settle(mm);

	if (q->n) {
		e = stub_as(mm) ? platform_as_orders(mm->as, q->o, q->n) : -ENOMEM;
		set_empty(q);
		if (e) /* the host's limit of mappings, most likely: start afresh */
			unmap_all(mm);
	}
	give_back(mm, q->n_freed);
	return e;
}

void stub_flush_near(struct mm *mm)
{
	struct stub_queue *q = &mm->queue;

	settle(mm);
	if (!q->due)
		return;
	if (!mm->as || !platform_as_orders_near(mm->as, q->o, q->n)) {
		stub_flush(mm);
		return;
	}
	set_out(q, true);
	q->n_out = q->n_freed;
	set_empty(q);
}

void stub_forget(struct mm *mm)
{
	set_out(&mm->queue, false);
	set_empty(&mm->queue);
	give_back(mm, mm->queue.n_freed);
	text_lost(mm);
}

void stub_put_pages(struct mm *mm, uint64_t off, uint64_t len)
{
	struct stub_queue *q = &mm->queue;

	if (!q->n && !q->out) {
		memfile_put(mm->env->mf, off, len);
		return;
	}
	q->freed[q->n_freed].off = off;
	q->freed[q->n_freed++].len = len;
	if (q->n_freed == STUB_QUEUE)
		stub_flush(mm);
}

static void add(struct mm *mm, struct platform_order o, bool fresh)
{
	struct stub_queue *q = &mm->queue;

	if (q->n && fresh == stub_queue_is_fresh(q, q->n - 1) && stub_queue_merge(&q->o[q->n - 1], &o))
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
	settle(old);
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
	if (!hi || stub_queue_take_back(&mm->queue, lo, hi))
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
