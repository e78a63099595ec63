/*
 * test_confine.c - confinement applied for real, in forked children, and
 * looked at from inside and through /proc.  Needs root or unprivileged user
 * namespaces; what root alone can test is skipped for others.
 */
#include "check_main.h"

#include "libipc/confine.h"
#include "libipc/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ALL_NAMESPACES (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)

static const struct policy_rule rules[] = {
	{ "close", { { 0 } }, "test" },
	{ "dup", { { POLICY_LE, 0, 2, 0 } }, "test" },
	{ "exit_group", { { 0 } }, "test" },
	{ "fcntl", { { POLICY_EQ, 1, F_GETFD, 0 } }, "test" },
	{ "fcntl", { { POLICY_EQ, 0, 1, 0 }, { POLICY_EQ, 1, F_GETFL, 0 } }, "test" },
	{ "lseek", { { POLICY_NE, 2, SEEK_END, 0 } }, "test" },
	{ "mprotect", { { POLICY_MASKED_EQ, 2, 0, PROT_EXEC } }, "test" },
	{ "read", { { 0 } }, "test" },
	{ "write", { { 0 } }, "test" },
};
/* what the sanitizers' run-time does at exit and in between */
static const struct policy_rule sanitizer_rules[] = {
	{ "futex", { { 0 } }, "sanitizer" },
	{ "getpid", { { 0 } }, "sanitizer" },
	{ "madvise", { { 0 } }, "sanitizer" },
	{ "mmap", { { POLICY_MASKED_EQ, 2, 0, PROT_EXEC } }, "sanitizer" },
	{ "munmap", { { 0 } }, "sanitizer" },
	{ "sched_yield", { { 0 } }, "sanitizer" },
	{ "sigaltstack", { { 0 } }, "sanitizer" },
};
static const struct policy_rlimit limits[] = { { RLIMIT_NOFILE, 100, "test" }, { RLIMIT_CORE, 0, "test" } };
static const char *const caps[] = { "cap_chown", "cap_dac_override", NULL };

static struct policy nobody_policy(void)
{
	return (struct policy){ "test", ALL_NAMESPACES, POLICY_USER_NOBODY, POLICY_ROOT_EMPTY, NULL, limits, 2, rules,
		sizeof rules / sizeof rules[0], sanitizer_rules, sizeof sanitizer_rules / sizeof sanitizer_rules[0] };
}

/* Runs body in a child that has entered p; its wait status. */
static int confined(const struct policy *p, const struct confine_opts *o, int (*body)(void))
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		struct err *e = confine_enter(p, o);
		if (e) {
			dprintf(2, "%s\n", err_text(e));
			_exit(99);
		}
		_exit(body());
	}
	waitpid(pid, &status, 0);
	return status;
}

static int exited(int n)
{
	return n << 8;
}

/* --- from inside ---------------------------------------------------------------- */

static int proc_fd = -1; /* of "/proc", opened before */

static uint64_t status_field(const char *name, int base)
{
	char buf[8192];
	int fd = openat(proc_fd, "thread-self/status", O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, buf, sizeof buf - 1);
	buf[n < 0 ? 0 : n] = 0;
	char *p = strstr(buf, name);
	close(fd);
	return p ? strtoull(p + strlen(name), NULL, base) : 0xdead;
}

static int inside_nobody(void)
{
	struct stat st;
	int n = 0, bad = 0;
	DIR *d = opendir("/");
	while (d && readdir(d))
		n++;
	bad |= (n != 2) << 0; /* . and .. */
	bad |= (mkdir("/x", 0700) == 0 || errno != EROFS) << 1;
	bad |= (open("/proc", O_RDONLY) >= 0) << 2;
	bad |= (chdir("..") < 0 || stat(".", &st) < 0 || stat("/", &st) < 0) << 3;
	bad |= (getpid() != 1) << 4;
	bad |= (getgroups(0, NULL) != 0) << 5;
	struct rlimit r;
	getrlimit(RLIMIT_NOFILE, &r);
	bad |= (r.rlim_cur != 100 || r.rlim_max != 100) << 6;
	return bad;
}

