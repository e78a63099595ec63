/*
 * namespaces.c - pid, UTS, IPC and mount namespaces: clone, unshare, setns, /proc.
 * Needs CAP_SYS_ADMIN (natively: root); whatever it changes is in namespaces of its own.
 */
#include "../test.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <linux/nsfs.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* fork, with namespaces. */
static pid_t fork_in(unsigned long flags)
{
	return (pid_t)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
}

static int status_of(pid_t pid)
{
	int st;

	CHECK(waitpid(pid, &st, 0) == pid);
	return st;
}

/* Runs fn in a child; a failed check there fails here. */
#define IN_CHILD(FLAGS, ...)                                                                                                                         \
	do {                                                                                                                                         \
		pid_t child_ = fork_in(FLAGS);                                                                                                       \
		CHECK(child_ >= 0);                                                                                                                  \
		if (!child_) {                                                                                                                       \
			__VA_ARGS__;                                                                                                                 \
			_exit(0);                                                                                                                    \
		}                                                                                                                                    \
		CHECK(status_of(child_) == 0);                                                                                                       \
	} while (0)

static void token(int fd)
{
	char c;

	CHECK(read(fd, &c, 1) == 1);
}

static void give(int fd)
{
	CHECK(write(fd, "x", 1) == 1);
}

CASE(clone_newpid)
{
	pid_t c = fork_in(CLONE_NEWPID);

	CHECK(c >= 0);
	if (!c) {
		CHECK(getpid() == 1 && getppid() == 0 && syscall(SYS_gettid) == 1);
		CHECK(getsid(0) == 0 && getpgrp() == 0); /* the parent's: not seen from here */
		CHECK(setsid() == 1 && getsid(0) == 1 && getpgrp() == 1);
		_exit(7);
	}
	CHECK(c > 1);
	CHECK(status_of(c) == 7 << 8);
}

CASE(unshare_newpid)
{
	pid_t me = getpid(), a, b;
	int p[2], q[2];

	CHECK(pipe(p) == 0 && pipe(q) == 0);
	CHECK(unshare(CLONE_NEWPID) == 0);
	CHECK(getpid() == me);
	a = fork();
	CHECK(a >= 0);
	if (!a) {
		CHECK(getpid() == 1 && getppid() == 0);
		token(p[0]);
		_exit(0);
	}
	b = fork();
	CHECK(b >= 0);
	if (!b) {
		CHECK(getpid() == 2 && getppid() == 0);
		CHECK(kill(1, 0) == 0);
		CHECK_ERR(kill(me == 3 ? 4 : 3, 0), ESRCH);
		_exit(0);
	}
	CHECK(status_of(b) == 0);
	give(p[1]);
	CHECK(status_of(a) == 0);
	/* its first process has ended: no more can be made in it */
	CHECK_ERR(fork(), ENOMEM);
	/* nor a thread, for it would be in another namespace than its process */
	CHECK_ERR(syscall(SYS_clone, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, (char[64]){ 0 } + 64, 0, 0, 0), EINVAL);
	CHECK_ERR(unshare(CLONE_NEWPID), EINVAL);
}

CASE(nested_numbers)
{
	IN_CHILD(CLONE_NEWPID, {
		pid_t c = fork_in(CLONE_NEWPID);

		CHECK(c >= 0);
		if (!c) {
			CHECK(getpid() == 1);
			_exit(0);
		}
		CHECK(c == 2);
		CHECK(status_of(c) == 0);
	});
}

/* Whoever is left in the namespace goes with its first process. */
CASE(end_of_init)
{
	int p[2], up[2];
	char c;
	pid_t init;

	CHECK(pipe(p) == 0 && pipe(up) == 0);
	init = fork_in(CLONE_NEWPID);
	CHECK(init >= 0);
	if (!init) {
		for (int i = 0; i < 3; i++) {
			if (!fork()) {
				setsid();
				if (i == 2)
					fork_in(CLONE_NEWPID);
				give(up[1]);
				for (;;)
					pause();
			}
		}
		for (;;)
			pause();
	}
	close(p[1]);
	for (int i = 0; i < 4; i++)
		token(up[0]);
	close(up[1]);
	CHECK(kill(init, SIGKILL) == 0);
	CHECK(status_of(init) == SIGKILL);
	CHECK(read(up[0], &c, 1) == 0); /* nobody holds the other end any more */
}

