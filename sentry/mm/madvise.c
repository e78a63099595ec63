/*
 * madvise.c - advice about ranges.  What only concerns performance is checked
 * and accepted; what programs can see (DONTNEED, FREE, REMOVE, the fork
 * advices, POPULATE) is done.
 */
#include "mm/mm_internal.h"

#include <errno.h>

/* Mostly there is nothing below what a thread's stack has held, and looking costs less. */
static bool decommit_held(struct memfile *mf, uint64_t off, uint64_t len)
{
	uint64_t start, stop;

	if (!memfile_next_data(mf, off, off + len, &start, &stop))
		return false;
	memfile_decommit(mf, start, off + len - start);
	return true;
}

/* Anonymous pages that only we hold lose their bytes and keep their place: the
 * stub's mapping stays, and the host clears it. Others lose their records. */
static int discard_anon(struct mm *mm, uint64_t start, uint64_t end)
{
	struct memfile *mf = mm->env->mf;
	struct pma *p;

	while (start < end && (p = pma_first(mm, start)) && p->start < end) {
		uint64_t lo = p->start > start ? p->start : start, hi = p->end < end ? p->end : end, off = p->off + (lo - p->start);
		int e;

		if (p->owned && memfile_exclusive(mf, off, hi - lo)) {
			mm->gave_back |= decommit_held(mf, off, hi - lo);
		} else {
			mm->gave_back = true;
			e = pmas_drop(mm, lo, hi);
			if (e)
				return e;
		}
		start = hi;
	}
	return 0;
}

static int advise_dontneed(struct mm *mm, struct vma *v, uint64_t start, uint64_t end, int advice)
{
	if ((v->flags & VMA_LOCKED) && advice != LINUX_MADV_DONTNEED_LOCKED)
		return -EINVAL;
	return v->obj ? pmas_drop(mm, start, end) : discard_anon(mm, start, end);
}

static int advise_free(struct mm *mm, struct vma *v, uint64_t start, uint64_t end, int advice)
{
	if (v->obj)
		return -EINVAL;
	return discard_anon(mm, start, end);
}

static int set_flags(struct mm *mm, struct vma *v, uint64_t start, uint64_t end, uint32_t on, uint32_t off)
{
	uint32_t flags = (v->flags | on) & ~off;
	int e;

	if (flags == v->flags)
		return 0;
	e = vma_cut(mm, start);
	if (!e)
		e = vma_cut(mm, end);
	if (e)
		return e;
	v = vma_at(mm, start);
	v->flags = flags;
	vma_join(mm, v);
	return 0;
}

static int advise_flags(struct mm *mm, struct vma *v, uint64_t start, uint64_t end, int advice)
{
	static const struct {
		uint32_t on, off;
	} change[] = {
		[LINUX_MADV_DONTFORK] = { VMA_DONTFORK, 0 },
		[LINUX_MADV_DOFORK] = { 0, VMA_DONTFORK },
		[LINUX_MADV_DONTDUMP] = { VMA_DONTDUMP, 0 },
		[LINUX_MADV_DODUMP] = { 0, VMA_DONTDUMP },
		[LINUX_MADV_WIPEONFORK] = { VMA_WIPEONFORK, 0 },
		[LINUX_MADV_KEEPONFORK] = { 0, VMA_WIPEONFORK },
		[LINUX_MADV_HUGEPAGE] = { VMA_HUGEPAGE, VMA_NOHUGEPAGE },
		[LINUX_MADV_NOHUGEPAGE] = { VMA_NOHUGEPAGE, VMA_HUGEPAGE },
	};

	if (advice == LINUX_MADV_WIPEONFORK && (v->obj || (v->flags & VMA_SHARED)))
		return -EINVAL;
	if (advice == LINUX_MADV_DODUMP && (v->flags & VMA_SPECIAL))
		return -EINVAL;
	return set_flags(mm, v, start, end, change[advice].on, change[advice].off);
}

static int advise_nothing(struct mm *mm, struct vma *v, uint64_t start, uint64_t end, int advice)
{
	return 0;
}

