/*
 * scope.h - a container's cgroup as a transient scope unit of systemd's, for
 * --systemd-cgroup, as runc does it.
 *
 * The launcher speaks to systemd through the program `scope` (scope/ here), which runs
 * for each of the functions here.  The user's manager is asked instead of the
 * machine's by everybody but root of the machine.
 */
#ifndef REDOUBT_LAUNCHER_SCOPE_H
#define REDOUBT_LAUNCHER_SCOPE_H

#include "oci.h"

#include <sys/types.h>

/* What the unit is called, where it is to be and what else is known of it. */
struct scope_plan {
	const char *unit, *slice, *description;
	const struct oci_resources *resources; /* NULL: none */
	struct jmap annotations; /* org.systemd.property.NAME: a property as the user writes it */
};

/* Whose manager it is: the user's, not the machine's. */
bool scope_user_manager(void);

/* A process that keeps the scope until one of the container's own is in it. */
struct scope_holder {
	pid_t pid; /* 0: none */
	int fd; /* it goes when this is closed */
};
#define SCOPE_HOLDER_NONE { 0, -1 }

/* *path: of its cgroup, below the hierarchy's root. */
struct err *scope_start(const struct scope_plan *s, struct pool *p, struct scope_holder *holder, const char **path) ERR_MUST_USE;
void scope_release(struct scope_holder *h);
/* For who may not write into its cgroup.procs, as an ordinary user from elsewhere. */
struct err *scope_attach(const char *unit, pid_t pid) ERR_MUST_USE;
struct err *scope_update(const char *unit, const struct oci_resources *r, struct pool *p) ERR_MUST_USE;
/* Ends what still runs in it too.  Idempotent. */
struct err *scope_stop(const char *unit) ERR_MUST_USE;

/* scope_properties.c.  linux.cgroupsPath: "SLICE:PREFIX:NAME", each part but the
 * last may be empty; user: what systemd the default slice is of. */
struct err *scope_understand(const char *cgroups_path, const char *id, bool user, struct pool *p, struct scope_plan *out) ERR_MUST_USE;
/* "NAME=TYPE:VALUE" as `scope` takes them. */
struct scope_properties {
	const char **v;
	size_t n, cap;
};
void scope_limits(const struct oci_resources *r, bool v2, struct pool *p, struct scope_properties *out);
/* As systemd's documentation writes values: true, 'text', ['a', 'b'], 5, uint64 5. */
struct err *scope_annotations(const struct jmap *annotations, struct pool *p, struct scope_properties *out) ERR_MUST_USE;

#endif