CASE(init_is_not_killed_from_inside)
{
	int up[2], down[2];
	pid_t init;

	CHECK(pipe(up) == 0 && pipe(down) == 0);
	init = fork_in(CLONE_NEWPID);
	CHECK(init >= 0);
	if (!init) {
		IN_CHILD(0, {
			CHECK(kill(1, SIGTERM) == 0);
			CHECK(kill(1, SIGKILL) == 0);
			CHECK(kill(1, SIGSTOP) == 0);
		});
		CHECK(kill(1, SIGKILL) == 0); /* by itself too */
		give(up[1]);
		token(down[0]);
		_exit(3);
	}
	token(up[0]);
	CHECK(kill(init, SIGTERM) == 0); /* no handler: ignored also from outside */
	give(down[1]);
	CHECK(status_of(init) == 3 << 8);
}

CASE(orphans_come_to_init)
{
	IN_CHILD(CLONE_NEWPID, {
		int p[2], st;
		pid_t c;

		CHECK(pipe(p) == 0);
		c = fork();
		if (!c) {
			if (!fork()) {
				token(p[0]);
				while (getppid() != 1)
					usleep(1000);
				_exit(9);
			}
			_exit(0);
		}
		CHECK(c == 2 && waitpid(c, &st, 0) == c && st == 0);
		give(p[1]);
		CHECK(wait(&st) == 3 && st == 9 << 8);
	});
}

static volatile sig_atomic_t sender = -1;

static void on_signal(int s, siginfo_t *i, void *u)
{
	sender = i->si_pid;
}

CASE(sender_from_above)
{
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	int up[2];
	pid_t c;

	CHECK(pipe(up) == 0);
	c = fork_in(CLONE_NEWPID);
	CHECK(c >= 0);
	if (!c) {
		CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
		give(up[1]);
		while (sender == -1)
			usleep(1000);
		_exit(sender == 0 ? 0 : 1);
	}
	token(up[0]);
	CHECK(kill(c, SIGUSR1) == 0);
	CHECK(status_of(c) == 0);
}

CASE(child_signal_has_parents_number)
{
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	pid_t c;

	CHECK(sigaction(SIGCHLD, &sa, NULL) == 0);
	sender = -1;
	c = fork_in(CLONE_NEWPID);
	if (!c)
		_exit(0);
	CHECK(status_of(c) == 0);
	for (int i = 0; i < 20000 && sender == -1; i++)
		usleep(1000);
	CHECK(sender == c);
}

CASE(kill_all_is_of_the_namespace)
{
	int up[2];
	pid_t other, init;

	CHECK(pipe(up) == 0);
	other = fork();
	if (!other) {
		give(up[1]);
		for (;;)
			pause();
	}
	token(up[0]);
	init = fork_in(CLONE_NEWPID);
	if (!init) {
		pid_t c;

		CHECK_ERR(kill(-1, SIGTERM), ESRCH); /* nobody but itself */
		c = fork();
		if (!c) {
			give(up[1]);
			for (;;)
				pause();
		}
		token(up[0]);
		CHECK(kill(-1, SIGTERM) == 0);
		CHECK(status_of(c) == SIGTERM);
		_exit(0);
	}
	CHECK(status_of(init) == 0);
	CHECK(waitpid(other, NULL, WNOHANG) == 0);
	kill(other, SIGKILL);
	CHECK(status_of(other) == SIGKILL);
}

/* --- /proc ------------------------------------------------------------------------ */

static void line_of(const char *file, const char *name, char *out, size_t size)
{
	FILE *f = fopen(file, "r");
	size_t len = strlen(name);
	char line[512];

	CHECK(f != NULL);
	*out = 0;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, name, len) && line[len] == ':')
			snprintf(out, size, "%.*s", (int)strcspn(line + len + 2, "\n"), line + len + 2);
	fclose(f);
}

