/*
 * mounts.h - what mount types and options of an OCI configuration mean.
 */
#ifndef REDOUBT_LAUNCHER_MOUNTS_H
#define REDOUBT_LAUNCHER_MOUNTS_H

#include "oci.h"

struct mount_meaning {
	const char *type; /* the sentry's name of the file system: "gofer" for binds and overlays */
	bool bind;
	bool overlay; /* data is for the host's kernel */
	bool map_ids, map_ids_below; /* of the mount itself; of those below it too */
	const char *id_maps; /* with map_ids: as "idmap=" has them, see mount_ids.h; NULL: not there */
	bool copy_up; /* a tmpfs begins with what it covers */
	uint64_t flags; /* Linux MS_* */
	const char *data; /* the file system's own options, comma separated */
};

/* The options that every mount takes, one after the other; NULL at the end. */
const char *mount_option_name(size_t i);
/* Judges one mount; `where` ("mounts[3]") stands before what is wrong. */
struct err *mount_understand(const struct oci_mount *m, const char *where, struct pool *p, struct mount_meaning *out) ERR_MUST_USE;

#endif
