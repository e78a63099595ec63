/*
 * exec_cred.c - credentials after execve: set-user-ID bits, file capabilities,
 * root's, ambient ones (security/commoncap.c; capabilities(7)).  Pure.
 */
#include "kernel/exec.h"

#include "abi/capability.h"
#include "abi/fs.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

static uint32_t le32_at(const void *p, size_t off)
{
	uint32_t v;

	memcpy(&v, (const char *)p + off, sizeof(v));
	return le32toh(v);
}

bool file_caps_parse(const void *attr, size_t n, struct file_caps *out)
{
	uint32_t magic, words;

	if (n < 4)
		return false;
	magic = le32_at(attr, 0);
	switch (magic & LINUX_VFS_CAP_REVISION_MASK) {
	case LINUX_VFS_CAP_REVISION_1:
		words = 1;
		break;
	case LINUX_VFS_CAP_REVISION_2:
	case LINUX_VFS_CAP_REVISION_3:
		words = 2;
		break;
	default:
		return false;
	}
	if (n < 4 + 8 * words)
		return false;
	if ((magic & LINUX_VFS_CAP_REVISION_MASK) == LINUX_VFS_CAP_REVISION_3 && (n < 24 || le32_at(attr, 20) != 0))
		return false; /* for another user namespace's root */
	*out = (struct file_caps){ .present = true, .effective = magic & LINUX_VFS_CAP_EFFECTIVE };
	out->permitted = le32_at(attr, 4);
	out->inheritable = le32_at(attr, 8);
	if (words == 2) {
		out->permitted |= (uint64_t)le32_at(attr, 12) << 32;
		out->inheritable |= (uint64_t)le32_at(attr, 16) << 32;
	}
	out->permitted &= LINUX_CAP_ALL;
	out->inheritable &= LINUX_CAP_ALL;
	return true;
}

/* A set-id file of an owner without a number in the program's namespace is a file as any other (bprm_fill_uid). */
static void apply_ids(struct cred *c, uint32_t mode, uint32_t uid, uint32_t gid)
{
	if (user_ns_number(c->user_ns, false, uid) == ID_NONE || user_ns_number(c->user_ns, true, gid) == ID_NONE)
		mode = 0;
	if (mode & LINUX_S_ISUID)
		c->euid = uid;
	if ((mode & (LINUX_S_ISGID | 010)) == (LINUX_S_ISGID | 010))
		c->egid = gid;
	c->suid = c->fsuid = c->euid;
	c->sgid = c->fsgid = c->egid;
}

struct cred *exec_cred(const struct cred *old, uint32_t mode, uint32_t uid, uint32_t gid, const struct file_caps *fc, bool may_gain, int *err,
	bool *secure)
{
	struct cred *c = cred_dup(old);
	uint64_t permitted = 0;
	bool effective = false, root, setid;
	const uint32_t root_id = user_ns_kernel_id(old->user_ns, false, 0);

	*err = -ENOMEM;
	if (!c)
		return NULL;
	if (may_gain)
		apply_ids(c, mode, uid, gid);
	else
		apply_ids(c, 0, 0, 0);
	setid = c->euid != old->euid || c->egid != old->egid;
	if (may_gain && fc->present) {
		permitted = (fc->permitted & old->cap_bounding) | (fc->inheritable & old->cap_inheritable);
		effective = fc->effective;
		/* a program that would run with less than its file says must not begin */
		if (effective && (permitted & fc->permitted) != fc->permitted) {
			cred_put(c);
			*err = -EPERM;
			return NULL;
		}
	}
	root = !(old->securebits & LINUX_SECBIT_NOROOT);
	/* a set-user-ID-root file with capabilities of its own, run by another: those only */
	if (root && !(fc->present && may_gain && c->ruid != root_id && c->euid == root_id)) {
		if (c->euid == root_id || c->ruid == root_id)
			permitted = old->cap_bounding | old->cap_inheritable;
		if (c->euid == root_id)
			effective = true;
	}
	if (setid || (may_gain && fc->present))
		c->cap_ambient = 0;
	c->cap_permitted = permitted | c->cap_ambient;
	c->cap_effective = effective ? c->cap_permitted : c->cap_ambient;
	c->keep_caps = false;
	c->securebits &= ~LINUX_SECBIT_KEEP_CAPS;
	*secure = c->euid != c->ruid || c->egid != c->rgid || setid || (c->ruid != root_id && (effective || permitted & ~c->cap_ambient));
	*err = 0;
	return c;
}
