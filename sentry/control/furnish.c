/*
 * furnish.c - what a specification puts into a container besides mounts: device
 * files, sysctls, the contents of a tmpfs that begins as a copy of what it
 * covers.  Event thread, before any program runs.
 *
 * The tree may be hostile (an image's): it is walked with the container's own
 * walk, below its own root.
 */
#include "control/furnish.h"

#include "abi/fcntl.h"
#include "abi/fs.h"
#include "kernel/ipc.h"
#include "libipc/log.h"
#include "mm/usercopy.h"
#include "vfs/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 64
#define PIECE 65536

/* --- device files ---------------------------------------------------------------- */

static int make_parents(struct walk *w, const char *path)
{
	char buf[4096];
	int ret = 0;

	if (strlen(path) >= sizeof(buf))
		return -ENAMETOOLONG;
	strcpy(buf, path);
	for (char *p = buf + 1; *p && !ret; p++) {
		if (*p != '/')
			continue;
		*p = 0;
		ret = vfs_mkdir(w, buf, 0755);
		ret = ret == -EEXIST ? 0 : ret;
		*p = '/';
	}
	return ret;
}

static struct err *make_device(struct fs_context *fs, const struct cred *cred, const struct boot_device *d)
{
	struct walk w = { .fs = fs, .cred = cred }, found = w;
	struct iattr a = { .valid = ATTR_MODE | ATTR_UID | ATTR_GID, .mode = (uint32_t)d->mode & 07777, .uid = (uint32_t)d->uid, .gid = (uint32_t)d->gid };
	struct path made;
	int ret = make_parents(&w, d->path.p);

	if (!ret)
		ret = vfs_mknod(&w, d->path.p, (uint32_t)d->mode, linux_makedev((uint32_t)d->major, (uint32_t)d->minor), NULL);
	/* the standard ones are there already */
	if (ret && ret != -EEXIST)
		return err_new(-ret, "linux.devices: %s", d->path.p);
	if (ret || (ret = vfs_walk(&found, d->path.p, &made)))
		return ret == -EEXIST ? NULL : err_new(-ret, "linux.devices: %s", d->path.p);
	ret = vfs_setattr(&made, &a, cred);
	path_put(&made);
	return ret ? err_new(-ret, "linux.devices: %s", d->path.p) : NULL;
}

struct err *furnish_devices(struct fs_context *fs, const struct cred *cred, const struct boot_spec *spec)
{
	struct err *e = NULL;

	for (uint32_t i = 0; i < spec->n_devices && !e; i++)
		e = make_device(fs, cred, &spec->devices[i]);
	return e;
}

/* --- sysctls ------------------------------------------------------------------------ */

static int write_sysctl(struct fs_context *fs, const struct cred *cred, const char *path, const struct msg_str *value)
{
	struct walk w = { .fs = fs, .cred = cred, .flags = WALK_FOLLOW };
	char *copy = strdup(value->p);
	struct file *f;
	struct uio u;
	ssize_t n;
	int ret = copy ? vfs_open(&w, path, LINUX_O_WRONLY, 0, &f) : -ENOMEM;

	if (!ret) {
		uio_kernel(&u, copy, value->len);
		n = file_write(f, &u);
		ret = n < 0 ? (int)n : 0;
		file_put(f);
	}
	free(copy);
	return ret;
}

static bool reads_as(struct fs_context *fs, const struct cred *cred, const char *path, const struct msg_str *value)
{
	struct walk w = { .fs = fs, .cred = cred, .flags = WALK_FOLLOW };
	char text[4097];
	struct file *f;
	ssize_t n;

	if (vfs_open(&w, path, LINUX_O_RDONLY, 0, &f))
		return false;
	n = file_read_kernel(f, text, sizeof(text) - 1, 0);
	file_put(f);
	while (n > 0 && text[n - 1] == '\n')
		n--;
	return n == (ssize_t)value->len && !memcmp(text, value->p, value->len);
}

/* A setting that this kernel has, but cannot change, is no reason to fail a container:
 * engines give some to every one.  One that it does not know is. */
void furnish_sysctls(struct fs_context *fs, const struct cred *cred, struct ipc_ns *ns, const struct boot_spec *spec)
{
	for (uint32_t i = 0; i < spec->n_sysctls; i++) {
		const struct boot_sysctl *s = &spec->sysctls[i];
		int ret = ipc_sysctl_set(ns, s->name.p, s->value.p);
		char path[300];

		if (ret && ret != -ENOENT)
			log_warning("linux.sysctl.%s: not applied: %s", s->name.p, strerror(-ret));
		if (ret != -ENOENT)
			continue;
		snprintf(path, sizeof(path), "/proc/sys/%s", s->name.p);
		for (char *c = path + strlen("/proc/sys/"); *c; c++)
			*c = *c == '.' ? '/' : *c == '/' ? '.' : *c; /* as sysctl(8) has it */
		ret = write_sysctl(fs, cred, path, &s->value);
		if (ret && !reads_as(fs, cred, path, &s->value))
			log_warning("linux.sysctl.%s: not applied: %s", s->name.p, strerror(-ret));
	}
}

/* --- a copy of what a tmpfs covers ------------------------------------------------------ */

struct copier {
	struct fs_context *fs;
	const struct cred *cred;
};

/* The names of a directory, gathered before anything is made. */
struct names {
	struct dirent_sink sink; /* first */
	char **v;
	size_t n;
	int error;
};

