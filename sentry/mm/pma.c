/*
 * pma.c - page records: which pages are there and where their bytes lie.
 * Everything here is called with mm->mu held.
 */
#include "mm/mm_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int pma_cmp(const struct pma *a, const struct pma *b)
{
	return a->start < b->start ? -1 : a->start > b->start;
}

RB_GENERATE(pma_tree, pma, link, pma_cmp)

static void forget_hot(struct mm *mm)
{
	memset(mm->hot, 0, sizeof(mm->hot));
}

struct pma *pma_first(struct mm *mm, uint64_t addr)
{
	struct pma *p = RB_ROOT(&mm->pmas), *best = NULL;

	while (p) {
		if (p->end <= addr) {
			p = RB_RIGHT(p, link);
			continue;
		}
		best = p;
		if (p->start <= addr)
			break;
		p = RB_LEFT(p, link);
	}
	return best;
}

struct pma *pma_at(struct mm *mm, uint64_t addr)
{
	struct pma **slot = &mm->hot[(addr >> 16 ^ addr >> 28) % N_HOT], *p = *slot;

	if (p && p->start <= addr && addr < p->end)
		return p;
	p = pma_first(mm, addr);
	if (!p || p->start > addr)
		return NULL;
	*slot = p;
	return p;
}

struct pma *pma_insert(struct mm *mm, const struct pma *like)
{
	struct pma *p = malloc(sizeof(*p));

	if (!p)
		return NULL;
	*p = *like;
	if (p->start < mm->nothing_end && p->end > mm->nothing_start)
		nothing_ends(mm);
	RB_INSERT(pma_tree, &mm->pmas, p);
	return p;
}

static void pma_free(struct mm *mm, struct pma *p)
{
	forget_hot(mm);
	RB_REMOVE(pma_tree, &mm->pmas, p);
	free(p);
}

int pma_cut(struct mm *mm, uint64_t addr)
{
	struct pma *p = pma_first(mm, addr), hi;

	if (!p || p->start >= addr)
		return 0;
	hi = *p;
	hi.start = addr;
	hi.off += addr - p->start;
	if (!pma_insert(mm, &hi))
		return -ENOMEM;
	p->end = addr;
	return 0;
}

static bool alike(const struct pma *a, const struct pma *b)
{
	return a->end == b->start && a->fd == b->fd && a->off + pma_len(a) == b->off && a->prot == b->prot && a->stub == b->stub &&
	       a->owned == b->owned && a->cow == b->cow && a->ro == b->ro;
}

struct pma *pma_join(struct mm *mm, struct pma *p)
{
	struct pma *prev = RB_PREV(pma_tree, &mm->pmas, p), *next = RB_NEXT(pma_tree, &mm->pmas, p);

	if (next && alike(p, next)) {
		p->present &= next->present;
		p->end = next->end;
		pma_free(mm, next);
	}
	if (prev && alike(prev, p)) {
		prev->present &= p->present;
		prev->end = p->end;
		pma_free(mm, p);
		p = prev;
	}
	return p;
}

static int cut_both(struct mm *mm, uint64_t start, uint64_t end)
{
	int e = pma_cut(mm, start);

	return e ? e : pma_cut(mm, end);
}

int pmas_drop(struct mm *mm, uint64_t start, uint64_t end)
{
	struct pma *p, *next;
	int e = cut_both(mm, start, end);

	if (e)
		return e;
	stub_unmap(mm, start, end);
	for (p = pma_first(mm, start); p && p->start < end; p = next) {
		next = RB_NEXT(pma_tree, &mm->pmas, p);
		if (p->owned)
			stub_put_pages(mm, p->off, pma_len(p));
		pma_free(mm, p);
	}
	return 0;
}

int pmas_drop_shared(struct mm *mm, uint64_t start, uint64_t end)
{
	struct pma *p, *next;
	int e = cut_both(mm, start, end);

	if (e)
		return e;
	for (p = pma_first(mm, start); p && p->start < end; p = next) {
		next = RB_NEXT(pma_tree, &mm->pmas, p);
		if (p->owned)
			continue;
		stub_unmap(mm, p->start, p->end);
		pma_free(mm, p);
	}
	return 0;
}

int pmas_move(struct mm *mm, uint64_t from, uint64_t len, uint64_t to)
{
	struct pma_tree moved = RB_INITIALIZER(&moved);
	struct pma *p, *next;
	int e = cut_both(mm, from, from + len);

	if (e)
		return e;
	stub_unmap(mm, from, from + len);
	forget_hot(mm);
	for (p = pma_first(mm, from); p && p->start < from + len; p = next) {
		next = RB_NEXT(pma_tree, &mm->pmas, p);
		RB_REMOVE(pma_tree, &mm->pmas, p);
		p->start = p->start - from + to;
		p->end = p->end - from + to;
		RB_INSERT(pma_tree, &moved, p);
	}
	while ((p = RB_MIN(pma_tree, &moved))) {
		RB_REMOVE(pma_tree, &moved, p);
		RB_INSERT(pma_tree, &mm->pmas, p);
	}
	return 0;
}

#define SMALL (UINT64_C(64) << 10)
/* Offsets are handed out in large blocks; what the host holds of them is what counts. */
static uint64_t committed(struct mm *mm, uint64_t off, uint64_t end)
{
	uint64_t a, b, n = 0;

	if (end - off <= SMALL) /* most are all there, and asking costs more than the rest of an exit */
		return end - off;
	for (; off < end && memfile_next_data(mm->env->mf, off, end, &a, &b); off = b)
		n += b - a;
	return n;
}

uint64_t pmas_resident(struct mm *mm, uint64_t start, uint64_t end, uint64_t *anon)
{
	uint64_t n, total = 0;

	for (struct pma *p = pma_first(mm, start); p && p->start < end; p = RB_NEXT(pma_tree, &mm->pmas, p)) {
		uint64_t a = p->start > start ? p->start : start, b = p->end < end ? p->end : end;

		n = p->fd >= 0 ? b - a : committed(mm, p->off + (a - p->start), p->off + (b - p->start));
		total += n;
		if (p->owned && anon)
			*anon += n;
	}
	return total;
}
