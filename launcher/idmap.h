/*
 * idmap.h - which host ids the container's users are.
 *
 * A map is a list of ranges; the gofer lives in a user namespace with it, so
 * that the host's kernel translates the ids of all files.  It comes from the
 * configuration (linux.uidMappings), or, for a user who is not root, from
 * /etc/subuid and /etc/subgid: the caller is root inside, the subordinate
 * ranges are everybody else.  Where these cannot be had, one id: the caller's.
 */
#ifndef REDOUBT_LAUNCHER_IDMAP_H
#define REDOUBT_LAUNCHER_IDMAP_H

#include "oci.h"

#include <stdbool.h>
#include <sys/types.h>

struct id_maps {
	struct oci_id_mappings uids, gids; /* both empty: the caller's own user namespace */
};

/* Whether root is not the host's root: we are in a user namespace. */
bool idmap_in_user_ns(void);

/* The configuration's maps, if it asks for a user namespace; else, for a caller
 * who is not root, the caller's own id as root and the subordinate ranges behind
 * it.  Without newuidmap or ranges that is one id, and the log (info) says why. */
struct err *idmap_plan(const struct oci_linux *l, struct pool *p, struct id_maps *out) ERR_MUST_USE;

/* Writes the maps of pid's user namespace, one below our own: ourselves where
 * we may, else by newuidmap(1) and newgidmap(1).  An error names what is missing. */
struct err *idmap_write(pid_t pid, const struct id_maps *m, struct pool *p) ERR_MUST_USE;

/* Why a user namespace could not be made, for people; why: its errno. */
struct err *idmap_refused(int why) ERR_MUST_USE;

#endif
