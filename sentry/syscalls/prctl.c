/*
 * prctl.c - prctl, arch_prctl, personality.  One function an
 * option, in a table.
 */
#include "abi/capability.h"
#include "abi/prctl.h"
#include "abi/signal.h"
#include "kernel/task_table.h"
#include "syscalls/seccomp_util.h"
#include "syscalls/syscall.h"

#include <errno.h>
#include <string.h>

/* a: prctl's arguments 2 to 5 at a[1..4]. */
typedef int64_t prctl_fn(struct task *t, const uint64_t a[6]);

static int64_t put_int(struct task *t, uint64_t at, int32_t v)
{
	return copy_to_user(t->mm, UADDR(at), &v, sizeof(v));
}

static int64_t set_pdeathsig(struct task *t, const uint64_t a[6])
{
	if (a[1] > LINUX_NSIG)
		return -EINVAL;
	tasks_lock(t->k);
	t->pdeathsig = (int)a[1];
	tasks_unlock(t->k);
	return 0;
}

static int64_t get_pdeathsig(struct task *t, const uint64_t a[6])
{
	return put_int(t, a[1], t->pdeathsig);
}

static int64_t get_dumpable(struct task *t, const uint64_t a[6])
{
	return mm_dumpable(t->mm);
}

static int64_t set_dumpable(struct task *t, const uint64_t a[6])
{
	if (a[1] > 1)
		return -EINVAL;
	mm_set_dumpable(t->mm, a[1]);
	return 0;
}

static int64_t set_name(struct task *t, const uint64_t a[6])
{
	char name[sizeof(t->comm)] = { 0 };
	ssize_t n = copy_str_from_user(t->mm, name, UADDR(a[1]), sizeof(name));

	if (n == -EFAULT)
		return n;
	name[sizeof(name) - 1] = '\0';
	tasks_lock(t->k);
	memcpy(t->comm, name, sizeof(t->comm));
	tasks_unlock(t->k);
	return 0;
}

static int64_t get_name(struct task *t, const uint64_t a[6])
{
	return copy_to_user(t->mm, UADDR(a[1]), t->comm, sizeof(t->comm));
}

static int64_t get_keepcaps(struct task *t, const uint64_t a[6])
{
	return !!(t->cred->securebits & LINUX_SECBIT_KEEP_CAPS);
}

static int64_t change_securebits(struct task *t, uint32_t bits)
{
	struct cred *c = cred_dup(t->cred);

	if (!c)
		return -ENOMEM;
	c->securebits = bits;
	c->keep_caps = bits & LINUX_SECBIT_KEEP_CAPS;
	task_set_cred(t, c);
	return 0;
}

static int64_t set_keepcaps(struct task *t, const uint64_t a[6])
{
	uint32_t bits = t->cred->securebits;

	if (a[1] > 1)
		return -EINVAL;
	if (bits & LINUX_SECBIT_KEEP_CAPS << 1)
		return -EPERM;
	return change_securebits(t, a[1] ? bits | LINUX_SECBIT_KEEP_CAPS : bits & ~LINUX_SECBIT_KEEP_CAPS);
}

static int64_t get_securebits(struct task *t, const uint64_t a[6])
{
	return t->cred->securebits;
}

static int64_t set_securebits(struct task *t, const uint64_t a[6])
{
	uint32_t old = t->cred->securebits, locks = (old & LINUX_SECURE_ALL_LOCKS) >> 1;

	if ((locks & (old ^ a[1])) || (old & LINUX_SECURE_ALL_LOCKS & ~a[1]) || a[1] & ~(uint64_t)(LINUX_SECURE_ALL_LOCKS | LINUX_SECURE_ALL_BITS) ||
		!cred_capable_own(t->cred, LINUX_CAP_SETPCAP))
		return -EPERM;
	return change_securebits(t, (uint32_t)a[1]);
}

static int64_t capbset_read(struct task *t, const uint64_t a[6])
{
	if (a[1] > LINUX_CAP_LAST)
		return -EINVAL;
	return t->cred->cap_bounding >> a[1] & 1;
}

static int64_t capbset_drop(struct task *t, const uint64_t a[6])
{
	struct cred *c;

	if (!cred_capable_own(t->cred, LINUX_CAP_SETPCAP))
		return -EPERM;
	if (a[1] > LINUX_CAP_LAST)
		return -EINVAL;
	c = cred_dup(t->cred);
	if (!c)
		return -ENOMEM;
	c->cap_bounding &= ~CAPBIT(a[1]);
	task_set_cred(t, c);
	return 0;
}

