/*
 * Overlays that a program mounts: layers, options, numbers, what is refused, whose rights count.
 */
#include "overlay.h"

#include <sys/prctl.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

/* The same where files are kept on a disk. */
static bool begin_on_disk(char dir[64])
{
	strcpy(dir, "/var/tmp/overlay-XXXXXX");
	umask(022);
	CHECK(mkdtemp(dir) && chdir(dir) == 0);
	make_dirs();
	return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static void remove_all(const char *dir)
{
	struct stat st;
	struct dirent *e;
	char path[600];
	DIR *d;

	CHECK(lstat(dir, &st) == 0);
	if (!S_ISDIR(st.st_mode)) {
		CHECK(unlink(dir) == 0);
		return;
	}
	d = opendir(dir);
	CHECK(d);
	while ((e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		remove_all(path);
	}
	closedir(d);
	CHECK(rmdir(dir) == 0);
}

static ino_t listed_ino(const char *dir, const char *name)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	ino_t i = 0;

	CHECK(d);
	while ((e = readdir(d)))
		if (!strcmp(e->d_name, name))
			i = e->d_ino;
	closedir(d);
	return i;
}

CASE(layers)
{
	struct statfs fs;

	if (!begin())
		return;
	make_file("l1/both", "one");
	make_file("l2/both", "two");
	make_file("l2/below", "below");
	CHECK(mkdir("l1/d", 0755) == 0 && mkdir("l2/d", 0755) == 0 && mkdir("l2/e", 0755) == 0);
	make_file("l1/d/x", "x1");
	make_file("l2/d/x", "x2");
	make_file("l2/d/y", "y2");
	make_file("u/above", "above");
	CHECK(mount_it(usual) == 0);
	CHECK(lists("m", "above below both d e ") && lists("m/d", "x y "));
	CHECK(file_is("m/both", "one") && file_is("m/below", "below") && file_is("m/d/x", "x1") && file_is("m/d/y", "y2") && file_is("m/above", "above"));
	CHECK(statfs("m", &fs) == 0 && fs.f_type == 0x794c7630);
	CHECK_ERR(access("m/none", F_OK), ENOENT);
	CHECK(umount("m") == 0);
	CHECK(lists("m", ""));
}

CASE(read_only)
{
	if (!begin())
		return;
	make_file("l1/f", "f");
	CHECK(mount_it("lowerdir=l1:l2") == 0);
	CHECK(file_is("m/f", "f"));
	CHECK_ERR(open("m/f", O_WRONLY), EROFS);
	CHECK_ERR(mkdir("m/d", 0755), EROFS);
	CHECK_ERR(unlink("m/f"), EROFS);
	CHECK_ERR(chmod("m/f", 0600), EROFS);
	CHECK_ERR(mount(NULL, "m", NULL, MS_REMOUNT, NULL), EROFS);
	CHECK(umount("m") == 0);
	CHECK(mount("ovl", "m", "overlay", MS_RDONLY, usual) == 0);
	CHECK_ERR(mkdir("m/d", 0755), EROFS);
	CHECK(mount(NULL, "m", NULL, MS_REMOUNT, NULL) == 0);
	CHECK(mkdir("m/d", 0755) == 0);
}

CASE(numbers)
{
	static const char *const all[] = { "f", "g", "merged", "new", "." };
	struct stat st, m;

	if (!begin())
		return;
	make_file("l1/f", "f");
	make_file("l2/g", "g");
	CHECK(mkdir("l1/merged", 0755) == 0 && mkdir("u/merged", 0755) == 0);
	CHECK(mount_it(usual) == 0);
	make_file("m/new", "");
	CHECK(chmod("m/f", 0600) == 0);
	m = lstat_of("m");
	CHECK(m.st_dev != lstat_of("l1").st_dev);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		char path[64];

		snprintf(path, sizeof(path), "m/%s", all[i]);
		st = lstat_of(path);
		CHECK(st.st_dev == m.st_dev && st.st_ino == listed_ino("m", all[i])); /* one file system below: one number each */
	}
	CHECK(lstat_of("m/f").st_ino == lstat_of("l1/f").st_ino && lstat_of("m/merged").st_nlink == 1);
	CHECK(umount("m") == 0);
	/* layers of two: files are of neither, directories of the overlay */
	CHECK(mount("t2", "l2", "tmpfs", 0, NULL) == 0);
	make_file("l2/g", "g");
	CHECK(mkdir("l2/d", 0755) == 0);
	CHECK(mount_it(usual) == 0);
	m = lstat_of("m");
	CHECK(lstat_of("m/d").st_dev == m.st_dev && lstat_of("m/merged").st_dev == m.st_dev);
	CHECK(lstat_of("m/g").st_dev != m.st_dev && lstat_of("m/g").st_dev != lstat_of("m/f").st_dev && lstat_of("m/g").st_dev != lstat_of("l2/g").st_dev);
	CHECK(lstat_of("m/g").st_ino == lstat_of("l2/g").st_ino);
}