static int numbers_in_proc(void)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	int n = 0;

	CHECK(d != NULL);
	while ((e = readdir(d)))
		n += e->d_name[0] >= '0' && e->d_name[0] <= '9';
	closedir(d);
	return n;
}

CASE(proc_of_the_namespace)
{
	char text[128], file[64], want[64];
	int up[2], down[2];
	pid_t c;

	CHECK(pipe(up) == 0 && pipe(down) == 0);
	c = fork_in(CLONE_NEWPID | CLONE_NEWNS);
	CHECK(c >= 0);
	if (!c) {
		ssize_t n;

		CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
		/* the outer one is still there, and does not know this number as self */
		CHECK(readlink("/proc/self", text, sizeof(text)) == -1 || atoi(text) != 1);
		CHECK(mount("proc", "/proc", "proc", 0, NULL) == 0);
		n = readlink("/proc/self", text, sizeof(text));
		CHECK(n == 1 && text[0] == '1');
		CHECK(numbers_in_proc() == 1);
		line_of("/proc/self/status", "NSpid", text, sizeof(text));
		CHECK(!strcmp(text, "1"));
		line_of("/proc/self/status", "PPid", text, sizeof(text));
		CHECK(!strcmp(text, "0"));
		give(up[1]);
		token(down[0]);
		_exit(0);
	}
	token(up[0]);
	snprintf(file, sizeof(file), "/proc/%d/status", c);
	snprintf(want, sizeof(want), "%d\t1", c);
	line_of(file, "NSpid", text, sizeof(text));
	CHECK(strlen(text) >= strlen(want) && !strcmp(text + strlen(text) - strlen(want), want));
	line_of(file, "NStgid", text, sizeof(text));
	CHECK(!strcmp(text + strlen(text) - strlen(want), want));
	give(down[1]);
	CHECK(status_of(c) == 0);
}

/* --- /proc/PID/ns ------------------------------------------------------------------- */

static void ns_name(const char *who, const char *kind, char out[64])
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%s/ns/%s", who, kind);
	n = readlink(link, out, 63);
	CHECK(n > 0);
	out[n] = 0;
}

CASE(ns_links)
{
	static const char *const kinds[] = { "ipc", "mnt", "net", "pid", "user", "uts", "cgroup" };
	char name[64], want[64], link[64];
	struct stat st, st2;

	for (size_t i = 0; i < 7; i++) {
		ns_name("self", kinds[i], name);
		snprintf(link, sizeof(link), "/proc/self/ns/%s", kinds[i]);
		CHECK(stat(link, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 07777) == 0444);
		snprintf(want, sizeof(want), "%s:[%llu]", kinds[i], (unsigned long long)st.st_ino);
		CHECK(!strcmp(name, want));
		snprintf(link, sizeof(link), "/proc/thread-self/ns/%s", kinds[i]);
		CHECK(stat(link, &st2) == 0 && st.st_ino == st2.st_ino && st.st_dev == st2.st_dev);
	}
	ns_name("self", "pid_for_children", name);
	ns_name("self", "pid", want);
	CHECK(!strcmp(name, want));
}

CASE(ns_links_differ)
{
	static const struct {
		const char *kind;
		int flag;
	} all[] = { { "uts", CLONE_NEWUTS }, { "ipc", CLONE_NEWIPC }, { "mnt", CLONE_NEWNS } };
	char before[64], after[64];

	for (size_t i = 0; i < 3; i++) {
		ns_name("self", all[i].kind, before);
		IN_CHILD(0, {
			ns_name("self", all[i].kind, after);
			CHECK(!strcmp(before, after));
			CHECK(unshare(all[i].flag) == 0);
			ns_name("self", all[i].kind, after);
			CHECK(strcmp(before, after) != 0);
		});
		ns_name("self", all[i].kind, after);
		CHECK(!strcmp(before, after));
	}
}

CASE(pid_for_children)
{
	char own[64], child[64];
	pid_t c;

	CHECK(unshare(CLONE_NEWPID) == 0);
	/* there is none as long as nobody is in it */
	CHECK_ERR(readlink("/proc/self/ns/pid_for_children", own, sizeof(own)), ENOENT);
	c = fork();
	if (!c) {
		for (;;)
			pause();
	}
	ns_name("self", "pid", own);
	ns_name("self", "pid_for_children", child);
	CHECK(strcmp(own, child) != 0);
	kill(c, SIGKILL);
	CHECK(status_of(c) == SIGKILL);
}