static int64_t cap_ambient(struct task *t, const uint64_t a[6])
{
	const struct cred *o = t->cred;
	struct cred *c;

	if (a[1] == LINUX_PR_CAP_AMBIENT_CLEAR_ALL) {
		if (a[2] || a[3] || a[4])
			return -EINVAL;
	} else {
		if (a[3] || a[4] || a[2] > LINUX_CAP_LAST)
			return -EINVAL;
		if (a[1] == LINUX_PR_CAP_AMBIENT_IS_SET)
			return o->cap_ambient >> a[2] & 1;
		if (a[1] != LINUX_PR_CAP_AMBIENT_RAISE && a[1] != LINUX_PR_CAP_AMBIENT_LOWER)
			return -EINVAL;
		if (a[1] == LINUX_PR_CAP_AMBIENT_RAISE &&
			(!(o->cap_permitted & o->cap_inheritable & CAPBIT(a[2])) || o->securebits & LINUX_SECBIT_NO_CAP_AMBIENT_RAISE))
			return -EPERM;
	}
	c = cred_dup(o);
	if (!c)
		return -ENOMEM;
	if (a[1] == LINUX_PR_CAP_AMBIENT_CLEAR_ALL)
		c->cap_ambient = 0;
	else if (a[1] == LINUX_PR_CAP_AMBIENT_RAISE)
		c->cap_ambient |= CAPBIT(a[2]);
	else
		c->cap_ambient &= ~CAPBIT(a[2]);
	task_set_cred(t, c);
	return 0;
}

static int64_t set_timerslack(struct task *t, const uint64_t a[6])
{
	t->timer_slack = (int64_t)a[1] <= 0 ? TIMER_SLACK_DEFAULT : a[1];
	return 0;
}

static int64_t get_timerslack(struct task *t, const uint64_t a[6])
{
	return (int64_t)t->timer_slack;
}

static int64_t set_subreaper(struct task *t, const uint64_t a[6])
{
	tasks_lock(t->k);
	t->tg->is_subreaper = a[1];
	tasks_unlock(t->k);
	return 0;
}

static int64_t get_subreaper(struct task *t, const uint64_t a[6])
{
	return put_int(t, a[1], t->tg->is_subreaper);
}

static int64_t set_no_new_privs(struct task *t, const uint64_t a[6])
{
	if (a[1] != 1 || a[2] || a[3] || a[4])
		return -EINVAL;
	t->no_new_privs = true;
	return 0;
}

static int64_t get_no_new_privs(struct task *t, const uint64_t a[6])
{
	return a[1] || a[2] || a[3] || a[4] ? -EINVAL : t->no_new_privs;
}

static int64_t get_tid_address(struct task *t, const uint64_t a[6])
{
	return copy_to_user(t->mm, UADDR(a[1]), &t->clear_child_tid.v, sizeof(uint64_t));
}

static int64_t get_timing(struct task *t, const uint64_t a[6])
{
	return 0; /* PR_TIMING_STATISTICAL */
}

static int64_t set_timing(struct task *t, const uint64_t a[6])
{
	return a[1] ? -EINVAL : 0;
}

/* No huge pages of their own exist to be disabled; the flag is not kept. */
static int64_t thp(struct task *t, const uint64_t a[6])
{
	return a[1] && a[0] == LINUX_PR_GET_THP_DISABLE ? -EINVAL : 0;
}

static int64_t mce_kill_get(struct task *t, const uint64_t a[6])
{
	return a[1] | a[2] | a[3] | a[4] ? -EINVAL : 2; /* PR_MCE_KILL_DEFAULT */
}

static int64_t set_mm(struct task *t, const uint64_t a[6])
{
	static const size_t field[] = {
		[LINUX_PR_SET_MM_START_CODE] = offsetof(struct mm_layout, start_code),
		[LINUX_PR_SET_MM_END_CODE] = offsetof(struct mm_layout, end_code),
		[LINUX_PR_SET_MM_START_DATA] = offsetof(struct mm_layout, start_data),
		[LINUX_PR_SET_MM_END_DATA] = offsetof(struct mm_layout, end_data),
		[LINUX_PR_SET_MM_START_STACK] = offsetof(struct mm_layout, start_stack),
		[LINUX_PR_SET_MM_START_BRK] = offsetof(struct mm_layout, start_brk),
		[LINUX_PR_SET_MM_BRK] = offsetof(struct mm_layout, brk),
		[LINUX_PR_SET_MM_ARG_START] = offsetof(struct mm_layout, arg_start),
		[LINUX_PR_SET_MM_ARG_END] = offsetof(struct mm_layout, arg_end),
		[LINUX_PR_SET_MM_ENV_START] = offsetof(struct mm_layout, env_start),
		[LINUX_PR_SET_MM_ENV_END] = offsetof(struct mm_layout, env_end),
	};
	struct mm_layout l;

	if (!ns_capable(t, LINUX_CAP_SYS_RESOURCE))
		return -EPERM;
	if (a[1] == 0 || a[1] >= sizeof(field) / sizeof(field[0]) || a[2] >= TASK_SIZE)
		return -EINVAL;
	mm_get_layout(t->mm, &l);
	memcpy((char *)&l + field[a[1]], &a[2], sizeof(a[2]));
	mm_set_layout(t->mm, &l);
	return 0;
}

