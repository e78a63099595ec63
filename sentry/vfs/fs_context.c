/*
 * fs_context.c - a task's root, working directory and umask.
 */
#include "vfs/internal.h"

#include <stdlib.h>

struct fs_context *fs_context_new(struct mount_ns *ns)
{
	struct fs_context *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	ref_init(&f->ref);
	mutex_init(&f->mu, RANK_FDTABLE);
	mount_ns_get(ns);
	f->ns = ns;
	f->umask = 022;
	mount_ns_root(ns, &f->root);
	names_roots_changed(f->root.dentry->sb->vfs);
	f->cwd = f->root;
	path_get(&f->cwd);
	return f;
}

struct fs_context *fs_context_dup(struct fs_context *old)
{
	struct fs_context *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	ref_init(&f->ref);
	mutex_init(&f->mu, RANK_FDTABLE);
	mutex_lock(&old->mu);
	mount_ns_get(old->ns);
	f->ns = old->ns;
	f->umask = old->umask;
	f->root = old->root;
	f->cwd = old->cwd;
	path_get(&f->root);
	path_get(&f->cwd);
	mutex_unlock(&old->mu);
	return f;
}

void fs_context_put(struct fs_context *f)
{
	if (!f || !ref_put(&f->ref))
		return;
	path_put(&f->root);
	path_put(&f->cwd);
	mount_ns_put(f->ns);
	mutex_destroy(&f->mu);
	free(f);
}

void fs_context_set(struct fs_context *f, const struct path *root, const struct path *cwd)
{
	struct path old[2] = { { NULL, NULL }, { NULL, NULL } };

	if (root)
		path_get(root);
	if (cwd)
		path_get(cwd);
	mutex_lock(&f->mu);
	if (root) {
		old[0] = f->root;
		f->root = *root;
	}
	if (cwd) {
		old[1] = f->cwd;
		f->cwd = *cwd;
	}
	mutex_unlock(&f->mu);
	if (root)
		names_roots_changed(root->dentry->sb->vfs);
	path_put(&old[0]);
	path_put(&old[1]);
}

void fs_context_root(struct fs_context *f, struct path *out)
{
	mutex_lock(&f->mu);
	*out = f->root;
	path_get(out);
	mutex_unlock(&f->mu);
}

void fs_context_cwd(struct fs_context *f, struct path *out)
{
	mutex_lock(&f->mu);
	*out = f->cwd;
	path_get(out);
	mutex_unlock(&f->mu);
}

struct mount_ns *fs_context_get_ns(struct fs_context *f)
{
	struct mount_ns *ns;

	mutex_lock(&f->mu);
	ns = f->ns;
	mount_ns_get(ns);
	mutex_unlock(&f->mu);
	return ns;
}

void fs_context_enter_ns(struct fs_context *f, struct mount_ns *ns)
{
	struct mount_ns *old;
	struct path root;

	mount_ns_get(ns);
	mount_ns_root(ns, &root);
	mutex_lock(&f->mu);
	old = f->ns;
	f->ns = ns;
	mutex_unlock(&f->mu);
	fs_context_set(f, &root, &root);
	path_put(&root);
	mount_ns_put(old);
}

int fs_context_unshare_ns(struct fs_context *f, struct user_ns *owner)
{
	struct mount_ns *old = f->ns, *n;
	struct path root, cwd;

	fs_context_root(f, &root);
	fs_context_cwd(f, &cwd);
	n = mount_ns_dup(old, owner, &root, &cwd);
	if (n) {
		mutex_lock(&f->mu);
		f->ns = n;
		mutex_unlock(&f->mu);
		fs_context_set(f, &root, &cwd);
	}
	path_put(&root);
	path_put(&cwd);
	if (!n)
		return -ENOMEM;
	mount_ns_put(old);
	return 0;
}
