/*
 * oom_internal.h - what oom.c, oom_watch.c and oom_kill.c share.
 */
#ifndef SENTRY_KERNEL_OOM_INTERNAL_H
#define SENTRY_KERNEL_OOM_INTERNAL_H

#include "kernel/oom.h"

#include "lib/lock.h"
#include "lib/wait.h"
#include "mm/charge.h"
#include "mm/mm.h"

#include <sys/queue.h>

struct oom_domain {
	struct oom *o; /* [I] */
	LIST_ENTRY(oom_domain) link; /* [o->mu] */
	const struct task_quota *members; /* [I] NULL: all */
	struct charges *charges; /* [I] NULL: all the memory file's pages */
	unsigned account; /* [I] in charges */
	_Atomic uint64_t limit; /* as programs are told; 0: none */
	_Atomic bool pressing; /* its tasks wait */
	_Atomic bool hopeless; /* there was nobody to kill */
	_Atomic bool watched; /* the thread looks by itself: nobody need wake it */
	_Atomic bool gone; /* the thread frees it */
	_Atomic uint64_t max, ooms, kills;
	uint64_t borne; /* the thread's: so much stays though it is too much */
};

struct oom {
	struct kernel *k; /* [I] */
	struct mutex mu; /* RANK_LEAF */
	bool started; /* [mu] the thread is there */
	LIST_HEAD(, oom_domain) domains; /* [mu] all among them; only the thread takes one out */
	struct oom_domain all; /* the sandbox's */
	_Atomic uint64_t kills; /* in all domains */
	_Atomic unsigned holding; /* domains that press, and one if resting: tasks call oom_wait */
	_Atomic bool resting; /* the thread waits to be told that a program runs */
	struct sleeper sleeper; /* the thread's */
	struct waitq wq; /* EVENT_IN: a domain presses no longer */
};

#define OOM_LOOK_MIN INT64_C(1000000) /* ns between two looks at how much it is */

uint64_t oom_line_of(const struct oom_domain *d); /* over it programs are killed; of no use without a limit */
uint64_t oom_line_below(uint64_t limit); /* what programs may use of the sandbox's */

/* --- oom_watch.c --- */
void *oom_watch(void *oom); /* the thread */
void oom_end_rest(struct oom *o); /* a program runs again; the thread is to be woken */
void oom_bury(struct oom_domain *d); /* by the thread, if there is one */

/* --- oom_kill.c --- */
struct victim {
	struct thread_group *tg; /* referenced; NULL: nobody */
	struct mm *mm; /* referenced */
	struct mm_usage usage;
	int64_t points;
};

/* The worst program of the domain; false: one is on its way out already, and must be waited for. */
bool oom_choose(const struct oom_domain *d, struct victim *worst);
/* With all others that share its memory, as its death alone would free nothing; and tells of it. */
void oom_kill(struct oom_domain *d, const struct victim *v);
void oom_victim_drop(struct victim *v);

#endif
