/*
 * mprotect.c - changing the protection of mapped ranges.
 */
#include "mm/mm_internal.h"

#include <errno.h>

/* Applies prot to the part of v within [start, end), which is cut out already. */
static void protect_area(struct mm *mm, struct vma *v, int prot)
{
	vma_account(mm, v, -1);
	v->prot = prot;
	vma_account(mm, v, 1);
	for (struct pma *p = pma_first(mm, v->start); p && p->start < v->end; p = RB_NEXT(pma_tree, &mm->pmas, p))
		p->prot = (uint8_t)prot;
	stub_restrict(mm, v->start, v->end);
}

/* Takes one area, or the part of it in the range. *next: where to go on. */
static int protect_one(struct mm *mm, struct vma *v, uint64_t start, uint64_t end, int prot, uint64_t *next)
{
	uint64_t lo = v->start > start ? v->start : start, hi = v->end < end ? v->end : end;
	int e;

	*next = hi;
	if (prot & ~v->max_prot)
		return -EACCES;
	if (v->prot == prot)
		return 0;
	if (vma_is_data(prot, v->flags) && !vma_is_data(v->prot, v->flags) && mm->data + (hi - lo) > mm->lim_data)
		return -ENOMEM;
	e = vma_cut(mm, lo);
	if (!e)
		e = vma_cut(mm, hi);
	if (!e)
		e = pma_cut(mm, lo);
	if (!e)
		e = pma_cut(mm, hi);
	if (e)
		return e;
	v = vma_at(mm, lo);
	protect_area(mm, v, prot);
	vma_join(mm, v);
	return 0;
}

/* Joins the records that became alike. */
static void join_records(struct mm *mm, uint64_t start, uint64_t end)
{
	struct pma *p = pma_first(mm, start);

	while (p && p->start <= end) {
		p = pma_join(mm, p);
		p = RB_NEXT(pma_tree, &mm->pmas, p);
	}
}

static int protect_locked(struct mm *mm, uint64_t addr, uint64_t end, int prot)
{
	uint64_t at = addr;
	struct vma *v;
	int e = 0;

	if (prot != (LINUX_PROT_READ | LINUX_PROT_EXEC))
		text_unpatch(mm, addr, end); /* who changes text reads it first */
	while (!e && at < end) {
		v = vma_first(mm, at);
		if (!v || v->start > at)
			e = -ENOMEM; /* a hole; what came before it stays changed, as in Linux */
		else
			e = protect_one(mm, v, at, end, prot, &at);
	}
	join_records(mm, addr, end);
	return e;
}

int mm_mprotect(struct mm *mm, uint64_t addr, uint64_t len, int prot)
{
	int grows = prot & (LINUX_PROT_GROWSDOWN | LINUX_PROT_GROWSUP), e;
	struct vma *v;

	if (grows == (LINUX_PROT_GROWSDOWN | LINUX_PROT_GROWSUP) || (addr & (PAGE_SIZE - 1)))
		return -EINVAL;
	if (!len)
		return 0;
	len = PAGE_UP(len);
	if (!len || addr + len <= addr)
		return -ENOMEM;
	prot &= ~grows;
	if (prot & ~(LINUX_PROT_READ | LINUX_PROT_WRITE | LINUX_PROT_EXEC | LINUX_PROT_SEM))
		return -EINVAL;
	if (addr + len > TASK_SIZE)
		return -ENOMEM;
	prot &= 7;
	mm_lock(mm);
	v = vma_first(mm, addr);
	e = 0;
	if (grows) {
		if (grows == LINUX_PROT_GROWSUP || !v || v->start >= addr + len || !(v->flags & VMA_GROWSDOWN))
			e = !v || v->start >= addr + len ? -ENOMEM : -EINVAL;
		else if (v->start < addr) {
			len += addr - v->start;
			addr = v->start;
		}
	}
	if (!e)
		e = protect_locked(mm, addr, addr + len, prot);
	mm_unlock(mm);
	return e;
}