CASE(shown)
{
	char line[8192];
	bool seen = false;
	FILE *f;

	if (!begin())
		return;
	CHECK(mkdir("l,3", 0755) == 0 && mkdir("l:4", 0755) == 0 && mkdir("l5", 0755) == 0);
	make_file("l,3/comma", "");
	make_file("l:4/colon", "");
	CHECK(mount_it("lowerdir=l\\,3:l\\:4:l5,upperdir=u,workdir=w") == 0);
	CHECK(lists("m", "colon comma "));
	CHECK(umount("m") == 0 && mount_it(usual) == 0);
	f = fopen("/proc/self/mounts", "r");
	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, "ovl ", 4) && strstr(line, "/m overlay rw,relatime,lowerdir=l1:l2,upperdir=u,workdir=w"))
			seen = true;
	fclose(f);
	CHECK(seen);
	f = fopen("/proc/self/mountinfo", "r");
	CHECK(f);
	seen = false;
	while (fgets(line, sizeof(line), f))
		if (strstr(line, "/m rw,relatime - overlay ovl rw,lowerdir=l1:l2,upperdir=u,workdir=w"))
			seen = true;
	fclose(f);
	CHECK(seen);
}

CASE(refused)
{
	if (!begin())
		return;
	CHECK(mkdir("u/in", 0755) == 0 && mkdir("l1/in", 0755) == 0);
	make_file("file", "");
	CHECK_ERR(mount_it("upperdir=u,workdir=w"), EINVAL);
	CHECK_ERR(mount_it("lowerdir=l1"), EINVAL);
	CHECK_ERR(mount_it("lowerdir=l1,upperdir=u"), EINVAL);
	CHECK_ERR(mount_it("lowerdir=l1,upperdir=u,workdir=u"), EINVAL);
	CHECK_ERR(mount_it("lowerdir=l1,upperdir=u,workdir=u/in"), EINVAL);
	CHECK_ERR(mount_it("lowerdir=l1,upperdir=u,workdir=w,nonsense"), EINVAL);
	CHECK_ERR(mount_it("lowerdir=l1,upperdir=u,workdir=w,index=perhaps"), EINVAL);
	CHECK_ERR(mount_it("lowerdir=none:l1,upperdir=u,workdir=w"), ENOENT);
	CHECK_ERR(mount_it("lowerdir=l1,upperdir=none,workdir=w"), ENOENT);
	CHECK_ERR(mount_it("lowerdir=l1:l1"), ELOOP);
	CHECK_ERR(mount_it("lowerdir=u,upperdir=u,workdir=w"), ELOOP);
	CHECK_ERR(mount_it("lowerdir=u/in,upperdir=u,workdir=w"), ELOOP);
	CHECK_ERR(mount_it("lowerdir=l1:l1/in"), ELOOP);
	CHECK(mount_it("lowerdir=l1,upperdir=u,workdir=w,index=off,metacopy=off,redirect_dir=off,xino=off,nfs_export=off") == 0);
	CHECK_ERR(setxattr("m", "trusted.overlay.opaque2", "y", 1, XATTR_REPLACE), getxattr("m", "trusted.overlay.opaque2", NULL, 0) == -1 ? errno : 0);
}

