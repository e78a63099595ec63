/*
 * dump.c - which memory of an address space there is to dump: what was never
 * touched reads as zero, and is not to become memory by being looked at.
 */
#include "mm/mm_internal.h"

void mm_ask_objects(struct mm *mm, uint64_t from, uint64_t to)
{
	struct vma *v;
	struct pma *p;

	mm_lock(mm);
	for (; from < to && (v = vma_at(mm, from)) && v->obj && !page_get(mm, v, from, false, &p); from = p->end)
		;
	mm_unlock(mm);
}

bool mm_next_data(struct mm *mm, uint64_t from, uint64_t to, uint64_t *start, uint64_t *end)
{
	bool found = false;
	struct pma *p;

	mm_lock(mm);
	for (p = pma_first(mm, from); p && p->start < to && !found; p = RB_NEXT(pma_tree, &mm->pmas, p)) {
		uint64_t lo = p->start > from ? p->start : from, hi = p->end < to ? p->end : to, a, b;

		if (p->fd >= 0) {
			*start = lo;
			*end = hi;
			found = true;
		} else if (memfile_next_data(mm->env->mf, p->off + (lo - p->start), p->off + (hi - p->start), &a, &b)) {
			*start = p->start + (a - p->off);
			*end = p->start + (b - p->off);
			found = true;
		}
	}
	mm_unlock(mm);
	return found;
}
