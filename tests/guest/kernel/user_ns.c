/*
 * user_ns.c - user namespaces: ids and their maps, capabilities inside, what
 * may be done with the other namespaces made there, and what may not be undone.
 * Needs no capability but those to change ids; natively: root.
 */
#include "../test.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static void become(uid_t id)
{
	CHECK(setgroups(0, NULL) == 0 && setresgid(id, id, id) == 0 && setresuid(id, id, id) == 0);
	CHECK(prctl(PR_SET_DUMPABLE, 1) == 0); /* else /proc/self is root's */
}

/* Bytes written or -errno. */
static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -errno;
	close(fd);
	return r;
}

static void shows(const char *path, const char *text)
{
	char buf[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, buf, sizeof(buf) - 1);

	CHECK(fd >= 0 && n >= 0);
	buf[n] = 0;
	CHECK(!strcmp(buf, text));
	close(fd);
}

static unsigned long long effective(void)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];

	CHECK(syscall(SYS_capget, &h, d) == 0);
	return d[0].effective | (unsigned long long)d[1].effective << 32;
}

/* As `unshare -r` does it, by one who is nobody. */
static void be_root_inside(uid_t id, int more)
{
	char map[64];

	become(id);
	CHECK(unshare(CLONE_NEWUSER | more) == 0);
	snprintf(map, sizeof(map), "0 %u 1\n", id);
	CHECK(put("/proc/self/setgroups", "deny") == 0);
	CHECK(put("/proc/self/uid_map", map) == 0 && put("/proc/self/gid_map", map) == 0);
}

static pid_t fork_in(unsigned long flags)
{
	return (pid_t)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
}

static void succeeds(pid_t pid)
{
	int st;

	CHECK(waitpid(pid, &st, 0) == pid && st == 0);
}

CASE(ids_without_a_map)
{
	uid_t r, e, s;
	struct stat st;

	become(1000);
	CHECK(effective() == 0);
	CHECK(unshare(CLONE_NEWUSER) == 0);
	CHECK(getuid() == 65534 && geteuid() == 65534 && getgid() == 65534);
	CHECK(getresuid(&r, &e, &s) == 0 && r == 65534 && s == 65534);
	CHECK(effective() != 0 && prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN) == 1);
	CHECK_ERR(setuid(0), EINVAL);
	CHECK_ERR(setgroups(0, NULL), EPERM);
	CHECK(stat("/", &st) == 0 && st.st_uid == 65534);
	shows("/proc/self/uid_map", "");
	shows("/proc/self/setgroups", "allow\n");
}

CASE(map_of_one)
{
	struct stat st;
	int fd;

	be_root_inside(1000, 0);
	CHECK(getuid() == 0 && getgid() == 0 && syscall(SYS_getuid) == 0);
	shows("/proc/self/uid_map", "         0       1000          1\n");
	shows("/proc/self/setgroups", "deny\n");
	CHECK((fd = open("/tmp", O_TMPFILE | O_RDWR, 0600)) >= 0 || errno == EOPNOTSUPP);
	if (fd >= 0) {
		CHECK(fstat(fd, &st) == 0 && st.st_uid == 0 && st.st_gid == 0);
		CHECK_ERR(fchown(fd, 5, -1), EINVAL);
		CHECK(fchown(fd, 0, -1) == 0);
	}
	CHECK_ERR(setgroups(0, NULL), EPERM);
	CHECK_ERR(setresuid(1, 1, 1), EINVAL);
	CHECK(put("/proc/self/uid_map", "0 1000 1\n") == -EPERM); /* once */
	CHECK(put("/proc/self/setgroups", "allow") == -EPERM);
}

CASE(maps_that_are_none)
{
	become(1000);
	CHECK(unshare(CLONE_NEWUSER) == 0);
	CHECK(put("/proc/self/uid_map", "0 1000\n") == -EINVAL);
	CHECK(put("/proc/self/uid_map", "x 1000 1\n") == -EINVAL);
	CHECK(put("/proc/self/uid_map", "0 1000 0\n") == -EINVAL);
	CHECK(put("/proc/self/uid_map", "0 1000 1\n0 1001 1\n") == -EINVAL);
	CHECK(put("/proc/self/uid_map", "0 1001 1\n") == -EPERM); /* not one's own */
	CHECK(put("/proc/self/uid_map", "0 1000 2\n") == -EPERM);
	CHECK(put("/proc/self/gid_map", "0 1000 1\n") == -EPERM); /* setgroups is not denied */
	CHECK(put("/proc/self/setgroups", "maybe") == -EINVAL);
	CHECK(put("/proc/self/setgroups", "deny") == 0 && put("/proc/self/gid_map", "7 1000 1\n") == 0);
	CHECK(getgid() == 7 && getuid() == 65534);
	CHECK(put("/proc/self/uid_map", "4294967295 1000 1\n") == -EINVAL);
	CHECK(put("/proc/self/uid_map", "3 1000 1") == 0 && getuid() == 3);
}