START_TEST(empty_root)
{
	struct policy p = nobody_policy();
	ck_assert_int_eq(confined(&p, NULL, inside_nobody), 0);
}
END_TEST

/* /proc of the old root is kept open by the test: the pid namespace is new, so
 * thread-self is not there; without one it is. */
static int inside_caps(void)
{
	int bad = 0;
	bad |= (status_field("CapInh:\t", 16) != 0) << 0;
	bad |= (status_field("CapPrm:\t", 16) != 0) << 1;
	bad |= (status_field("CapEff:\t", 16) != 0) << 2;
	bad |= (status_field("CapBnd:\t", 16) != 0) << 3;
	bad |= (status_field("CapAmb:\t", 16) != 0) << 4;
	bad |= (geteuid() == 0 || getuid() != geteuid() || getegid() == 0) << 5;
	bad |= (prctl(PR_GET_DUMPABLE) != 1) << 6;
	return bad;
}

START_TEST(no_capabilities)
{
	struct policy p = nobody_policy();
	p.namespaces &= ~(unsigned)CLONE_NEWPID;
	proc_fd = open("/proc", O_PATH);
	ck_assert_int_eq(confined(&p, NULL, inside_caps), 0);
	close(proc_fd);
}
END_TEST

/* Which of the shared namespaces, as numbers in three files of /proc, are other
 * than they were before confine_enter: a bit each. */
static ino_t ns_before[3];

static ino_t ns_number(int i)
{
	static const char *const names[] = { "thread-self/ns/net", "thread-self/ns/ipc", "thread-self/ns/uts" };
	struct stat st;
	return fstatat(proc_fd, names[i], &st, 0) < 0 ? 0 : st.st_ino;
}

static int inside_changed(void)
{
	int changed = 0;
	for (int i = 0; i < 3; i++)
		changed |= (ns_number(i) != ns_before[i]) << i;
	return changed;
}

/* In a child: the namespaces in `make` are made first, lo brought up if asked. */
static int made_outside(int make, bool lo_up)
{
	struct policy p = nobody_policy();
	const struct confine_opts o = { .namespaces_made = true };
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	p.namespaces &= ~(unsigned)CLONE_NEWPID;
	p.user = POLICY_USER_KEEP;
	pid_t pid = fork();
	int status;
	if (pid == 0) {
		proc_fd = open("/proc", O_PATH);
		if (make && unshare(make) < 0)
			_exit(98);
		if (lo_up && ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCSIFFLAGS, &lo) < 0)
			_exit(97);
		for (int i = 0; i < 3; i++)
			ns_before[i] = ns_number(i);
		_exit(confined(&p, &o, inside_changed) >> 8);
	}
	waitpid(pid, &status, 0);
	return status;
}

START_TEST(made_namespaces)
{
	const int all = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(made_outside(all, false), exited(0));
	ck_assert_int_eq(made_outside(0, false), exited(7)); /* the host's */
	ck_assert_int_eq(made_outside(all, true), exited(7)); /* somebody uses it */
	ck_assert_int_eq(made_outside(CLONE_NEWNET, false), exited(7)); /* the others are the host's */
}
END_TEST

static int inside_kept_caps(void)
{
	int bad = 0;
	bad |= (status_field("CapPrm:\t", 16) != 3) << 0;
	bad |= (status_field("CapEff:\t", 16) != 3) << 1;
	bad |= (status_field("CapBnd:\t", 16) != 0) << 2;
	bad |= (status_field("CapInh:\t", 16) != 0) << 3;
	bad |= (access("/marker", F_OK) < 0) << 4;
	bad |= (access("/proc", F_OK) == 0) << 5;
	bad |= (prctl(PR_GET_DUMPABLE) != 0) << 6;
	return bad;
}

