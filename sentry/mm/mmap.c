/*
 * mmap.c - placing, making and removing mappings; the heap's break.
 *
 * Placement is top-down below the stack, as Linux's.  mm->mmap_hint remembers
 * where the last search ended and hint_len the largest hole left above it, so
 * that thousands of mappings in a row do not walk over each other.
 */
#include "mm/mm_internal.h"

#include <errno.h>

#define MAP_32BIT_BASE UINT64_C(0x40000000)
#define MAP_32BIT_END UINT64_C(0x80000000)

/* Where a new mapping must end below v. */
static uint64_t floor_of(const struct vma *v)
{
	if (!(v->flags & VMA_GROWSDOWN))
		return v->start;
	return v->start > STACK_GUARD ? v->start - STACK_GUARD : 0;
}

bool may_expand(struct mm *mm, uint64_t len, bool data)
{
	return len <= mm->lim_as && mm->total <= mm->lim_as - len && (!data || (len <= mm->lim_data && mm->data <= mm->lim_data - len));
}

static bool range_free(struct mm *mm, uint64_t addr, uint64_t len)
{
	struct vma *v = vma_first(mm, addr);

	return !v || floor_of(v) >= addr + len;
}

/* The highest hole for len within [low, high); *largest: the largest too small one passed. */
static int64_t search_down(struct mm *mm, uint64_t low, uint64_t high, uint64_t len, uint64_t *largest)
{
	struct vma *v = vma_first(mm, high), *prev;
	uint64_t top = high;

	if (v && floor_of(v) < top)
		top = floor_of(v);
	for (;;) {
		uint64_t bottom;

		prev = v ? RB_PREV(vma_tree, &mm->vmas, v) : RB_MAX(vma_tree, &mm->vmas);
		bottom = prev && prev->end > low ? prev->end : low;
		if (top >= bottom && top - bottom >= len)
			return (int64_t)(top - len);
		if (top > bottom && top - bottom > *largest)
			*largest = top - bottom;
		if (!prev || prev->start <= low || floor_of(prev) <= low)
			return -ENOMEM;
		top = floor_of(prev);
		v = prev;
	}
}

int64_t find_hole(struct mm *mm, uint64_t hint, uint64_t len, int flags)
{
	uint64_t ignored = 0;
	int64_t a;

	if (len > TASK_SIZE)
		return -ENOMEM;
	if (hint) {
		hint = PAGE_UP(hint);
		if (hint < MMAP_MIN_ADDR)
			hint = MMAP_MIN_ADDR;
		if (hint <= TASK_SIZE - len && range_free(mm, hint, len) && (!(flags & LINUX_MAP_32BIT) || hint + len <= MAP_32BIT_END))
			return (int64_t)hint;
	}
	if (flags & LINUX_MAP_32BIT)
		return search_down(mm, MAP_32BIT_BASE, MAP_32BIT_END, len, &ignored);
	if (len <= mm->hint_len) {
		mm->mmap_hint = mm->mmap_base;
		mm->hint_len = 0;
	}
	a = search_down(mm, MMAP_MIN_ADDR, mm->mmap_hint, len, &mm->hint_len);
	if (a < 0 && mm->mmap_hint != mm->mmap_base) {
		mm->hint_len = 0;
		a = search_down(mm, MMAP_MIN_ADDR, mm->mmap_base, len, &mm->hint_len);
	}
	if (a >= 0)
		mm->mmap_hint = (uint64_t)a;
	else
		a = search_down(mm, mm->mmap_base, TASK_SIZE, len, &ignored);
	return a;
}

int unmap_locked(struct mm *mm, uint64_t start, uint64_t end)
{
	struct vma *v, *next;
	int e = vma_cut(mm, start);

	if (!e)
		e = vma_cut(mm, end);
	if (!e)
		e = pmas_drop(mm, start, end);
	if (e) {
		if ((v = vma_at(mm, start)))
			vma_join(mm, v);
		return e;
	}
	for (v = vma_first(mm, start); v && v->start < end; v = next) {
		next = RB_NEXT(vma_tree, &mm->vmas, v);
		vma_unlink(mm, v);
	}
	if (end > mm->mmap_hint) {
		v = vma_first(mm, end);
		end = v ? v->start : mm->mmap_base;
		mm->mmap_hint = end < mm->mmap_base ? end : mm->mmap_base;
	}
	return 0;
}