/* A privileged parent maps ranges for its child, which changes among them. */
CASE(ranges_by_the_parent)
{
	int go[2], told[2];
	char path[64], c;
	pid_t child;

	CHECK(pipe(go) == 0 && pipe(told) == 0);
	child = fork_in(CLONE_NEWUSER);
	CHECK(child >= 0);
	if (!child) {
		gid_t groups[2] = { 5, 6 };

		CHECK(read(go[0], &c, 1) == 1);
		CHECK(getuid() == 0);
		CHECK(setgroups(2, groups) == 0 && getgroups(2, groups) == 2 && groups[1] == 6);
		CHECK(setresgid(10, 10, 10) == 0 && setresuid(1001, 1001, 1001) == 0);
		CHECK(getuid() == 1001 && getegid() == 10 && effective() == 0);
		CHECK(write(told[1], "x", 1) == 1 && read(go[0], &c, 1) == 1);
		_exit(0);
	}
	snprintf(path, sizeof(path), "/proc/%d/uid_map", child);
	CHECK(put(path, "0 0 1\n1000 5000 10\n") == 0);
	shows(path, "         0          0          1\n      1000       5000         10\n");
	snprintf(path, sizeof(path), "/proc/%d/gid_map", child);
	CHECK(put(path, "0 0 100\n") == 0);
	CHECK(write(go[1], "x", 1) == 1 && read(told[0], &c, 1) == 1);
	snprintf(path, sizeof(path), "/proc/%d/status", child);
	{
		char buf[4096];
		int fd = open(path, O_RDONLY);
		ssize_t n = read(fd, buf, sizeof(buf) - 1);

		CHECK(n > 0);
		buf[n] = 0;
		CHECK(strstr(buf, "\nUid:\t5001\t5001\t5001\t5001\n") && strstr(buf, "\nGid:\t10\t10\t10\t10\n")); /* as we count */
	}
	CHECK(write(go[1], "x", 1) == 1);
	succeeds(child);
}

