/*
 * cpu_time.h - the processor time of tasks and thread groups.
 *
 * What is measured all the time costs next to nothing: by the processor's counter, how long a task's program
 * code has had the word (struct task.program), and for how long of that its host thread was awake beside it
 * (struct task.awake).  That is more than the program has run where processors are scarce.  So whenever
 * somebody asks, and before the last task of a group leaves an address space, the host is asked too: what it
 * says that the group's stub process has run bounds what its tasks have, the rest they have waited.
 *
 * User time is the time with the word less what was waited; system time is what the host says of the task's
 * thread, less what that spent waiting for the program awake.  Neither ever goes back, and a task has at no
 * time used more than the host has given the two threads that it is made of.
 */
#ifndef SENTRY_KERNEL_CPU_TIME_H
#define SENTRY_KERNEL_CPU_TIME_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct task;
struct thread_group;
struct usage_sum;

/* [T] but where it says otherwise */
struct task_cpu {
	/* Ticks with the word, times 2; while the program has it: less the tick when it got it, and one more.
	 * Written by its own thread. */
	_Atomic uint64_t program;
	_Atomic uint64_t awake; /* ticks of those in which its host thread was awake; written by that */
	_Atomic clockid_t clock; /* of the host thread, which sets it as it begins; 0: not yet */
	int64_t before; /* [I once clock is set] what that showed when the task began, ns */
	uint64_t seen, now; /* ticks with the word when the host was asked last, and while it is asked */
	int64_t waited; /* ns of those seen */
	int64_t utime, stime; /* ns, as told last */
};

/* [T] */
struct group_cpu {
	uint64_t dead; /* ticks with the word, of ended tasks */
	uint64_t seen; /* the same of all, when the host was asked last */
	uint64_t asked; /* ticks: when that was */
	pid_t process; /* of which it was asked; 0: never */
	int64_t host; /* and what it said, ns */
	int64_t ahead; /* ns with the word that the host has not said to be run, but may yet say; below what LAG allows */
	int64_t waited; /* ns of those seen */
	int64_t utime; /* ns, as told last */
};

static inline bool task_cpu_in_program(uint64_t program)
{
	return program & 1;
}

static inline bool task_in_program(const struct task_cpu *c)
{
	return task_cpu_in_program(atomic_load(&c->program));
}

/* Own thread: its program has the word from `tick` on; until, after so many ticks, it stops.  awake: of those
 * its host thread was awake, at most. */
static inline void task_cpu_enters(struct task_cpu *c, uint64_t tick)
{
	uint64_t v = atomic_load_explicit(&c->program, memory_order_relaxed);

	atomic_store_explicit(&c->program, v - (tick << 1) + 1, memory_order_relaxed);
}

static inline void task_cpu_leaves(struct task_cpu *c, uint64_t entered, uint64_t tick, uint64_t awake)
{
	uint64_t v = atomic_load_explicit(&c->program, memory_order_relaxed);

	atomic_store_explicit(&c->program, v + (tick << 1) - 1, memory_order_relaxed);
	if (!awake)
		return;
	awake = awake < tick - entered ? awake : tick - entered;
	/* load and store instead of an atomic addition: this thread alone writes it */
	atomic_store_explicit(&c->awake, atomic_load_explicit(&c->awake, memory_order_relaxed) + awake, memory_order_relaxed);
}

void task_cpu_begin(struct task *t); /* own thread, as it begins */
void task_times_locked(struct task *t, int64_t *utime, int64_t *stime); /* ns */
void task_usage(struct task *t, struct usage_sum *out); /* takes the task list lock */
void task_cpu_fold_locked(struct task *t); /* its end: what it has used is among the ended ones' from now on */
void usage_add(struct usage_sum *to, const struct usage_sum *from);
void tg_usage_locked(struct thread_group *tg, struct usage_sum *out); /* the group's own, living tasks included */
/* Own thread, the only one of its group that lives: it leaves its address space, before it does. */
void tg_cpu_leaves_locked(struct thread_group *tg);

#endif
