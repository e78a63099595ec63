/*
 * cred.c - user and group ids, supplementary groups: Linux's rules (kernel/sys.c,
 * security/commoncap.c; credentials(7)).
 *
 * Each call copies the task's credentials, changes the copy, and publishes it.  The calls for users
 * and for groups follow the same rules; what differs is in `enum id_kind` and its helpers.
 */
#include "abi/capability.h"
#include "kernel/task_table.h"
#include "syscalls/syscall.h"

#include <errno.h>
#include <stdlib.h>

#define NOBODY_ID UINT32_MAX /* -1: "leave it as it is" in calls that take several ids */
#define NGROUPS_MAX 65536

enum id_kind { USER, GROUP };

/* The four ids of one kind, as the kernel numbers them. */
struct ids {
	uint32_t real, effective, saved, fs;
};

static struct ids ids_of(const struct cred *c, enum id_kind kind)
{
	if (kind == GROUP)
		return (struct ids){ c->rgid, c->egid, c->sgid, c->fsgid };
	return (struct ids){ c->ruid, c->euid, c->suid, c->fsuid };
}

static void ids_set(struct cred *c, enum id_kind kind, const struct ids *n)
{
	if (kind == GROUP) {
		c->rgid = n->real;
		c->egid = n->effective;
		c->sgid = n->saved;
		c->fsgid = n->fs;
	} else {
		c->ruid = n->real;
		c->euid = n->effective;
		c->suid = n->saved;
		c->fsuid = n->fs;
	}
}

/* The number under which the task sees one of the kernel's ids. */
static uint32_t shown(const struct task *t, enum id_kind kind, uint32_t id)
{
	return kind == GROUP ? gid_shown(t->cred->user_ns, id) : uid_shown(t->cred->user_ns, id);
}

/* The kernel's id for a number that the program gave; -1 stays. False: it has none. */
static bool take_id(const struct task *t, enum id_kind kind, uint64_t number, uint32_t *id)
{
	*id = user_ns_kernel_id(t->cred->user_ns, kind == GROUP, (uint32_t)number);
	return (uint32_t)number == NOBODY_ID || *id != NOBODY_ID;
}

/* May it take any id? */
static bool privileged(const struct task *t, enum id_kind kind)
{
	return cred_capable_own(t->cred, kind == GROUP ? LINUX_CAP_SETGID : LINUX_CAP_SETUID);
}

/* --- reading ------------------------------------------------------------------------- */

int64_t sys_getuid(struct task *t, const uint64_t a[6]) { return shown(t, USER, t->cred->ruid); }
int64_t sys_geteuid(struct task *t, const uint64_t a[6]) { return shown(t, USER, t->cred->euid); }
int64_t sys_getgid(struct task *t, const uint64_t a[6]) { return shown(t, GROUP, t->cred->rgid); }
int64_t sys_getegid(struct task *t, const uint64_t a[6]) { return shown(t, GROUP, t->cred->egid); }

static int64_t get_three(struct task *t, enum id_kind kind, const uint64_t a[6])
{
	struct ids n = ids_of(t->cred, kind);
	const uint32_t out[3] = { shown(t, kind, n.real), shown(t, kind, n.effective), shown(t, kind, n.saved) };

	for (int i = 0; i < 3; i++)
		if (copy_to_user(t->mm, UADDR(a[i]), &out[i], sizeof(out[i])))
			return -EFAULT;
	return 0;
}

int64_t sys_getresuid(struct task *t, const uint64_t a[6]) { return get_three(t, USER, a); }
int64_t sys_getresgid(struct task *t, const uint64_t a[6]) { return get_three(t, GROUP, a); }

/* --- what a change brings with it -------------------------------------------------------- */

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

/* Gives the task a copy of its credentials with new ids. 0 or -ENOMEM. */
static int change_ids(struct task *t, enum id_kind kind, const struct ids *n)
{
	struct cred *c = cred_dup(t->cred);

	if (!c)
		return -ENOMEM;
	ids_set(c, kind, n);
	if (kind == USER)
		fix_caps(c, t->cred);
	return publish(t, c);
}

/* --- changing ----------------------------------------------------------------------------- */

static int64_t set_id(struct task *t, enum id_kind kind, const uint64_t a[6])
{
	struct ids n = ids_of(t->cred, kind);
	uint32_t id;

	if (!take_id(t, kind, a[0], &id) || id == NOBODY_ID)
		return -EINVAL;
	if (privileged(t, kind))
		n.real = n.saved = id;
	else if (id != n.real && id != n.saved)
		return -EPERM;
	n.effective = n.fs = id;
	return change_ids(t, kind, &n);
}