CASE(over_another)
{
	if (!begin())
		return;
	CHECK(mkdir("u2", 0755) == 0 && mkdir("w2", 0755) == 0 && mkdir("m2", 0755) == 0 && mkdir("m3", 0755) == 0 && mkdir("u3", 0755) == 0);
	CHECK(mkdir("w3", 0755) == 0 && mkdir("l1/d", 0755) == 0);
	make_file("l1/f", "f");
	make_file("l1/d/x", "x");
	CHECK(mount_it(usual) == 0);
	make_file("m/d/y", "y");
	CHECK(mount("o2", "m2", "overlay", 0, "lowerdir=m,upperdir=u2,workdir=w2") == 0);
	CHECK(lists("m2", "d f ") && lists("m2/d", "x y "));
	CHECK(unlink("m2/d/x") == 0 && lists("m2/d", "y ") && lists("m/d", "x y "));
	make_file("m2/f", "changed");
	CHECK(file_is("m2/f", "changed") && file_is("m/f", "f") && file_is("u2/f", "changed"));
	CHECK_ERR(mount("o3", "m3", "overlay", 0, "lowerdir=m2,upperdir=u3,workdir=w3"), EINVAL); /* too deep */
	CHECK_ERR(mount("o3", "m3", "overlay", 0, "lowerdir=l2,upperdir=m/d,workdir=m"), EINVAL); /* no upper directory on one */
	CHECK(umount("m") == 0); /* the layers stay */
	CHECK(lists("m2", "d f ") && umount("m2") == 0);
}

CASE(layers_outlive_their_mounts)
{
	if (!begin())
		return;
	CHECK(mount("t2", "l2", "tmpfs", 0, NULL) == 0);
	make_file("l2/f", "f");
	CHECK(mount_it(usual) == 0 && umount("l2") == 0);
	CHECK(file_is("m/f", "f") && access("l2/f", F_OK) && chmod("m/f", 0600) == 0 && file_is("u/f", "f"));
	CHECK(umount("m") == 0);
}

CASE(running_and_searching)
{
	pid_t p;
	int st;

	if (!begin())
		return;
	make_file("l1/script", "#!/bin/sh\nexit 7\n");
	CHECK(mkdir("l1/closed", 0700) == 0 && chmod("l1/script", 0755) == 0);
	make_file("l1/closed/f", "");
	CHECK(mount_it(usual) == 0);
	CHECK(chmod("m/script", 0700) == 0); /* copied up */
	p = fork();
	if (!p) {
		execl("m/script", "script", NULL);
		_exit(errno == ENOENT ? 7 : 1); /* there may be no /bin/sh */
	}
	CHECK(waitpid(p, &st, 0) == p && WIFEXITED(st) && WEXITSTATUS(st) == 7);
	CHECK(chmod(".", 0755) == 0);
	become(1000);
	CHECK_ERR(access("m/closed/f", F_OK), EACCES);
	CHECK_ERR(open("m/script", O_RDONLY), EACCES);
	CHECK_ERR(mkdir("m/new", 0755), EACCES);
	CHECK_ERR(unlink("m/script"), EACCES);
}

CASE(on_disk)
{
	char top[64], v[8];
	int fd;

	if (!begin_on_disk(top)) {
		CHECK(chdir("/") == 0);
		remove_all(top);
		return;
	}
	CHECK(mkdir("l1/d", 0755) == 0 && mkdir("l2/d", 0755) == 0 && chmod("l2/d", 0711) == 0);
	make_file("l1/d/x", "x");
	make_file("l2/d/y", "y");
	make_file("l2/f", "f");
	CHECK(symlink("to", "l1/link") == 0);
	CHECK(mount_it(usual) == 0);
	CHECK(lists("m", "d f link ") && lists("m/d", "x y "));
	fd = open("m/f", O_WRONLY | O_APPEND);
	CHECK(fd >= 0 && write(fd, "+", 1) == 1 && fsync(fd) == 0 && close(fd) == 0 && file_is("m/f", "f+") && file_is("u/f", "f+") && file_is("l2/f", "f"));
	CHECK(rename("m/f", "m/g") == 0 && is_whiteout("u/f") && file_is("m/g", "f+"));
	CHECK(lchown("m/link", 1, 2) == 0 && lstat_of("u/link").st_uid == 1);
	CHECK_ERR(rename("m/d", "m/e"), EXDEV);
	CHECK(unlink("m/d/x") == 0 && unlink("m/d/y") == 0 && rmdir("m/d") == 0 && is_whiteout("u/d"));
	CHECK(mkdir("m/d", 0750) == 0 && lists("m/d", "") && (lstat_of("m/d").st_mode & 0777) == 0750);
	CHECK(getxattr("u/d", "trusted.overlay.opaque", v, sizeof(v)) == 1 && *v == 'y');
	make_file("m/d/z", "z");
	CHECK(umount("m") == 0 && mount_it(usual) == 0);
	CHECK(lists("m", "d g link ") && lists("m/d", "z "));
	CHECK(umount("m") == 0 && chdir("/") == 0);
	remove_all(top);
}