/* Capabilities there are none over what belongs to the outside. */
CASE(no_power_outside)
{
	int fd = open("/tmp/root-only", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	CHECK(fd >= 0 && fchown(fd, 0, 0) == 0);
	be_root_inside(1000, 0);
	CHECK_ERR(open("/tmp/root-only", O_RDONLY), EACCES);
	CHECK_ERR(chmod("/tmp/root-only", 0666), EPERM);
	CHECK_ERR(chown("/tmp/root-only", 0, 0), EPERM);
	CHECK_ERR(unlink("/tmp/root-only"), EPERM);
	CHECK_ERR(mknod("/tmp/device", S_IFCHR | 0600, 0x103), EPERM);
	CHECK_ERR(sethostname("x", 1), EPERM);
	CHECK_ERR(mount("none", "/tmp", "tmpfs", 0, NULL), EPERM);
	CHECK_ERR(kill(getppid(), 0), EPERM);
	CHECK_ERR(nice(-5), EPERM);
}

CASE(no_power_outside_cleanup)
{
	CHECK(unlink("/tmp/root-only") == 0);
}

CASE(host_name_of_its_own)
{
	char name[65];

	be_root_inside(1000, CLONE_NEWUTS);
	CHECK(sethostname("inner", 5) == 0 && gethostname(name, sizeof(name)) == 0 && !strcmp(name, "inner"));
}

CASE(mounts_of_its_own)
{
	struct stat st;

	CHECK(mkdir("/tmp/userns", 0755) == 0 || errno == EEXIST);
	be_root_inside(1000, CLONE_NEWNS);
	CHECK(mount("none", "/tmp/userns", "tmpfs", 0, "mode=700") == 0);
	CHECK(stat("/tmp/userns", &st) == 0 && st.st_uid == 0 && (st.st_mode & 07777) == 0700);
	CHECK(mkdir("/tmp/userns/a", 0755) == 0 && mount("/tmp/userns/a", "/tmp/userns/a", NULL, MS_BIND, NULL) == 0);
	CHECK(mount(NULL, "/tmp/userns/a", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
	CHECK_ERR(mkdir("/tmp/userns/a/b", 0755), EROFS);
	CHECK(mount(NULL, "/tmp/userns/a", NULL, MS_REMOUNT | MS_BIND, NULL) == 0); /* one's own may be loosened */
	CHECK(umount("/tmp/userns/a") == 0 && umount("/tmp/userns") == 0);
}

/* What was mounted before stays as it is. */
CASE(mounts_of_others)
{
	pid_t child;

	CHECK(mkdir("/tmp/userns", 0755) == 0 || errno == EEXIST);
	be_root_inside(1000, CLONE_NEWNS);
	CHECK(mount("none", "/tmp/userns", "tmpfs", 0, "mode=755") == 0 && mkdir("/tmp/userns/hidden", 0755) == 0);
	CHECK(mount("none", "/tmp/userns/hidden", "tmpfs", MS_RDONLY | MS_NOSUID, "mode=755") == 0);
	child = fork_in(CLONE_NEWUSER | CLONE_NEWNS); /* one level further down */
	CHECK(child >= 0);
	if (!child) {
		CHECK_ERR(umount("/tmp/userns/hidden"), EINVAL);
		CHECK_ERR(umount2("/tmp/userns", MNT_DETACH), EINVAL);
		CHECK_ERR(mount(NULL, "/tmp/userns/hidden", NULL, MS_REMOUNT | MS_BIND | MS_NOSUID, NULL), EPERM);
		CHECK_ERR(mount("/tmp/userns", "/tmp/userns", NULL, MS_BIND, NULL), EINVAL); /* would show what is hidden */
		CHECK(mount("/tmp/userns", "/tmp/userns", NULL, MS_BIND | MS_REC, NULL) == 0);
		CHECK(umount2("/tmp/userns", MNT_DETACH) == 0);
		CHECK_ERR(mount("/tmp/userns", "/mnt", NULL, MS_MOVE, NULL), EINVAL);
		_exit(0);
	}
	succeeds(child);
}

/* Settings of a network, and the file system that shows its interfaces, are for the root of where it was made. */
CASE(network_of_its_own)
{
	static const char range[] = "/proc/sys/net/ipv4/ip_local_port_range";
	struct stat st;

	be_root_inside(1000, CLONE_NEWNS);
	CHECK(put(range, "30000 31000") == -EACCES);
	CHECK(!stat(range, &st) && st.st_uid == 65534);
	CHECK_ERR(mount("sysfs", "/mnt", "sysfs", MS_RDONLY, NULL), EPERM);
	CHECK(!unshare(CLONE_NEWNET));
	CHECK(!stat(range, &st) && !st.st_uid && !st.st_gid && (st.st_mode & 07777) == 0644);
	CHECK(!access(range, W_OK) && put(range, "30000 31000") == 0);
	shows(range, "30000\t31000\n");
	CHECK(put("/proc/sys/kernel/hostname", "other") == -EACCES);
	CHECK(!mount("sysfs", "/mnt", "sysfs", MS_RDONLY, NULL) && !stat("/mnt/fs/cgroup", &st) && !umount("/mnt"));
}

/* Control groups can be looked at, from their namespace's root on, but belong to who has made them. */
CASE(control_groups_of_its_own)
{
	be_root_inside(1000, CLONE_NEWNS);
	CHECK_ERR(mount("cgroup2", "/mnt", "cgroup2", 0, NULL), EPERM);
	CHECK(!unshare(CLONE_NEWCGROUP) && !mount("cgroup2", "/mnt", "cgroup2", 0, NULL));
	CHECK(!access("/mnt/cgroup.procs", R_OK) && put("/mnt/cgroup.procs", "0") == -EACCES && put("/mnt/cgroup.subtree_control", "+pids") == -EACCES);
	CHECK_ERR(mkdir("/mnt/mine", 0755), EACCES);
}

CASE(enter_it)
{
	int fd, up, hold[2];
	uid_t owner;
	char path[64], c;
	pid_t child;

	become(1000);
	CHECK(pipe(hold) == 0);
	child = fork_in(CLONE_NEWUSER);
	CHECK(child >= 0);
	if (!child) {
		close(hold[1]);
		_exit(read(hold[0], &c, 1) != 0);
	}
	snprintf(path, sizeof(path), "/proc/%d/ns/user", child);
	CHECK((fd = open(path, O_RDONLY)) >= 0);
	CHECK(ioctl(fd, NS_GET_OWNER_UID, &owner) == 0 && owner == 1000);
	CHECK((up = ioctl(fd, NS_GET_PARENT)) >= 0);
	CHECK_ERR(ioctl(up, NS_GET_PARENT), EPERM);
	CHECK_ERR(setns(up, CLONE_NEWUSER), EINVAL); /* one is in it */
	CHECK(setns(fd, CLONE_NEWUSER) == 0);
	CHECK(getuid() == 65534 && effective() != 0);
	CHECK_ERR(setns(up, CLONE_NEWUSER), EPERM); /* no way back */
	close(hold[1]);
	succeeds(child);
}

CASE(pids_and_levels)
{
	pid_t child;

	be_root_inside(1000, 0);
	child = fork_in(CLONE_NEWUSER | CLONE_NEWPID);
	CHECK(child >= 0);
	if (!child) {
		CHECK(getpid() == 1 && getuid() == 65534);
		CHECK(put("/proc/self/uid_map", "0 0 1\n") == 0 || errno);
		_exit(0);
	}
	succeeds(child);
	CHECK_ERR(fork_in(CLONE_NEWUSER | CLONE_FS), EINVAL);
	for (int i = 0; i < 40; i++) {
		int e = unshare(CLONE_NEWUSER) < 0 ? errno : 0;

		CHECK(!e || e == EPERM || e == ENOSPC); /* without numbers of one's own, or too deep */
		if (e)
			return;
	}
	CHECK(!"there is no end of levels");
}

int main(void) { return run_cases(); }
