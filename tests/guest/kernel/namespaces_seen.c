/*
 * namespaces_seen.c - what /proc and descriptors tell of pid namespaces, and the mounts that
 * only CAP_SYS_ADMIN makes.  Whatever it changes is in namespaces of its own.
 */
#include "../test.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#define RAMFS_MAGIC 0x858458f6

static pid_t fork_in(unsigned long flags)
{
	return (pid_t)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
}

static void ends_well(pid_t p)
{
	int st;

	CHECK(p > 0 && waitpid(p, &st, 0) == p && st == 0);
}

/* The text of a file from line's beginning on, or all of it; in a static buffer. */
static char *text_of(const char *path, const char *line)
{
	static char text[16384];
	int fd = open(path, O_RDONLY);
	ssize_t n;

	CHECK(fd >= 0);
	n = read(fd, text, sizeof(text) - 1);
	CHECK(n >= 0);
	close(fd);
	text[n] = 0;
	return line ? strstr(text, line) : text;
}

CASE(pidfd_tells_all_numbers)
{
	char path[64], want[64], *found;
	pid_t p = fork_in(CLONE_NEWPID);
	int fd;

	if (!p) {
		pause();
		_exit(0);
	}
	fd = (int)syscall(SYS_pidfd_open, p, 0);
	CHECK(fd >= 0);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	snprintf(want, sizeof(want), "Pid:\t%d\nNSpid:\t%d\t1\n", p, p);
	found = text_of(path, "Pid:");
	CHECK(found && !strncmp(found, want, strlen(want)));
	CHECK(kill(p, SIGKILL) == 0 && waitpid(p, NULL, 0) == p);
	CHECK((found = text_of(path, "Pid:")) && !strncmp(found, "Pid:\t-1\nNSpid:\t-1\n", 18));
}

/* The last number given out is that of the reader's namespace, whichever /proc it reads. */
CASE(loadavg_is_the_readers)
{
	pid_t p = fork_in(CLONE_NEWPID);

	if (!p) {
		char *text = text_of("/proc/loadavg", NULL);

		CHECK(strlen(text) > 3 && !strcmp(text + strlen(text) - 3, " 1\n"));
		if (!(p = fork()))
			_exit(0);
		ends_well(p);
		text = text_of("/proc/loadavg", NULL);
		CHECK(!strcmp(text + strlen(text) - 3, " 2\n"));
		_exit(0);
	}
	ends_well(p);
}

CASE(ramfs)
{
	struct statfs s;
	struct stat st;
	int fd;

	CHECK(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mount("credentials", "/tmp", "ramfs", MS_NODEV, "mode=0700,size=1") == 0);
	CHECK(statfs("/tmp", &s) == 0 && s.f_type == RAMFS_MAGIC && !s.f_blocks && stat("/tmp", &st) == 0 && st.st_mode == (S_IFDIR | 0700));
	CHECK((fd = open("/tmp/file", O_CREAT | O_RDWR, 0600)) >= 0 && write(fd, "hello", 5) == 5);
	CHECK(text_of("/proc/self/mounts", "credentials /tmp ramfs rw,nodev,relatime,mode=700 0 0\n"));
	CHECK(text_of("/proc/filesystems", "nodev\tramfs\n"));
}

static void remounts(unsigned long flags, int error)
{
	CHECK(mount(NULL, "/tmp", NULL, MS_REMOUNT | MS_BIND | flags, NULL) == (error ? -1 : 0) && errno == error);
}

/* A remount that says nothing of access times leaves them; in a user namespace's own mounts, what came from outside is fixed. */
CASE(atime_of_remounts)
{
	pid_t p;

	CHECK(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mount("t", "/tmp", "tmpfs", MS_NOATIME, NULL) == 0);
	remounts(MS_NODEV, 0);
	CHECK(text_of("/proc/self/mounts", "t /tmp tmpfs rw,nodev,noatime"));
	p = fork();
	if (!p) {
		CHECK(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0);
		remounts(MS_NODEV | MS_NOATIME, 0);
		remounts(MS_NODEV, 0);
		remounts(MS_NODEV | MS_RELATIME, EPERM);
		remounts(MS_NODEV | MS_STRICTATIME, EPERM);
		_exit(0);
	}
	ends_well(p);
	remounts(MS_NODEV | MS_STRICTATIME, 0);
	CHECK(text_of("/proc/self/mounts", "t /tmp tmpfs rw,nodev") && !strstr(text_of("/proc/self/mounts", "t /tmp "), "nodev,relatime"));
}

/* Its namespace's mounts are looked at while it leaves that, or ends. */
static void look_at(pid_t p)
{
	char path[64], text[4096];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mounts", p);
	for (int i = 0; i < 4; i++) {
		fd = open(path, O_RDONLY);
		if (fd < 0)
			return;
		(void)!read(fd, text, sizeof(text));
		close(fd);
	}
}