/* A layer is what is mounted there, without what lies on it: so nothing may lie on it that is to stay. */
CASE(nothing_is_uncovered)
{
	if (!begin())
		return;
	CHECK(mkdir("l1/d", 0755) == 0);
	make_file("l1/d/hidden", "");
	CHECK(mount("t2", "l1/d", "tmpfs", 0, NULL) == 0 && mount_it("lowerdir=l1:l2") == 0);
	CHECK(lists("m/d", "hidden ") && umount("m") == 0);
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return;
	CHECK_ERR(mount_it("lowerdir=l1:l2,userxattr"), EINVAL);
	CHECK(mount_it("lowerdir=u:l2,userxattr") == 0);
}

/* In a user namespace: its attributes are the user's, and it gives no rights. */
CASE(of_a_user)
{
	char v[8], map[64];
	uid_t me;
	gid_t mine;
	bool null;
	int fd;

	in_temp();
	CHECK(mkdir("t", 0777) == 0 && chmod(".", 0755) == 0);
	CHECK(mkdir("root", 0755) == 0 && mkdir("root/sub", 0700) == 0);
	make_file("root/closed", "");
	make_file("root/sub/f", "");
	if (getuid())
		return;
	CHECK(chmod("root/closed", 0600) == 0);
	null = mknod("root/null", S_IFCHR, makedev(1, 3)) == 0 && chmod("root/null", 0666) == 0;
	become(1000);
	me = getuid();
	CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
	mine = getgid();
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return;
	fd = open("/proc/self/setgroups", O_WRONLY);
	CHECK(fd >= 0 && write(fd, "deny", 4) == 4 && close(fd) == 0);
	fd = open("/proc/self/uid_map", O_WRONLY);
	CHECK(fd >= 0 && write(fd, map, (size_t)snprintf(map, sizeof(map), "0 %u 1", me)) > 0 && close(fd) == 0);
	fd = open("/proc/self/gid_map", O_WRONLY);
	CHECK(fd >= 0 && write(fd, map, (size_t)snprintf(map, sizeof(map), "0 %u 1", mine)) > 0 && close(fd) == 0);
	if (mount("t", "t", "tmpfs", 0, NULL))
		return;
	CHECK(chdir("t") == 0);
	make_dirs();
	CHECK(mkdir("l1/d", 0755) == 0);
	make_file("l1/d/x", "x");
	CHECK(mount_it("lowerdir=l1:l2,upperdir=u,workdir=w,userxattr") == 0);
	CHECK(unlink("m/d/x") == 0 && is_whiteout("u/d/x") && rmdir("m/d") == 0 && is_whiteout("u/d") && mkdir("m/d", 0755) == 0);
	CHECK(lists("m/d", "") && getxattr("u/d", "user.overlay.opaque", v, sizeof(v)) == 1 && *v == 'y');
	CHECK(umount("m") == 0);
	/* the devices and files of others are no more his than before */
	CHECK(mount_it("lowerdir=../root:l2,upperdir=u,workdir=w,userxattr") == 0);
	CHECK_ERR(open("m/closed", O_RDONLY), EACCES);
	CHECK_ERR(chmod("m/closed", 0666), EPERM);
	CHECK_ERR(access("m/sub/f", F_OK), EACCES);
	if (null)
		CHECK_ERR(open("m/null", O_RDONLY), EACCES);
}

int main(void) { return run_cases(); }
