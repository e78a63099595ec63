/*
 * confine.h - a component's privilege, declared in its policy.c and applied by
 * one call, in this order: namespaces, root, descriptors, capabilities, ids,
 * rlimits, no_new_privs, seccomp.
 */
#ifndef REDOUBT_LIBIPC_CONFINE_H
#define REDOUBT_LIBIPC_CONFINE_H

#include "err.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/types.h>

/* One permitted system call.  Several rows for one call are alternatives (OR);
 * the checks within a row must all hold (AND).  Rows sorted by name. */
enum policy_op { POLICY_END = 0, POLICY_EQ, POLICY_NE, POLICY_MASKED_EQ /* (arg & mask) == value */, POLICY_LE };
struct policy_check {
	enum policy_op op;
	uint8_t arg; /* 0-5 */
	uint64_t value;
	uint64_t mask;
};
struct policy_rule {
	const char *call; /* "openat" */
	struct policy_check checks[4]; /* ends at POLICY_END or 4 */
	const char *why; /* one line a reader can judge */
	uint16_t refuse; /* not 0: the call is not allowed but answered with this errno, where a library tries it and copes */
};

struct policy_rlimit {
	int resource;
	rlim_t value; /* soft and hard */
	const char *why;
};

enum policy_user {
	POLICY_USER_KEEP, /* stays who it is, in the user namespace it is in (gofer) */
	POLICY_USER_NOBODY, /* 65534 before, then a new user namespace with that one id; when not root: own id mapped */
};

enum policy_root {
	POLICY_ROOT_EMPTY, /* pivoted into an empty read-only root */
	POLICY_ROOT_ROOM, /* the same, but the root is a mount below the namespace's own root, so that what is mounted there is out of its reach */
	POLICY_ROOT_GIVEN, /* pivoted into the directory given at run time, see confine_opts */
};

/* "mnt", CLONE_NEWNS ...: all there are; ends with NULL. */
struct confine_namespace {
	const char *name;
	unsigned flag;
};
extern const struct confine_namespace confine_namespace_names[];

struct policy {
	const char *component;
	unsigned namespaces; /* CLONE_NEW* made by confine(); CLONE_NEWPID is made by the parent or, if we are not pid 1, by a fork in confine() */
	enum policy_user user;
	enum policy_root root;
	const char *const *caps; /* kept capabilities, "cap_chown" ..., NULL-terminated; all others dropped from every set */
	const struct policy_rlimit *rlimits;
	size_t n_rlimits;
	const struct policy_rule *rules;
	size_t n_rules;
	/* added under sanitizers only (compiled in with -DREDOUBT_SANITIZE) */
	const struct policy_rule *sanitizer_rules;
	size_t n_sanitizer_rules;
};

struct confine_opts {
	const char *root; /* for POLICY_ROOT_GIVEN */
	bool no_namespaces; /* tests only: a warning is the caller's duty */
	/* Who starts us has made the network, IPC and host name namespaces that we
	 * are in, for this sandbox alone: they are kept, one for all its processes,
	 * instead of made anew.  Only if it looks so: when the network has anything
	 * but lo, or lo is up, or the others are the host's first, all are made. */
	bool namespaces_made;
	/* Out, or NULL: an empty file in memory, open for reading and writing, whose mappings
	 * may ask for huge pages whatever the host does with others; -1: it cannot be had. */
	int *memory;
};

/* Applies everything but seccomp; after it the process is single-threaded
 * still, holds only policy->caps and sits in its root.  Must be called before
 * any thread exists.  Works as root and, with user namespaces, as any user. */
struct err *confine_enter(const struct policy *p, const struct confine_opts *o) ERR_MUST_USE;

/* no_new_privs and the filter; default action: kill the process.  All threads
 * made later inherit it. */
struct err *confine_seal(const struct policy *p) ERR_MUST_USE;

/* In a child of a process that has entered and sealed another policy, of which this one
 * is a part: limits and filter. */
struct err *confine_seal_child(const struct policy *p) ERR_MUST_USE;

/* --print-policy: ids, namespaces, capabilities, root, rlimits, then one row a
 * call: `allow NAME [argument checks] # why`. */
void policy_print(const struct policy *p, FILE *f);

/* "" or what is wrong with the table: unsorted, duplicate, unknown call,
 * missing reason, PROT_WRITE|PROT_EXEC permitted.  For unit tests. */
struct err *policy_check(const struct policy *p) ERR_MUST_USE;

#endif
