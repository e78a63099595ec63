/*
 * cow.c - copy-on-write: who holds a page alone, how much is copied at once, and
 * into which memory.  Called with mm->mu held.
 */
#include "mm/mm_internal.h"
#include "mm/usercopy.h"

#include <errno.h>
#include <unistd.h>

#define max_u64(a, b) ((a) > (b) ? (a) : (b))
#define min_u64(a, b) ((a) < (b) ? (a) : (b))

/* --- copying ---------------------------------------------------------------- */

/* [from, to) of the memory file must read as zero; it does already unless it was used. */
static int clear_used(struct memfile *mf, uint64_t from, uint64_t to)
{
	static const uint8_t zero[PAGE_SIZE];
	uint64_t in_page = (PAGE_SIZE - (from & (PAGE_SIZE - 1))) & (PAGE_SIZE - 1);

	in_page = min_u64(in_page, to - from);
	if (safe_copy(memfile_ptr(mf, from), zero, in_page) != in_page)
		return -ENOMEM;
	if (from + in_page < to)
		memfile_decommit(mf, from + in_page, to - from - in_page);
	return 0;
}

/* *whole: the host holds all of the copy. */
static int copy_from_file(struct memfile *mf, const struct pma *old, uint64_t to, uint64_t len, bool used, bool *whole)
{
	ssize_t n;

	if (used)
		memfile_look_at(mf, to, len);
	n = pread(old->fd, memfile_ptr(mf, to), len, (off_t)old->off);
	if (n < 0)
		return -EIO;
	*whole = PAGE_UP((uint64_t)n) >= len;
	return used ? clear_used(mf, to + (uint64_t)n, to + len) : 0; /* beyond the end of the file */
}

static int copy_from_memory(struct memfile *mf, const struct pma *old, uint64_t to, uint64_t len, bool used, bool *whole)
{
	uint64_t a, b, pos = old->off, end = old->off + len;
	int e = 0;

	*whole = true;
	while (!e && pos < end) {
		if (!memfile_next_data(mf, pos, end, &a, &b))
			a = b = end;
		*whole &= a == pos;
		if (used) {
			e = clear_used(mf, to + (pos - old->off), to + (a - old->off));
			memfile_look_at(mf, to + (a - old->off), b - a);
		}
		if (safe_copy(memfile_ptr(mf, to + (a - old->off)), memfile_ptr(mf, a), b - a) != b - a)
			e = -ENOMEM;
		pos = b;
	}
	return e;
}

int copy_pages(struct mm *mm, const struct pma *old, uint64_t hint, uint64_t *off, bool *whole)
{
	struct memfile *mf = mm->env->mf;
	uint64_t len = pma_len(old);
	bool used = !memfile_alloc_used(mf, len, off);
	int e = used ? 0 : memfile_alloc(mf, len, PAGE_SIZE, hint, off);

	if (e)
		return e;
	e = old->fd >= 0 ? copy_from_file(mf, old, *off, len, used, whole) : copy_from_memory(mf, old, *off, len, used, whole);
	if (e)
		memfile_put(mf, *off, len);
	return e;
}

/* --- what is copied --------------------------------------------------------- */

/* Makes [lo, hi), a part of p, a record of its own. */
static int isolate(struct mm *mm, struct pma **p, uint64_t lo, uint64_t hi)
{
	if (pma_cut(mm, lo) || pma_cut(mm, hi))
		return -ENOMEM;
	*p = pma_at(mm, lo);
	return 0;
}

/* The range around addr, within p and limit on each side, that only we hold. */
static bool exclusive_run(struct mm *mm, const struct pma *p, uint64_t addr, uint64_t *lo, uint64_t *hi)
{
	struct memfile *mf = mm->env->mf;
	uint64_t a = PAGE_DOWN(addr), b = a + PAGE_SIZE;

	if (!p->owned || !memfile_exclusive(mf, p->off + (a - p->start), PAGE_SIZE))
		return false;
	while (a > p->start && addr - a < ANON_STEP && memfile_exclusive(mf, p->off + (a - PAGE_SIZE - p->start), PAGE_SIZE))
		a -= PAGE_SIZE;
	while (b < p->end && b - addr < ANON_STEP && memfile_exclusive(mf, p->off + (b - p->start), PAGE_SIZE))
		b += PAGE_SIZE;
	*lo = a;
	*hi = b;
	return true;
}

/* The length of a copy that lies right beside p; 0: none. */
static uint64_t copied_beside(const struct pma *p, const struct pma *q)
{
	return q && q->owned && !q->cow && q->prot == p->prot && (q->end == p->start || p->end == q->start) ? pma_len(q) : 0;
}

/* Beside what was copied before, a program's data is copied in ever larger steps. */
static uint64_t copy_step(struct mm *mm, struct pma *p)
{
	uint64_t below = copied_beside(p, RB_PREV(pma_tree, &mm->pmas, p)), above = copied_beside(p, RB_NEXT(pma_tree, &mm->pmas, p));
	uint64_t step = COW_STEP;

	while (p->fd >= 0 && step < COW_MAX && (step <= below || step <= above))
		step *= 2;
	return step;
}

/* How much to copy around addr.  A hole of the memory file costs nothing to
 * copy: then as much of the hole as the step for first touches. */
static void copy_window(struct mm *mm, struct pma *p, uint64_t addr, uint64_t *lo, uint64_t *hi)
{
	uint64_t a, b, here = p->off + (PAGE_DOWN(addr) - p->start), end, step = copy_step(mm, p);

	*lo = max_u64(p->start, addr & ~(step - 1));
	*hi = min_u64(p->end, (addr & ~(step - 1)) + step);
	if (p->fd >= 0)
		return;
	end = min_u64(p->end, (addr & ~(ANON_STEP - 1)) + ANON_STEP);
	end = p->off + (end - p->start);
	if (!memfile_next_data(mm->env->mf, here, end, &a, &b))
		a = end;
	if (a > here) {
		*lo = PAGE_DOWN(addr);
		*hi = p->start + (a - p->off);
	}
}

/* Puts new private memory in place of record p's (which is what is to be copied). */
static int replace_pages(struct mm *mm, struct pma *p)
{
	struct pma old = *p;
	uint64_t off;
	bool whole;
	int e = copy_pages(mm, p, contiguous_hint(mm, p->start, p->end), &off, &whole);

	if (e)
		return e;
	p->fd = -1;
	p->off = off;
	p->owned = true;
	p->cow = p->ro = false;
	p->present = whole;
	if (p->stub) {
		p->stub = 0;
		stub_map(mm, p);
	}
	if (old.owned)
		stub_put_pages(mm, old.off, pma_len(&old));
	if (p->stub)
		stub_flush(mm); /* no thread of the program may go on seeing the old page */
	return 0;
}

int break_cow(struct mm *mm, struct pma **pp, uint64_t addr)
{
	struct pma *p = *pp;
	uint64_t lo, hi;
	int e;

	if (exclusive_run(mm, p, addr, &lo, &hi)) {
		e = isolate(mm, &p, lo, hi);
		if (e)
			return e;
		p->cow = false; /* the stub's mapping is widened by the fault that needs it */
		*pp = p;
		return 0;
	}
	copy_window(mm, p, addr, &lo, &hi);
	e = isolate(mm, &p, lo, hi);
	if (!e)
		e = replace_pages(mm, p);
	if (e)
		return e;
	*pp = pma_join(mm, p);
	return 0;
}
