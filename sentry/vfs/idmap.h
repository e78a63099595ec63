/*
 * idmap.h - mounts with mapped ids (MOUNT_ATTR_IDMAP): whose files look as if they were others'.
 *
 * A file's stored owner is a number of its file system's user namespace; through the mount it is the
 * kernel's id that this number has in the mount's.  Instead of mapping the owners of all files that are
 * looked at, credentials are mapped, where a path is about to be checked: idmap_cred() (internal.h) makes those that, compared
 * with stored owners, give what the caller's would give with the mapped ones, and what is made with them is stored
 * with the right owner.  They are for a call's time, on its stack, and never referenced.
 */
#ifndef SENTRY_VFS_IDMAP_H
#define SENTRY_VFS_IDMAP_H

#include "vfs/cred.h"
#include "vfs/vfs.h"

bool mount_is_idmapped(const struct mount *m); /* NULL: no */
/* A stored id as it is seen through m, and the reverse; ID_NONE: it has none. */
uint32_t idmap_seen(const struct mount *m, bool group, uint32_t id);
uint32_t idmap_stored(const struct mount *m, bool group, uint32_t id);

#endif