static int add_name(struct dirent_sink *sink, const char *name, size_t len, uint64_t ino, unsigned type, int64_t next)
{
	struct names *l = (struct names *)sink;
	char **grown;

	if ((len == 1 && name[0] == '.') || (len == 2 && name[0] == '.' && name[1] == '.'))
		return 0;
	grown = reallocarray(l->v, l->n + 1, sizeof(*l->v));
	if (grown)
		l->v = grown;
	if (!grown || !(l->v[l->n] = strndup(name, len))) {
		l->error = -ENOMEM;
		return 1;
	}
	l->n++;
	return 0;
}

static int list(const struct copier *c, const struct path *dir, struct names *out)
{
	struct file *f;
	size_t before;
	int ret = vfs_open_path(dir, LINUX_O_RDONLY | LINUX_O_DIRECTORY, c->cred, &f);

	*out = (struct names){ .sink.add = add_name };
	if (ret)
		return ret;
	do {
		before = out->n;
		ret = f->ops->readdir ? f->ops->readdir(f, &out->sink) : -ENOTDIR; /* nobody else has f */
	} while (!ret && !out->error && out->n > before);
	file_put(f);
	return ret < 0 ? ret : out->error;
}

static int copy_data(const struct copier *c, const struct path *from, const struct path *to)
{
	char *buf = malloc(PIECE);
	struct file *in = NULL, *out = NULL;
	int64_t pos = 0;
	ssize_t n = 0;
	int ret = buf ? vfs_open_path(from, LINUX_O_RDONLY, c->cred, &in) : -ENOMEM;

	if (!ret)
		ret = vfs_open_path(to, LINUX_O_WRONLY, c->cred, &out);
	while (!ret && (n = file_read_kernel(in, buf, PIECE, pos)) > 0) {
		struct uio u;

		uio_kernel(&u, buf, (uint64_t)n);
		n = file_pwrite(out, &u, pos);
		ret = n < 0 ? (int)n : 0;
		pos += n;
	}
	if (in)
		file_put(in);
	if (out)
		file_put(out);
	free(buf);
	return ret ? ret : n < 0 ? (int)n : 0;
}

static int copy_attributes(const struct copier *c, const struct path *from, const struct path *to)
{
	struct kstat st;
	struct iattr a = { .valid = ATTR_UID | ATTR_GID | ATTR_ATIME | ATTR_MTIME };
	int ret = vfs_getattr(from, &st);

	if (ret)
		return ret;
	a.uid = st.uid;
	a.gid = st.gid;
	a.atime = st.atime;
	a.mtime = st.mtime;
	a.mode = (uint32_t)st.mode & 07777;
	ret = vfs_setattr(to, &a, c->cred);
	a.valid = ATTR_MODE; /* last: a change of owner clears bits */
	return ret || LINUX_S_ISLNK(st.mode) ? ret : vfs_setattr(to, &a, c->cred);
}

static int copy_tree(const struct copier *c, const struct path *from, const struct path *to, unsigned depth);

static int make_like(const struct copier *c, const struct path *from, struct walk *w, const char *name)
{
	struct kstat st;
	char *target;
	int ret = vfs_getattr(from, &st);

	if (ret)
		return ret;
	if (LINUX_S_ISDIR(st.mode))
		return vfs_mkdir(w, name, 0700);
	if (!LINUX_S_ISLNK(st.mode))
		return vfs_mknod(w, name, (uint32_t)st.mode, st.rdev, NULL);
	if ((ret = vfs_readlink(from, &target)))
		return ret;
	ret = vfs_symlink(w, name, target);
	free(target);
	return ret;
}

static int copy_one(const struct copier *c, const struct path *from, const struct path *to, const char *name, unsigned depth)
{
	struct walk in = { .fs = c->fs, .cred = c->cred, .base = from }, make = { .fs = c->fs, .cred = c->cred, .base = to }, found = make;
	struct path old, new;
	int ret = vfs_walk(&in, name, &old);

	if (ret)
		return ret;
	if (!(ret = make_like(c, &old, &make, name)) && !(ret = vfs_walk(&found, name, &new))) {
		if (LINUX_S_ISREG(old.dentry->inode->mode))
			ret = copy_data(c, &old, &new);
		else if (LINUX_S_ISDIR(old.dentry->inode->mode))
			ret = copy_tree(c, &old, &new, depth + 1);
		if (!ret)
			ret = copy_attributes(c, &old, &new);
		path_put(&new);
	}
	path_put(&old);
	return ret;
}

static int copy_tree(const struct copier *c, const struct path *from, const struct path *to, unsigned depth)
{
	struct names names;
	int ret = depth > DEPTH_MAX ? -ELOOP : list(c, from, &names);

	if (depth > DEPTH_MAX)
		return ret;
	for (size_t i = 0; i < names.n; i++) {
		if (!ret)
			ret = copy_one(c, from, to, names.v[i], depth);
		free(names.v[i]);
	}
	free(names.v);
	return ret;
}

int furnish_same_mode(const struct cred *cred, const struct path *from, const struct path *to)
{
	struct iattr a = { .valid = ATTR_MODE };
	struct kstat st;
	int ret = vfs_getattr(from, &st);

	a.mode = (uint32_t)st.mode & 07777;
	return ret ? ret : vfs_setattr(to, &a, cred);
}

int furnish_copy_up(struct fs_context *fs, const struct cred *cred, const struct path *from, const struct path *to)
{
	const struct copier c = { fs, cred };

	return LINUX_S_ISDIR(from->dentry->inode->mode) ? copy_tree(&c, from, to, 0) : -ENOTDIR;
}