CASE(ns_ioctls)
{
	int fd = open("/proc/self/ns/uts", O_RDONLY), up;
	uid_t uid;

	CHECK(fd >= 0);
	CHECK(ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWUTS);
	CHECK_ERR(ioctl(fd, NS_GET_PARENT), EINVAL);
	CHECK_ERR(ioctl(fd, NS_GET_OWNER_UID, &uid), EINVAL);
	up = ioctl(fd, NS_GET_USERNS);
	CHECK(up >= 0 && ioctl(up, NS_GET_NSTYPE) == CLONE_NEWUSER);
	close(up);
	close(fd);
	fd = open("/proc/self/ns/pid", O_RDONLY);
	CHECK(fd >= 0 && ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWPID);
	CHECK_ERR(ioctl(fd, NS_GET_PARENT), EPERM);
	close(fd);
	CHECK(unshare(CLONE_NEWPID) == 0);
	if (!fork())
		_exit(0);
	fd = open("/proc/self/ns/pid_for_children", O_RDONLY);
	CHECK(fd >= 0);
	up = ioctl(fd, NS_GET_PARENT);
	CHECK(up >= 0 && ioctl(up, NS_GET_NSTYPE) == CLONE_NEWPID);
}

/* --- setns ----------------------------------------------------------------------------- */

/* A child that waits in namespaces of its own; *out is opened below /proc/PID/ns. */
static pid_t holder(unsigned long flags, const char *kind, int *out, int hold[2])
{
	char link[64];
	int up[2];
	pid_t c;

	CHECK(pipe(up) == 0 && pipe(hold) == 0);
	c = fork_in(flags);
	CHECK(c >= 0);
	if (!c) {
		close(hold[1]);
		if (flags & CLONE_NEWUTS)
			CHECK(sethostname("inner", 5) == 0);
		if (flags & CLONE_NEWIPC)
			CHECK(shmget(4711, 4096, IPC_CREAT | IPC_EXCL | 0600) >= 0);
		give(up[1]);
		(void)!read(hold[0], up, 1);
		_exit(0);
	}
	token(up[0]);
	snprintf(link, sizeof(link), "/proc/%d/ns/%s", c, kind);
	*out = open(link, O_RDONLY | O_CLOEXEC);
	CHECK(*out >= 0);
	return c;
}

CASE(setns_uts)
{
	char before[65], now[65];
	int fd, hold[2], own = open("/proc/self/ns/uts", O_RDONLY);
	pid_t c;

	CHECK(gethostname(before, 65) == 0 && strcmp(before, "inner") != 0);
	c = holder(CLONE_NEWUTS, "uts", &fd, hold);
	CHECK_ERR(setns(fd, CLONE_NEWIPC), EINVAL);
	CHECK(setns(fd, CLONE_NEWUTS) == 0);
	CHECK(gethostname(now, 65) == 0 && !strcmp(now, "inner"));
	close(hold[1]);
	CHECK(status_of(c) == 0);
	/* the descriptor keeps it alive */
	CHECK(setns(own, 0) == 0 && setns(fd, 0) == 0);
	CHECK(gethostname(now, 65) == 0 && !strcmp(now, "inner"));
	CHECK(setns(own, 0) == 0);
	CHECK(gethostname(now, 65) == 0 && !strcmp(now, before));
}

CASE(setns_ipc)
{
	int fd, hold[2];
	pid_t c = holder(CLONE_NEWIPC, "ipc", &fd, hold);

	CHECK_ERR(shmget(4711, 4096, 0), ENOENT);
	CHECK(setns(fd, CLONE_NEWIPC) == 0);
	CHECK(shmget(4711, 4096, 0) >= 0);
	close(hold[1]);
	CHECK(status_of(c) == 0);
}

