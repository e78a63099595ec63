/*
 * mounts.c - builds a container's mount namespace from its specification:
 * the root, the mounts in order, then what is masked or made read-only.
 * Missing mount points are made, as runc does.  Event thread, before any program runs.
 */
#include "control/container.h"
#include "control/furnish.h"

#include "abi/fs.h"
#include "fs/dev/dev.h"
#include "fs/gofer/gofer_fs.h"
#include "fs/overlay/overlay.h"
#include "kernel/ns.h"
#include "libipc/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What mounting needs to hand around. */
struct maker {
	struct container *c;
	struct vfs *vfs;
	struct cred *cred; /* all capabilities: mounting is the operator's wish, not the program's */
};

static int new_super(struct maker *m, const struct boot_mount *bm, const struct fs_type *t, struct superblock **out)
{
	struct gofer_mount gm = { .conn = m->c->gofer, .tree = (unsigned)bm->tree, .shared = bm->shared, .ages = bm->ages };
	struct fs_context_args args = { .source = bm->type.p, .options = bm->options.p, .flags = 0, .cred = m->cred };
	struct superblock *lower;
	int ret;

	if (!strcmp(t->name, "gofer"))
		args.extra = &gm;
	else if (!strcmp(t->name, "proc"))
		args.extra = m->c->proxy->pid_for_children;
	else if (!strcmp(t->name, "mqueue"))
		args.extra = m->c->proxy->ipc;
	else if (!strcmp(t->name, "cgroup2"))
		args.extra = &m->c->quota;
	ret = t->mount(m->vfs, t, &args, out);
	if (!ret && bm->overlay) {
		lower = *out;
		ret = overlay_over_memory(m->vfs, lower, bm->options.p, m->cred, out);
		super_put(lower);
	}
	return ret;
}

static struct err *make_super(struct maker *m, const struct boot_mount *bm, struct superblock **out)
{
	const char *type = !strcmp(bm->type.p, "devtmpfs") ? "tmpfs" : bm->type.p;
	const struct fs_type *t = vfs_find_type(m->vfs, type);
	int ret;

	if (!t)
		return err_new(ENODEV, "mount %s: file system type %s", bm->destination.p, bm->type.p);
	ret = bm->volume.len ? volume_find(m->c, bm->volume.p, !(bm->flags & LINUX_MS_RDONLY), out) : -ENOENT;
	if (ret == -ENOENT) {
		ret = new_super(m, bm, t, out);
		if (!ret && bm->volume.len && (ret = volume_add(m->c, bm->volume.p, *out)))
			super_put(*out);
	}
	return ret ? err_new(-ret, "mount %s (%s %s)", bm->destination.p, bm->type.p, bm->options.p) : NULL;
}

static int walk(struct maker *m, const char *name, unsigned flags, struct path *out)
{
	struct walk w = { .fs = m->c->fs, .cred = m->cred, .flags = flags };

	return vfs_walk(&w, name, out);
}

/* mkdir -p, and a file at the end for a bound file. */
static int make_mount_point(struct maker *m, const char *name, bool directory)
{
	struct walk w = { .fs = m->c->fs, .cred = m->cred };
	char buf[4096];
	int ret = 0;

	if (strlen(name) >= sizeof(buf))
		return -ENAMETOOLONG;
	strcpy(buf, name);
	for (char *p = buf + 1; *p && !ret; p++) {
		if (*p != '/')
			continue;
		*p = 0;
		ret = vfs_mkdir(&w, buf, 0755);
		ret = ret == -EEXIST ? 0 : ret;
		*p = '/';
	}
	if (!ret)
		ret = directory ? vfs_mkdir(&w, buf, 0755) : vfs_mknod(&w, buf, LINUX_S_IFREG | 0644, 0, NULL);
	return ret == -EEXIST ? 0 : ret;
}

/* Engines mount these everywhere, and next to no program looks: left out, and
 * said so, where this kernel has no such file system. */
static bool may_be_missing(struct maker *m, const char *type)
{
	return !strcmp(type, "mqueue") && !vfs_find_type(m->vfs, type);
}

/* A tmpfs whose options do not give its mode has that of the directory it covers,
 * as with runc; and its contents, if so asked. */
static struct err *like_covered(struct maker *m, const struct boot_mount *bm, const struct path *covered)
{
	struct path top;
	int ret = walk(m, bm->destination.p, WALK_FOLLOW, &top);

	if (!ret) {
		if (!strstr(bm->options.p, "mode="))
			ret = furnish_same_mode(m->cred, covered, &top);
		if (!ret && bm->copy_up)
			ret = furnish_copy_up(m->c->fs, m->cred, covered, &top);
		if (!ret && bm->flags & LINUX_MS_RDONLY)
			ret = vfs_remount(m->c->ns, &top, (unsigned)bm->flags, "", true);
		path_put(&top);
	}
	return ret ? err_new(-ret, "mount %s: copying what it covers", bm->destination.p) : NULL;
}

static struct err *mount_one(struct maker *m, const struct boot_mount *bm)
{
	struct superblock *sb;
	struct path at;
	bool directory, made, like;
	struct err *e;
	int ret;

