/*
 * mounts.c - see mounts.h.  Constant tables and pure functions.
 */
#include "mounts.h"

#include <linux/mount.h>
#include <string.h>

#define COUNT(A) (sizeof(A) / sizeof((A)[0]))

/* A file system type: its OCI name, the sentry's, and the options it takes
 * (a name ending in '=' takes a value). */
static const struct fs_type {
	const char *oci, *sentry;
	const char *options[18];
} types[] = {
	{ "cgroup", "cgroup2", { "all", "none", "name=", "xattr" } },
	{ "cgroup2", "cgroup2", { "nsdelegate", "memory_recursiveprot" } },
	{ "devpts", "devpts", { "newinstance", "uid=", "gid=", "mode=", "ptmxmode=", "max=" } },
	{ "devtmpfs", "devtmpfs", { "size=", "mode=", "nr_inodes=" } },
	{ "mqueue", "mqueue", { 0 } },
	/* the host's kernel is who understands and mounts it: those of Linux 6.18 */
	{ "overlay", "gofer",
		{ "lowerdir=", "upperdir=", "workdir=", "lowerdir+=", "datadir+=", "default_permissions", "redirect_dir=", "index=", "uuid=", "nfs_export=", "userxattr",
			"xino=", "metacopy=", "verity=", "volatile", "override_creds", "nooverride_creds" } },
	{ "proc", "proc", { "hidepid=", "gid=", "subset=" } },
	{ "sysfs", "sysfs", { 0 } },
	{ "tmpfs", "tmpfs", { "size=", "mode=", "uid=", "gid=", "nr_inodes=", "nr_blocks=" } },
};

enum effect { SET, CLEAR, BIND, IGNORE, COPY_UP, MAP_IDS, MAP_IDS_BELOW };

/* Options that every mount takes. */
static const struct {
	const char *name;
	enum effect effect;
	uint64_t flags;
} generic[] = {
	{ "async", CLEAR, MS_SYNCHRONOUS }, { "atime", CLEAR, MS_NOATIME }, { "bind", BIND, 0 }, { "defaults", IGNORE, 0 },
	{ "dev", CLEAR, MS_NODEV }, { "diratime", CLEAR, MS_NODIRATIME }, { "dirsync", SET, MS_DIRSYNC }, { "exec", CLEAR, MS_NOEXEC },
	{ "noatime", SET, MS_NOATIME }, { "nodev", SET, MS_NODEV }, { "nodiratime", SET, MS_NODIRATIME }, { "noexec", SET, MS_NOEXEC },
	{ "norelatime", CLEAR, MS_RELATIME }, { "nostrictatime", CLEAR, MS_STRICTATIME }, { "nosuid", SET, MS_NOSUID },
	{ "nosymfollow", SET, MS_NOSYMFOLLOW }, { "symfollow", CLEAR, MS_NOSYMFOLLOW },
	/* propagation: no mount of the host ever reaches the guest, nor the reverse */
	{ "private", IGNORE, 0 }, { "rprivate", IGNORE, 0 }, { "rshared", IGNORE, 0 }, { "rslave", IGNORE, 0 },
	{ "runbindable", IGNORE, 0 }, { "shared", IGNORE, 0 }, { "slave", IGNORE, 0 }, { "unbindable", IGNORE, 0 },
	/* of a tmpfs: what it covers is copied into it */
	{ "notmpcopyup", IGNORE, 0 }, { "tmpcopyup", COPY_UP, 0 },
	{ "idmap", MAP_IDS, 0 }, { "ridmap", MAP_IDS_BELOW, 0 },
	/* a bind's tree is one mount inside, whatever is mounted in it on the host: these hold for all of it anyhow */
	{ "rdev", CLEAR, MS_NODEV }, { "rdiratime", CLEAR, MS_NODIRATIME }, { "rexec", CLEAR, MS_NOEXEC }, { "rnoatime", SET, MS_NOATIME },
	{ "rnodev", SET, MS_NODEV }, { "rnodiratime", SET, MS_NODIRATIME }, { "rnoexec", SET, MS_NOEXEC }, { "rnorelatime", CLEAR, MS_RELATIME },
	{ "rnostrictatime", CLEAR, MS_STRICTATIME }, { "rnosuid", SET, MS_NOSUID }, { "rnosymfollow", SET, MS_NOSYMFOLLOW },
	{ "ratime", CLEAR, MS_NOATIME }, { "rrelatime", SET, MS_RELATIME }, { "rrw", CLEAR, MS_RDONLY }, { "rstrictatime", SET, MS_STRICTATIME },
	{ "rsuid", CLEAR, MS_NOSUID }, { "rsymfollow", CLEAR, MS_NOSYMFOLLOW },
	{ "iversion", IGNORE, 0 }, { "lazytime", IGNORE, 0 }, { "loud", IGNORE, 0 }, { "mand", IGNORE, 0 }, { "noiversion", IGNORE, 0 },
	{ "nolazytime", IGNORE, 0 }, { "nomand", IGNORE, 0 }, { "silent", IGNORE, 0 }, { "acl", IGNORE, 0 }, { "noacl", IGNORE, 0 },
	{ "rbind", BIND, 0 }, { "relatime", SET, MS_RELATIME }, { "ro", SET, MS_RDONLY }, { "rro", SET, MS_RDONLY },
	{ "rw", CLEAR, MS_RDONLY }, { "strictatime", SET, MS_STRICTATIME }, { "suid", CLEAR, MS_NOSUID }, { "sync", SET, MS_SYNCHRONOUS },
};