CASE(setns_pid)
{
	int fd, hold[2];
	pid_t c = holder(CLONE_NEWPID, "pid", &fd, hold), me = getpid(), d;
	char link[64];

	CHECK(setns(fd, CLONE_NEWPID) == 0);
	CHECK(getpid() == me);
	d = fork();
	if (!d) {
		CHECK(getpid() == 2 && getppid() == 0);
		CHECK(kill(1, 0) == 0);
		CHECK(setns(open("/proc/self/ns/pid", O_RDONLY), 0) == 0);
		/* one that is above can be seen in a /proc of above, but not entered */
		snprintf(link, sizeof(link), "/proc/%d/ns/pid", me);
		CHECK_ERR(setns(open(link, O_RDONLY), 0), EINVAL);
		_exit(0);
	}
	CHECK(status_of(d) == 0);
	close(hold[1]);
	CHECK(status_of(c) == 0);
	CHECK_ERR(fork(), ENOMEM);
}

CASE(setns_mount)
{
	struct stat st;
	int fd, hold[2];
	char dir[] = "/tmp/nstest.XXXXXX", file[64];
	pid_t c;

	CHECK(mkdtemp(dir) != NULL);
	snprintf(file, sizeof(file), "%s/here", dir);
	c = holder(CLONE_NEWNS, "mnt", &fd, hold);
	IN_CHILD(0, {
		CHECK(setns(fd, CLONE_NEWNS) == 0);
		CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
		CHECK(mount("tmpfs", dir, "tmpfs", 0, NULL) == 0);
		CHECK(close(open(file, O_CREAT | O_WRONLY, 0600)) == 0);
		IN_CHILD(0, CHECK(stat(file, &st) == 0));
	});
	CHECK_ERR(stat(file, &st), ENOENT);
	IN_CHILD(0, {
		CHECK(setns(fd, CLONE_NEWNS) == 0);
		CHECK(stat(file, &st) == 0);
	});
	close(hold[1]);
	close(fd);
	CHECK(status_of(c) == 0);
	CHECK(rmdir(dir) == 0);
}

CASE(setns_by_pidfd)
{
	char now[65];
	int fd, hold[2], pidfd;
	pid_t c = holder(CLONE_NEWUTS | CLONE_NEWIPC, "uts", &fd, hold);

	pidfd = (int)syscall(SYS_pidfd_open, c, 0);
	CHECK(pidfd >= 0);
	CHECK_ERR(setns(pidfd, 0), EINVAL);
	CHECK(setns(pidfd, CLONE_NEWUTS | CLONE_NEWIPC) == 0);
	CHECK(gethostname(now, 65) == 0 && !strcmp(now, "inner"));
	CHECK(shmget(4711, 4096, 0) >= 0);
	close(hold[1]);
	CHECK(status_of(c) == 0);
}

CASE(setns_errors)
{
	int p[2], fd;

	CHECK(pipe(p) == 0);
	CHECK_ERR(setns(p[0], 0), EINVAL);
	CHECK_ERR(setns(1000, 0), EBADF);
	fd = open("/proc/self/ns/user", O_RDONLY);
	CHECK(fd >= 0);
	CHECK_ERR(setns(fd, 0), EINVAL);
}

CASE(mqueues_are_apart)
{
	int q = (int)syscall(SYS_mq_open, "nstest", O_CREAT | O_EXCL | O_RDWR, 0600, NULL);

	CHECK(q >= 0);
	IN_CHILD(CLONE_NEWIPC, {
		CHECK_ERR(syscall(SYS_mq_open, "nstest", O_RDWR, 0, NULL), ENOENT);
		CHECK(syscall(SYS_mq_open, "nstest", O_CREAT | O_EXCL | O_RDWR, 0600, NULL) >= 0);
	});
	CHECK(syscall(SYS_mq_unlink, "nstest") == 0);
	CHECK_ERR(syscall(SYS_mq_unlink, "nstest"), ENOENT);
}

/* --- who may ------------------------------------------------------------------------------ */

