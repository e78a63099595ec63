/*
 * confine_internal.h - the steps of confine_enter, a file each.  All run in
 * the one thread of a starting process; none logs.
 */
#ifndef REDOUBT_LIBIPC_CONFINE_INTERNAL_H
#define REDOUBT_LIBIPC_CONFINE_INTERNAL_H

#include "confine.h"

#include <linux/filter.h>
#include <linux/seccomp.h>

/* The namespaces that a sandbox's processes may share. */
#define CONFINE_SHARED (CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)

/* Ids and namespaces; made: those of CONFINE_SHARED are there already, which is
 * checked.  With CLONE_NEWPID in a process that is not pid 1 this
 * returns in a forked child; the parent never returns: it waits for the child
 * and ends as it ended. */
struct err *confine_namespaces(const struct policy *p, bool made) ERR_MUST_USE;

/* Pivots into an empty root (given NULL; room: see POLICY_ROOT_ROOM) or the tree `given`; needs CAP_SYS_ADMIN
 * over a mount namespace of our own. */
struct err *confine_root(const char *given, bool room) ERR_MUST_USE;

/* A file in memory, or -1 (see confine_opts.memory); needs what confine_root does. */
int confine_memory(void);

/* Keeps caps (NULL-terminated names; NULL: none) in permitted and effective,
 * empties all other sets, locks the securebits. */
struct err *confine_caps(const char *const *caps) ERR_MUST_USE;

/* The rows as a seccomp program (confine_bpf.c); what no row allows kills the process. */
#define CONFINE_BPF_MAX 2048
struct err *confine_bpf(const struct policy_rule *const *tables, const size_t *n, size_t n_tables, struct sock_filter *v, size_t max, size_t *len)
	ERR_MUST_USE;

/* Loads it. */
struct err *confine_filter(const struct policy_rule *const *tables, const size_t *n, size_t n_tables) ERR_MUST_USE;

#endif