int mm_munmap(struct mm *mm, uint64_t addr, uint64_t len)
{
	int e;

	if ((addr & (PAGE_SIZE - 1)) || addr > TASK_SIZE || len > TASK_SIZE - addr)
		return -EINVAL;
	len = PAGE_UP(len);
	if (!len)
		return -EINVAL;
	mm_lock(mm);
	e = unmap_locked(mm, addr, addr + len);
	mm_unlock(mm);
	return e;
}

/* The address for the request: checked if fixed, else chosen. */
static int64_t place(struct mm *mm, const struct mm_mmap *m, uint64_t len)
{
	struct vma *v;

	if (!(m->flags & (LINUX_MAP_FIXED | LINUX_MAP_FIXED_NOREPLACE)))
		return find_hole(mm, m->addr, len, m->flags);
	if (len > TASK_SIZE || m->addr > TASK_SIZE - len)
		return -ENOMEM;
	if (m->addr & (PAGE_SIZE - 1))
		return -EINVAL;
	if (m->addr < MMAP_MIN_ADDR)
		return -EPERM;
	if (m->flags & LINUX_MAP_FIXED_NOREPLACE) {
		v = vma_first(mm, m->addr);
		if (v && v->start < m->addr + len)
			return -EEXIST;
	}
	return (int64_t)m->addr;
}

static uint32_t area_flags(const struct mm *mm, const struct mm_mmap *m)
{
	uint32_t f = 0;

	if ((m->flags & LINUX_MAP_TYPE) != LINUX_MAP_PRIVATE)
		f |= VMA_SHARED;
	if (m->flags & LINUX_MAP_GROWSDOWN)
		f |= VMA_GROWSDOWN;
	if (mm->lock_future || (m->flags & LINUX_MAP_LOCKED))
		f |= VMA_LOCKED;
	if (m->flags & LINUX_MAP_NORESERVE)
		f |= VMA_NORESERVE;
	if (m->special)
		f = VMA_SPECIAL | VMA_DONTDUMP;
	if (m->obj && (f & VMA_SHARED) && (m->flags & LINUX_MAP_ANONYMOUS))
		f |= VMA_ANON_OBJ;
	return f;
}

/* Loaders map a file's parts so, which means nothing else, and then what of its data is
 * zero behind what the file has of it. */
static bool is_loading(struct mm *mm, const struct mm_mmap *m, const struct vma *new)
{
	const struct vma *data = new->obj || !(m->flags & LINUX_MAP_FIXED) ? NULL : vma_at(mm, new->start - 1);

	return m->flags & LINUX_MAP_DENYWRITE || (data && data->obj && data->prot == new->prot && !(data->flags & VMA_SHARED));
}

static int64_t mmap_locked(struct mm *mm, const struct mm_mmap *m, uint64_t len)
{
	struct vma like = { .off = m->off, .prot = m->prot & 7, .max_prot = m->max_prot & 7, .obj = m->obj, .file = m->file, .name = m->name };
	struct vma *v;
	int64_t a = place(mm, m, len);
	int e;

	if (a < 0)
		return a;
	like.flags = area_flags(mm, m);
	like.start = (uint64_t)a;
	like.end = like.start + len;
	if (!like.obj)
		like.off = 0;
	if ((like.flags & VMA_LOCKED) && (len > mm->lim_memlock || mm->locked > mm->lim_memlock - len))
		return -EAGAIN;
	if (mm->n_vmas >= MAX_MAP_COUNT || !may_expand(mm, len, vma_is_data(like.prot, like.flags)))
		return -ENOMEM;
	v = vma_new(mm, &like);
	if (!v)
		return -ENOMEM;
	e = unmap_locked(mm, like.start, like.end);
	if (e) {
		v->dead_next = mm->dead;
		mm->dead = v;
		return e;
	}
	vma_link(mm, v);
	vma_join(mm, v);
	if ((m->flags & (LINUX_MAP_POPULATE | LINUX_MAP_LOCKED)) && !(m->flags & LINUX_MAP_NONBLOCK) && like.prot)
		mm_populate(mm, like.start, like.end, vma_is_data(like.prot, like.flags)); /* as far as it goes, like Linux */
	premap(mm, like.start, like.end, is_loading(mm, m, &like));
	return a;
}

int64_t mm_mmap(struct mm *mm, const struct mm_mmap *m)
{
	uint64_t len = PAGE_UP(m->len), end;
	int64_t r;

	if (!m->len)
		return -EINVAL;
	if (len < m->len || len > TASK_SIZE)
		return -ENOMEM;
	if (__builtin_add_overflow(m->off, len, &end) || end > INT64_MAX)
		return -EOVERFLOW;
	mm_lock(mm);
	r = mmap_locked(mm, m, len);
	mm_unlock(mm);
	if (m->obj && (m->flags & LINUX_MAP_TYPE) != LINUX_MAP_PRIVATE && (m->max_prot & LINUX_PROT_WRITE))
		memobj_written(m->obj);
	return r;
}

