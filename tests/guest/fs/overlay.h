/*
 * overlay.h - what the tests of overlays that a program mounts share.  Each case has a mount namespace
 * and a tmpfs of its own, with the directories l1, l2 (lower), u (upper), w (work) and m (where it is
 * mounted).  Without the right to mount nothing is tested.
 */
#ifndef TESTS_GUEST_FS_OVERLAY_H
#define TESTS_GUEST_FS_OVERLAY_H

#include "fs.h"

#include <dirent.h>
#include <linux/fs.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

static const char usual[] = "lowerdir=l1:l2,upperdir=u,workdir=w";

static inline int rename2(const char *a, const char *b, unsigned flags) { return (int)syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, flags); }

static inline void make_dirs(void)
{
	static const char *const dirs[] = { "l1", "l2", "u", "w", "m" };

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++)
		CHECK(mkdir(dirs[i], 0755) == 0);
}

static inline bool begin(void)
{
	in_temp();
	CHECK(mkdir("t", 0755) == 0);
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount("t", "t", "tmpfs", 0, NULL))
		return false;
	CHECK(chdir("t") == 0);
	make_dirs();
	return true;
}

static inline int mount_it(const char *options) { return mount("ovl", "m", "overlay", 0, options); }

static inline struct stat lstat_of(const char *n)
{
	struct stat st;

	CHECK(lstat(n, &st) == 0);
	return st;
}

static inline bool is_whiteout(const char *n)
{
	struct stat st = lstat_of(n);

	return S_ISCHR(st.st_mode) && !st.st_rdev;
}

/* The names in a directory, sorted, each followed by a space. */
static inline const char *names(const char *dir)
{
	static char text[4096];
	struct dirent **list;
	int n = scandir(dir, &list, NULL, alphasort);

	CHECK(n >= 0);
	*text = 0;
	for (int i = 0; i < n; i++) {
		if (strcmp(list[i]->d_name, ".") && strcmp(list[i]->d_name, "..")) {
			strcat(text, list[i]->d_name);
			strcat(text, " ");
		}
		free(list[i]);
	}
	free(list);
	return text;
}

static inline bool lists(const char *dir, const char *expected)
{
	const char *n = names(dir);

	if (strcmp(n, expected))
		fprintf(stderr, "%s: '%s', not '%s'\n", dir, n, expected);
	return !strcmp(n, expected);
}

#endif
