/*
 * sched.c - scheduling parameters: kept and reported; the host schedules. Which
 * processor a program is told that it is on.
 */
#include "abi/capability.h"
#include "abi/resource.h"
#include "abi/sched.h"
#include "arch/x86_64/vvar.h"
#include "kernel/ns.h"
#include "kernel/task_table.h"
#include "syscalls/syscall.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#define MASK_BYTES 128 /* 1024 processors */

int64_t sys_sched_yield(struct task *t, const uint64_t a[6])
{
	sched_yield();
	return 0;
}

/* pid's task, 0 the caller: a reference, or NULL. */
static struct task *target(struct task *t, pid_t pid)
{
	if (pid)
		return task_find(task_pid_ns(t), pid);
	task_get(t);
	return t;
}

/* --- who may, all with T held, as o may change its credentials ---------------------- */

static bool same_user_locked(const struct task *t, const struct task *o)
{
	return t->cred->euid == o->cred->ruid || t->cred->euid == o->cred->euid;
}

static bool has_nice_over_locked(const struct task *t, const struct task *o)
{
	return cred_capable_in(t->cred, o->cred->user_ns, LINUX_CAP_SYS_NICE);
}

/* Linux: cap_safe_nice(): not one with more capabilities, whoever's it is. */
static bool no_more_rights_locked(const struct task *t, const struct task *o)
{
	return !(o->cred->cap_permitted & ~t->cred->cap_permitted) || has_nice_over_locked(t, o);
}

static bool may_change(struct task *t, const struct task *o)
{
	bool may;

	tasks_lock(t->k);
	may = (same_user_locked(t, o) || has_nice_over_locked(t, o)) && no_more_rights_locked(t, o);
	tasks_unlock(t->k);
	return may;
}

/* --- affinity ------------------------------------------------------------------------ */

static void present_mask(struct kernel *k, uint64_t mask[16])
{
	memset(mask, 0, MASK_BYTES);
	for (unsigned i = 0; i < k->cpus; i++)
		mask[i / 64] |= UINT64_C(1) << i % 64;
}

/* Programs ask the vDSO no more which processor they are on: it knows of no affinity. */
static void affinity_set(struct kernel *k)
{
	if (!atomic_exchange(&k->affinity_set, true))
		vvar_cpus(k->mm_env.vdso.vvar, 0);
}

int64_t sys_sched_getaffinity(struct task *t, const uint64_t a[6])
{
	uint64_t mask[16];
	uint32_t len = (uint32_t)a[1];
	size_t n = (t->k->cpus + 63) / 64 * 8;
	struct task *o;

	if (len * 8 < t->k->cpus || len % 8)
		return -EINVAL;
	o = target(t, (pid_t)a[0]);
	if (!o)
		return -ESRCH;
	present_mask(t->k, mask);
	tasks_lock(t->k);
	for (int i = 0; i < 16; i++)
		mask[i] &= o->affinity[i];
	tasks_unlock(t->k);
	task_put(o);
	if (len < n)
		n = len;
	return copy_to_user(t->mm, UADDR(a[2]), mask, n) ? -EFAULT : (int64_t)n;
}

int64_t sys_sched_setaffinity(struct task *t, const uint64_t a[6])
{
	uint64_t mask[16] = { 0 }, present[16];
	size_t len = (uint32_t)a[1] < MASK_BYTES ? (uint32_t)a[1] : MASK_BYTES;
	bool any = false, narrower = false;
	struct task *o;
	int r = 0;

	if (copy_from_user(t->mm, mask, UADDR(a[2]), len))
		return -EFAULT;
	o = target(t, (pid_t)a[0]);
	if (!o)
		return -ESRCH;
	present_mask(t->k, present);
	for (int i = 0; i < 16; i++) {
		any |= mask[i] & present[i];
		narrower |= (mask[i] & present[i]) != present[i];
	}
	if (!may_change(t, o))
		r = -EPERM;
	else if (!any)
		r = -EINVAL;
	if (!r) {
		tasks_lock(t->k);
		memcpy(o->affinity, mask, sizeof(mask));
		tasks_unlock(t->k);
		if (narrower)
			affinity_set(t->k);
	}
	task_put(o);
	return r;
}

