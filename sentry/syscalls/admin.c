/*
 * admin.c - calls that run the machine rather than a program: a container has no
 * machine, so they are checked as Linux checks them and then refused, as Linux
 * refuses them to a container's root.
 */
#include "abi/capability.h"
#include "syscalls/syscall.h"

#include <errno.h>

#define CAP_SYSLOG 34
#define CAP_SYS_PACCT 20

#define SYSLOG_READ_ALL 3
#define SYSLOG_READ_CLEAR 4
#define SYSLOG_SIZE_BUFFER 10
#define LOG_SIZE (1 << 17)

/* The log is empty, and dmesg_restrict is 0. */
int64_t sys_syslog(struct task *t, const uint64_t a[6])
{
	int type = (int)a[0], len = (int)a[2];

	if (type < 0 || type > SYSLOG_SIZE_BUFFER)
		return -EINVAL;
	if (type != SYSLOG_READ_ALL && type != SYSLOG_SIZE_BUFFER && !ns_capable(t, CAP_SYSLOG) && !ns_capable(t, LINUX_CAP_SYS_ADMIN))
		return -EPERM;
	switch (type) {
	case 2: /* READ blocks until there is something: there never is */
		return -EAGAIN;
	case SYSLOG_READ_ALL:
	case SYSLOG_READ_CLEAR:
		return !a[1] || len < 0 ? -EINVAL : 0;
	case 8: /* CONSOLE_LEVEL */
		return len < 1 || len > 8 ? -EINVAL : 0;
	case SYSLOG_SIZE_BUFFER:
		return LOG_SIZE;
	default: /* open, close, clear, console on and off, size unread */
		return 0;
	}
}

int64_t sys_ustat(struct task *t, const uint64_t a[6])
{
	return -EINVAL;
}

#define REFUSED(name)                                                                                                                                \
	int64_t sys_##name(struct task *t, const uint64_t a[6]) { return -EPERM; }
REFUSED(vhangup)
REFUSED(swapon)
REFUSED(swapoff)
REFUSED(init_module)
REFUSED(finit_module)
REFUSED(delete_module)

int64_t sys_acct(struct task *t, const uint64_t a[6])
{
	return ns_capable(t, CAP_SYS_PACCT) ? -ENOSYS : -EPERM;
}

int64_t sys_reboot(struct task *t, const uint64_t a[6])
{
	if (!ns_capable(t, LINUX_CAP_SYS_BOOT))
		return -EPERM;
	return -EINVAL;
}

/* Level 0 is what everybody has. */
int64_t sys_iopl(struct task *t, const uint64_t a[6])
{
	if ((unsigned)a[0] > 3)
		return -EINVAL;
	return a[0] ? -EPERM : 0;
}

int64_t sys_ioperm(struct task *t, const uint64_t a[6])
{
	if (a[0] + a[1] <= a[0] || a[0] + a[1] > 65536)
		return -EINVAL;
	return (int)a[2] ? -EPERM : 0;
}
