/*
 * mlock.c - locking, msync and mincore.  The host does not lock memory for us:
 * locked means present, counted, and not to be dropped by advice.
 */
#include "mm/mm_internal.h"

#include <errno.h>
#include <string.h>

static void set_locked(struct mm *mm, struct vma *v, bool on)
{
	vma_account(mm, v, -1);
	v->flags = on ? v->flags | VMA_LOCKED : v->flags & ~VMA_LOCKED;
	vma_account(mm, v, 1);
}

/* Flags all areas of the range, up to the first hole: -ENOMEM. */
static int lock_range(struct mm *mm, uint64_t start, uint64_t end, bool on)
{
	while (start < end) {
		struct vma *v = vma_at(mm, start);
		uint64_t hi;
		int e;

		if (!v)
			return -ENOMEM;
		hi = v->end < end ? v->end : end;
		if (!(v->flags & VMA_SPECIAL) && !(v->flags & VMA_LOCKED) == on) {
			e = vma_cut(mm, start);
			if (!e)
				e = vma_cut(mm, hi);
			if (e)
				return e;
			v = vma_at(mm, start);
			set_locked(mm, v, on);
			vma_join(mm, v);
		}
		start = hi;
	}
	return 0;
}

static uint64_t locked_in(struct mm *mm, uint64_t start, uint64_t end)
{
	uint64_t n = 0;

	for (struct vma *v = vma_first(mm, start); v && v->start < end; v = RB_NEXT(vma_tree, &mm->vmas, v))
		if (v->flags & VMA_LOCKED)
			n += (v->end < end ? v->end : end) - (v->start > start ? v->start : start);
	return n;
}

static int populate_locked(struct mm *mm, uint64_t start, uint64_t end)
{
	int e = 0;

	while (!e && start < end) {
		struct vma *v = vma_first(mm, start);
		uint64_t hi;

		if (!v || v->start >= end)
			break;
		start = v->start > start ? v->start : start;
		hi = v->end < end ? v->end : end;
		if (v->prot)
			e = mm_populate(mm, start, hi, vma_is_data(v->prot, v->flags));
		start = hi;
	}
	return e == -EFAULT ? -ENOMEM : e;
}

int mm_mlock(struct mm *mm, uint64_t addr, uint64_t len, unsigned how)
{
	uint64_t end;
	int e;

	len = PAGE_UP(len + (addr & (PAGE_SIZE - 1)));
	addr = PAGE_DOWN(addr);
	end = addr + len;
	if (end < addr)
		return -EINVAL;
	if (!len)
		return 0;
	mm_lock(mm);
	if ((how & MM_LOCK_ON) && !(how & MM_LOCK_PRIVILEGED) && mm->locked - locked_in(mm, addr, end) + len > mm->lim_memlock)
		e = mm->lim_memlock ? -ENOMEM : -EPERM;
	else
		e = lock_range(mm, addr, end, how & MM_LOCK_ON);
	if (!e && (how & MM_LOCK_ON) && !(how & MM_LOCK_ONFAULT))
		e = populate_locked(mm, addr, end);
	mm_unlock(mm);
	return e;
}

int mm_mlockall(struct mm *mm, int flags, bool privileged)
{
	struct vma *v;
	int e = 0;

	mm_lock(mm);
	if ((flags & LINUX_MCL_CURRENT) && !privileged && mm->total > mm->lim_memlock) {
		e = -ENOMEM;
	} else {
		mm->lock_future = flags & LINUX_MCL_FUTURE;
		if (flags != LINUX_MCL_FUTURE)
			RB_FOREACH(v, vma_tree, &mm->vmas)
				if (!(v->flags & VMA_SPECIAL))
					set_locked(mm, v, flags & LINUX_MCL_CURRENT);
		if ((flags & LINUX_MCL_CURRENT) && !(flags & LINUX_MCL_ONFAULT))
			populate_locked(mm, 0, TASK_SIZE); /* errors are not told, as in Linux */
	}
	mm_unlock(mm);
	return e;
}