CASE(needs_capability)
{
	int fd = open("/proc/self/ns/uts", O_RDONLY);

	CHECK(setresuid(12345, 12345, 12345) == 0);
	CHECK_ERR(unshare(CLONE_NEWPID), EPERM);
	CHECK_ERR(unshare(CLONE_NEWUTS), EPERM);
	CHECK_ERR(unshare(CLONE_NEWIPC), EPERM);
	CHECK_ERR(unshare(CLONE_NEWNS), EPERM);
	CHECK_ERR(fork_in(CLONE_NEWPID), EPERM);
	CHECK_ERR(setns(fd, 0), EPERM);
	CHECK(unshare(CLONE_FS | CLONE_FILES) == 0);
}

CASE(impossible_flags)
{
	CHECK_ERR(fork_in(CLONE_NEWPID | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM), EINVAL);
	CHECK_ERR(fork_in(CLONE_NEWNS | CLONE_FS), EINVAL);
	CHECK_ERR(fork_in(CLONE_NEWIPC | CLONE_SYSVSEM), EINVAL);
	IN_CHILD(CLONE_NEWPID, CHECK_ERR(fork_in(CLONE_PARENT), EINVAL));
}

CASE(uts_is_apart)
{
	char name[65], domain[65];

	CHECK(gethostname(name, 65) == 0);
	IN_CHILD(CLONE_NEWUTS, {
		CHECK(gethostname(domain, 65) == 0 && !strcmp(name, domain)); /* a copy */
		CHECK(sethostname("other", 5) == 0);
		CHECK(setdomainname("dom", 3) == 0);
		CHECK(gethostname(domain, 65) == 0 && !strcmp(domain, "other"));
	});
	CHECK(gethostname(domain, 65) == 0 && !strcmp(name, domain));
}

/* What poll says of a file of /proc that tells of changes. */
static int told(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLPRI };

	CHECK(poll(&p, 1, 0) == 1 && p.revents & POLLIN);
	return p.revents & POLLPRI && p.revents & POLLERR;
}

CASE(mounts_told)
{
	char dir[] = "/tmp/mountsXXXXXX";
	struct epoll_event e = { .events = EPOLLPRI | EPOLLET };
	int info, mounts, ep;

	CHECK(mkdtemp(dir) && !unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK((info = open("/proc/self/mountinfo", O_RDONLY)) >= 0 && (mounts = open("/proc/mounts", O_RDONLY)) >= 0);
	CHECK((ep = epoll_create1(0)) >= 0 && !epoll_ctl(ep, EPOLL_CTL_ADD, info, &e));
	CHECK(!told(info) && !told(mounts) && epoll_wait(ep, &e, 1, 0) == 0);
	CHECK(!mount("none", dir, "tmpfs", 0, NULL));
	CHECK(epoll_wait(ep, &e, 1, -1) == 1 && e.events & EPOLLPRI);
	CHECK(told(mounts) && !told(mounts)); /* once */
	CHECK(!umount(dir));
	CHECK(told(info) && told(mounts));
	/* what happens in another namespace is not told here */
	IN_CHILD(CLONE_NEWNS, CHECK(!mount("none", dir, "tmpfs", 0, NULL)));
	CHECK(!told(mounts));
	CHECK(!rmdir(dir));
}

CASE(hostname_told)
{
	struct pollfd p = { .events = POLLPRI };

	CHECK(!unshare(CLONE_NEWUTS) && (p.fd = open("/proc/sys/kernel/hostname", O_RDONLY)) >= 0);
	CHECK(poll(&p, 1, 0) == 0);
	CHECK(!sethostname("other", 5));
	CHECK(poll(&p, 1, -1) == 1 && p.revents & POLLPRI && p.revents & POLLERR);
	CHECK(poll(&p, 1, 0) == 0);
}

/* What was a mount point, and is none any more, can be removed: a container engine's helper, that has unpacked an image. */
CASE(a_new_root_is_left)
{
	char dir[] = "/tmp/pivot-XXXXXX";

	CHECK(mkdtemp(dir));
	IN_CHILD(CLONE_NEWNS, {
		CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 && mount(dir, dir, NULL, MS_BIND, NULL) == 0);
		CHECK(chdir(dir) == 0 && syscall(SYS_pivot_root, ".", ".") == 0 && umount2(".", MNT_DETACH) == 0);
		CHECK(chdir("/") == 0);
	});
	CHECK(rmdir(dir) == 0);
}

int main(void)
{
	return run_cases();
}
