/*
 * socket_filter.c - filters of what a socket receives.  There are only those of NETLINK_KOBJECT_UEVENT, which
 * udev's library wants and where nothing is ever received: a filter is checked, and has nothing to do.
 */
#include "syscalls/socket_util.h"

#include "abi/netlink.h"
#include "lib/bpf.h"
#include "syscalls/syscall.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int check(struct task *t, const void *value, unsigned len)
{
	struct linux_sock_filter *prog;
	struct linux_sock_fprog p;
	int r;

	if (len != sizeof(p))
		return -EINVAL;
	memcpy(&p, value, sizeof(p));
	if (!p.len || p.len > LINUX_BPF_MAXINSNS || !p.filter)
		return -EINVAL;
	prog = malloc(p.len * sizeof(*prog));
	if (!prog)
		return -ENOMEM;
	r = copy_from_user(t->mm, prog, UADDR(p.filter), p.len * sizeof(*prog)) ? -EFAULT : bpf_check_packets(prog, p.len);
	free(prog);
	return r;
}

int socket_filter(struct task *t, struct socket *s, int opt, const void *value, unsigned len)
{
	int r;

	if (s->family != LINUX_AF_NETLINK || s->protocol != LINUX_NETLINK_KOBJECT_UEVENT)
		return -ENOPROTOOPT;
	if (opt == LINUX_SO_DETACH_FILTER)
		return atomic_exchange(&s->filtered, false) ? 0 : -ENOENT;
	r = check(t, value, len);
	if (!r)
		atomic_store(&s->filtered, true);
	return r;
}