/* Shared mappings are the object's own pages: only the object's host file may
 * have something to write back. */
static int sync_area(struct mm *mm, struct vma *v, uint64_t start, uint64_t end)
{
	struct memobj *o = v->obj;
	uint64_t off;
	int e;

	if (!o || !o->ops->sync || !(v->flags & VMA_SHARED))
		return 0;
	off = v->off + (start - v->start);
	memobj_get(o);
	mm_unlock(mm);
	e = o->ops->sync(o, off, end - start);
	memobj_put(o);
	mm_lock(mm);
	return e;
}

int mm_msync(struct mm *mm, uint64_t addr, uint64_t len, int flags)
{
	uint64_t end = addr + PAGE_UP(len);
	bool hole = false;
	int e = 0;

	if (flags & ~(LINUX_MS_ASYNC | LINUX_MS_INVALIDATE | LINUX_MS_SYNC))
		return -EINVAL;
	if ((addr & (PAGE_SIZE - 1)) || ((flags & LINUX_MS_ASYNC) && (flags & LINUX_MS_SYNC)))
		return -EINVAL;
	if (end < addr)
		return -ENOMEM;
	mm_lock(mm);
	while (!e && addr < end) {
		struct vma *v = vma_first(mm, addr);
		uint64_t hi;

		hole |= !v || v->start > addr;
		if (!v || v->start >= end)
			break;
		addr = v->start > addr ? v->start : addr;
		hi = v->end < end ? v->end : end;
		if ((flags & LINUX_MS_INVALIDATE) && (v->flags & VMA_LOCKED))
			e = -EBUSY;
		else if (flags & LINUX_MS_SYNC)
			e = sync_area(mm, v, addr, hi);
		addr = hi;
	}
	mm_unlock(mm);
	return e ? e : hole ? -ENOMEM : 0;
}

/* Pages of p in [base, limit), the first of which vec[0] is of: `there` where the host holds them. */
static void mincore_record(struct mm *mm, const struct pma *p, uint64_t base, uint64_t limit, uint8_t there, uint8_t *vec)
{
	uint64_t addr = p->start > base ? p->start : base, end = p->end < limit ? p->end : limit;
	uint64_t off = p->off + (addr - p->start), stop = off + (end - addr), a, b;

	vec += (addr - base) >> PAGE_SHIFT;
	if (p->fd >= 0) {
		memset(vec, there, (end - addr) >> PAGE_SHIFT);
		return;
	}
	for (uint64_t pos = off; pos < stop && memfile_next_data(mm->env->mf, pos, stop, &a, &b); pos = b)
		memset(vec + ((a - off) >> PAGE_SHIFT), there, (b - a) >> PAGE_SHIFT);
}

int mm_mincore(struct mm *mm, uint64_t addr, uint64_t len, uint8_t *vec)
{
	uint64_t end = addr + PAGE_UP(len);
	int e = 0;

	if (addr & (PAGE_SIZE - 1))
		return -EINVAL;
	if (end < addr || end > TASK_SIZE)
		return -ENOMEM;
	memset(vec, 0, (end - addr) >> PAGE_SHIFT);
	mm_lock(mm);
	if (!vma_range_mapped(mm, addr, end))
		e = -ENOMEM;
	for (struct pma *p = pma_first(mm, addr); !e && p && p->start < end; p = RB_NEXT(pma_tree, &mm->pmas, p))
		mincore_record(mm, p, addr, end, 1, vec);
	mm_unlock(mm);
	return e;
}

void mm_pages(struct mm *mm, uint64_t addr, uint64_t n, uint8_t *vec)
{
	uint64_t end = addr + (n << PAGE_SHIFT);

	memset(vec, 0, n);
	mm_lock(mm);
	for (struct pma *p = pma_first(mm, addr); p && p->start < end; p = RB_NEXT(pma_tree, &mm->pmas, p))
		mincore_record(mm, p, addr, end, MM_PAGE_PRESENT | (p->owned ? MM_PAGE_OWN : 0), vec);
	mm_unlock(mm);
}