static int64_t set_two(struct task *t, enum id_kind kind, const uint64_t a[6])
{
	const struct ids old = ids_of(t->cred, kind);
	struct ids n = old;
	uint32_t real, effective;

	if (!take_id(t, kind, a[0], &real) || !take_id(t, kind, a[1], &effective))
		return -EINVAL;
	if (!privileged(t, kind)) {
		if (real != NOBODY_ID && real != old.real && real != old.effective)
			return -EPERM;
		if (effective != NOBODY_ID && effective != old.real && effective != old.effective && effective != old.saved)
			return -EPERM;
	}
	if (real != NOBODY_ID)
		n.real = real;
	if (effective != NOBODY_ID)
		n.effective = effective;
	if (real != NOBODY_ID || (effective != NOBODY_ID && effective != old.real))
		n.saved = n.effective;
	n.fs = n.effective;
	return change_ids(t, kind, &n);
}

static bool unchanged_or_own(uint32_t id, const struct ids *own)
{
	return id == NOBODY_ID || id == own->real || id == own->effective || id == own->saved;
}

static int64_t set_three(struct task *t, enum id_kind kind, const uint64_t a[6])
{
	struct ids n = ids_of(t->cred, kind);
	uint32_t real, effective, saved;

	if (!take_id(t, kind, a[0], &real) || !take_id(t, kind, a[1], &effective) || !take_id(t, kind, a[2], &saved))
		return -EINVAL;
	if (!privileged(t, kind) && !(unchanged_or_own(real, &n) && unchanged_or_own(effective, &n) && unchanged_or_own(saved, &n)))
		return -EPERM;
	if (real != NOBODY_ID)
		n.real = real;
	if (effective != NOBODY_ID)
		n.effective = effective;
	if (saved != NOBODY_ID)
		n.saved = saved;
	n.fs = n.effective;
	return change_ids(t, kind, &n);
}

/* Answers with the old one whether or not it changed it. */
static int64_t set_fs_id(struct task *t, enum id_kind kind, const uint64_t a[6])
{
	struct ids n = ids_of(t->cred, kind);
	uint32_t old = n.fs, answer = shown(t, kind, old), id;
	struct cred *c;

	if (!take_id(t, kind, a[0], &id) || id == NOBODY_ID || id == old)
		return answer;
	if (!privileged(t, kind) && !unchanged_or_own(id, &n))
		return answer;
	c = cred_dup(t->cred);
	if (!c)
		return answer;
	n.fs = id;
	ids_set(c, kind, &n);
	if (kind == USER)
		fix_fs_caps(c, old);
	publish(t, c);
	return answer;
}

int64_t sys_setuid(struct task *t, const uint64_t a[6]) { return set_id(t, USER, a); }
int64_t sys_setgid(struct task *t, const uint64_t a[6]) { return set_id(t, GROUP, a); }
int64_t sys_setreuid(struct task *t, const uint64_t a[6]) { return set_two(t, USER, a); }
int64_t sys_setregid(struct task *t, const uint64_t a[6]) { return set_two(t, GROUP, a); }
int64_t sys_setresuid(struct task *t, const uint64_t a[6]) { return set_three(t, USER, a); }
int64_t sys_setresgid(struct task *t, const uint64_t a[6]) { return set_three(t, GROUP, a); }
int64_t sys_setfsuid(struct task *t, const uint64_t a[6]) { return set_fs_id(t, USER, a); }
int64_t sys_setfsgid(struct task *t, const uint64_t a[6]) { return set_fs_id(t, GROUP, a); }

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

/* Reads n of the program's group numbers into a sorted array of the kernel's. 0 or -errno. */
static int read_groups(struct task *t, uaddr from, size_t n, uint32_t **out)
{
	uint32_t *groups = calloc(n, sizeof(*groups));
	int r = groups ? 0 : -ENOMEM;

	if (!r && copy_from_user(t->mm, groups, from, n * sizeof(*groups)))
		r = -EFAULT;
	for (size_t i = 0; !r && i < n; i++)
		if (!take_id(t, GROUP, groups[i], &groups[i]) || groups[i] == NOBODY_ID)
			r = -EINVAL;
	if (r) {
		free(groups);
		return r;
	}
	qsort(groups, n, sizeof(*groups), cmp_gid);
	*out = groups;
	return 0;
}

int64_t sys_setgroups(struct task *t, const uint64_t a[6])
{
	uint32_t n = (uint32_t)a[0], *groups = NULL;
	struct cred *c;
	int r;

	if (!cred_capable_own(t->cred, LINUX_CAP_SETGID) || !user_ns_may_setgroups(t->cred->user_ns))
		return -EPERM;
	if (n > NGROUPS_MAX)
		return -EINVAL;
	r = n ? read_groups(t, UADDR(a[1]), n, &groups) : 0;
	if (r)
		return r;
	c = cred_dup(t->cred);
	if (!c) {
		free(groups);
		return -ENOMEM;
	}
	free(c->groups);
	c->groups = groups;
	c->n_groups = n;
	task_set_cred(t, c);
	return 0;
}
