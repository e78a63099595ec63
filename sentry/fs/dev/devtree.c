/*
 * devtree.c - what a container finds under /dev, as runc makes it.
 */
#include "fs/dev/dev.h"

#include "abi/fs.h"

#include <errno.h>

static const struct {
	const char *path;
	unsigned major, minor;
} nodes[] = {
	{ "/dev/null", 1, 3 }, { "/dev/zero", 1, 5 }, { "/dev/full", 1, 7 }, { "/dev/random", 1, 8 }, { "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 },
};

static const struct {
	const char *path, *target;
} links[] = {
	{ "/dev/fd", "/proc/self/fd" }, { "/dev/stdin", "/proc/self/fd/0" }, { "/dev/stdout", "/proc/self/fd/1" },
	{ "/dev/stderr", "/proc/self/fd/2" }, { "/dev/ptmx", "pts/ptmx" },
};

static const char *const dirs[] = { "/dev/pts", "/dev/shm", "/dev/mqueue" };

static int unless_there(int ret)
{
	return ret == -EEXIST ? 0 : ret;
}

int dev_populate(struct fs_context *fs, const struct cred *root)
{
	uint32_t umask = fs->umask;
	int ret = 0;

	fs->umask = 0;
	for (size_t i = 0; !ret && i < sizeof(nodes) / sizeof(*nodes); i++) {
		struct walk w = { .fs = fs, .cred = root };

		ret = unless_there(vfs_mknod(&w, nodes[i].path, LINUX_S_IFCHR | 0666, nodes[i].major << 8 | nodes[i].minor, NULL));
	}
	for (size_t i = 0; !ret && i < sizeof(dirs) / sizeof(*dirs); i++) {
		struct walk w = { .fs = fs, .cred = root };

		ret = unless_there(vfs_mkdir(&w, dirs[i], 0755));
	}
	for (size_t i = 0; !ret && i < sizeof(links) / sizeof(*links); i++) {
		struct walk w = { .fs = fs, .cred = root };

		ret = unless_there(vfs_symlink(&w, links[i].path, links[i].target));
	}
	fs->umask = umask;
	return ret;
}
