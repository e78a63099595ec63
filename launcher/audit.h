/*
 * audit.h - what a live process may do, from /proc and from the kernel's copy of its seccomp filter,
 * compared with its component's printed policy.
 */
#ifndef REDOUBT_LAUNCHER_AUDIT_H
#define REDOUBT_LAUNCHER_AUDIT_H

#include "libipc/err.h"
#include "pool.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define AUDIT_CALLS 1024 /* call numbers looked at: above all that there are */

/* What COMPONENT [OPTION] --print-policy says, as far as a live process shows it. */
struct audit_policy {
	unsigned namespaces; /* CLONE_NEW* */
	uint64_t caps;
	bool nobody, empty_root;
	bool allowed[AUDIT_CALLS], refused[AUDIT_CALLS];
};
struct err *audit_policy_read(const char *component, const char *option, struct pool *p, struct audit_policy *out) ERR_MUST_USE;

/* What an audit has found so far. */
struct audit {
	struct pool *pool;
	pid_t sentry; /* whose stubs are looked at */
	unsigned good, bad, hidden; /* lines printed of each kind */
};

/* Prints a line a property.  A stub is held against the sentry's policy in all
 * but its filter. */
void audit_process(struct audit *a, const char *component, pid_t pid, const struct audit_policy *policy, bool stub);

/* --- audit_filter.c --- */
/* Which calls thread tid's filters may allow, for any arguments; foreign: calls
 * of other ABIs as well.  -errno: EACCES where the kernel does not show filters. */
int audit_filter(pid_t tid, bool allowed[AUDIT_CALLS], bool *foreign);
const char *audit_call_name(unsigned nr, struct pool *p);
int audit_call_number(const char *name); /* -1: unknown */

#endif