START_TEST(given_root_and_kept_caps)
{
	char dir[] = "/tmp/test_confine.XXXXXX", marker[64];
	struct policy p = nobody_policy();
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(marker, sizeof marker, "%s/marker", dir);
	close(open(marker, O_CREAT | O_WRONLY, 0600));
	p.user = POLICY_USER_KEEP;
	p.root = POLICY_ROOT_GIVEN;
	p.caps = caps;
	p.namespaces &= ~(unsigned)CLONE_NEWPID;
	struct confine_opts o = { .root = dir };
	proc_fd = open("/proc", O_PATH);
	ck_assert_int_eq(confined(&p, &o, inside_kept_caps), 0);
	close(proc_fd);
	error_is(confine_enter(&p, NULL), "confining the test: no root was given: Invalid argument");
	unlink(marker);
	rmdir(dir);
}
END_TEST

START_TEST(missing_root)
{
	struct policy p = nobody_policy();
	struct confine_opts o = { .root = "/nonexistent" };
	p.user = POLICY_USER_KEEP;
	p.root = POLICY_ROOT_GIVEN;
	pid_t pid = fork();
	if (pid == 0) {
		struct err *e = confine_enter(&p, &o);
		_exit(e && strstr(err_text(e), "root /nonexistent: No such file") ? 0 : 1);
	}
	int status;
	waitpid(pid, &status, 0);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* The same as a plain user. */
START_TEST(as_a_user)
{
	int status;
	if (geteuid() != 0)
		return;
	pid_t pid = fork();
	if (pid == 0) {
		struct policy p = nobody_policy();
		if (setgid(1234) < 0 || setuid(1234) < 0 || prctl(PR_SET_DUMPABLE, 1) < 0)
			_exit(98);
		/* some hosts forbid it: then there is nothing to test */
		pid_t probe = fork();
		if (probe == 0)
			_exit(unshare(CLONE_NEWUSER) < 0);
		waitpid(probe, &status, 0);
		if (status)
			_exit(0);
		status = confined(&p, NULL, inside_nobody);
		/* additional groups cannot be dropped without privilege */
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) & ~(1 << 5) : 97);
	}
	waitpid(pid, &status, 0);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* As the only id of a user namespace, as `unshare -r` and some containers have it. */
START_TEST(as_a_lone_root)
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		struct policy p = nobody_policy();
		int fd;
		if (unshare(CLONE_NEWUSER) < 0)
			_exit(0);
		if ((fd = open("/proc/self/setgroups", O_WRONLY)) < 0 || write(fd, "deny", 4) != 4 || (fd = open("/proc/self/uid_map", O_WRONLY)) < 0 ||
			write(fd, "0 0 1", 5) != 5 || (fd = open("/proc/self/gid_map", O_WRONLY)) < 0 || write(fd, "0 0 1", 5) != 5)
			_exit(geteuid() == 0 ? 98 : 0);
		status = confined(&p, NULL, inside_nobody);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) & ~(1 << 5) : 97);
	}
	waitpid(pid, &status, 0);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* --- the filter ------------------------------------------------------------------ */

static const struct policy *seal_policy;

/* A child that seals itself, then makes one call: its wait status. */
static int sealed(long nr, long a, long b, long c)
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		struct policy p = nobody_policy();
		struct err *e = confine_seal(seal_policy ? seal_policy : &p);
		if (e)
			_exit(99);
		syscall(nr, a, b, c);
		_exit(7);
	}
	waitpid(pid, &status, 0);
	return status & ~0x80; /* with or without a core file */
}

