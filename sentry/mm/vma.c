/*
 * vma.c - the tree of a program's memory areas: finding, cutting, joining.
 * Everything here is called with mm->mu held, but vma_free_list.
 */
#include "mm/mm_internal.h"

#include <errno.h>
#include <stdlib.h>

static int vma_cmp(const struct vma *a, const struct vma *b)
{
	return a->start < b->start ? -1 : a->start > b->start;
}

RB_GENERATE(vma_tree, vma, link, vma_cmp)

struct vma *vma_first(struct mm *mm, uint64_t addr)
{
	struct vma *v = RB_ROOT(&mm->vmas), *best = NULL;

	while (v) {
		if (v->end <= addr) {
			v = RB_RIGHT(v, link);
			continue;
		}
		best = v;
		if (v->start <= addr)
			break;
		v = RB_LEFT(v, link);
	}
	return best;
}

struct vma *vma_at(struct mm *mm, uint64_t addr)
{
	struct vma *v = vma_first(mm, addr);

	return v && v->start <= addr ? v : NULL;
}

struct vma *vma_new(struct mm *mm, const struct vma *like)
{
	struct vma *v = malloc(sizeof(*v));

	if (!v)
		return NULL;
	/* not its links: those are others' to change */
	*v = (struct vma){
		.mm = mm, .start = like->start, .end = like->end, .off = like->off, .prot = like->prot, .max_prot = like->max_prot,
		.flags = like->flags, .obj = like->obj, .file = like->file, .name = like->name,
	};
	if (v->obj)
		memobj_get(v->obj);
	if (v->file)
		mm->env->hooks.get(v->file);
	return v;
}

void vma_account(struct mm *mm, const struct vma *v, int sign)
{
	uint64_t len = v->end - v->start, delta = sign > 0 ? len : -len;

	nothing_ends(mm);
	mm->total += delta;
	if (vma_is_data(v->prot, v->flags))
		mm->data += delta;
	if (v->flags & VMA_LOCKED)
		mm->locked += delta;
	if (mm->total > mm->peak_total)
		mm->peak_total = mm->total;
}

/* Somebody may change the object by it without our noticing. */
static bool may_write(const struct vma *v)
{
	return (v->flags & VMA_SHARED) && (v->max_prot & LINUX_PROT_WRITE);
}

bool vma_link(struct mm *mm, struct vma *v)
{
	bool stable = true;

	RB_INSERT(vma_tree, &mm->vmas, v);
	mm->n_vmas++;
	vma_account(mm, v, 1);
	if (v->obj) {
		mutex_lock(&v->obj->maps_mu);
		LIST_INSERT_HEAD(&v->obj->maps, v, obj_link);
		v->obj->writers += may_write(v);
		stable = !v->obj->invalidating;
		mutex_unlock(&v->obj->maps_mu);
	}
	return stable;
}

void vma_unlink(struct mm *mm, struct vma *v)
{
	RB_REMOVE(vma_tree, &mm->vmas, v);
	mm->n_vmas--;
	vma_account(mm, v, -1);
	if (v->obj) {
		mutex_lock(&v->obj->maps_mu);
		LIST_REMOVE(v, obj_link);
		v->obj->writers -= may_write(v);
		mutex_unlock(&v->obj->maps_mu);
	}
	v->dead_next = mm->dead;
	mm->dead = v;
}

void vma_free_list(struct vma *v)
{
	while (v) {
		struct vma *next = v->dead_next;

		if (v->obj)
			memobj_put(v->obj);
		if (v->file)
			v->mm->env->hooks.put(v->file);
		free(v);
		v = next;
	}
}

int vma_cut(struct mm *mm, uint64_t addr)
{
	struct vma *v = vma_at(mm, addr), *hi;

	if (!v || v->start == addr)
		return 0;
	if (mm->n_vmas >= MAX_MAP_COUNT)
		return -ENOMEM;
	hi = vma_new(mm, v);
	if (!hi)
		return -ENOMEM;
	vma_account(mm, v, -1);
	hi->start = addr;
	hi->off += addr - v->start;
	v->end = addr;
	vma_account(mm, v, 1);
	vma_link(mm, hi);
	return 0;
}

static bool alike(const struct vma *a, const struct vma *b)
{
	return a->end == b->start && a->prot == b->prot && a->max_prot == b->max_prot && a->flags == b->flags && a->obj == b->obj &&
	       a->file == b->file && a->name == b->name && (!a->obj || a->off + (a->end - a->start) == b->off) &&
	       !(a->flags & VMA_SPECIAL);
}

struct vma *vma_join(struct mm *mm, struct vma *v)
{
	struct vma *prev = RB_PREV(vma_tree, &mm->vmas, v), *next = RB_NEXT(vma_tree, &mm->vmas, v);
	uint64_t end;

	if (next && alike(v, next)) {
		end = next->end;
		vma_unlink(mm, next);
		vma_account(mm, v, -1);
		v->end = end;
		vma_account(mm, v, 1);
	}
	if (prev && alike(prev, v)) {
		end = v->end;
		vma_unlink(mm, v);
		vma_account(mm, prev, -1);
		prev->end = end;
		vma_account(mm, prev, 1);
		v = prev;
	}
	return v;
}

bool vma_range_mapped(struct mm *mm, uint64_t start, uint64_t end)
{
	struct vma *v = vma_first(mm, start);

	for (; v && v->start <= start; v = RB_NEXT(vma_tree, &mm->vmas, v)) {
		if (v->end >= end)
			return true;
		start = v->end;
	}
	return start >= end;
}
