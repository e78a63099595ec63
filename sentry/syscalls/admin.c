/*
 * admin.c - calls that run the machine rather than a program: a container has no
 * machine, so they are checked as Linux checks them and then refused, as Linux
 * refuses them to a container's root.
 */
#include "abi/capability.h"
#include "kernel/klog.h"
#include "mm/usercopy.h"
#include "syscalls/syscall.h"

#include <errno.h>
#include <stdlib.h>

#define CAP_SYSLOG 34
#define CAP_SYS_PACCT 20

#define SYSLOG_READ_ALL 3
#define SYSLOG_READ_CLEAR 4
#define SYSLOG_SIZE_BUFFER 10

static int64_t read_log(struct task *t, uaddr to, int len, bool clear)
{
	size_t n, size = (size_t)len < KLOG_SIZE ? (size_t)len : KLOG_SIZE;
	char *text = malloc(size + 1);
	int64_t r;

	if (!text)
		return -ENOMEM;
	n = klog_read(t->k, text, size, clear);
	r = copy_to_user(t->mm, to, text, n) ? -EFAULT : (int64_t)n;
	free(text);
	return r;
}

/* dmesg_restrict is 0. */
int64_t sys_syslog(struct task *t, const uint64_t a[6])
{
	int type = (int)a[0], len = (int)a[2];

	if (type < 0 || type > SYSLOG_SIZE_BUFFER)
		return -EINVAL;
	if (type != SYSLOG_READ_ALL && type != SYSLOG_SIZE_BUFFER && !ns_capable(t, CAP_SYSLOG) && !ns_capable(t, LINUX_CAP_SYS_ADMIN))
		return -EPERM;
	switch (type) {
	case 2: /* READ waits, in Linux, until there is something */
		return !a[1] || len < 0 ? -EINVAL : !len ? 0 : klog_unread(t->k) ? read_log(t, UADDR(a[1]), len, true) : -EAGAIN;
	case SYSLOG_READ_ALL:
	case SYSLOG_READ_CLEAR:
		return !a[1] || len < 0 ? -EINVAL : !len ? 0 : read_log(t, UADDR(a[1]), len, type == SYSLOG_READ_CLEAR);
	case 5: /* CLEAR */
		klog_clear(t->k);
		return 0;
	case 8: /* CONSOLE_LEVEL */
		return len < 1 || len > 8 ? -EINVAL : 0;
	case SYSLOG_SIZE_BUFFER:
		return KLOG_SIZE;
	case 9: /* SIZE_UNREAD */
		return (int64_t)klog_unread(t->k);
	default: /* open, close, console on and off */
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