START_TEST(filter)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long at = (long)page;
	ck_assert_int_eq(sealed(SYS_close, 77, 0, 0), exited(7));
	ck_assert_int_eq(sealed(SYS_getppid, 0, 0, 0), SIGSYS);
	ck_assert_int_eq(sealed(SYS_openat, -1, 0, 0), SIGSYS);
	ck_assert_int_eq(sealed(SYS_socket, 1, 1, 0), SIGSYS);
	/* one check: LE, NE, MASKED_EQ */
	ck_assert_int_eq(sealed(SYS_dup, 2, 0, 0), exited(7));
	ck_assert_int_eq(sealed(SYS_dup, 3, 0, 0), SIGSYS);
	ck_assert_int_eq(sealed(SYS_lseek, 77, 0, SEEK_SET), exited(7));
	ck_assert_int_eq(sealed(SYS_lseek, 77, 0, SEEK_END), SIGSYS);
	ck_assert_int_eq(sealed(SYS_mprotect, at, 4096, PROT_READ), exited(7));
	ck_assert_int_eq(sealed(SYS_mprotect, at, 4096, PROT_READ | PROT_EXEC), SIGSYS);
	/* rows are alternatives, checks of a row hold together */
	ck_assert_int_eq(sealed(SYS_fcntl, 77, F_GETFD, 0), exited(7));
	ck_assert_int_eq(sealed(SYS_fcntl, 1, F_GETFL, 0), exited(7));
	ck_assert_int_eq(sealed(SYS_fcntl, 2, F_GETFL, 0), SIGSYS);
	ck_assert_int_eq(sealed(SYS_fcntl, 1, F_DUPFD, 0), SIGSYS);
	/* other architectures' entries: x32 */
	ck_assert_int_eq(sealed(0x40000000 | SYS_close, 77, 0, 0), SIGSYS);
	munmap(page, 4096);
}
END_TEST

START_TEST(no_new_privs)
{
	pid_t pid = fork();
	if (pid == 0) {
		struct policy_rule more[] = { { "exit_group", { { 0 } }, "x" }, { "prctl", { { 0 } }, "x" } };
		struct policy p = nobody_policy();
		p.rules = more;
		p.n_rules = 2;
		err_free(confine_seal(&p));
		_exit(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && prctl(PR_GET_SECCOMP) == 2 ? 0 : 1);
	}
	int status;
	waitpid(pid, &status, 0);
	ck_assert_int_eq(status, 0);
}
END_TEST

static int open_dir_and_stat(void)
{
	return 0;
}

START_TEST(a_broken_table_is_an_error)
{
	struct policy_rule bad[] = { { "nosuchcall", { { 0 } }, "x" } };
	struct policy p = nobody_policy();
	p.rules = bad;
	p.n_rules = 1;
	pid_t pid = fork();
	if (pid == 0) {
		struct err *e = confine_seal(&p);
		_exit(!e || strcmp(err_text(e), "sealing the test: unknown system call nosuchcall: Invalid argument") != 0);
	}
	int status;
	waitpid(pid, &status, 0);
	ck_assert_int_eq(status, 0);
	p = nobody_policy();
	p.namespaces = CLONE_NEWNET;
	ck_assert_int_eq(confined(&p, NULL, open_dir_and_stat), exited(99));
}
END_TEST

/* --- the process outside ---------------------------------------------------------- */

static int ready[2];

static _Noreturn int sleeps(void)
{
	if (write(ready[1], "x", 1) != 1)
		_exit(96);
	for (;;)
		pause();
}

static void caught(int sig)
{
	_exit(42);
}

static int handles_term(void)
{
	signal(SIGTERM, caught);
	return sleeps();
}

static int dies(void)
{
	signal(SIGUSR1, SIG_DFL);
	/* pid 1 cannot kill itself by a default action, so by a fault */
	volatile int *volatile nowhere = (volatile int *)8;
	*nowhere = 1;
	return 0;
}

static int answers_7(void)
{
	return 7;
}

static pid_t start(int (*body)(void))
{
	char c;
	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct policy p = nobody_policy();
		/* not the test runner's handlers, which end its whole process group */
		signal(SIGTERM, SIG_DFL);
		signal(SIGINT, SIG_DFL);
		signal(SIGALRM, SIG_DFL);
		struct err *e = confine_enter(&p, NULL);
		_exit(e ? 99 : body());
	}
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	return pid;
}

