/*
 * mount_ids.h - the ids that a bind mount shows in place of its file system's.
 */
#ifndef REDOUBT_LAUNCHER_MOUNT_IDS_H
#define REDOUBT_LAUNCHER_MOUNT_IDS_H

#include "idmap.h"
#include "mounts.h"

/* The map of a mount whose meaning says map_ids: its own uidMappings and gidMappings,
 * or those of its option "idmap=", or else the container's.  The option is crun's:
 * "uids=A-B-N#A-B-N...;gids=...", N ids from A on of the file system are B on the
 * host; with an '@' before the first range B counts in the container, whose map says
 * which id of the host that is.  where: "mounts[3]", for what is wrong. */
struct err *mount_ids(const struct oci_mount *m, const struct mount_meaning *meaning, const struct id_maps *container, const char *where,
	struct pool *p, const struct id_maps **out) ERR_MUST_USE;

#endif