static int64_t set_user_dispatch(struct task *t, const uint64_t a[6])
{
	struct user_dispatch d = { .on = a[1] == LINUX_PR_SYS_DISPATCH_ON, .start = a[2], .len = a[3], .selector = UADDR(a[4]) };

	if (a[1] != LINUX_PR_SYS_DISPATCH_ON && (a[1] != LINUX_PR_SYS_DISPATCH_OFF || a[2] || a[3] || a[4]))
		return -EINVAL;
	if (d.start && d.start + d.len <= d.start)
		return -EINVAL;
	if (d.selector.v >= TASK_SIZE)
		return -EFAULT;
	user_dispatch_set(t, &d);
	return 0;
}

static int64_t accept_nothing(struct task *t, const uint64_t a[6])
{
	return 0;
}

static const struct {
	int option;
	prctl_fn *fn;
} options[] = {
	{ LINUX_PR_SET_PDEATHSIG, set_pdeathsig },
	{ LINUX_PR_GET_PDEATHSIG, get_pdeathsig },
	{ LINUX_PR_GET_DUMPABLE, get_dumpable },
	{ LINUX_PR_SET_DUMPABLE, set_dumpable },
	{ LINUX_PR_GET_KEEPCAPS, get_keepcaps },
	{ LINUX_PR_SET_KEEPCAPS, set_keepcaps },
	{ LINUX_PR_GET_TIMING, get_timing },
	{ LINUX_PR_SET_TIMING, set_timing },
	{ LINUX_PR_SET_NAME, set_name },
	{ LINUX_PR_GET_NAME, get_name },
	{ LINUX_PR_GET_SECCOMP, prctl_get_seccomp },
	{ LINUX_PR_SET_SECCOMP, prctl_set_seccomp },
	{ LINUX_PR_CAPBSET_READ, capbset_read },
	{ LINUX_PR_CAPBSET_DROP, capbset_drop },
	{ LINUX_PR_GET_SECUREBITS, get_securebits },
	{ LINUX_PR_SET_SECUREBITS, set_securebits },
	{ LINUX_PR_SET_TIMERSLACK, set_timerslack },
	{ LINUX_PR_GET_TIMERSLACK, get_timerslack },
	{ LINUX_PR_MCE_KILL_GET, mce_kill_get },
	{ LINUX_PR_SET_MM, set_mm },
	{ LINUX_PR_SET_CHILD_SUBREAPER, set_subreaper },
	{ LINUX_PR_GET_CHILD_SUBREAPER, get_subreaper },
	{ LINUX_PR_SET_NO_NEW_PRIVS, set_no_new_privs },
	{ LINUX_PR_GET_NO_NEW_PRIVS, get_no_new_privs },
	{ LINUX_PR_GET_TID_ADDRESS, get_tid_address },
	{ LINUX_PR_SET_THP_DISABLE, thp },
	{ LINUX_PR_GET_THP_DISABLE, thp },
	{ LINUX_PR_CAP_AMBIENT, cap_ambient },
	{ LINUX_PR_SET_SYSCALL_USER_DISPATCH, set_user_dispatch },
	{ LINUX_PR_SET_PTRACER, accept_nothing },
};

int64_t sys_prctl(struct task *t, const uint64_t a[6])
{
	int option = (int)a[0];

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (options[i].option == option)
			return options[i].fn(t, a);
	return -EINVAL;
}

int64_t sys_arch_prctl(struct task *t, const uint64_t a[6])
{
	task_complete_regs(t);
	switch ((int)a[0]) {
	case LINUX_ARCH_SET_FS:
		if (a[1] >= TASK_SIZE)
			return -EPERM;
		t->regs.fs_base = a[1];
		return 0;
	case LINUX_ARCH_SET_GS:
		if (a[1] >= TASK_SIZE)
			return -EPERM;
		t->regs.gs_base = a[1];
		return 0;
	case LINUX_ARCH_GET_FS:
		return copy_to_user(t->mm, UADDR(a[1]), &t->regs.fs_base, sizeof(uint64_t));
	case LINUX_ARCH_GET_GS:
		return copy_to_user(t->mm, UADDR(a[1]), &t->regs.gs_base, sizeof(uint64_t));
	case LINUX_ARCH_GET_CPUID:
		return 1;
	case LINUX_ARCH_SET_CPUID:
		return -ENODEV;
	default:
		return -EINVAL;
	}
}

int64_t sys_personality(struct task *t, const uint64_t a[6])
{
	uint64_t old = t->personality;

	if ((uint32_t)a[0] != UINT32_MAX)
		t->personality = (uint32_t)a[0];
	return (int64_t)old;
}