static int advise_remove(struct mm *mm, struct vma *v, uint64_t start, uint64_t end, int advice)
{
	struct memobj *o = v->obj;
	uint64_t off = v->off + (start - v->start);
	int e;

	if ((v->flags & VMA_LOCKED) || !o)
		return -EINVAL;
	if (!(v->flags & VMA_SHARED) || !(v->prot & LINUX_PROT_WRITE))
		return -EACCES;
	if (!o->ops->punch)
		return -EOPNOTSUPP;
	memobj_get(o);
	mm_unlock(mm); /* the object invalidates, which takes mm->mu; the walk looks areas up anew */
	e = o->ops->punch(o, off, end - start);
	memobj_put(o);
	mm_lock(mm);
	return e;
}

static int advise_populate(struct mm *mm, struct vma *v, uint64_t start, uint64_t end, int advice)
{
	bool write = advice == LINUX_MADV_POPULATE_WRITE;

	if (!(v->prot & (write ? LINUX_PROT_WRITE : LINUX_PROT_READ)) || (v->flags & VMA_SPECIAL))
		return -EINVAL;
	return mm_populate(mm, start, end, write);
}

typedef int advise_fn(struct mm *mm, struct vma *v, uint64_t start, uint64_t end, int advice);

static advise_fn *const advices[] = {
	[LINUX_MADV_NORMAL] = advise_nothing,
	[LINUX_MADV_RANDOM] = advise_nothing,
	[LINUX_MADV_SEQUENTIAL] = advise_nothing,
	[LINUX_MADV_WILLNEED] = advise_nothing,
	[LINUX_MADV_DONTNEED] = advise_dontneed,
	[LINUX_MADV_FREE] = advise_free,
	[LINUX_MADV_REMOVE] = advise_remove,
	[LINUX_MADV_DONTFORK] = advise_flags,
	[LINUX_MADV_DOFORK] = advise_flags,
	[LINUX_MADV_MERGEABLE] = advise_nothing,
	[LINUX_MADV_UNMERGEABLE] = advise_nothing,
	[LINUX_MADV_HUGEPAGE] = advise_flags,
	[LINUX_MADV_NOHUGEPAGE] = advise_flags,
	[LINUX_MADV_DONTDUMP] = advise_flags,
	[LINUX_MADV_DODUMP] = advise_flags,
	[LINUX_MADV_WIPEONFORK] = advise_flags,
	[LINUX_MADV_KEEPONFORK] = advise_flags,
	[LINUX_MADV_COLD] = advise_nothing,
	[LINUX_MADV_PAGEOUT] = advise_nothing,
	[LINUX_MADV_POPULATE_READ] = advise_populate,
	[LINUX_MADV_POPULATE_WRITE] = advise_populate,
	[LINUX_MADV_DONTNEED_LOCKED] = advise_dontneed,
};

static int advise_locked(struct mm *mm, uint64_t addr, uint64_t end, int advice)
{
	bool populate = advices[advice] == advise_populate, hole = false;
	int e = 0;

	while (!e && addr < end) {
		struct vma *v = vma_first(mm, addr);
		uint64_t hi;

		if (!v || v->start >= end)
			return -ENOMEM;
		if (v->start > addr) {
			hole = true; /* done all the same, and told at the end */
			if (populate)
				return -ENOMEM;
			addr = v->start;
		}
		hi = v->end < end ? v->end : end;
		e = advices[advice](mm, v, addr, hi, advice);
		addr = hi;
	}
	return e ? e : hole ? -ENOMEM : 0;
}

int mm_madvise(struct mm *mm, uint64_t addr, uint64_t len, int advice)
{
	uint64_t rounded = PAGE_UP(len);
	int e;

	if (advice < 0 || (size_t)advice >= sizeof(advices) / sizeof(advices[0]) || !advices[advice])
		return -EINVAL;
	if ((addr & (PAGE_SIZE - 1)) || rounded < len || addr + rounded < addr)
		return -EINVAL;
	if (!rounded)
		return 0;
	mm_lock(mm);
	mm->gave_back = false;
	e = advise_locked(mm, addr, addr + rounded, advice);
	if (!e && advice == LINUX_MADV_DONTNEED)
		nothing_found(mm, addr, addr + rounded);
	mm_unlock(mm);
	return e;
}
