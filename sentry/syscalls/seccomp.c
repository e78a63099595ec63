/*
 * seccomp.c - seccomp(2), and prctl's way to it.
 */
#include "kernel/seccomp.h"

#include "abi/capability.h"
#include "syscalls/seccomp_util.h"
#include "syscalls/syscall.h"

#include <errno.h>
#include <stdlib.h>

#define FLAGS_KNOWN                                                                                                                                  \
	(LINUX_SECCOMP_FILTER_FLAG_TSYNC | LINUX_SECCOMP_FILTER_FLAG_LOG | LINUX_SECCOMP_FILTER_FLAG_SPEC_ALLOW | LINUX_SECCOMP_FILTER_FLAG_TSYNC_ESRCH)

static int64_t set_filter(struct task *t, unsigned flags, uaddr at)
{
	struct linux_sock_filter *prog;
	struct linux_sock_fprog p;
	int r;

	if (flags & ~FLAGS_KNOWN)
		return -EINVAL;
	if (copy_from_user(t->mm, &p, at, sizeof(p)))
		return -EFAULT;
	if (!p.len || p.len > LINUX_BPF_MAXINSNS)
		return -EINVAL;
	if (!t->no_new_privs && !cred_capable_own(t->cred, LINUX_CAP_SYS_ADMIN))
		return -EACCES;
	prog = malloc(p.len * sizeof(*prog));
	if (!prog)
		return -ENOMEM;
	r = copy_from_user(t->mm, prog, UADDR(p.filter), p.len * sizeof(*prog)) ? -EFAULT : seccomp_add(t, prog, p.len, flags);
	free(prog);
	return r;
}

static int64_t action_available(struct task *t, unsigned flags, uaddr at)
{
	static const uint32_t known[] = { LINUX_SECCOMP_RET_KILL_PROCESS, LINUX_SECCOMP_RET_KILL_THREAD, LINUX_SECCOMP_RET_TRAP,
		LINUX_SECCOMP_RET_ERRNO, LINUX_SECCOMP_RET_TRACE, LINUX_SECCOMP_RET_LOG, LINUX_SECCOMP_RET_ALLOW };
	uint32_t action;

	if (flags)
		return -EINVAL;
	if (copy_from_user(t->mm, &action, at, sizeof(action)))
		return -EFAULT;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i] == action)
			return 0;
	return -EOPNOTSUPP;
}

int64_t sys_seccomp(struct task *t, const uint64_t a[6])
{
	unsigned flags = (unsigned)a[1];

	switch ((unsigned)a[0]) {
	case LINUX_SECCOMP_SET_MODE_STRICT:
		return flags || a[2] ? -EINVAL : seccomp_set_strict(t);
	case LINUX_SECCOMP_SET_MODE_FILTER:
		return set_filter(t, flags, UADDR(a[2]));
	case LINUX_SECCOMP_GET_ACTION_AVAIL:
		return action_available(t, flags, UADDR(a[2]));
	default: /* no notification of another process */
		return -EINVAL;
	}
}

int64_t prctl_set_seccomp(struct task *t, const uint64_t a[6])
{
	if (a[1] == LINUX_SECCOMP_MODE_STRICT)
		return seccomp_set_strict(t);
	return a[1] == LINUX_SECCOMP_MODE_FILTER ? set_filter(t, 0, UADDR(a[2])) : -EINVAL;
}

int64_t prctl_get_seccomp(struct task *t, const uint64_t a[6])
{
	return atomic_load(&t->seccomp_mode);
}
