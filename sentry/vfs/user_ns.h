/*
 * user_ns.h - user namespaces: whose ids a program's numbers are, and where its
 * capabilities hold (user_namespaces(7)).
 *
 * The kernel's own ids are those of the container; the container's namespace,
 * the root of all, maps each to itself and is NULL in a struct cred.  A namespace that
 * a program made has maps, each written once, of its numbers to its parent's,
 * kept as the kernel's ids.
 */
#ifndef SENTRY_VFS_USER_NS_H
#define SENTRY_VFS_USER_NS_H

#include "lib/lock.h"
#include "lib/ref.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#define USER_NS_LEVEL_MAX 32
#define USER_NS_EXTENTS 340
#define ID_NONE UINT32_MAX /* no id */
#define ID_OVERFLOW 65534u /* what is shown instead of an id that has no number */

struct cred;

struct id_extent {
	uint32_t first, kernel, count; /* numbers first... mean kernel... */
};

struct id_map {
	struct id_extent *v; /* owned; [I] once n is not 0 */
	_Atomic uint32_t n;
};

/* How many namespaces there are below one, and may be (user.max_user_namespaces); under a lock of user_ns.c's. */
struct user_ns_family {
	LIST_HEAD(, user_ns) children;
	LIST_ENTRY(user_ns) sibling;
	unsigned descendants;
	unsigned max; /* for each user of the namespace, with their descendants */
};

struct user_ns {
	struct ref ref;
	uint64_t ino; /* [I] */
	struct user_ns *parent; /* [I] referenced; NULL: the root */
	unsigned level; /* [I] 1: a child of the root */
	uint32_t owner, group; /* [I] kernel's ids of who made it */
	struct mutex mu; /* RANK_LEAF: writing of maps */
	struct id_map uids, gids; /* [mu] to write */
	bool no_setgroups; /* [mu] to write */
	struct user_ns_family family;
};

/* Made by a task with these credentials. -ENOMEM; -ENOSPC: it, or one around it, has all that it may have. */
int user_ns_new(const struct cred *by, uint64_t ino, struct user_ns **out);
/* NULL: the root's. What is there already stays. */
unsigned user_ns_max(const struct user_ns *ns);
void user_ns_set_max(struct user_ns *ns, unsigned max);
void user_ns_get(struct user_ns *ns); /* NULL is fine for both */
void user_ns_put(struct user_ns *ns);
static inline unsigned user_ns_level(const struct user_ns *ns) { return ns ? ns->level : 0; }

/* A number of the namespace's as the kernel's id, or ID_NONE. ns NULL: the same number. */
uint32_t user_ns_kernel_id(const struct user_ns *ns, bool group, uint32_t number);
/* The reverse: ID_NONE when it has no number there. */
uint32_t user_ns_number(const struct user_ns *ns, bool group, uint32_t id);
/* What a program is shown: the number, or ID_OVERFLOW. */
static inline uint32_t uid_shown(const struct user_ns *ns, uint32_t id)
{
	uint32_t n = ns ? user_ns_number(ns, false, id) : id;

	return n == ID_NONE ? ID_OVERFLOW : n;
}
static inline uint32_t gid_shown(const struct user_ns *ns, uint32_t id)
{
	uint32_t n = ns ? user_ns_number(ns, true, id) : id;

	return n == ID_NONE ? ID_OVERFLOW : n;
}

/* Gives ns its map, n extents whose `kernel` still counts as the parent does; by: who writes.
 * -EPERM: it has one, or by may not; -EINVAL: not a map. */
int user_ns_set_map(struct user_ns *ns, bool group, const struct id_extent *v, uint32_t n, const struct cred *by);
/* "allow" or "deny" of /proc/PID/setgroups. -EPERM: too late. */
int user_ns_set_setgroups(struct user_ns *ns, bool allow);
bool user_ns_may_setgroups(const struct user_ns *ns);

#endif
