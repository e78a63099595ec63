/*
 * cred.h - credentials of a task.  Immutable once published: changed by copy.
 */
#ifndef SENTRY_VFS_CRED_H
#define SENTRY_VFS_CRED_H

#include "lib/ref.h"
#include "vfs/user_ns.h"

#include <stdint.h>
#include <sys/types.h>

/* Ids are the kernel's own, whatever the namespace. */
struct cred {
	struct ref ref;
	struct user_ns *user_ns; /* where the capabilities hold, and those below it; referenced; NULL: the root, the container's */
	uint32_t ruid, euid, suid, fsuid;
	uint32_t rgid, egid, sgid, fsgid;
	uint32_t n_groups;
	uint32_t *groups; /* owned, sorted */
	uint64_t cap_effective, cap_permitted, cap_inheritable, cap_bounding, cap_ambient;
	uint32_t securebits;
	bool keep_caps;
	/* of idmap_cred()'s: fsuid and fsgid are stored ids, and others' are seen through these; not referenced. idmap NULL: no such */
	const struct user_ns *idmap, *fs_ns;
};

struct cred *cred_new(void); /* uid 0, no capabilities; NULL: no memory */
struct cred *cred_new_capable(void); /* the same with all of them, permitted and effective: the operator's */
struct cred *cred_dup(const struct cred *c); /* a private copy to change and publish */
void cred_borrow(const struct cred *c, struct cred *copy); /* all but the count; what c owns stays its own */
/* A stored id of a file system of fs_ns as it is seen through map: the kernel's, or ID_NONE. */
uint32_t cred_idmap_seen(const struct user_ns *map, const struct user_ns *fs_ns, bool group, uint32_t id);
void cred_get(struct cred *c);
void cred_put(struct cred *c);
bool cred_in_group(const struct cred *c, uint32_t gid); /* fsgid or a group */
/* In the container's own namespace: for what belongs to the container. */
static inline bool cred_capable(const struct cred *c, int cap) { return !c->user_ns && c->cap_effective >> cap & 1; }
/* In its own namespace: for what a task does to itself. */
static inline bool cred_capable_own(const struct cred *c, int cap) { return c->cap_effective >> cap & 1; }
/* In ns: for what belongs to ns (cap_capable). */
bool cred_capable_in(const struct cred *c, const struct user_ns *ns, int cap);
/* Over a file of these owners: both must have numbers in its own namespace. */
bool cred_capable_over(const struct cred *c, uint32_t uid, uint32_t gid, int cap);

#endif
