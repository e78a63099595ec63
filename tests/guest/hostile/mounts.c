/*
 * mounts.c - mounts in orders and numbers that nobody needs: moved below those that were made after
 * them, one on another thousands deep, copied over and over.  Whoever may make a user namespace may
 * make them; the kernel below must come through it.
 */
#include "../put.h"
#include "attack.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define DEEP 6000 /* mounts, one on the other */

/* A mount namespace of our own, with a file system in memory as working directory. */
static void enter(void)
{
	char dir[] = "/tmp/mounts.XXXXXX";

	char uids[40], gids[40];

	CHECK(mkdtemp(dir));
	snprintf(uids, sizeof(uids), "0 %d 1", getuid());
	snprintf(gids, sizeof(gids), "0 %d 1", getgid());
	CHECK(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0);
	CHECK(put_text("/proc/self/setgroups", "deny") == 0 && put_text("/proc/self/uid_map", uids) == 0 && put_text("/proc/self/gid_map", gids) == 0);
	CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mount("none", dir, "tmpfs", 0, NULL) == 0);
	CHECK(chdir(dir) == 0);
}

static void make(const char *dir)
{
	CHECK(mkdir(dir, 0755) == 0);
	CHECK(mount("none", dir, "tmpfs", 0, NULL) == 0);
}

static int there(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

/* "a" with "a/in" goes below "b", which was made after them. */
CASE(moved_below_a_later_one)
{
	enter();
	make("a");
	make("a/in");
	CHECK(mkdir("a/in/file", 0755) == 0);
	make("b");
	CHECK(mkdir("b/place", 0755) == 0);
	CHECK(mount("a", "b/place", NULL, MS_MOVE, NULL) == 0);
	for (int i = 0; i < 3; i++) {
		CHECK(unshare(CLONE_NEWNS) == 0);
		CHECK(there("b/place/in/file"));
	}
	/* so does a copy of all of it */
	CHECK(mkdir("copy", 0755) == 0 && mount("b", "copy", NULL, MS_BIND | MS_REC, NULL) == 0);
	CHECK(there("copy/place/in/file"));
	CHECK(umount2("b", MNT_DETACH) == 0 && !there("b/place"));
	CHECK(unshare(CLONE_NEWNS) == 0 && there("copy/place/in/file"));
}

/* Who is copied has gone meanwhile, and what is at its place is something else. */
CASE(moved_copied_and_gone)
{
	enter();
	for (int i = 0; i < 50; i++) {
		make("a");
		make("a/in");
		make("b");
		CHECK(mkdir("copy", 0755) == 0 && mount("a", "copy", NULL, MS_BIND | MS_REC, NULL) == 0);
		CHECK(umount2("copy", MNT_DETACH) == 0);
		CHECK(mkdir("b/place", 0755) == 0 && mount("a", "b/place", NULL, MS_MOVE, NULL) == 0);
		CHECK(unshare(CLONE_NEWNS) == 0 && there("b/place/in"));
		CHECK(umount2("b", MNT_DETACH) == 0);
		CHECK(rmdir("a") == 0 && rmdir("b") == 0 && rmdir("copy") == 0);
	}
}

/* The old root, and all that is on it, comes below the new one. */
CASE(pivoted_and_copied)
{
	enter();
	make("a");
	make("a/in");
	make("root");
	CHECK(mkdir("root/old", 0755) == 0);
	CHECK(chdir("root") == 0);
	CHECK(syscall(SYS_pivot_root, ".", "old") == 0);
	CHECK(chdir("/") == 0 && there("old/proc/self"));
	for (int i = 0; i < 3; i++)
		CHECK(unshare(CLONE_NEWNS) == 0 && there("old/proc/self"));
	CHECK(umount2("old", MNT_DETACH) == 0 && !there("old/proc"));
	CHECK(unshare(CLONE_NEWNS) == 0);
}

/* Each on the one before. */
CASE(thousands_deep)
{
	enter();
	CHECK(mkdir("top", 0755) == 0);
	for (int i = 0; i < DEEP; i++)
		CHECK(mount("top", "top", NULL, MS_BIND, NULL) == 0);
	CHECK(umount2(".", MNT_DETACH) == 0);
	CHECK(chdir("/tmp") == 0 && unshare(CLONE_NEWNS) == 0);
}

int main(void)
{
	return run_cases();
}
