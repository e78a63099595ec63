/*
 * sysctl_user.c - /proc/sys/user: how many namespaces there may be, of the user namespace of who reads or writes.
 * Of the kinds that Linux counts here user namespaces are counted.
 */
#include "fs/proc/sysctl.h"

#include "abi/capability.h"
#include "lib/numbers.h"
#include "vfs/user_ns.h"

#include <errno.h>

bool proc_limit_permitted(unsigned mask, const struct cred *cr)
{
	return !(mask & 1) && (!(mask & 2) || cred_capable_in(cr, cr->user_ns, LINUX_CAP_SYS_RESOURCE));
}

static struct user_ns *of_current(void)
{
	struct task *t = task_current();

	return t ? t->cred->user_ns : NULL;
}

static SHOW(show_max)
{
	pprintf(b, "%u\n", user_ns_max(of_current()));
	return 0;
}

static ssize_t store_max(struct pctx *c, char *text, size_t n)
{
	uint64_t v = user_ns_max(of_current());

	if (parse_numbers(text, &v, 1) < 0 || v > INT32_MAX)
		return -EINVAL;
	user_ns_set_max(of_current(), (unsigned)v);
	return (ssize_t)n;
}

const struct pentry proc_sys_user_table[] = {
	{ .name = "max_user_namespaces", .kind = P_FILE, .mode = 0644, .show = show_max, .store = store_max, .flags = PE_USER_NS },
	END_,
};