/* The area of start if it and those behind it, up to end, map one file alike without a hole, shared and opened for
 * writing: what Linux's remap_file_pages takes. Where in the file each is does not matter. Else NULL. */
static struct vma *shared_run(struct mm *mm, uint64_t start, uint64_t end)
{
	struct vma *v = vma_at(mm, start), *n, *prev;

	if (!v || !v->obj || !(v->flags & VMA_SHARED) || !(v->max_prot & LINUX_PROT_WRITE))
		return NULL;
	for (n = v; n->end < end;) {
		prev = n;
		n = RB_NEXT(vma_tree, &mm->vmas, n);
		if (!n || n->start != prev->end || n->obj != v->obj || n->file != v->file || n->flags != v->flags || n->prot != v->prot)
			return NULL;
	}
	return v;
}

int mm_remap_pages(struct mm *mm, uint64_t addr, uint64_t len, uint64_t pgoff, int flags)
{
	struct mm_mmap m = { .addr = addr & ~(PAGE_SIZE - 1), .len = len & ~(PAGE_SIZE - 1) };
	uint64_t end, pages = m.len >> PAGE_SHIFT;
	struct vma *v;
	int64_t r = -EINVAL;

	if (__builtin_add_overflow(m.addr, m.len, &end) || end == m.addr || pgoff + pages < pgoff)
		return -EINVAL;
	mm_lock(mm);
	v = shared_run(mm, m.addr, end);
	if (v && pgoff + pages > (uint64_t)INT64_MAX >> PAGE_SHIFT)
		r = -EOVERFLOW;
	else if (v) {
		m.off = pgoff << PAGE_SHIFT;
		m.prot = v->prot;
		m.max_prot = v->max_prot;
		m.flags = LINUX_MAP_SHARED | LINUX_MAP_FIXED | LINUX_MAP_POPULATE | (flags & LINUX_MAP_NONBLOCK);
		m.flags |= v->flags & VMA_ANON_OBJ ? LINUX_MAP_ANONYMOUS : 0;
		m.flags |= v->flags & VMA_LOCKED ? LINUX_MAP_LOCKED : 0;
		m.obj = v->obj; /* the area's references last until mm_unlock */
		m.file = v->file;
		m.name = v->name;
		r = mmap_locked(mm, &m, m.len);
	}
	mm_unlock(mm);
	return r < 0 ? (int)r : 0;
}

void mm_set_brk(struct mm *mm, uint64_t start)
{
	mm_lock(mm);
	mm->brk_start = mm->brk = start;
	mm_unlock(mm);
}

/* Grows the heap from old_end to end (page aligned). */
static int heap_grow(struct mm *mm, uint64_t old_end, uint64_t end)
{
	struct vma like = { .start = old_end, .end = end, .prot = LINUX_PROT_READ | LINUX_PROT_WRITE, .max_prot = 7, .name = "[heap]" };
	uint64_t len = end - old_end;
	struct vma *v = vma_first(mm, old_end);

	if (end > TASK_SIZE || (v && floor_of(v) < end))
		return -ENOMEM;
	if (mm->lock_future)
		like.flags |= VMA_LOCKED;
	if (mm->n_vmas >= MAX_MAP_COUNT || !may_expand(mm, len, true))
		return -ENOMEM;
	v = vma_new(mm, &like);
	if (!v)
		return -ENOMEM;
	vma_link(mm, v);
	vma_join(mm, v);
	premap(mm, old_end, end, false);
	return 0;
}

int64_t mm_brk(struct mm *mm, uint64_t addr)
{
	uint64_t old_end, end;
	int64_t r;
	int e = 0;

	mm_lock(mm);
	old_end = PAGE_UP(mm->brk);
	if (addr >= mm->brk_start && addr <= TASK_SIZE && addr - mm->brk_start <= mm->lim_data) {
		end = PAGE_UP(addr);
		if (end > old_end)
			e = heap_grow(mm, old_end, end);
		else if (end < old_end)
			e = unmap_locked(mm, end, old_end);
		if (!e)
			mm->brk = addr;
	}
	r = (int64_t)mm->brk;
	mm_unlock(mm);
	return r;
}
