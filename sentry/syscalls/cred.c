/*
 * cred.c - user and group ids, groups, capabilities: Linux's rules
 * (kernel/sys.c, security/commoncap.c; credentials(7), capabilities(7)).
 * Each call copies the credentials, changes the copy, and publishes it.
 */
#include "abi/capability.h"
#include "kernel/task_table.h"
#include "syscalls/syscall.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NOBODY_ID UINT32_MAX
#define NGROUPS_MAX 65536

/* The kernel's id for a number that the program gave; -1 stays. False: it has none. */
static bool take_id(struct task *t, bool group, uint32_t *id)
{
	uint32_t number = *id;

	*id = user_ns_kernel_id(t->cred->user_ns, group, number);
	return number == NOBODY_ID || *id != NOBODY_ID;
}

int64_t sys_getuid(struct task *t, const uint64_t a[6]) { return uid_shown(t->cred->user_ns, t->cred->ruid); }
int64_t sys_geteuid(struct task *t, const uint64_t a[6]) { return uid_shown(t->cred->user_ns, t->cred->euid); }
int64_t sys_getgid(struct task *t, const uint64_t a[6]) { return gid_shown(t->cred->user_ns, t->cred->rgid); }
int64_t sys_getegid(struct task *t, const uint64_t a[6]) { return gid_shown(t->cred->user_ns, t->cred->egid); }

static int64_t copy_three(struct task *t, const uint64_t a[6], const uint32_t ids[3])
{
	for (int i = 0; i < 3; i++)
		if (copy_to_user(t->mm, UADDR(a[i]), &ids[i], sizeof(ids[i])))
			return -EFAULT;
	return 0;
}

int64_t sys_getresuid(struct task *t, const uint64_t a[6])
{
	const struct user_ns *ns = t->cred->user_ns;

	return copy_three(t, a, (const uint32_t[]){ uid_shown(ns, t->cred->ruid), uid_shown(ns, t->cred->euid), uid_shown(ns, t->cred->suid) });
}

int64_t sys_getresgid(struct task *t, const uint64_t a[6])
{
	const struct user_ns *ns = t->cred->user_ns;

	return copy_three(t, a, (const uint32_t[]){ gid_shown(ns, t->cred->rgid), gid_shown(ns, t->cred->egid), gid_shown(ns, t->cred->sgid) });
}

/* What a change of user ids does to capabilities (cap_emulate_setxuid). */
static void fix_caps(struct cred *c, const struct cred *old)
{
	const uint32_t root = user_ns_kernel_id(c->user_ns, false, 0);
	bool had_root = old->ruid == root || old->euid == root || old->suid == root;
	bool has_root = c->ruid == root || c->euid == root || c->suid == root;

	if (c->securebits & LINUX_SECBIT_NO_SETUID_FIXUP)
		return;
	if (had_root && !has_root && !(c->securebits & LINUX_SECBIT_KEEP_CAPS)) {
		c->cap_permitted = c->cap_effective = c->cap_ambient = 0;
	} else if (had_root && !has_root) {
		c->cap_ambient = 0;
	}
	if (old->euid == root && c->euid != root)
		c->cap_effective = 0;
	if (old->euid != root && c->euid == root)
		c->cap_effective = c->cap_permitted;
}

static void fix_fs_caps(struct cred *c, uint32_t old_fsuid)
{
	const uint32_t root = user_ns_kernel_id(c->user_ns, false, 0);

	if (c->securebits & LINUX_SECBIT_NO_SETUID_FIXUP)
		return;
	if (old_fsuid == root && c->fsuid != root)
		c->cap_effective &= ~LINUX_CAP_FS_SET;
	if (old_fsuid != root && c->fsuid == root)
		c->cap_effective |= c->cap_permitted & LINUX_CAP_FS_SET;
}

/* An id change makes the process undumpable and clears its parent-death signal. */
static int publish(struct task *t, struct cred *c)
{
	const struct cred *o = t->cred;

	if (c->euid != o->euid || c->egid != o->egid || c->fsuid != o->fsuid || c->fsgid != o->fsgid || c->cap_permitted & ~o->cap_permitted) {
		mm_set_dumpable(t->mm, false);
		t->pdeathsig = 0;
	}
	task_set_cred(t, c);
	return 0;
}

static int publish_uids(struct task *t, struct cred *c)
{
	fix_caps(c, t->cred);
	return publish(t, c);
}

static int refuse(struct cred *c)
{
	cred_put(c);
	return -EPERM;
}

