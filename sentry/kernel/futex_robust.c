/*
 * futex_robust.c - what a task leaves behind for others when it lets go of its
 * memory: the robust list (locks it held are marked and a waiter woken), and the
 * thread id word that pthread_join waits on.  The list is the program's: every
 * pointer is checked by copying, and its length is bounded.
 */
#include "kernel/futex.h"

#include "kernel/task_table.h"

#include <string.h>

#define ROBUST_LIMIT 2048 /* Linux's ROBUST_LIST_LIMIT */

struct robust_head { /* the program's layout */
	uint64_t list;
	int64_t offset;
	uint64_t pending;
};

/* Marks the lock at a if t owns it, and wakes one waiter. */
static bool owner_died(struct task *t, uint64_t a, bool pi, bool pending_op)
{
	uint32_t val, want;
	bool done = false;

	if (a % 4 || user_load32(t->mm, UADDR(a), &val))
		return false;
	/* unlock was under way: the word was given up, but nobody woken yet */
	if (pending_op && !pi && !val) {
		(void)futex_wake(t, UADDR(a), false, 1, LINUX_FUTEX_BITSET_ALL);
		return true;
	}
	do {
		if ((val & LINUX_FUTEX_TID_MASK) != (uint32_t)t->own_tid)
			return true;
		want = (val & LINUX_FUTEX_WAITERS) | LINUX_FUTEX_OWNER_DIED;
		if (user_cmpxchg32(t->mm, UADDR(a), &val, want, &done))
			return false;
	} while (!done);
	if (!pi && val & LINUX_FUTEX_WAITERS)
		(void)futex_wake(t, UADDR(a), false, 1, LINUX_FUTEX_BITSET_ALL);
	return true;
}

uint64_t futex_robust_list(struct task *t)
{
	uint64_t head;
	uaddr own;

	if (t->ctx && platform_robust_get(t->ctx, &head))
		return head;
	own = atomic_load_explicit(&t->robust_list, memory_order_relaxed);
	return own.v;
}

void futex_set_robust_list(struct task *t, uint64_t head)
{
	if (!t->ctx || !platform_robust_set(t->ctx, head))
		atomic_store_explicit(&t->robust_list, UADDR(head), memory_order_relaxed);
}

static void walk_robust_list(struct task *t)
{
	struct robust_head h;
	uint64_t entry, head = futex_robust_list(t);

	if (!head || copy_from_user(t->mm, &h, UADDR(head), sizeof(h)))
		return;
	entry = h.list;
	/* bit 0 of a pointer marks a PI lock */
	for (int n = 0; n < ROBUST_LIMIT && (entry & ~UINT64_C(1)) != head; n++) {
		uint64_t next, at = entry & ~UINT64_C(1);
		bool bad = copy_from_user(t->mm, &next, UADDR(at), sizeof(next));

		if (entry != h.pending && !owner_died(t, at + (uint64_t)h.offset, entry & 1, false))
			return;
		if (bad)
			return;
		entry = next;
	}
	if (h.pending & ~UINT64_C(1))
		(void)owner_died(t, (h.pending & ~UINT64_C(1)) + (uint64_t)h.offset, h.pending & 1, true);
}

void futex_task_exit(struct task *t)
{
	int32_t zero = 0;

	walk_robust_list(t);
	futex_set_robust_list(t, 0);
	futex_pi_owner_dead(t);
	if (!t->clear_child_tid.v)
		return;
	if (mm_is_shared(t->mm) && !copy_to_user(t->mm, t->clear_child_tid, &zero, sizeof(zero)))
		(void)futex_wake(t, t->clear_child_tid, false, 1, LINUX_FUTEX_BITSET_ALL);
	t->clear_child_tid = UADDR_NULL;
}
