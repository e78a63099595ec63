/*
 * oom.h - the guest's memory limits, kept as a kernel keeps its memory: what caches
 * hold is given back first, then the worst program is killed, so that the others go on.
 *
 * A domain is those programs that share a limit: all of the sandbox's, and those of each
 * container that joined it later, which are charged for what they are the first to use.
 *
 * Program memory is committed by the host page by page as stubs touch it, which the
 * sentry does not see.  So a thread of its own watches how much it is: never,
 * as long as all that was handed out fits the limit, nor while no program runs; else the
 * more often the nearer the limit is.  Over it, the domain's tasks wait before they run on
 * (oom_wait) until the killed ones have given enough back.  The host keeps the sandbox's
 * limit too: here that is done a little below it, which leaves room for the sentry itself.
 */
#ifndef SENTRY_KERNEL_OOM_H
#define SENTRY_KERNEL_OOM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct kernel;
struct oom;
struct oom_domain;
struct task;
struct task_quota;
struct thread_group;

struct oom_events { /* as memory.events counts them */
	uint64_t max; /* times the limit was reached */
	uint64_t oom; /* ... and giving back did not help */
	uint64_t oom_kill; /* processes killed */
};

struct oom *oom_new(struct kernel *k); /* NULL: no memory */
struct oom_domain *oom_sandbox(struct kernel *k); /* all programs' */
struct oom_domain *oom_domain_of(const struct thread_group *tg); /* its container's, or the sandbox's */
uint64_t oom_kills(const struct kernel *k); /* in all domains */

/* Those whose quota is members; no limit yet. -ENOMEM; -ENOSPC: there are 255. */
int oom_domain_new(struct kernel *k, const struct task_quota *members, struct oom_domain **out);
void oom_domain_free(struct oom_domain *d); /* none of its tasks is left; may be NULL */
/* bytes; 0: none.  Any thread; more than the host has counts as none.  0 or -errno. */
int oom_set_limit(struct oom_domain *d, uint64_t bytes);
uint64_t oom_limit(const struct oom_domain *d); /* 0: none */
/* Whether n bytes more keep below where programs are killed.  For who is none, and may be refused. */
bool oom_has_room(const struct oom_domain *d, uint64_t n);
uint64_t oom_used(const struct oom_domain *d); /* bytes that the host has committed; not cheap */
void oom_events(const struct oom_domain *d, struct oom_events *out);
/* What the calling thread allocates is charged to q's domain; NULL: to nobody. */
void oom_charge(const struct task_quota *q);

/* Own thread, no locks held: returns when there is memory again, or when the task has
 * something else to do; false: it had not to wait.  Called before a task runs on, if oom_pressing. */
bool oom_wait(struct task *t);
bool oom_pressing(const struct kernel *k);
/* An access of the program's found no memory: true, it is to be tried again. */
bool oom_may_retry(struct task *t);

/* The sandbox ends with SIGKILL's status.  If programs of its first domain were killed: may not return,
 * killed by the host, which knows by that what happened (oom_tell.c). */
void oom_tell_host(struct kernel *k);

/* In pages; the greatest is killed first.  INT64_MIN: never.  No locks held. */
int64_t oom_badness(struct thread_group *tg);

#endif