int64_t sys_setuid(struct task *t, const uint64_t a[6])
{
	uint32_t uid = (uint32_t)a[0];
	struct cred *c;

	if (!take_id(t, false, &uid) || uid == NOBODY_ID)
		return -EINVAL;
	c = cred_dup(t->cred);
	if (!c)
		return -ENOMEM;
	if (cred_capable_own(t->cred, LINUX_CAP_SETUID))
		c->ruid = c->suid = uid;
	else if (uid != c->ruid && uid != c->suid)
		return refuse(c);
	c->euid = c->fsuid = uid;
	return publish_uids(t, c);
}

int64_t sys_setgid(struct task *t, const uint64_t a[6])
{
	uint32_t gid = (uint32_t)a[0];
	struct cred *c;

	if (!take_id(t, true, &gid) || gid == NOBODY_ID)
		return -EINVAL;
	c = cred_dup(t->cred);
	if (!c)
		return -ENOMEM;
	if (cred_capable_own(t->cred, LINUX_CAP_SETGID))
		c->rgid = c->sgid = gid;
	else if (gid != c->rgid && gid != c->sgid)
		return refuse(c);
	c->egid = c->fsgid = gid;
	return publish(t, c);
}

int64_t sys_setreuid(struct task *t, const uint64_t a[6])
{
	uint32_t r = (uint32_t)a[0], e = (uint32_t)a[1];
	const struct cred *o = t->cred;
	bool any = cred_capable_own(t->cred, LINUX_CAP_SETUID);
	struct cred *c;

	if (!take_id(t, false, &r) || !take_id(t, false, &e))
		return -EINVAL;
	if (!(c = cred_dup(o)))
		return -ENOMEM;
	if (r != NOBODY_ID) {
		c->ruid = r;
		if (!any && r != o->ruid && r != o->euid)
			return refuse(c);
	}
	if (e != NOBODY_ID) {
		c->euid = e;
		if (!any && e != o->ruid && e != o->euid && e != o->suid)
			return refuse(c);
	}
	if (r != NOBODY_ID || (e != NOBODY_ID && e != o->ruid))
		c->suid = c->euid;
	c->fsuid = c->euid;
	return publish_uids(t, c);
}

int64_t sys_setregid(struct task *t, const uint64_t a[6])
{
	uint32_t r = (uint32_t)a[0], e = (uint32_t)a[1];
	const struct cred *o = t->cred;
	bool any = cred_capable_own(t->cred, LINUX_CAP_SETGID);
	struct cred *c;

	if (!take_id(t, true, &r) || !take_id(t, true, &e))
		return -EINVAL;
	if (!(c = cred_dup(o)))
		return -ENOMEM;
	if (r != NOBODY_ID) {
		c->rgid = r;
		if (!any && r != o->rgid && r != o->egid)
			return refuse(c);
	}
	if (e != NOBODY_ID) {
		c->egid = e;
		if (!any && e != o->rgid && e != o->egid && e != o->sgid)
			return refuse(c);
	}
	if (r != NOBODY_ID || (e != NOBODY_ID && e != o->rgid))
		c->sgid = c->egid;
	c->fsgid = c->egid;
	return publish(t, c);
}

static bool one_of(uint32_t id, uint32_t x, uint32_t y, uint32_t z)
{
	return id == NOBODY_ID || id == x || id == y || id == z;
}

int64_t sys_setresuid(struct task *t, const uint64_t a[6])
{
	uint32_t r = (uint32_t)a[0], e = (uint32_t)a[1], s = (uint32_t)a[2];
	const struct cred *o = t->cred;
	struct cred *c;

	if (!take_id(t, false, &r) || !take_id(t, false, &e) || !take_id(t, false, &s))
		return -EINVAL;
	if (!cred_capable_own(t->cred, LINUX_CAP_SETUID) && (!one_of(r, o->ruid, o->euid, o->suid) || !one_of(e, o->ruid, o->euid, o->suid) ||
							!one_of(s, o->ruid, o->euid, o->suid)))
		return -EPERM;
	c = cred_dup(o);
	if (!c)
		return -ENOMEM;
	c->ruid = r == NOBODY_ID ? c->ruid : r;
	c->euid = e == NOBODY_ID ? c->euid : e;
	c->suid = s == NOBODY_ID ? c->suid : s;
	c->fsuid = c->euid;
	return publish_uids(t, c);
}

