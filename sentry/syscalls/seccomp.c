/*
 * seccomp.c - seccomp(2), and prctl's way to it.
 */
#include "kernel/seccomp.h"

#include "abi/capability.h"
#include "abi/resource.h"
#include "kernel/seccomp_notify.h"
#include "syscalls/seccomp_util.h"
#include "syscalls/syscall.h"

#include <errno.h>
#include <stdlib.h>

#define FLAGS_KNOWN                                                                                                                                  \
	(LINUX_SECCOMP_FILTER_FLAG_TSYNC | LINUX_SECCOMP_FILTER_FLAG_LOG | LINUX_SECCOMP_FILTER_FLAG_SPEC_ALLOW | LINUX_SECCOMP_FILTER_FLAG_TSYNC_ESRCH | \
		LINUX_SECCOMP_FILTER_FLAG_NEW_LISTENER | LINUX_SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)

/* With a descriptor of t's that listens: that, or -errno. */
static int add_listening(struct task *t, const struct linux_sock_filter *prog, unsigned n, unsigned flags)
{
	struct file *f;
	struct listener *l = listener_new(t, flags & LINUX_SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &f);
	int fd, r;

	if (!l)
		return -ENOMEM;
	fd = fd_install(t->files, f, 0, true, rlimit_get(t, LINUX_RLIMIT_NOFILE));
	if (fd < 0)
		file_put(f);
	r = fd < 0 ? fd : seccomp_add(t, prog, n, flags, l);
	if (!r)
		return fd;
	if (fd >= 0)
		fd_close_one(t->files, fd, t->files);
	listener_put(l);
	return r;
}

static bool flags_fit(unsigned flags)
{
	const unsigned both = LINUX_SECCOMP_FILTER_FLAG_TSYNC | LINUX_SECCOMP_FILTER_FLAG_NEW_LISTENER;

	if (flags & ~FLAGS_KNOWN)
		return false;
	if ((flags & both) == both && !(flags & LINUX_SECCOMP_FILTER_FLAG_TSYNC_ESRCH)) /* both have a result */
		return false;
	return !(flags & LINUX_SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) || flags & LINUX_SECCOMP_FILTER_FLAG_NEW_LISTENER;
}

static int64_t set_filter(struct task *t, unsigned flags, uaddr at)
{
	struct linux_sock_filter *prog;
	struct linux_sock_fprog p;
	int r;

	if (!flags_fit(flags))
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
	if (copy_from_user(t->mm, prog, UADDR(p.filter), p.len * sizeof(*prog)))
		r = -EFAULT;
	else if (flags & LINUX_SECCOMP_FILTER_FLAG_NEW_LISTENER)
		r = add_listening(t, prog, p.len, flags);
	else
		r = seccomp_add(t, prog, p.len, flags, NULL);
	free(prog);
	return r;
}

static int64_t action_available(struct task *t, unsigned flags, uaddr at)
{
	static const uint32_t known[] = { LINUX_SECCOMP_RET_KILL_PROCESS, LINUX_SECCOMP_RET_KILL_THREAD, LINUX_SECCOMP_RET_TRAP,
		LINUX_SECCOMP_RET_ERRNO, LINUX_SECCOMP_RET_USER_NOTIF, LINUX_SECCOMP_RET_TRACE, LINUX_SECCOMP_RET_LOG, LINUX_SECCOMP_RET_ALLOW };
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

static int64_t notif_sizes(struct task *t, unsigned flags, uaddr at)
{
	const struct linux_seccomp_notif_sizes s = { sizeof(struct linux_seccomp_notif), sizeof(struct linux_seccomp_notif_resp), sizeof(struct linux_seccomp_data) };

	if (flags)
		return -EINVAL;
	return copy_to_user(t->mm, at, &s, sizeof(s)) ? -EFAULT : 0;
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
	case LINUX_SECCOMP_GET_NOTIF_SIZES:
		return notif_sizes(t, flags, UADDR(a[2]));
	default:
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
