/*
 * idmap.c - ids through mounts that map them (see idmap.h).  Any thread: a mount's map is set once.
 */
#include "vfs/idmap.h"

#include "vfs/internal.h"

static const struct user_ns *map_of(const struct mount *m) { return m ? atomic_load_explicit(&m->idmap, memory_order_acquire) : NULL; }

bool mount_is_idmapped(const struct mount *m) { return map_of(m); }

uint32_t idmap_seen(const struct mount *m, bool group, uint32_t id)
{
	const struct user_ns *map = map_of(m);

	return map ? cred_idmap_seen(map, m->sb->owner, group, id) : id;
}

uint32_t idmap_stored(const struct mount *m, bool group, uint32_t id)
{
	const struct user_ns *map = map_of(m);
	uint32_t n = map ? user_ns_number(map, group, id) : id;

	return map && n != ID_NONE ? user_ns_kernel_id(m->sb->owner, group, n) : n;
}

const struct cred *idmap_cred_slow(const struct mount *m, const struct cred *c, struct cred *buf)
{
	const struct user_ns *map = map_of(m);

	cred_borrow(c, buf);
	buf->fsuid = idmap_stored(m, false, c->fsuid);
	buf->fsgid = idmap_stored(m, true, c->fsgid);
	buf->idmap = map;
	buf->fs_ns = m->sb->owner;
	return buf;
}
