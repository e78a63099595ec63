/*
 * plan_mounts.c - see plan.h.  Looks at the host's files (do sources exist?),
 * changes nothing.
 */
#include "mount_ids.h"
#include "mounts.h"
#include "plan.h"

#include "libipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define COUNT(A) (sizeof(A) / sizeof((A)[0]))

/* Mounts that every container has, whether its configuration says so or not. */
static const struct standard {
	const char *destination, *type, *options;
	uint64_t flags;
	const char *needs; /* only if this one is not a bind mount of the user's */
} standard[] = {
	{ "/proc", "proc", "", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RELATIME, NULL },
	{ "/sys", "sysfs", "", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY | MS_RELATIME, NULL },
	{ "/dev", "devtmpfs", "mode=755", MS_NOSUID | MS_RELATIME, NULL },
	{ "/dev/pts", "devpts", "newinstance,ptmxmode=0666,mode=0620", MS_NOSUID | MS_NOEXEC | MS_RELATIME, "/dev" },
	{ "/dev/shm", "tmpfs", "mode=1777", MS_NOSUID | MS_NODEV | MS_RELATIME, "/dev" },
};

/* "/dev/./pts/" names "/dev/pts"; ".." is left to the sentry's own walk. */
static const char *normal_path(const char *path, struct pool *p)
{
	char *out = pool_alloc(p, strlen(path) + 2), *w = out;

	while (*path) {
		size_t len;

		path += strspn(path, "/");
		len = strcspn(path, "/");
		if (len && !(len == 1 && path[0] == '.')) {
			*w++ = '/';
			memcpy(w, path, len);
			w += len;
		}
		path += len;
	}
	if (w == out)
		*w++ = '/';
	return out;
}

static size_t add_tree(struct plan *out, struct pool *p, const struct plan_tree *t)
{
	LIST_ADD(p, &out->trees, *t);
	return out->trees.n - 1;
}

/* Checks that a tree's root is there and what it must be. */
static struct err *check_source(const char *path, bool directory)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_new(errno, "'%s'", path);
	if (directory && !S_ISDIR(st.st_mode))
		return err_new(ENOTDIR, "'%s'", path);
	return NULL;
}

static const struct oci_mount *find_mount(const struct oci_spec *s, const char *destination, struct pool *p)
{
	for (size_t i = 0; i < s->mounts.n; i++) {
		if (!strcmp(normal_path(s->mounts.v[i].destination, p), destination))
			return &s->mounts.v[i];
	}
	return NULL;
}

static bool is_bind(const struct oci_mount *m, struct pool *p)
{
	struct mount_meaning meaning;
	_cleanup_err_ struct err *e = mount_understand(m, "", p, &meaning);

	return !e && meaning.bind;
}

/* Adds the standard mounts below `after` ("" for those that stand on the root) that the configuration lacks. */
static void add_standard(const struct oci_spec *s, const char *after, struct pool *p, struct plan *out)
{
	for (size_t i = 0; i < COUNT(standard); i++) {
		const struct standard *st = &standard[i];
		const struct oci_mount *under = st->needs ? find_mount(s, st->needs, p) : NULL;

		/* stands on a mount of the configuration's: goes right behind that one */
		if (strcmp(under ? st->needs : "", after) || find_mount(s, st->destination, p) || (under && is_bind(under, p)))
			continue;
		LIST_ADD(p, &out->mounts,
			{ .destination = msg_str(st->destination), .type = msg_str(st->type), .options = msg_str(st->options), .flags = st->flags });
	}
}

void plan_standard_mounts(struct pool *p, struct plan *out)
{
	static const struct oci_spec nothing;

	add_standard(&nothing, "", p, out);
}

static struct err *add_bind(const struct oci_mount *m, const char *where, const char *bundle, struct pool *p, struct plan *out,
	const struct mount_meaning *meaning, struct boot_mount *mount)
{
	const char *source = m->source[0] == '/' ? m->source : pool_printf(p, "%s/%s", bundle, m->source);
	struct plan_tree t = { .path = source, .readonly = meaning->flags & MS_RDONLY, .ids_below = meaning->map_ids_below, .where = where };
	struct err *e = check_source(source, false);

	if (e)
		return err_wrap(e, "%s.source", where);
	if (meaning->map_ids && (e = mount_ids(m, meaning, &out->ids, where, p, &t.ids)))
		return e;
	mount->tree = add_tree(out, p, &t);
	mount->shared = true; /* the host and other containers may change it at any time */
	return NULL;
}

/* The host's kernel is who mounts it: what is written has the form that other overlays read. */
static void add_overlay(const char *where, struct pool *p, struct plan *out, struct mount_meaning *meaning, struct boot_mount *mount)
{
	struct plan_tree t = { .path = "overlay", .overlay = meaning->data, .where = where };

	if (!strstr(meaning->data, "upperdir="))
		meaning->flags |= MS_RDONLY;
	t.readonly = meaning->flags & MS_RDONLY;
	meaning->data = "";
	mount->tree = add_tree(out, p, &t);
	mount->shared = true;
}

static struct err *add_mount(const struct oci_mount *m, size_t index, const char *bundle, struct pool *p, struct plan *out)
{
	const char *where = pool_printf(p, "mounts[%zu]", index);
	struct boot_mount mount = { .destination = msg_str(normal_path(m->destination, p)) };
	struct mount_meaning meaning;
	struct err *e = mount_understand(m, where, p, &meaning);

	if (!e && meaning.bind)
		e = add_bind(m, where, bundle, p, out, &meaning, &mount);
	if (e)
		return e;
	if (meaning.overlay)
		add_overlay(where, p, out, &meaning, &mount);
	mount.type = msg_str(meaning.type);
	mount.options = msg_str(meaning.data);
	mount.flags = meaning.flags;
	mount.copy_up = meaning.copy_up;
	LIST_ADD(p, &out->mounts, mount);
	return NULL;
}

struct err *plan_mounts(const struct oci_spec *s, const char *bundle, struct pool *p, struct plan *out)
{
	const char *rootfs = s->root->path[0] == '/' ? s->root->path : pool_printf(p, "%s/%s", bundle, s->root->path);
	struct err *e = check_source(rootfs, true);

	if (e)
		return err_wrap(e, "root.path");
	add_tree(out, p, &(struct plan_tree){ .path = rootfs, .readonly = s->root->readonly });
	/* over a read-only root lies memory in which missing mount points are made, before it becomes read-only too */
	LIST_ADD(p, &out->mounts,
		{ .destination = msg_str("/"), .type = msg_str("gofer"), .options = msg_str(""), .flags = (s->root->readonly ? MS_RDONLY : 0) | MS_RELATIME,
			.overlay = s->root->readonly });
	add_standard(s, "", p, out);
	for (size_t i = 0; i < s->mounts.n && !e; i++) {
		if (!(e = add_mount(&s->mounts.v[i], i, bundle, p, out)))
			add_standard(s, normal_path(s->mounts.v[i].destination, p), p, out);
	}
	return e;
}