/* Where the caller's thread of the host is, as far as its affinity has it. */
static uint32_t cpu_of(struct task *t)
{
	int host = sched_getcpu();
	uint32_t cpu = host < 0 ? 0 : (uint32_t)host % t->k->cpus, n = 0, skip;
	uint64_t mask[16];

	present_mask(t->k, mask);
	tasks_lock(t->k);
	for (int i = 0; i < 16; i++)
		n += (uint32_t)__builtin_popcountll(mask[i] &= t->affinity[i]);
	tasks_unlock(t->k);
	if (!n || mask[cpu / 64] >> cpu % 64 & 1)
		return cpu;
	skip = cpu % n;
	for (cpu = 0; !(mask[cpu / 64] >> cpu % 64 & 1) || skip--; cpu++)
		;
	return cpu;
}

/* The vDSO's answers are for tasks that may run anywhere: all of them, and none that sets an affinity now. */
static void publish_cpus(struct task *t)
{
	void *page = t->k->mm_env.vdso.vvar;

	if (t->ns->time || atomic_load(&t->k->affinity_set))
		return;
	vvar_cpus(page, t->k->cpus);
	if (atomic_load(&t->k->affinity_set))
		vvar_cpus(page, 0);
}

int64_t sys_getcpu(struct task *t, const uint64_t a[6])
{
	uint32_t value = cpu_of(t), node = 0;

	publish_cpus(t);
	if (a[0] && copy_to_user(t->mm, UADDR(a[0]), &value, sizeof(value)))
		return -EFAULT;
	if (a[1] && copy_to_user(t->mm, UADDR(a[1]), &node, sizeof(node)))
		return -EFAULT;
	return 0;
}

/* --- policy and priority ---------------------------------------------------------------- */

static bool is_realtime(int policy)
{
	return policy == LINUX_SCHED_FIFO || policy == LINUX_SCHED_RR;
}

static bool policy_known(int policy)
{
	return policy == LINUX_SCHED_OTHER || policy == LINUX_SCHED_BATCH || policy == LINUX_SCHED_IDLE || is_realtime(policy);
}

/* policy < 0: keep. */
static int set_policy(struct task *t, pid_t pid, int policy, int prio)
{
	bool reset = policy >= 0 && policy & LINUX_SCHED_RESET_ON_FORK;
	struct task *o;
	int r = 0;

	if (pid < 0)
		return -EINVAL;
	o = target(t, pid);
	if (!o)
		return -ESRCH;
	if (policy >= 0)
		policy &= ~LINUX_SCHED_RESET_ON_FORK;
	else
		policy = o->sched_policy;
	if (!policy_known(policy) || prio < 0 || prio > 99 || is_realtime(policy) != (prio > 0))
		r = -EINVAL;
	else if (is_realtime(policy) && !ns_capable(t, LINUX_CAP_SYS_NICE) && (uint64_t)prio > rlimit_get(t, LINUX_RLIMIT_RTPRIO))
		r = -EPERM;
	else if (!may_change(t, o))
		r = -EPERM;
	if (!r) {
		tasks_lock(t->k);
		o->sched_policy = policy;
		o->sched_prio = prio;
		o->reset_on_fork = reset;
		tasks_unlock(t->k);
	}
	task_put(o);
	return r;
}

static int copy_prio(struct task *t, uint64_t at, int32_t *prio)
{
	if (!at)
		return -EINVAL;
	return copy_from_user(t->mm, prio, UADDR(at), sizeof(*prio));
}

int64_t sys_sched_setparam(struct task *t, const uint64_t a[6])
{
	int32_t prio;
	int r = copy_prio(t, a[1], &prio);

	return r ? r : set_policy(t, (pid_t)a[0], -1, prio);
}

