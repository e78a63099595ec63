/*
 * detach.c - what System V shared memory needs of address spaces: how often an
 * object is mapped, and taking away one mapping of it by the address where it began.
 */
#include "mm/mm_internal.h"

#include <errno.h>

uint64_t memobj_mappings(struct memobj *o)
{
	struct vma *v;
	uint64_t n = 0;

	mutex_lock(&o->maps_mu);
	LIST_FOREACH(v, &o->maps, obj_link)
		n++;
	mutex_unlock(&o->maps_mu);
	return n;
}

/* v is (what is left of) a mapping named so that began at addr. */
static bool part_of(const struct vma *v, uint64_t addr, const char *name)
{
	return v->name == name && v->start >= addr && v->start - addr == v->off;
}

/* Parts may have been unmapped or protected otherwise meanwhile: the object may lie there in several areas. */
static int unmap_parts_locked(struct mm *mm, uint64_t addr, const char *name, struct memobj **obj)
{
	struct vma *v = vma_first(mm, addr);
	int r = -EINVAL;

	*obj = NULL;
	while (v) {
		uint64_t end = v->end;
		int e;

		if (part_of(v, addr, name) && (!*obj || v->obj == *obj)) {
			if (!*obj)
				memobj_get(v->obj);
			*obj = v->obj;
			e = unmap_locked(mm, v->start, end);
			if (e)
				return e;
			r = 0;
		}
		v = vma_first(mm, end);
	}
	return r;
}

int mm_unmap_named(struct mm *mm, uint64_t addr, const char *name, struct memobj **obj)
{
	int r;

	mm_lock(mm);
	r = unmap_parts_locked(mm, addr, name, obj);
	mm_unlock(mm);
	if (r && *obj) {
		memobj_put(*obj);
		*obj = NULL;
	}
	return r;
}
