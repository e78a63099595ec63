/*
 * resource.c - limits and usage.
 */
#include "abi/capability.h"
#include "abi/resource.h"
#include "kernel/posix_timer.h"
#include "kernel/task_table.h"
#include "syscalls/rusage.h"
#include "syscalls/syscall.h"

#include <errno.h>

#define NOFILE_CEILING 1048576 /* /proc/sys/fs/nr_open */

/* The limits that mm keeps a copy of. */
static void tell_mm(struct task *t, struct thread_group *tg)
{
	struct task *o = tg == t->tg ? NULL : tg_any_task(tg);
	struct mm *mm = o ? task_get_mm(o) : NULL;
	const struct linux_rlimit *rl = tg->rlimits;

	if (!o) {
		mm = t->mm;
		mm_get(mm);
	}
	if (mm) {
		mm_set_limits(mm, rl[LINUX_RLIMIT_AS].cur, rl[LINUX_RLIMIT_DATA].cur, rl[LINUX_RLIMIT_STACK].cur, rl[LINUX_RLIMIT_MEMLOCK].cur);
		mm_put(mm);
	}
	task_put(o);
}

static int change_locked(struct task *t, struct thread_group *tg, unsigned res, const struct linux_rlimit *new)
{
	struct linux_rlimit *rl = &tg->rlimits[res];

	if (new->cur > new->max)
		return -EINVAL;
	if (res == LINUX_RLIMIT_NOFILE && new->max > NOFILE_CEILING)
		return -EPERM;
	if (new->max > rl->max && !ns_capable(t, LINUX_CAP_SYS_RESOURCE))
		return -EPERM;
	*rl = *new;
	if (res == LINUX_RLIMIT_CPU)
		cpu_limit_set_locked(tg);
	return 0;
}

static int limits(struct task *t, struct thread_group *tg, unsigned res, const struct linux_rlimit *new, struct linux_rlimit *old)
{
	int r = 0;

	if (res >= LINUX_RLIM_NLIMITS)
		return -EINVAL;
	tasks_lock(t->k);
	*old = tg->rlimits[res];
	if (new)
		r = change_locked(t, tg, res, new);
	tasks_unlock(t->k);
	if (new && !r)
		tell_mm(t, tg);
	return r;
}

int64_t sys_getrlimit(struct task *t, const uint64_t a[6])
{
	struct linux_rlimit old;
	int r = limits(t, t->tg, (unsigned)a[0], NULL, &old);

	return r ? r : copy_to_user(t->mm, UADDR(a[1]), &old, sizeof(old));
}

int64_t sys_setrlimit(struct task *t, const uint64_t a[6])
{
	struct linux_rlimit new, old;

	if (copy_from_user(t->mm, &new, UADDR(a[1]), sizeof(new)))
		return -EFAULT;
	return limits(t, t->tg, (unsigned)a[0], &new, &old);
}

/* Linux: check_prlimit_permission(). */
static bool may_limit(struct task *t, struct task *o)
{
	const struct cred *c = t->cred;
	struct cred *oc;
	bool may;

	if (o == t)
		return true;
	oc = task_get_cred(o);
	may = (c->ruid == oc->euid && c->ruid == oc->suid && c->ruid == oc->ruid && c->rgid == oc->egid && c->rgid == oc->sgid && c->rgid == oc->rgid) ||
	      cred_capable_in(c, oc->user_ns, LINUX_CAP_SYS_RESOURCE);
	cred_put(oc);
	return may;
}

int64_t sys_prlimit64(struct task *t, const uint64_t a[6])
{
	pid_t pid = (pid_t)a[0];
	struct linux_rlimit new, old;
	struct task *o = t;
	int r;

	if (a[2] && copy_from_user(t->mm, &new, UADDR(a[2]), sizeof(new)))
		return -EFAULT;
	if (pid) {
		o = task_find(task_pid_ns(t), pid);
		if (!o)
			return -ESRCH;
	}
	r = may_limit(t, o) ? limits(t, o->tg, (unsigned)a[1], a[2] ? &new : NULL, &old) : -EPERM;
	if (o != t)
		task_put(o);
	if (!r && a[3])
		r = copy_to_user(t->mm, UADDR(a[3]), &old, sizeof(old));
	return r;
}

int64_t sys_getrusage(struct task *t, const uint64_t a[6])
{
	struct linux_rusage ru;
	struct usage_sum u;
	uint64_t peak;

	switch ((int)a[0]) {
	case LINUX_RUSAGE_THREAD:
		task_usage(t, &u);
		break;
	case LINUX_RUSAGE_SELF:
		tasks_lock(t->k);
		tg_usage_locked(t->tg, &u);
		tasks_unlock(t->k);
		break;
	case LINUX_RUSAGE_CHILDREN:
		tasks_lock(t->k);
		u = t->tg->reaped;
		tasks_unlock(t->k);
		break;
	default:
		return -EINVAL;
	}
	if ((int)a[0] != LINUX_RUSAGE_CHILDREN) {
		peak = mm_peak_rss(t->mm) / 1024;
		if (peak > u.maxrss)
			u.maxrss = peak;
	}
	rusage_fill(&ru, &u);
	return copy_to_user(t->mm, UADDR(a[1]), &ru, sizeof(ru));
}

int64_t sys_times(struct task *t, const uint64_t a[6])
{
	struct usage_sum u, c;
	int64_t ticks[4];

	tasks_lock(t->k);
	tg_usage_locked(t->tg, &u);
	c = t->tg->reaped;
	tasks_unlock(t->k);
	ticks[0] = u.utime / 10000000;
	ticks[1] = u.stime / 10000000;
	ticks[2] = c.utime / 10000000;
	ticks[3] = c.stime / 10000000;
	if (a[0] && copy_to_user(t->mm, UADDR(a[0]), ticks, sizeof(ticks)))
		return -EFAULT;
	return (now_monotonic() - t->k->boot_monotonic) / 10000000;
}
