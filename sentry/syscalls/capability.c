/*
 * capability.c - capget and capset: Linux's rules (security/commoncap.c; capabilities(7)).  The
 * credentials are copied, the copy is changed and published.
 */
#include "abi/capability.h"
#include "kernel/task_table.h"
#include "syscalls/syscall.h"

#include <errno.h>

struct cap_header {
	uint32_t version;
	int32_t pid;
};
struct cap_data {
	uint32_t effective, permitted, inheritable;
};

/* Words in the data, or -errno; an unknown version is answered with ours. */
static int cap_words(struct task *t, uaddr at, struct cap_header *h)
{
	const uint32_t ours = LINUX_CAPABILITY_VERSION_3;

	if (copy_from_user(t->mm, h, at, sizeof(*h)))
		return -EFAULT;
	switch (h->version) {
	case LINUX_CAPABILITY_VERSION_1:
		return 1;
	case LINUX_CAPABILITY_VERSION_2:
	case LINUX_CAPABILITY_VERSION_3:
		return 2;
	default:
		return copy_to_user(t->mm, at, &ours, sizeof(ours)) ? -EFAULT : -EINVAL;
	}
}

int64_t sys_capget(struct task *t, const uint64_t a[6])
{
	struct cap_header h;
	struct cap_data d[2];
	struct cred *c;
	struct task *o;
	int words = cap_words(t, UADDR(a[0]), &h);

	if (words < 0)
		return words == -EINVAL && !a[1] ? 0 : words;
	if (h.pid < 0)
		return -EINVAL;
	o = h.pid ? task_find(task_pid_ns(t), h.pid) : t;
	if (!o)
		return -ESRCH;
	c = task_get_cred(o);
	if (o != t)
		task_put(o);
	for (int i = 0; i < 2; i++) {
		d[i].effective = (uint32_t)(c->cap_effective >> 32 * i);
		d[i].permitted = (uint32_t)(c->cap_permitted >> 32 * i);
		d[i].inheritable = (uint32_t)(c->cap_inheritable >> 32 * i);
	}
	cred_put(c);
	return a[1] ? copy_to_user(t->mm, UADDR(a[1]), d, (size_t)words * sizeof(*d)) : 0;
}

int64_t sys_capset(struct task *t, const uint64_t a[6])
{
	struct cap_header h;
	struct cap_data d[2] = { 0 };
	const struct cred *o = t->cred;
	struct cred *c;
	uint64_t e, p, i;
	int words = cap_words(t, UADDR(a[0]), &h);

	if (words < 0)
		return words;
	if (h.pid && h.pid != t->own_tid)
		return -EPERM;
	if (copy_from_user(t->mm, d, UADDR(a[1]), (size_t)words * sizeof(*d)))
		return -EFAULT;
	e = (d[0].effective | (uint64_t)d[1].effective << 32) & LINUX_CAP_ALL;
	p = (d[0].permitted | (uint64_t)d[1].permitted << 32) & LINUX_CAP_ALL;
	i = (d[0].inheritable | (uint64_t)d[1].inheritable << 32) & LINUX_CAP_ALL;
	if (!cred_capable_own(t->cred, LINUX_CAP_SETPCAP) && i & ~(o->cap_inheritable | o->cap_permitted))
		return -EPERM;
	if (i & ~(o->cap_inheritable | o->cap_bounding))
		return -EPERM;
	if (p & ~o->cap_permitted || e & ~p)
		return -EPERM;
	c = cred_dup(o);
	if (!c)
		return -ENOMEM;
	c->cap_effective = e;
	c->cap_permitted = p;
	c->cap_inheritable = i;
	c->cap_ambient &= p & i;
	task_set_cred(t, c);
	return 0;
}