int64_t sys_sched_setscheduler(struct task *t, const uint64_t a[6])
{
	int32_t prio;
	int r;

	if ((int)a[1] < 0)
		return -EINVAL;
	r = copy_prio(t, a[2], &prio);
	return r ? r : set_policy(t, (pid_t)a[0], (int)a[1], prio);
}

int64_t sys_sched_getparam(struct task *t, const uint64_t a[6])
{
	struct task *o;
	int32_t prio;

	if ((pid_t)a[0] < 0 || !a[1])
		return -EINVAL;
	o = target(t, (pid_t)a[0]);
	if (!o)
		return -ESRCH;
	prio = o->sched_prio;
	task_put(o);
	return copy_to_user(t->mm, UADDR(a[1]), &prio, sizeof(prio));
}

int64_t sys_sched_getscheduler(struct task *t, const uint64_t a[6])
{
	struct task *o;
	int r;

	if ((pid_t)a[0] < 0)
		return -EINVAL;
	o = target(t, (pid_t)a[0]);
	if (!o)
		return -ESRCH;
	r = o->sched_policy | (o->reset_on_fork ? LINUX_SCHED_RESET_ON_FORK : 0);
	task_put(o);
	return r;
}

int64_t sys_sched_get_priority_max(struct task *t, const uint64_t a[6])
{
	int policy = (int)a[0];

	if (is_realtime(policy))
		return 99;
	return policy_known(policy) || policy == LINUX_SCHED_DEADLINE ? 0 : -EINVAL;
}

int64_t sys_sched_get_priority_min(struct task *t, const uint64_t a[6])
{
	int policy = (int)a[0];

	if (is_realtime(policy))
		return 1;
	return policy_known(policy) || policy == LINUX_SCHED_DEADLINE ? 0 : -EINVAL;
}

int64_t sys_sched_rr_get_interval(struct task *t, const uint64_t a[6])
{
	struct task *o;
	int64_t ns;

	if ((pid_t)a[0] < 0)
		return -EINVAL;
	o = target(t, (pid_t)a[0]);
	if (!o)
		return -ESRCH;
	ns = o->sched_policy == LINUX_SCHED_RR ? 100000000 : o->sched_policy == LINUX_SCHED_FIFO ? 0 : 4000000;
	task_put(o);
	return copy_timespec_to_user(t, UADDR(a[1]), ns);
}

int64_t sys_sched_getattr(struct task *t, const uint64_t a[6])
{
	struct linux_sched_attr at = { .size = sizeof(at) };
	uint32_t size = (uint32_t)a[2];
	struct task *o;

	if (!a[1] || (pid_t)a[0] < 0 || size > PAGE_SIZE || size < LINUX_SCHED_ATTR_SIZE_VER0 || (uint32_t)a[3])
		return -EINVAL;
	o = target(t, (pid_t)a[0]);
	if (!o)
		return -ESRCH;
	at.policy = (uint32_t)o->sched_policy;
	at.flags = o->reset_on_fork;
	at.priority = (uint32_t)o->sched_prio;
	at.nice = o->nice;
	at.util_max = 1024;
	task_put(o);
	if (size < sizeof(at))
		at.size = size;
	return copy_to_user(t->mm, UADDR(a[1]), &at, at.size);
}

static int set_nice_locked(struct task *t, struct task *o, int nice);

