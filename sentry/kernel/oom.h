/*
 * oom.h - the guest's memory limit, kept as a kernel keeps its memory: what caches
 * hold is given back first, then the worst program is killed, so that the others go on.
 *
 * Program memory is committed by the host page by page as stubs touch it, which the
 * sentry does not see.  So a thread of its own watches how much it is: never,
 * as long as all that was handed out fits the limit; else the more often the
 * nearer the limit is.  Over it, all tasks wait before they run on (oom_wait) until the
 * killed ones have given enough back.  The host keeps the same limit for all of the
 * sandbox: that is done a little below it, which leaves room for the sentry itself.
 */
#ifndef SENTRY_KERNEL_OOM_H
#define SENTRY_KERNEL_OOM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct kernel;
struct oom;
struct task;
struct thread_group;

struct oom_events { /* as memory.events counts them */
	uint64_t max; /* times the limit was reached */
	uint64_t oom; /* ... and giving back did not help */
	uint64_t oom_kill; /* processes killed */
};

struct oom *oom_new(struct kernel *k); /* NULL: no memory */
/* bytes; 0: none.  Any thread; more than the host has counts as none.  0 or -errno. */
int oom_set_limit(struct kernel *k, uint64_t bytes);
uint64_t oom_limit(struct kernel *k); /* 0: none */
void oom_events(struct kernel *k, struct oom_events *out);

/* Own thread, no locks held: returns when there is memory again, or when the task has
 * something else to do.  Called before a task runs on, if oom_pressing. */
void oom_wait(struct task *t);
bool oom_pressing(const struct kernel *k);
/* An access of the program's found no memory: true, it is to be tried again. */
bool oom_may_retry(struct task *t);

/* In pages; the greatest is killed first.  INT64_MIN: never.  No locks held. */
int64_t oom_badness(struct thread_group *tg);

#endif
