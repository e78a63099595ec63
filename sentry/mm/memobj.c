/*
 * memobj.c - mappable objects: references, the list of their mappings, and
 * invalidation.
 *
 * Lock order: an address space (RANK_MM), then the list of an object's mappings
 * (RANK_MEMOBJ).  Invalidation goes the other way round: it notes the address
 * spaces under the list's lock, lets go of it, and locks them one by one.  An
 * address space that maps the object later asks the object anew and cannot see
 * the old pages; a fork copies records only if no invalidation is under way.
 */
#include "mm/mm_internal.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

void memobj_init(struct memobj *o, const struct memobj_ops *ops)
{
	o->ops = ops;
	ref_init(&o->ref);
	mutex_init(&o->maps_mu, RANK_MEMOBJ);
	LIST_INIT(&o->maps);
	o->invalidating = 0;
}

void memobj_destroy(struct memobj *o)
{
	if (!LIST_EMPTY(&o->maps))
		__builtin_trap();
	mutex_destroy(&o->maps_mu);
}

void memobj_put(struct memobj *o)
{
	if (ref_put(&o->ref) && o->ops->release)
		o->ops->release(o);
}

/* Each mapping holds a reference: one more is a mapping that is just being made. */
bool memobj_seal(struct memobj *o, bool existing)
{
	unsigned known = 1;
	struct vma *v;
	bool ok = true;

	mutex_lock(&o->maps_mu);
	LIST_FOREACH(v, &o->maps, obj_link)
		known++;
	if (existing)
		ok = !o->writers && ref_count(&o->ref) <= known;
	if (ok)
		atomic_store(&o->sealed, true);
	mutex_unlock(&o->maps_mu);
	return ok;
}

static void invalidate_area(struct mm *mm, const struct vma *v, uint64_t off, uint64_t end, bool private_too)
{
	uint64_t v_end = v->off + (v->end - v->start), lo = off > v->off ? off : v->off, hi = end < v_end ? end : v_end;
	int e;

	if (lo >= hi)
		return;
	lo = v->start + (lo - v->off);
	hi = v->start + (hi - v->off);
	e = private_too ? pmas_drop(mm, lo, hi) : pmas_drop_shared(mm, lo, hi);
	if (e) /* no memory to cut records: let go of the whole area's shared pages */
		pmas_drop_shared(mm, v->start, v->end);
}

static void invalidate_mm(struct mm *mm, struct memobj *o, uint64_t off, uint64_t end, bool private_too)
{
	struct vma *v;

	mm_lock(mm);
	RB_FOREACH(v, vma_tree, &mm->vmas)
		if (v->obj == o)
			invalidate_area(mm, v, off, end, private_too);
	stub_flush(mm); /* the pages go next */
	mm_unlock(mm);
}

/* The address spaces that map o, each at least once; references to their structs. */
static size_t mapping_mms(struct memobj *o, struct mm ***out)
{
	size_t n = 0, i = 0;
	struct vma *v;

	*out = NULL;
	mutex_lock(&o->maps_mu);
	o->invalidating++;
	LIST_FOREACH(v, &o->maps, obj_link)
		n++;
	if (n)
		while (!(*out = malloc(n * sizeof(**out)))) /* must not fail: pages are about to be reused */
			sched_yield();
	LIST_FOREACH(v, &o->maps, obj_link) {
		if (i && (*out)[i - 1] == v->mm)
			continue;
		(*out)[i++] = v->mm;
		mm_grab(v->mm); /* alive: teardown unlinks its areas first */
	}
	mutex_unlock(&o->maps_mu);
	return i;
}

void memobj_unpatch(struct memobj *o)
{
	atomic_store(&o->patched, false);
	mm_object_invalidate(o, 0, UINT64_MAX - PAGE_SIZE, false);
}

void mm_object_invalidate(struct memobj *o, uint64_t off, uint64_t len, bool private_too)
{
	uint64_t end = off + len < off ? UINT64_MAX - PAGE_SIZE : PAGE_UP(off + len);
	struct mm **mms;
	size_t n;

	if (__atomic_load_n(&o->maps.lh_first, __ATOMIC_ACQUIRE) == NULL)
		return;
	n = mapping_mms(o, &mms);
	for (size_t i = 0; i < n; i++) {
		invalidate_mm(mms[i], o, PAGE_DOWN(off), end, private_too);
		mm_drop(mms[i]);
	}
	free(mms);
	mutex_lock(&o->maps_mu);
	o->invalidating--;
	mutex_unlock(&o->maps_mu);
}
