/*
 * oom_tell.h - the host is told that a container of a pod ended for want of memory.
 *
 * Its limit is kept by the guest's kernel; on the host its cgroup holds nothing but its
 * stand-in, and that is what engines watch.  So the stand-in, which is about to end with the
 * status that SIGKILL gives, lowers the limit of that cgroup and meets it: the host's
 * kernel kills it for that, counts it, and tells who listens.
 */
#ifndef REDOUBT_LAUNCHER_OOM_TELL_H
#define REDOUBT_LAUNCHER_OOM_TELL_H

#include "cgroup.h"

/* The cgroup's files; -1: there is none. */
struct oom_teller {
	int limit, swap;
};
#define OOM_TELLER_NONE ((struct oom_teller){ -1, -1 })

/* While its directory can still be reached by name. */
void oom_teller_open(const struct cgroup *g, struct oom_teller *out);
/* Does not return where the cgroup keeps limits and this process is in it. */
void oom_tell(const struct oom_teller *t);

#endif