/* Each finds itself in its own copy, where it may mount, whoever copies the same namespace meanwhile. */
CASE(several_copy_the_mounts_at_once)
{
	pid_t makers[4];

	CHECK(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	for (int m = 0; m < 4; m++) {
		makers[m] = fork();
		if (makers[m])
			continue;
		for (int i = 0; i < 20; i++) {
			pid_t p = fork();

			if (!p) {
				CHECK(unshare(CLONE_NEWNS) == 0);
				CHECK(mount("t", "/tmp", "tmpfs", 0, NULL) == 0 && umount2("/tmp", MNT_DETACH) == 0);
				_exit(0);
			}
			look_at(p);
			ends_well(p);
		}
		_exit(0);
	}
	for (int m = 0; m < 4; m++)
		ends_well(makers[m]);
}

static int clone_as(unsigned long flags, const pid_t *numbers, size_t n)
{
	struct clone_args a = { .flags = flags, .exit_signal = SIGCHLD, .set_tid = (uintptr_t)numbers, .set_tid_size = n };
	int p = (int)syscall(SYS_clone3, &a, sizeof(a));

	if (!p)
		_exit(getpid() == numbers[0] ? 0 : 1);
	return p;
}

/* clone3 with the numbers that the child is to have, innermost namespace first. */
/* What is open in a mount namespace that was left has its name there, and no mark. */
CASE(names_in_other_mounts)
{
	char exe[4096] = "", name[4096] = "", line[8192];
	int fd = open("/dev/null", O_RDONLY), found = 0;
	FILE *maps;

	CHECK(fd >= 0 && readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0 && exe[0] == '/');
	CHECK(!unshare(CLONE_NEWNS));
	CHECK(readlink("/proc/self/exe", name, sizeof(name) - 1) == (ssize_t)strlen(exe) && !strcmp(name, exe));
	memset(name, 0, sizeof(name));
	snprintf(line, sizeof(line), "/proc/self/fd/%d", fd);
	CHECK(readlink(line, name, sizeof(name) - 1) == 9 && !strcmp(name, "/dev/null"));
	CHECK((maps = fopen("/proc/self/maps", "r")) != NULL);
	while (fgets(line, sizeof(line), maps))
		found += strchr(line, '/') && !strcmp(strchr(line, '/'), strcat(strcpy(name, exe), "\n"));
	CHECK(found);
}

/* Mounts are copied with what is below them also where a parent was mounted after that. */
CASE(copies_of_moved_mounts)
{
	CHECK(!unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) && !mount("t", "/mnt", "tmpfs", 0, NULL));
	CHECK(!mkdir("/mnt/a", 0755) && !mkdir("/mnt/b", 0755) && !mount("t", "/mnt/a", "tmpfs", 0, NULL));
	CHECK(!mkdir("/mnt/a/c", 0755) && !mount("t", "/mnt/a/c", "tmpfs", 0, NULL) && !mkdir("/mnt/a/c/d", 0755) && !mount("t", "/mnt/a/c/d", "tmpfs", 0, NULL));
	CHECK(!mkdir("/mnt/a/c/d/e", 0755) && !mount("/mnt/a", "/mnt/b", NULL, MS_MOVE, NULL) && !access("/mnt/b/c/d/e", F_OK));
	CHECK(!unshare(CLONE_NEWNS) && !access("/mnt/b/c/d/e", F_OK) && access("/mnt/a/c", F_OK));
	CHECK(!mkdir("/mnt/old", 0755) && !syscall(SYS_pivot_root, "/mnt", "/mnt/old") && !chdir("/"));
	CHECK(!unshare(CLONE_NEWNS) && !access("/b/c/d/e", F_OK) && !access("/old/proc/self", F_OK));
	CHECK(!umount2("/old", MNT_DETACH) && !unshare(CLONE_NEWNS) && !access("/b/c/d/e", F_OK) && access("/old/proc", F_OK));
}

CASE(numbers_wanted)
{
	pid_t free_one = fork(), bad[] = { 1, 0, -1, 4194304 }, two[2] = { 1 };

	if (!free_one)
		_exit(0);
	ends_well(free_one);
	CHECK(clone_as(0, &free_one, 1) == free_one);
	ends_well(free_one);
	CHECK_ERR(clone_as(0, bad, 1), EEXIST);
	for (int i = 1; i < 4; i++)
		CHECK_ERR(clone_as(0, bad + i, 1), EINVAL);
	CHECK_ERR(clone_as(CLONE_NEWPID, &free_one, 1), EINVAL); /* the first process of a namespace is 1 */
	two[1] = free_one;
	CHECK(clone_as(CLONE_NEWPID, two, 2) == free_one);
	ends_well(free_one);
	CHECK_ERR(clone_as(0, NULL, 1), EINVAL);
	CHECK_ERR(clone_as(0, &free_one, 33), EINVAL);
	CHECK_ERR(clone_as(0, (pid_t *)8, 1), EFAULT);
	CHECK(prctl(PR_CAPBSET_DROP, 0) == 0 && setresuid(1000, 1000, 1000) == 0);
	CHECK_ERR(clone_as(0, &free_one, 1), EPERM);
}

int main(void) { return run_cases(); }
