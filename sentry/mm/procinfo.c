/*
 * procinfo.c - what /proc tells of an address space.
 */
#include "mm/mm_internal.h"

#include "lib/wait.h"

#define CHEAP INT64_C(50000) /* ns: a count that takes no longer is made whenever it is asked for */
#define REST 16 /* after one that took longer: for so many times as long none is made, */
#define REST_MOST INT64_C(1000000000) /* but no longer than this, ns: it may have had to wait for a processor */

static int64_t min_i64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void count_usage(struct mm *mm, struct mm_usage *out)
{
	struct vma *v;

	*out = (struct mm_usage){ 0 };
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
}

void mm_usage(struct mm *mm, struct mm_usage *out)
{
	mm_lock(mm);
	count_usage(mm, out);
	mm_unlock(mm);
}

/* A JVM's collector asks by getrusage(2) whenever it looks at the time. */
uint64_t mm_peak_rss(struct mm *mm)
{
	int64_t now = now_monotonic();
	struct mm_usage u;
	uint64_t peak;

	mm_lock(mm);
	if (mm->rss_took <= CHEAP || now - mm->rss_at > min_i64(REST * mm->rss_took, REST_MOST)) {
		now = now_monotonic();
		count_usage(mm, &u);
		mm->rss_at = now_monotonic();
		mm->rss_took = mm->rss_at - now;
	}
	peak = mm->peak_rss;
	mm_unlock(mm);
	return peak;
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
