/*
 * attributes.c - what a specification asks of a process besides its
 * credentials: scheduling, personality, the filter of its system calls.  Event
 * thread, before the process starts.
 */
#include "control/attributes.h"

#include "abi/seccomp.h"
#include "kernel/seccomp.h"
#include "kernel/task.h"
#include "kernel/task_table.h"
#include "libipc/fd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct err *attributes_keep(const struct boot_spec *spec, struct attributes *out)
{
	struct attributes a = { .n_filter = spec->seccomp.len / sizeof(struct linux_sock_filter), .filter_flags = (unsigned)spec->seccomp_flags,
		.personality = spec->personality };

	if (spec->seccomp.len % sizeof(struct linux_sock_filter))
		return err_new(EINVAL, "seccomp filter: %u bytes", spec->seccomp.len);
	if (a.n_filter && !(a.filter = malloc(spec->seccomp.len)))
		return err_new(ENOMEM, "seccomp filter");
	if (a.n_filter)
		memcpy(a.filter, spec->seccomp.p, spec->seccomp.len);
	*out = a;
	return NULL;
}

void attributes_free(struct attributes *a)
{
	free(TAKE_PTR(a->filter));
	a->n_filter = 0;
}

/* Linux's numbers of the policies and the range of priorities are what the schema allows. */
static struct err *schedule(struct task *t, const struct boot_process *bp)
{
	bool realtime = bp->sched_policy == 1 || bp->sched_policy == 2;

	if (bp->sched_policy == 4 || realtime != (bp->sched_priority > 0))
		return err_new(EINVAL, "scheduler: policy %u with priority %u", (unsigned)bp->sched_policy, (unsigned)bp->sched_priority);
	tasks_lock(t->k);
	t->sched_policy = (int)bp->sched_policy;
	t->sched_prio = (int)bp->sched_priority;
	t->reset_on_fork = bp->sched_reset;
	t->nice = (int)bp->nice;
	tasks_unlock(t->k);
	return NULL;
}

struct err *attributes_apply(const struct attributes *a, const struct boot_process *bp, struct task *t)
{
	struct err *e = schedule(t, bp);
	int ret;

	if (e)
		return e;
	t->personality = a->personality;
	if (!a->n_filter)
		return NULL;
	ret = seccomp_add(t, a->filter, a->n_filter, a->filter_flags & LINUX_SECCOMP_FILTER_FLAG_LOG, NULL);
	return ret ? err_new(ret < 0 ? -ret : EINVAL, "seccomp filter of %u instructions", a->n_filter) : NULL;
}
