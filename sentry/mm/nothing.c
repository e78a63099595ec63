/*
 * nothing.c - where nothing is: what MADV_DONTNEED has found empty several times, which
 * the program is told by its stub when it asks again.  Called with mm->mu held.
 *
 * A thread that ends gives back all of its stack but the last of it.  Mostly there never
 * was anything, the same stack is the next thread's, and to be asked costs more than all
 * else of its end.  Then the range's page records, which were made for more than was
 * touched, are dropped, so that whoever touches it faults.  What the stub knows ends
 * before a record is made there, and with any change of an area.
 */
#include "mm/mm_internal.h"
#include "platform/platform.h"

#define NOTHING_SURE 4 /* times one after the other */

static bool is_private(struct mm *mm, uint64_t start, uint64_t end)
{
	const struct vma *v;

	for (; start < end; start = v->end) {
		v = vma_at(mm, start);
		if (!v || v->obj)
			return false;
	}
	return true;
}

/* Whether that is once more the range of the last time, and enough. */
static bool again(struct mm *mm, uint64_t start, uint64_t end)
{
	if (mm->gave_back || start != mm->given_start || end != mm->given_end)
		mm->given = 0;
	mm->given_start = start;
	mm->given_end = end;
	return !mm->gave_back && ++mm->given >= NOTHING_SURE;
}

void nothing_found(struct mm *mm, uint64_t start, uint64_t end)
{
	if (!again(mm, start, end) || !mm->as || (start == mm->nothing_start && end == mm->nothing_end))
		return;
	if (!is_private(mm, start, end) || pmas_drop(mm, start, end) || stub_flush(mm))
		return;
	mm->nothing_start = start;
	mm->nothing_end = end;
	platform_as_nothing(mm->as, start, end - start);
}

void nothing_ends(struct mm *mm)
{
	if (!mm->nothing_end)
		return;
	mm->nothing_start = mm->nothing_end = 0;
	mm->given = 0;
	if (mm->as)
		platform_as_nothing(mm->as, 0, 0);
}
