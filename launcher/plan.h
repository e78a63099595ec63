/*
 * plan.h - what one sandbox is to be: the sentry's boot_spec, the trees that
 * its gofer serves, what becomes of stdio.
 *
 * Made from an OCI bundle (plan_oci.c) or from a bare command (cmd_do.c), used
 * by sandbox_create().  All memory is the pool's.
 */
#ifndef REDOUBT_LAUNCHER_PLAN_H
#define REDOUBT_LAUNCHER_PLAN_H

#include "cgroup.h"
#include "idmap.h"
#include "oci.h"
#include "scope.h"

#include "libipc/protocols.h"

struct plan_tree {
	const char *path; /* on the host, absolute */
	bool readonly;
	const char *overlay; /* instead: an overlay with these options, comma separated, is mounted; NULL: none */
	const struct id_maps *ids; /* the mount shows other ids than its file system has; NULL: the same */
	bool ids_below; /* so do those mounted below it */
	const char *where; /* in the configuration, for messages; NULL: the root */
	int fd; /* host_mounts.c: the mount that was made for it; 0: none, its path will do */
	bool holder; /* fd holds a single file: libipc/holder.h */
};

struct plan {
	struct boot_spec spec;
	struct {
		struct boot_mount *v;
		size_t n, cap;
	} mounts; /* becomes spec.mounts; the first is the root */
	struct {
		struct plan_tree *v;
		size_t n, cap;
	} trees; /* the first is the root's */
	const char *bundle; /* absolute */
	struct id_maps ids; /* of the gofer's user namespace */
	struct jmap annotations;
	const struct oci_resources *resources; /* NULL: none */
	const char *hooks; /* JSON; NULL: none */
	struct cgroup cgroup; /* none: neither directories nor a scope */
	struct scope_plan scope; /* where cgroup is one */
	const struct oci_linux *linux_; /* NULL: none */
	const char *sandbox; /* pod.c: id of the container in whose sandbox it is to be; NULL: its own */
	struct cgroup sandbox_cgroup; /* that one's */
	int io_priority; /* of the sandbox's processes on the host, as ioprio_set(2) wants it; 0: as it is */
	bool start_later; /* by another command: until then engines may change what it has on the host */
	bool host_root; /* `do`: the tree is the host's own */
};

/* plan_oci.c.  Warns (log) about what is accepted but not applied.  systemd: its
 * cgroup is to be a scope of systemd's.  config: below the bundle, or absolute;
 * NULL: config.json. */
struct err *plan_from_bundle(const char *bundle, const char *config, const char *id, bool systemd, struct pool *p, struct plan *out) ERR_MUST_USE;
/* After the mounts are complete: they become the spec's. */
void plan_finish(struct plan *plan, bool strace);
/* An OCI process into the sentry's. */
void plan_process(const struct oci_process *in, struct pool *p, struct boot_process *out);

/* plan_mounts.c.  The mounts that every container has, onto a plan that has
 * its root only. */
void plan_standard_mounts(struct pool *p, struct plan *out);
/* Adds the root, then the configuration's mounts in order (out->ids is set),
 * with /proc, /dev, /dev/pts, /dev/shm and /sys put in where they are missing. */
struct err *plan_mounts(const struct oci_spec *s, const char *bundle, struct pool *p, struct plan *out) ERR_MUST_USE;

#endif