const char *mount_option_name(size_t i)
{
	return i < COUNT(generic) ? generic[i].name : NULL;
}

static bool own_option(const struct fs_type *t, const char *option)
{
	for (size_t i = 0; i < COUNT(t->options) && t->options[i]; i++) {
		size_t len = strlen(t->options[i]);
		bool takes_value = t->options[i][len - 1] == '=';

		if (takes_value ? !strncmp(option, t->options[i], len) : !strcmp(option, t->options[i]))
			return true;
	}
	return false;
}

static void take_effect(enum effect effect, uint64_t flags, struct mount_meaning *m)
{
	switch (effect) {
	case SET:
		m->flags |= flags;
		break;
	case CLEAR:
		m->flags &= ~flags;
		break;
	case BIND:
		m->bind = true;
		break;
	case COPY_UP:
		m->copy_up = true;
		break;
	case MAP_IDS_BELOW:
		m->map_ids_below = true;
		m->map_ids = true;
		break;
	case MAP_IDS:
		m->map_ids = true;
		break;
	case IGNORE:
		break;
	}
}

static bool generic_option(const char *option, struct mount_meaning *m)
{
	if (!strncmp(option, "idmap=", 6)) {
		m->map_ids = true;
		m->id_maps = option + 6;
		return true;
	}
	for (size_t i = 0; i < COUNT(generic); i++) {
		if (strcmp(generic[i].name, option))
			continue;
		take_effect(generic[i].effect, generic[i].flags, m);
		return true;
	}
	return false;
}

static const struct fs_type *find_type(const char *name)
{
	for (size_t i = 0; i < COUNT(types); i++) {
		if (!strcmp(types[i].oci, name))
			return &types[i];
	}
	return NULL;
}

/* A bind is recognised by its options, whatever its type says ("none" and "" are usual). */
static struct err *resolve_type(const struct oci_mount *m, const char *where, struct mount_meaning *out, const struct fs_type **type)
{
	const char *name = m->type ? m->type : "";

	struct mount_meaning all = *out;

	for (size_t i = 0; i < m->options.n; i++)
		generic_option(m->options.v[i], &all);
	out->bind = all.bind || !strcmp(name, "bind");
	if (out->bind) {
		out->type = "gofer";
		return NULL;
	}
	if (!*name)
		return err_new(0, "%s.type: is missing, and no option says bind", where);
	if (!(*type = find_type(name)))
		return err_new(0, "%s.type: unknown file system '%.64s'", where, name);
	out->overlay = !strcmp(name, "overlay");
	/* the usual tmpfs on /dev stands for the sentry's device file system */
	out->type = !strcmp(name, "tmpfs") && !strcmp(m->destination, "/dev") ? "devtmpfs" : (*type)->sentry;
	return NULL;
}

static struct err *check_places(const struct oci_mount *m, const char *where, bool bind)
{
	if (m->destination[0] != '/')
		return err_new(0, "%s.destination: '%.64s' is not an absolute path", where, m->destination);
	if (!strcmp(m->destination, "/"))
		return err_new(0, "%s.destination: '/' is the root, see root.path", where);
	if (bind && (!m->source || !*m->source))
		return err_new(0, "%s.source: is missing, a bind mount needs one", where);
	return NULL;
}

static struct err *check_ids(const struct oci_mount *m, const char *where, const struct mount_meaning *r)
{
	const bool uids = m->uid_mappings.n, gids = m->gid_mappings.n;

	if (uids != gids)
		return err_new(0, "%s.%s: is missing, %s is given", where, uids ? "gidMappings" : "uidMappings", uids ? "uidMappings" : "gidMappings");
	if (uids && r->id_maps)
		return err_new(0, "%s.options: idmap= has a map, and uidMappings another", where);
	if (r->map_ids && !r->bind)
		return err_new(0, "%s: mapped ids are for a bind mount", where);
	return NULL;
}

/* What the options together must be. */
static struct err *check_whole(const struct oci_mount *m, const char *where, const struct mount_meaning *r)
{
	if (strlen(r->data) > 4095)
		return err_new(0, "%s.options: together longer than 4095 bytes", where);
	if (r->copy_up && strcmp(r->type, "tmpfs"))
		return err_new(0, "%s.options: tmpcopyup is for a tmpfs", where);
	return check_ids(m, where, r);
}

struct err *mount_understand(const struct oci_mount *m, const char *where, struct pool *p, struct mount_meaning *out)
{
	struct mount_meaning r = { .data = "", .map_ids = m->uid_mappings.n || m->gid_mappings.n };
	const struct fs_type *type = NULL;
	struct err *e = resolve_type(m, where, &r, &type);

	if (e || (e = check_places(m, where, r.bind)))
		return e;
	for (size_t i = 0; i < m->options.n; i++) {
		const char *o = m->options.v[i];

		if (generic_option(o, &r))
			continue;
		if (!type || !own_option(type, o) || strchr(o, ','))
			return err_new(0, "%s.options[%zu]: unknown option '%.64s' of %s mount", where, i, o, r.overlay ? "an overlay" : r.bind ? "a bind" : pool_printf(p, "a %s", type->oci));
		r.data = pool_printf(p, "%s%s%s", r.data, *r.data ? "," : "", o);
	}
	if ((e = check_whole(m, where, &r)))
		return e;
	/* what mount(2) itself takes for granted */
	if (!(r.flags & (MS_NOATIME | MS_STRICTATIME)))
		r.flags |= MS_RELATIME;
	*out = r;
	return NULL;
}
