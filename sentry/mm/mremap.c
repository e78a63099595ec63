/*
 * mremap.c - resizing and moving a mapping.
 */
#include "mm/mm_internal.h"

#include <errno.h>

struct remap {
	uint64_t old, old_len, new_len, new_addr;
	int flags;
};

/* Extends v, which ends at old + old_len, without moving it. */
static int grow_in_place(struct mm *mm, struct vma *v, const struct remap *r)
{
	struct vma *next = RB_NEXT(vma_tree, &mm->vmas, v);
	uint64_t end = r->old + r->new_len;

	if (v->end != r->old + r->old_len || end > TASK_SIZE || end < v->end)
		return -ENOMEM;
	if (next && next->start < end)
		return -ENOMEM;
	vma_account(mm, v, -1);
	v->end = end;
	vma_account(mm, v, 1);
	v = vma_join(mm, v);
	if (v->flags & VMA_LOCKED)
		mm_populate(mm, r->old, end, vma_is_data(v->prot, v->flags));
	premap(mm, r->old + r->old_len, end, false);
	return 0;
}

/* Moves [old, old+old_len) to `to`, where nothing is, growing it to new_len. */
static int64_t move(struct mm *mm, struct vma *v, const struct remap *r, uint64_t to)
{
	uint64_t moved = r->old_len < r->new_len ? r->old_len : r->new_len;
	struct vma like = *v, *n;
	int e;

	like.off += r->old - v->start;
	if (!v->obj)
		like.off = 0;
	like.start = to;
	like.end = to + r->new_len;
	n = vma_new(mm, &like);
	if (!n)
		return -ENOMEM;
	e = pmas_move(mm, r->old, moved, to);
	if (!e && !(r->flags & LINUX_MREMAP_DONTUNMAP) && r->old_len) {
		e = unmap_locked(mm, r->old, r->old + r->old_len);
		if (e)
			pmas_move(mm, to, moved, r->old); /* its cuts are made already */
	}
	if (e) {
		n->dead_next = mm->dead;
		mm->dead = n;
		return e;
	}
	if (r->flags & LINUX_MREMAP_DONTUNMAP) {
		vma_account(mm, v, -1);
		v->flags &= ~VMA_LOCKED;
		vma_account(mm, v, 1);
	}
	vma_link(mm, n);
	n = vma_join(mm, n);
	if (n->flags & VMA_LOCKED)
		mm_populate(mm, to, to + r->new_len, vma_is_data(n->prot, n->flags));
	premap(mm, to, to + r->new_len, false);
	return (int64_t)to;
}

/* The area the request is about; its errors are Linux's vma_to_resize. */
static int find_area(struct mm *mm, const struct remap *r, struct vma **out)
{
	struct vma *v = vma_at(mm, r->old);
	uint64_t grow = r->new_len > r->old_len ? r->new_len - r->old_len : 0;

	if (!v)
		return -EFAULT;
	if (!r->old_len && !(v->flags & VMA_SHARED))
		return -EINVAL;
	if ((r->flags & LINUX_MREMAP_DONTUNMAP) && (v->flags & VMA_SPECIAL))
		return -EINVAL;
	if (r->old_len > v->end - r->old)
		return -EFAULT;
	if (grow && (v->flags & VMA_SPECIAL))
		return -EFAULT;
	if ((v->flags & VMA_LOCKED) && (grow > mm->lim_memlock || mm->locked > mm->lim_memlock - grow))
		return -EAGAIN;
	if (!may_expand(mm, grow, vma_is_data(v->prot, v->flags)))
		return -ENOMEM;
	*out = v;
	return 0;
}

static int64_t remap_fixed(struct mm *mm, struct remap *r)
{
	struct vma *v;
	int64_t to = (int64_t)r->new_addr;
	int e;

	if (r->flags & LINUX_MREMAP_FIXED) {
		if ((r->new_addr & (PAGE_SIZE - 1)) || r->new_len > TASK_SIZE || r->new_addr > TASK_SIZE - r->new_len)
			return -EINVAL;
		if (r->new_addr < r->old + r->old_len && r->old < r->new_addr + r->new_len)
			return -EINVAL;
		if (r->new_addr < MMAP_MIN_ADDR)
			return -EPERM;
	}
	if (mm->n_vmas + 2 >= MAX_MAP_COUNT)
		return -ENOMEM;
	if (r->flags & LINUX_MREMAP_FIXED) {
		e = unmap_locked(mm, r->new_addr, r->new_addr + r->new_len);
		if (e)
			return e;
	}
	if (r->old_len > r->new_len) {
		e = unmap_locked(mm, r->old + r->new_len, r->old + r->old_len);
		if (e)
			return e;
		r->old_len = r->new_len;
	}
	e = find_area(mm, r, &v);
	if (e)
		return e;
	if ((r->flags & LINUX_MREMAP_DONTUNMAP) && !may_expand(mm, r->new_len, vma_is_data(v->prot, v->flags)))
		return -ENOMEM;
	if (!(r->flags & LINUX_MREMAP_FIXED))
		to = find_hole(mm, r->new_addr, r->new_len, 0);
	return to < 0 ? to : move(mm, v, r, (uint64_t)to);
}

static int64_t remap_locked(struct mm *mm, struct remap *r)
{
	struct vma *v;
	int64_t to;
	int e;

	if (!vma_at(mm, r->old))
		return -EFAULT;
	if (r->flags & (LINUX_MREMAP_FIXED | LINUX_MREMAP_DONTUNMAP))
		return remap_fixed(mm, r);
	if (r->old_len >= r->new_len) {
		if (r->old_len > r->new_len) {
			e = unmap_locked(mm, r->old + r->new_len, r->old + r->old_len);
			if (e)
				return e;
		}
		return (int64_t)r->old;
	}
	e = find_area(mm, r, &v);
	if (e)
		return e;
	if (r->old_len && !grow_in_place(mm, v, r))
		return (int64_t)r->old;
	if (!(r->flags & LINUX_MREMAP_MAYMOVE))
		return -ENOMEM;
	to = find_hole(mm, 0, r->new_len, 0);
	return to < 0 ? to : move(mm, v, r, (uint64_t)to);
}

int64_t mm_mremap(struct mm *mm, uint64_t addr, uint64_t old_len, uint64_t new_len, int flags, uint64_t new_addr)
{
	struct remap r = { .old = addr, .old_len = PAGE_UP(old_len), .new_len = PAGE_UP(new_len), .new_addr = new_addr, .flags = flags };
	int64_t ret;

	if (flags & ~(LINUX_MREMAP_MAYMOVE | LINUX_MREMAP_FIXED | LINUX_MREMAP_DONTUNMAP))
		return -EINVAL;
	if ((flags & LINUX_MREMAP_FIXED) && !(flags & LINUX_MREMAP_MAYMOVE))
		return -EINVAL;
	if ((flags & LINUX_MREMAP_DONTUNMAP) && (!(flags & LINUX_MREMAP_MAYMOVE) || old_len != new_len))
		return -EINVAL;
	if ((addr & (PAGE_SIZE - 1)) || !r.new_len || r.old_len < old_len || r.old_len > TASK_SIZE)
		return -EINVAL;
	if (r.new_len > TASK_SIZE)
		return -ENOMEM;
	mm_lock(mm);
	ret = remap_locked(mm, &r);
	mm_unlock(mm);
	return ret;
}
