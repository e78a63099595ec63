/*
 * cgroup.c - see cgroup.h: one directory, made at mount.  No groups can be made below it, and no limits
 * changed: that is for the engine to do.
 */
#include "fs/cgroup/cgroup.h"

#include "kernel/kernel.h"

#define CGROUP2_MAGIC 0x63677270

static bool fill(struct kernel *k, struct dentry *root)
{
	for (size_t i = 0; i < cgroup_n_files; i++) {
		if (!fixed_add(root, &cgroup_files[i]))
			return false;
	}
	return true;
}

static const struct fixed_fs cgroup_fs = {
	.type = { .name = "cgroup2", .mount = fixed_mount, .user_mountable = true },
	.magic = CGROUP2_MAGIC,
	.fill = fill,
};

int cgroup_register(struct kernel *k)
{
	return vfs_register(k->vfs, &cgroup_fs.type);
}
