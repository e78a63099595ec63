/*
 * ahead_judge.c - how far to ask ahead (ahead.c, list_ahead.c): as far as most of it is used.
 *
 * Any thread, without a lock: what racing callers count a little wrong costs a request more or
 * less.
 */
#include "fs/gofer/internal.h"

#define WINDOW_MIN 2u
#define JUDGE_AFTER 4u /* windows: two of them may be on their way, or not come to yet */

/* Twice as many while most were used, half while few were. */
unsigned ahead_judge(struct ahead *a, _Atomic uint32_t *used_by, unsigned max)
{
	uint32_t asked = a->asked, used = *used_by;
	unsigned w = a->window;

	if (asked < JUDGE_AFTER * w)
		return w;
	if (used * 2 >= asked)
		w = w * 2 < max ? w * 2 : max;
	else if (used * 4 < asked)
		w = w / 2 > WINDOW_MIN ? w / 2 : WINDOW_MIN;
	a->window = w;
	atomic_fetch_sub(&a->asked, asked / 2);
	atomic_fetch_sub(used_by, used / 2);
	return w;
}
