/*
 * oom_tell.h - makes the host's kernel report that a container of a pod ended for lack of memory.
 *
 * The sentry enforces such a container's limit; on the host its cgroup holds only its stand-in, and
 * that cgroup is what engines watch.  So a stand-in that is about to exit with SIGKILL's status lowers
 * the cgroup's limit below what it uses: the host's kernel then kills it, counts the kill in
 * memory.events and notifies whoever listens.
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