/* All ends of the pipe are closed: the child is gone too. */
static void child_is_gone(void)
{
	char c;
	alarm(30);
	ck_assert_int_eq(read(ready[0], &c, 1), 0);
	close(ready[0]);
}

START_TEST(statuses_pass)
{
	struct policy p = nobody_policy();
	ck_assert_int_eq(confined(&p, NULL, answers_7), exited(7));
#ifndef REDOUBT_SANITIZE /* it would report the fault */
	ck_assert_int_eq(confined(&p, NULL, dies) & 0x7f, SIGSEGV);
#else
	(void)dies;
#endif
}
END_TEST

START_TEST(signals_pass)
{
	int status;
	pid_t pid = start(handles_term);
	kill(pid, SIGWINCH); /* harmless by default */
	kill(pid, SIGTERM);
	waitpid(pid, &status, 0);
	ck_assert_int_eq(status, exited(42));
	child_is_gone();
	/* without a handler the default action happens all the same */
	pid = start(sleeps);
	kill(pid, SIGTERM);
	waitpid(pid, &status, 0);
	ck_assert(WIFSIGNALED(status));
	child_is_gone();
}
END_TEST

START_TEST(dies_with_the_parent)
{
	int status;
	pid_t pid = start(sleeps);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	child_is_gone();
}
END_TEST

/* What the one outside still holds. */
START_TEST(parent_is_confined_too)
{
	int status;
	char path[64], buf[8192];
	pid_t pid = start(sleeps);
	snprintf(path, sizeof path, "/proc/%d/status", pid);
	/* it confines itself at the same time as the child goes on */
	for (int i = 0; i < 20000; i++) {
		int fd = open(path, O_RDONLY);
		ssize_t n = read(fd, buf, sizeof buf - 1);
		buf[n < 0 ? 0 : n] = 0;
		close(fd);
		if (strstr(buf, "Seccomp:\t2"))
			break;
		usleep(1000);
	}
	ck_assert_ptr_nonnull(strstr(buf, "Seccomp:\t2"));
	ck_assert_ptr_nonnull(strstr(buf, "NoNewPrivs:\t1"));
	ck_assert_ptr_nonnull(strstr(buf, "CapEff:\t0000000000000000"));
	ck_assert_ptr_nonnull(strstr(buf, "CapBnd:\t0000000000000000"));
	snprintf(path, sizeof path, "/proc/%d/fd", pid);
	DIR *d = opendir(path);
	int n = 0;
	while (readdir(d))
		n++;
	closedir(d);
	ck_assert_int_le(n, 2 + 4); /* . .. 0 1 2 and the child's status */
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	child_is_gone();
}
END_TEST

START_TEST(is_fast)
{
	struct policy p = nobody_policy();
	double best = 1e9;
	for (int i = 0; i < 10; i++) {
		struct timespec t0, t1;
		clock_gettime(CLOCK_MONOTONIC, &t0);
		ck_assert_int_eq(confined(&p, NULL, answers_7), exited(7));
		clock_gettime(CLOCK_MONOTONIC, &t1);
		double ms = (double)(t1.tv_sec - t0.tv_sec) * 1e3 + (double)(t1.tv_nsec - t0.tv_nsec) / 1e6;
		best = ms < best ? ms : best;
	}
	printf("confine: fork, enter, exit: %.2f ms\n", best);
}
END_TEST

/* The thread sanitizer's fork() starts a second thread in the child, and a process of
 * several threads may make no user namespace. */
#ifdef __SANITIZE_THREAD__
#define CAN_ENTER false
#else
#define CAN_ENTER true
#endif

int main(void)
{
	const TTest *const tests[] = { made_namespaces, given_root_and_kept_caps, missing_root, as_a_user, as_a_lone_root, filter, no_new_privs,
		a_broken_table_is_an_error,
		/* those that enter stand last: the list ends before them where none can */
		CAN_ENTER ? empty_root : NULL, no_capabilities, statuses_pass, signals_pass, dies_with_the_parent, parent_is_confined_too, is_fast, NULL };
	return check_main("confine", tests);
}
