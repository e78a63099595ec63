/*
 * cred.h - credentials of a task.  Immutable once published: changed by copy.
 */
#ifndef SENTRY_VFS_CRED_H
#define SENTRY_VFS_CRED_H

#include "lib/ref.h"

#include <stdint.h>
#include <sys/types.h>

struct user_ns; /* only one for now; numbers in it are the container's */

struct cred {
	struct ref ref;
	uint32_t ruid, euid, suid, fsuid;
	uint32_t rgid, egid, sgid, fsgid;
	uint32_t n_groups;
	uint32_t *groups; /* owned, sorted */
	uint64_t cap_effective, cap_permitted, cap_inheritable, cap_bounding, cap_ambient;
	uint32_t securebits;
	bool keep_caps;
};

struct cred *cred_new(void); /* uid 0, no capabilities; NULL: no memory */
struct cred *cred_dup(const struct cred *c); /* a private copy to change and publish */
void cred_get(struct cred *c);
void cred_put(struct cred *c);
bool cred_in_group(const struct cred *c, uint32_t gid); /* fsgid or a group */
static inline bool cred_capable(const struct cred *c, int cap) { return c->cap_effective >> cap & 1; }

#endif