int64_t sys_setresgid(struct task *t, const uint64_t a[6])
{
	uint32_t r = (uint32_t)a[0], e = (uint32_t)a[1], s = (uint32_t)a[2];
	const struct cred *o = t->cred;
	struct cred *c;

	if (!take_id(t, true, &r) || !take_id(t, true, &e) || !take_id(t, true, &s))
		return -EINVAL;
	if (!cred_capable_own(t->cred, LINUX_CAP_SETGID) && (!one_of(r, o->rgid, o->egid, o->sgid) || !one_of(e, o->rgid, o->egid, o->sgid) ||
							!one_of(s, o->rgid, o->egid, o->sgid)))
		return -EPERM;
	c = cred_dup(o);
	if (!c)
		return -ENOMEM;
	c->rgid = r == NOBODY_ID ? c->rgid : r;
	c->egid = e == NOBODY_ID ? c->egid : e;
	c->sgid = s == NOBODY_ID ? c->sgid : s;
	c->fsgid = c->egid;
	return publish(t, c);
}

int64_t sys_setfsuid(struct task *t, const uint64_t a[6])
{
	uint32_t uid = (uint32_t)a[0], old = t->cred->fsuid, shown = uid_shown(t->cred->user_ns, old);
	const struct cred *o = t->cred;
	struct cred *c;

	if (!take_id(t, false, &uid) || uid == NOBODY_ID || uid == old || !(cred_capable_own(t->cred, LINUX_CAP_SETUID) || uid == o->ruid || uid == o->euid || uid == o->suid))
		return shown;
	c = cred_dup(o);
	if (!c)
		return shown;
	c->fsuid = uid;
	fix_fs_caps(c, old);
	publish(t, c);
	return shown;
}

int64_t sys_setfsgid(struct task *t, const uint64_t a[6])
{
	uint32_t gid = (uint32_t)a[0], old = t->cred->fsgid, shown = gid_shown(t->cred->user_ns, old);
	const struct cred *o = t->cred;
	struct cred *c;

	if (!take_id(t, true, &gid) || gid == NOBODY_ID || gid == old || !(cred_capable_own(t->cred, LINUX_CAP_SETGID) || gid == o->rgid || gid == o->egid || gid == o->sgid))
		return shown;
	c = cred_dup(o);
	if (!c)
		return shown;
	c->fsgid = gid;
	publish(t, c);
	return shown;
}

/* --- groups --------------------------------------------------------------------------- */

int64_t sys_getgroups(struct task *t, const uint64_t a[6])
{
	int size = (int)a[0];
	const struct cred *c = t->cred;

	if (size < 0)
		return -EINVAL;
	if (!size)
		return c->n_groups;
	if ((uint32_t)size < c->n_groups)
		return -EINVAL;
	for (uint32_t i = 0; i < c->n_groups; i++) {
		uint32_t gid = gid_shown(c->user_ns, c->groups[i]);

		if (copy_to_user(t->mm, UADDR(a[1] + i * sizeof(gid)), &gid, sizeof(gid)))
			return -EFAULT;
	}
	return c->n_groups;
}

static int cmp_gid(const void *x, const void *y)
{
	uint32_t p = *(const uint32_t *)x, q = *(const uint32_t *)y;

	return (p > q) - (p < q);
}

int64_t sys_setgroups(struct task *t, const uint64_t a[6])
{
	int n = (int)a[0];
	uint32_t *groups = NULL;
	struct cred *c;

	if (!cred_capable_own(t->cred, LINUX_CAP_SETGID) || !user_ns_may_setgroups(t->cred->user_ns))
		return -EPERM;
	if ((unsigned)n > NGROUPS_MAX)
		return -EINVAL;
	if (n) {
		groups = calloc((size_t)n, sizeof(*groups));
		if (!groups)
			return -ENOMEM;
		if (copy_from_user(t->mm, groups, UADDR(a[1]), (size_t)n * sizeof(*groups))) {
			free(groups);
			return -EFAULT;
		}
		for (int i = 0; i < n; i++) {
			if (!take_id(t, true, &groups[i]) || groups[i] == NOBODY_ID) {
				free(groups);
				return -EINVAL;
			}
		}
		qsort(groups, (size_t)n, sizeof(*groups), cmp_gid);
	}
	c = cred_dup(t->cred);
	if (!c) {
		free(groups);
		return -ENOMEM;
	}
	free(c->groups);
	c->groups = groups;
	c->n_groups = (uint32_t)n;
	task_set_cred(t, c);
	return 0;
}

/* --- capabilities ------------------------------------------------------------------------ */

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
