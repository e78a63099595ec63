/*
 * procinfo.c - what /proc tells of an address space.
 */
#include "mm/mm_internal.h"

void mm_usage(struct mm *mm, struct mm_usage *out)
{
	struct vma *v;

	*out = (struct mm_usage){ 0 };
	mm_lock(mm);
	RB_FOREACH(v, vma_tree, &mm->vmas) {
		uint64_t len = v->end - v->start, anon = 0, rss = pmas_resident(mm, v->start, v->end, &anon);

		out->rss += rss;
		out->rss_anon += anon;
		if (v->flags & VMA_ANON_OBJ)
			out->rss_shmem += rss - anon;
		else
			out->rss_file += rss - anon;
		if (v->flags & VMA_GROWSDOWN)
			out->stack += len;
		if ((v->prot & LINUX_PROT_EXEC) && !(v->prot & LINUX_PROT_WRITE))
			out->text += len;
	}
	out->vm_size = mm->total;
	out->data = mm->data;
	out->locked = mm->locked;
	out->peak_size = mm->peak_total;
	if (out->rss > mm->peak_rss)
		mm->peak_rss = out->rss;
	out->peak_rss = mm->peak_rss;
	out->minor_faults = mm->minor_faults;
	out->major_faults = mm->major_faults;
	mm_unlock(mm);
}

int mm_for_each_area(struct mm *mm, int (*fn)(const struct mm_area *a, void *arg), void *arg)
{
	struct vma *v;
	int r = 0;

	mm_lock(mm);
	RB_FOREACH(v, vma_tree, &mm->vmas) {
		struct mm_area a = { .start = v->start, .end = v->end, .off = v->obj && !(v->flags & VMA_SPECIAL) ? v->off : 0, .prot = v->prot,
			.shared = v->flags & VMA_SHARED, .file = v->file, .name = v->name, .flags = v->flags, .no_dump = v->flags & VMA_DONTDUMP };

		a.rss = pmas_resident(mm, v->start, v->end, &a.anon);
		r = fn(&a, arg);
		if (r)
			break;
	}
	mm_unlock(mm);
	return r;
}