	if (may_be_missing(m, bm->type.p)) {
		log_info("mount %s: no file system type %s: left out", bm->destination.p, bm->type.p);
		return NULL;
	}
	e = make_super(m, bm, &sb);
	if (e)
		return e;
	directory = LINUX_S_ISDIR(sb->root->inode->mode);
	ret = walk(m, bm->destination.p, WALK_FOLLOW, &at);
	made = ret == -ENOENT;
	if (made) {
		ret = make_mount_point(m, bm->destination.p, directory);
		if (!ret)
			ret = walk(m, bm->destination.p, WALK_FOLLOW, &at);
	}
	if (ret) {
		super_put(sb);
		return err_new(-ret, "mount %s: mount point", bm->destination.p);
	}
	like = !strcmp(bm->type.p, "tmpfs") && !bm->volume.len && !made;
	ret = vfs_mount(m->c->ns, &at, sb, (unsigned)bm->flags & ~(like ? LINUX_MS_RDONLY : 0));
	if (!ret && like)
		e = like_covered(m, bm, &at);
	path_put(&at);
	if (ret) {
		super_put(sb);
		return err_new(-ret, "mount %s", bm->destination.p);
	}
	if (e)
		return e;
	if (!strcmp(bm->type.p, "devtmpfs")) {
		ret = dev_populate(m->c->fs, m->cred);
		if (ret)
			return err_new(-ret, "mount %s: making the devices", bm->destination.p);
	}
	return NULL;
}

/* Hides a path: nothing of it can be seen or opened. Paths that are not there are no error. */
static struct err *mask_one(struct maker *m, const char *name)
{
	const struct fs_type *tmpfs = vfs_find_type(m->vfs, "tmpfs");
	struct fs_context_args args = { .source = "tmpfs", .options = "size=0,mode=555", .cred = m->cred };
	struct path at, null;
	struct superblock *sb;
	int ret = walk(m, name, 0, &at);

	if (ret)
		return NULL;
	if (LINUX_S_ISDIR(at.dentry->inode->mode)) {
		ret = tmpfs->mount(m->vfs, tmpfs, &args, &sb);
		if (!ret && (ret = vfs_mount(m->c->ns, &at, sb, LINUX_MS_RDONLY)))
			super_put(sb);
	} else {
		ret = walk(m, "/dev/null", 0, &null);
		if (!ret) {
			ret = vfs_bind(m->c->ns, &null, &at, false);
			path_put(&null);
		}
	}
	path_put(&at);
	return ret ? err_new(-ret, "masking %s", name) : NULL;
}

static struct err *make_read_only(struct maker *m, const char *name)
{
	struct path at;
	int ret = walk(m, name, WALK_FOLLOW, &at);

	if (ret)
		return NULL;
	ret = path_is_mount_root(&at) ? 0 : vfs_bind(m->c->ns, &at, &at, true);
	path_put(&at);
	if (!ret)
		ret = walk(m, name, WALK_FOLLOW, &at);
	if (ret)
		return err_new(-ret, "making %s read-only", name);
	ret = vfs_remount(m->c->ns, &at, mount_flags(at.mnt) | LINUX_MS_RDONLY, "", true);
	path_put(&at);
	return ret ? err_new(-ret, "making %s read-only", name) : NULL;
}

static struct err *mount_root(struct maker *m, const struct boot_mount *bm)
{
	struct superblock *sb;
	struct err *e;

	if (strcmp(bm->destination.p, "/"))
		return err_new(EINVAL, "the first mount is %s, not the root", bm->destination.p);
	e = make_super(m, bm, &sb);
	if (e)
		return e;
	/* read-only only once the mount points are made */
	m->c->ns = mount_ns_new(sb, (unsigned)bm->flags & ~LINUX_MS_RDONLY);
	if (!m->c->ns) {
		super_put(sb);
		return err_new(ENOMEM, "mount namespace");
	}
	m->c->fs = fs_context_new(m->c->ns);
	return m->c->fs ? NULL : err_new(ENOMEM, "mount namespace");
}

static struct err *seal_root(struct maker *m, const struct boot_mount *bm)
{
	struct path root;
	int ret;

	if (!(bm->flags & LINUX_MS_RDONLY))
		return NULL;
	mount_ns_root(m->c->ns, &root);
	ret = vfs_remount(m->c->ns, &root, (unsigned)bm->flags, "", true);
	path_put(&root);
	return ret ? err_new(-ret, "making the root read-only") : NULL;
}

struct err *container_mounts(struct container *c, const struct boot_spec *spec)
{
	struct maker m = { .c = c, .vfs = c->k->vfs, .cred = cred_new_capable() };
	struct err *e = NULL;

	if (!m.cred)
		return err_new(ENOMEM, "mounts");
	if (!spec->n_mounts)
		e = err_new(EINVAL, "no root is given");
	else
		e = mount_root(&m, &spec->mounts[0]);
	for (uint32_t i = 1; !e && i < spec->n_mounts; i++)
		e = mount_one(&m, &spec->mounts[i]);
	if (!e)
		e = furnish_devices(c->fs, m.cred, spec);
	if (!e)
		furnish_sysctls(c->fs, m.cred, c->proxy->ipc, spec);
	for (uint32_t i = 0; !e && i < spec->n_masked; i++)
		e = mask_one(&m, spec->masked[i].p);
	for (uint32_t i = 0; !e && i < spec->n_readonly; i++)
		e = make_read_only(&m, spec->readonly[i].p);
	if (!e)
		e = seal_root(&m, &spec->mounts[0]);
	cred_put(m.cred);
	return e;
}

struct err *container_mount(struct container *c, const struct control_mount *cm)
{
	struct maker m = { .c = c, .vfs = c->k->vfs, .cred = cred_new_capable() };
	const struct boot_mount bm = { .destination = cm->destination, .type = cm->type, .options = cm->options, .flags = cm->flags, .volume = msg_str("") };
	struct err *e;

	if (!m.cred)
		return err_new(ENOMEM, "mount");
	if (cm->destination.p[0] != '/')
		e = err_new(EINVAL, "mount %s: not an absolute path", cm->destination.p);
	else if (!strcmp(cm->type.p, "gofer"))
		e = err_new(EOPNOTSUPP, "mount %s: a running container gets no more of the host's files", cm->destination.p);
	else
		e = mount_one(&m, &bm);
	cred_put(m.cred);
	return e;
}