int64_t sys_sched_setattr(struct task *t, const uint64_t a[6])
{
	struct linux_sched_attr at = { 0 };
	uint32_t size = 0;
	struct task *o;
	int r;

	if (!a[1] || (pid_t)a[0] < 0 || (uint32_t)a[2])
		return -EINVAL;
	if (copy_from_user(t->mm, &size, UADDR(a[1]), sizeof(size)))
		return -EFAULT;
	size = size ? size : LINUX_SCHED_ATTR_SIZE_VER0;
	if (size < LINUX_SCHED_ATTR_SIZE_VER0 || size > PAGE_SIZE)
		return -E2BIG;
	if (copy_from_user(t->mm, &at, UADDR(a[1]), size < sizeof(at) ? size : sizeof(at)))
		return -EFAULT;
	if (at.policy > LINUX_SCHED_DEADLINE || at.flags & ~UINT64_C(1))
		return -EINVAL;
	r = set_policy(t, (pid_t)a[0], (int)at.policy | (at.flags & 1 ? LINUX_SCHED_RESET_ON_FORK : 0), (int)at.priority);
	if (r || is_realtime((int)at.policy))
		return r;
	o = target(t, (pid_t)a[0]);
	if (!o)
		return -ESRCH;
	tasks_lock(t->k);
	r = set_nice_locked(t, o, at.nice);
	tasks_unlock(t->k);
	task_put(o);
	return r;
}

/* --- nice ---------------------------------------------------------------------------------- */

static int set_nice_locked(struct task *t, struct task *o, int nice)
{
	nice = nice < -20 ? -20 : nice > 19 ? 19 : nice;
	if (!same_user_locked(t, o) && !has_nice_over_locked(t, o))
		return -EPERM;
	if (nice < o->nice && !ns_capable(t, LINUX_CAP_SYS_NICE) && (uint64_t)(20 - nice) > rlimit_get(t, LINUX_RLIMIT_NICE))
		return -EACCES;
	if (!no_more_rights_locked(t, o))
		return -EPERM;
	o->nice = nice;
	return 0;
}

struct nice_query {
	struct task *t;
	int which, who;
	bool set;
	int nice, result; /* get: 20 - nice, the greatest */
};

static void nice_one(struct nice_query *q, struct task *o)
{
	if (q->set) {
		int r = set_nice_locked(q->t, o, q->nice);

		if (q->result == -ESRCH || r)
			q->result = r;
	} else if (20 - o->nice > q->result) {
		q->result = 20 - o->nice;
	}
}

static bool nice_matches(const struct nice_query *q, const struct task *o)
{
	switch (q->which) {
	case LINUX_PRIO_PROCESS:
		return q->who ? pid_nr(o->pid, task_pid_ns(q->t)) == q->who : o == q->t;
	case LINUX_PRIO_PGRP:
		return o->tg->pgrp && (q->who ? pgrp_nr(o->tg->pgrp, task_pid_ns(q->t)) == q->who : o->tg->pgrp == q->t->tg->pgrp);
	default:
		return o->cred && pid_nr(o->pid, task_pid_ns(q->t)) && o->cred->ruid == (q->who ? (uint32_t)q->who : q->t->cred->ruid);
	}
}

static int64_t nice_all(struct nice_query *q)
{
	struct thread_group *tg;
	struct task *o;

	if ((unsigned)q->which > LINUX_PRIO_USER)
		return -EINVAL;
	q->result = -ESRCH;
	tasks_lock(q->t->k);
	LIST_FOREACH(tg, &q->t->k->tasks->all, all_link)
		TAILQ_FOREACH(o, &tg->tasks, tg_link)
			if (nice_matches(q, o))
				nice_one(q, o);
	tasks_unlock(q->t->k);
	return q->result;
}

int64_t sys_getpriority(struct task *t, const uint64_t a[6])
{
	struct nice_query q = { .t = t, .which = (int)a[0], .who = (int)a[1] };

	return nice_all(&q);
}

int64_t sys_setpriority(struct task *t, const uint64_t a[6])
{
	struct nice_query q = { .t = t, .which = (int)a[0], .who = (int)a[1], .set = true, .nice = (int)a[2] };

	return nice_all(&q);
}

/* --- I/O priority: accepted, of no effect --------------------------------------------------- */

int64_t sys_ioprio_get(struct task *t, const uint64_t a[6])
{
	return (unsigned)a[0] - 1 > 2 ? -EINVAL : 0; /* class none, level 0 */
}

int64_t sys_ioprio_set(struct task *t, const uint64_t a[6])
{
	return (unsigned)a[0] - 1 > 2 || ((int)a[2] >> 13) > 3 ? -EINVAL : 0;
}
