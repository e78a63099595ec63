/*
 * cgroup.h - the host's cgroup of a container: v1, v2, or both (hybrid: v1 is used).
 *
 * All processes of the sandbox live in it.  Its directories are written into
 * the container's state before they are made, and removed with it.
 */
#ifndef REDOUBT_LAUNCHER_CGROUP_H
#define REDOUBT_LAUNCHER_CGROUP_H

#include "oci.h"
#include "state.h"

/* Where a container's cgroup is: one directory per hierarchy, named by the v1
 * controller it is for, or "unified". */
struct cgroup {
	struct jmap dirs; /* name: directory */
	const char *scope; /* systemd's unit; NULL: the directories are our own making */
};
static inline struct cgroup cgroup_of(const struct state *s) { return (struct cgroup){ s->cgroup, s->scope }; }

/* cgroup_paths.c.  path: linux.cgroupsPath, NULL or "": `id` in the caller's own.
 * r (or NULL): hierarchies that few limits need are used where it has one of those.
 * Looks only.  An empty result: this host has no cgroups for us. */
struct err *cgroup_find(const char *path, const char *id, const struct oci_resources *r, struct pool *p, struct cgroup *out) ERR_MUST_USE;
/* Whether the host has v2 and nothing else. */
bool cgroup_unified_alone(void);

/* cgroup.c.  cgroup_make: EPERM, EACCES and EROFS mean that we may have none. */
struct err *cgroup_make(const struct cgroup *g) ERR_MUST_USE;
struct err *cgroup_join(const struct cgroup *g) ERR_MUST_USE; /* this process */
struct err *cgroup_add(const struct cgroup *g, pid_t pid) ERR_MUST_USE; /* another */
/* Waits a little for processes that are on their way out.  Idempotent. */
struct err *cgroup_remove(const struct cgroup *g) ERR_MUST_USE;
bool cgroup_is_v2(const struct cgroup *g);
/* The directory that holds a v1 controller's files, or v2's; NULL: none. */
const char *cgroup_dir(const struct cgroup *g, const char *controller);

/* cgroup_limits.c.  A limit that the host does not take is an error; one of a
 * kind that it does not have, and that a sandbox does not need, is warned of. */
struct err *cgroup_limit(const struct cgroup *g, const struct oci_resources *r, struct pool *p) ERR_MUST_USE;

/* cgroup_units.c.  Processors worth the quota, rounded up; 0: no quota. */
uint64_t cgroup_quota_cpus(const struct oci_resources *r);
/* What is written for a limit of the container: the sandbox has processes that its
 * programs do not see.  -1 and 0 ("none", "not given") stay. */
int64_t cgroup_host_pids(int64_t limit);
/* v1's shares and weights in v2's numbers, as every runtime maps them. */
uint64_t cgroup_weight(uint64_t shares);
uint64_t cgroup_io_weight(uint64_t weight);

/* cgroup_devices.c: blockIO, hugepageLimits, rdma, network. */
struct err *cgroup_limit_devices(const struct cgroup *g, const struct oci_resources *r, struct pool *p) ERR_MUST_USE;
/* Writes `value`; what: the limit's name, for the error. */
struct err *cgroup_put(const char *dir, const char *file, const char *value, const char *what) ERR_MUST_USE;

/* cgroup_stats.c: what runc calls the data of an event "stats". */
json_t *cgroup_stats(const struct cgroup *g, struct pool *p);
/* How often the kernel has killed for want of memory in it. */
uint64_t cgroup_oom_kills(const struct cgroup *g, struct pool *p);

#endif
