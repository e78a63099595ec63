/*
 * cgroups.c - control groups as programs make them: a cgroup2 of one's own (natively the machine's), groups below the
 * one that the test is in, who is in them, limits, an end, a stop, and how to hear of it.
 */
#include "../test.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

static char top[64]; /* the test's own group; with its groups removed at the case's end */
static pid_t maker;

static char *path_of(const char *group, const char *file)
{
	static char paths[4][512];
	static unsigned at;
	char *p = paths[at++ % 4];

	snprintf(p, sizeof(paths[0]), "%s%s%s%s%s", top, *group ? "/" : "", group, *file ? "/" : "", file);
	return p;
}

static ssize_t write_to(const char *group, const char *file, const char *text)
{
	int fd = open(path_of(group, file), O_WRONLY), e;
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	e = errno;
	if (fd >= 0)
		close(fd);
	errno = e;
	return n < 0 ? -1 : 0;
}

static const char *read_from(const char *group, const char *file)
{
	static char text[4096];
	int fd = open(path_of(group, file), O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n < 0 ? 0 : n] = 0;
	return n < 0 ? NULL : text;
}

static int put(const char *group, pid_t p)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", p);
	return (int)write_to(group, "cgroup.procs", text);
}

static void clean(void)
{
	static const char *const below[] = { "a/b/c", "a/b", "a", "b", "t", "" };

	if (getpid() != maker)
		return;
	put("..", 0); /* out of what is removed */
	for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++)
		rmdir(path_of(below[i], ""));
}

static void begin(void)
{
	struct statfs s;

	strcpy(top, "/mnt"); /* the case's own: nothing is left of it */
	CHECK(!unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	umount2(top, MNT_DETACH); /* a first one's */
	CHECK(!mount("cgroup2", top, "cgroup2", 0, NULL));
	CHECK(!statfs(top, &s) && s.f_type == 0x63677270);
	sprintf(top + strlen(top), "/redoubt%d", getpid());
	CHECK(!mkdir(top, 0755));
	maker = getpid();
	atexit(clean);
}

static pid_t sleeper(void)
{
	pid_t p = fork();

	CHECK(p >= 0);
	if (!p)
		for (;;)
			pause();
	return p;
}

static void end(pid_t p)
{
	CHECK(!kill(p, SIGKILL) && waitpid(p, NULL, 0) == p);
}

static int has(const char *text, const char *line)
{
	return text && strstr(text, line) != NULL;
}

CASE(made_and_removed)
{
	struct stat st;

	begin();
	CHECK(!mkdir(path_of("a", ""), 0755) && !mkdir(path_of("a/b", ""), 0700));
	CHECK(!stat(path_of("a", ""), &st) && S_ISDIR(st.st_mode) && st.st_nlink == 3 && (st.st_mode & 07777) == 0755);
	CHECK(!stat(path_of("a", "cgroup.procs"), &st) && (st.st_mode & 07777) == 0644);
	CHECK(!stat(path_of("a", "cgroup.controllers"), &st) && (st.st_mode & 07777) == 0444);
	CHECK(!stat(path_of("a", "cgroup.kill"), &st) && (st.st_mode & 07777) == 0200);
	CHECK(!strcmp(read_from("a", "cgroup.type"), "domain\n"));
	CHECK(has(read_from("", "cgroup.stat"), "nr_descendants 2\n"));
	CHECK(!strcmp(read_from("a", "cgroup.procs"), ""));
	CHECK(has(read_from("a", "cgroup.events"), "populated 0\nfrozen 0\n"));
	CHECK_ERR(mkdir(path_of("a", ""), 0755), EEXIST);
	CHECK_ERR(rmdir(path_of("a", "")), EBUSY);
	CHECK_ERR(unlink(path_of("a", "cgroup.procs")), EPERM);
	CHECK_ERR(rename(path_of("a/b", ""), path_of("b", "")), EPERM);
	CHECK_ERR(open(path_of("a", "mine"), O_CREAT | O_WRONLY, 0644), EACCES);
	CHECK_ERR(symlink("x", path_of("a", "mine")), EPERM);
	CHECK(!rmdir(path_of("a/b", "")) && !rmdir(path_of("a", "")));
	CHECK_ERR(stat(path_of("a", ""), &st), ENOENT);
}

CASE(gone_while_open)
{
	char buf[64];
	int fd, dir;

	begin();
	CHECK(!mkdir(path_of("a", ""), 0755));
	CHECK((fd = open(path_of("a", "cgroup.procs"), O_RDWR)) >= 0 && (dir = open(path_of("a", ""), O_RDONLY)) >= 0);
	CHECK(!rmdir(path_of("a", "")));
	CHECK_ERR(read(fd, buf, sizeof(buf)), ENODEV);
	CHECK_ERR(write(fd, "0", 1), ENODEV);
	CHECK_ERR(mkdirat(dir, "b", 0755), ENOENT);
	CHECK_ERR(openat(dir, "cgroup.procs", O_RDONLY), ENOENT);
	/* another of that name is another */
	CHECK(!mkdir(path_of("a", ""), 0755) && !put("a", 0));
	CHECK_ERR(read(fd, buf, sizeof(buf)), ENODEV);
	CHECK(!put("", 0));
}

static void check_own(pid_t p, const char *end_of)
{
	char name[40], line[256], *nl;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%d/cgroup", p);
	CHECK((f = fopen(name, "r")));
	do
		CHECK(fgets(line, sizeof(line), f));
	while (strncmp(line, "0::", 3));
	fclose(f);
	CHECK((nl = strchr(line, '\n')));
	*nl = 0;
	if (strlen(line) < strlen(end_of) || strcmp(line + strlen(line) - strlen(end_of), end_of))
		fprintf(stderr, "%d: %s, not %s\n", p, line, end_of);
	CHECK(strlen(line) >= strlen(end_of) && !strcmp(line + strlen(line) - strlen(end_of), end_of));
}

CASE(moved)
{
	char want[16], text[80];
	pid_t p;

	begin();
	CHECK(!mkdir(path_of("a", ""), 0755) && !mkdir(path_of("a/b", ""), 0755));
	p = sleeper();
	snprintf(want, sizeof(want), "%d\n", p);
	CHECK(!put("a/b", p));
	CHECK(!strcmp(read_from("a/b", "cgroup.procs"), want) && !strcmp(read_from("a/b", "cgroup.threads"), want));
	CHECK(!strcmp(read_from("a", "cgroup.procs"), ""));
	CHECK(has(read_from("a", "cgroup.events"), "populated 1\n") && has(read_from("a/b", "cgroup.events"), "populated 1\n"));
	snprintf(text, sizeof(text), "/redoubt%d/a/b", maker);
	check_own(p, text);
	CHECK_ERR(rmdir(path_of("a/b", "")), EBUSY);
	CHECK(!put("a", p));
	text[strlen(text) - 2] = 0;
	check_own(p, text);
	CHECK(has(read_from("a/b", "cgroup.events"), "populated 0\n"));
	CHECK_ERR(put("a", NO_PID), ESRCH);
	CHECK_ERR(write_to("a", "cgroup.procs", "x"), EINVAL);
	CHECK_ERR(write_to("a", "cgroup.procs", "-1"), EINVAL);
	CHECK_ERR(write_to("a", "cgroup.procs", "1 2"), EINVAL);
	CHECK_ERR(write_to("a", "cgroup.type", "x"), EINVAL);
	end(p);
	CHECK(has(read_from("a", "cgroup.events"), "populated 0\n"));
}

CASE(children_are_there_too)
{
	pid_t p;
	int s;

	begin();
	CHECK(!mkdir(path_of("a", ""), 0755));
	p = fork();
	if (!p) {
		pid_t c;

		CHECK(!put("a", 0));
		c = sleeper();
		check_own(c, "/a");
		CHECK(!put("", 0));
		check_own(c, "/a");
		end(c);
		_exit(0);
	}
	CHECK(waitpid(p, &s, 0) == p && !s);
	CHECK(!rmdir(path_of("a", "")));
}

CASE(dead_ones_do_not_keep_it)
{
	siginfo_t info;
	char name[32];
	pid_t p;

	begin();
	CHECK(!mkdir(path_of("a", ""), 0755));
	p = sleeper();
	CHECK(!put("a", p) && !kill(p, SIGKILL));
	CHECK(!waitid(P_PID, (id_t)p, &info, WEXITED | WNOWAIT));
	CHECK(!strcmp(read_from("a", "cgroup.procs"), ""));
	CHECK(has(read_from("a", "cgroup.events"), "populated 0\n"));
	CHECK(!rmdir(path_of("a", "")));
	sprintf(name, "/a (deleted)");
	check_own(p, name);
	CHECK(waitpid(p, NULL, 0) == p);
}

CASE(clone_into)
{
	struct clone_args a = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	int dir, file, s;
	pid_t p;

	begin();
	CHECK(!mkdir(path_of("a", ""), 0755));
	CHECK((dir = open(path_of("a", ""), O_PATH | O_DIRECTORY)) >= 0 && (file = open(path_of("a", "cgroup.procs"), O_RDWR)) >= 0);
	a.cgroup = (uint64_t)dir;
	p = (pid_t)syscall(SYS_clone3, &a, sizeof(a));
	CHECK(p >= 0);
	if (!p) {
		check_own(getpid(), "/a");
		_exit(7);
	}
	CHECK(waitpid(p, &s, 0) == p && WIFEXITED(s) && WEXITSTATUS(s) == 7);
	check_own(getpid(), "/");
	a.cgroup = (uint64_t)file;
	CHECK_ERR(syscall(SYS_clone3, &a, sizeof(a)), EBADF);
	a.cgroup = 1000;
	CHECK_ERR(syscall(SYS_clone3, &a, sizeof(a)), EBADF);
	CHECK(!rmdir(path_of("a", "")));
	a.cgroup = (uint64_t)dir;
	CHECK_ERR(syscall(SYS_clone3, &a, sizeof(a)), ENOENT);
}

CASE(killed)
{
	pid_t p, q;
	int s;

	begin();
	CHECK(!mkdir(path_of("a", ""), 0755) && !mkdir(path_of("a/b", ""), 0755));
	p = sleeper();
	q = sleeper();
	CHECK(!put("a", p) && !put("a/b", q));
	CHECK_ERR(write_to("a", "cgroup.kill", "2"), ERANGE);
	CHECK_ERR(write_to("a", "cgroup.kill", "x"), EINVAL);
	CHECK(!write_to("a", "cgroup.kill", "1"));
	CHECK(waitpid(p, &s, 0) == p && WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL);
	CHECK(waitpid(q, &s, 0) == q && WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL);
}

/* Waits until the file says so; told by poll. */
static void until(int fd, const char *line)
{
	struct pollfd p = { .fd = fd, .events = POLLPRI };
	char buf[128];
	ssize_t n;

	for (;;) {
		n = pread(fd, buf, sizeof(buf) - 1, 0);
		CHECK(n > 0);
		buf[n] = 0;
		if (strstr(buf, line))
			return;
		CHECK(poll(&p, 1, -1) == 1 && p.revents & POLLPRI);
	}
}

CASE(frozen)
{
	_Atomic unsigned long *n;
	unsigned long was;
	int fd, s;
	pid_t p;

	begin();
	CHECK(!mkdir(path_of("a", ""), 0755) && !mkdir(path_of("a/b", ""), 0755));
	CHECK((n = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) != MAP_FAILED);
	p = fork();
	if (!p)
		for (;;)
			(*n)++;
	CHECK(!put("a/b", p));
	CHECK((fd = open(path_of("a/b", "cgroup.events"), O_RDONLY)) >= 0);
	until(fd, "frozen 0");
	CHECK_ERR(write_to("a", "cgroup.freeze", "2"), ERANGE);
	CHECK(!write_to("a", "cgroup.freeze", "1"));
	until(fd, "frozen 1");
	CHECK(!strcmp(read_from("a", "cgroup.freeze"), "1\n") && !strcmp(read_from("a/b", "cgroup.freeze"), "0\n"));
	was = *n;
	usleep(20000);
	CHECK(*n == was);
	/* taken out of it, it goes on; put into it, it stops */
	CHECK(!put("", p));
	while (*n == was)
		usleep(1000);
	CHECK(!put("a/b", p));
	until(fd, "frozen 1");
	CHECK(!write_to("a", "cgroup.freeze", "0"));
	until(fd, "frozen 0");
	was = *n;
	while (*n == was)
		usleep(1000);
	/* what stands still can be killed */
	CHECK(!write_to("a", "cgroup.freeze", "1") && !kill(p, SIGKILL));
	CHECK(waitpid(p, &s, 0) == p && WIFSIGNALED(s));
}

CASE(told_by_poll_and_inotify)
{
	struct epoll_event e = { .events = EPOLLPRI };
	char buf[512];
	int fd, in, ep;
	pid_t p;

	begin();
	CHECK(!mkdir(path_of("a", ""), 0755) && !mkdir(path_of("a/b", ""), 0755));
	CHECK((fd = open(path_of("a", "cgroup.events"), O_RDONLY)) >= 0);
	CHECK((in = inotify_init1(0)) >= 0 && inotify_add_watch(in, path_of("a", "cgroup.events"), IN_MODIFY) == 1);
	CHECK((ep = epoll_create1(0)) >= 0 && !epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
	until(fd, "populated 0");
	CHECK(epoll_wait(ep, &e, 1, 0) == 0);
	p = sleeper();
	CHECK(!put("a/b", p));
	CHECK(read(in, buf, sizeof(buf)) > 0);
	CHECK(epoll_wait(ep, &e, 1, -1) == 1 && e.events & EPOLLPRI);
	until(fd, "populated 1");
	end(p);
	CHECK(read(in, buf, sizeof(buf)) > 0);
	until(fd, "populated 0");
}

CASE(bounded_in_depth_and_number)
{
	begin();
	CHECK(!mkdir(path_of("a", ""), 0755));
	CHECK(!strcmp(read_from("a", "cgroup.max.depth"), "max\n"));
	CHECK(!write_to("a", "cgroup.max.depth", "1") && !strcmp(read_from("a", "cgroup.max.depth"), "1\n"));
	CHECK(!mkdir(path_of("a/b", ""), 0755));
	CHECK_ERR(mkdir(path_of("a/b/c", ""), 0755), EAGAIN);
	CHECK(!write_to("a", "cgroup.max.depth", "max\n") && !write_to("a", "cgroup.max.descendants", "1"));
	CHECK_ERR(mkdir(path_of("a/b/c", ""), 0755), EAGAIN);
	CHECK_ERR(write_to("a", "cgroup.max.depth", "-1"), ERANGE);
	CHECK_ERR(write_to("a", "cgroup.max.depth", "x"), EINVAL);
}

/* The test is in the root of what it sees, alone with its maker, and that has controllers: a container.  Then both go into t. */
static int own_the_root(void)
{
	char line[64] = "";
	FILE *f;

	begin();
	CHECK(!rmdir(top));
	*strrchr(top, '/') = 0;
	CHECK((f = fopen("/proc/self/cgroup", "r")));
	CHECK(fgets(line, sizeof(line), f));
	fclose(f);
	if (strcmp(line, "0::/\n") || getppid() != 1 || !has(read_from("", "cgroup.controllers"), "pids"))
		return 0;
	CHECK_ERR(write_to("", "cgroup.subtree_control", "+pids"), EBUSY); /* the test itself is there */
	CHECK(mkdir(path_of("t", ""), 0755) == 0 || errno == EEXIST);
	CHECK(!put("t", 1) && !put("t", 0));
	return 1;
}

static void leave_the_root(const char *disable)
{
	clean();
	CHECK(!write_to("", "cgroup.subtree_control", disable));
	CHECK(!put("", 1) && !put("", 0));
	clean();
}

CASE(controllers)
{
	struct stat st;
	pid_t p;

	begin();
	CHECK_ERR(write_to("", "cgroup.subtree_control", "+nothing"), EINVAL);
	CHECK_ERR(write_to("", "cgroup.subtree_control", "pids"), EINVAL);
	CHECK_ERR(write_to("", "cgroup.subtree_control", "+pids"), ENOENT); /* nobody has enabled it for the test's own group */
	CHECK_ERR(stat(path_of("", "pids.max"), &st), ENOENT);
	CHECK(!rmdir(top));
	if (!own_the_root())
		return;
	CHECK(!mkdir(path_of("a", ""), 0755));
	CHECK_ERR(stat(path_of("a", "pids.max"), &st), ENOENT);
	CHECK(!write_to("", "cgroup.subtree_control", "+pids +cpu"));
	CHECK(!strcmp(read_from("", "cgroup.subtree_control"), "cpu pids\n") && !strcmp(read_from("a", "cgroup.controllers"), "cpu pids\n"));
	CHECK(!stat(path_of("a", "pids.max"), &st) && !stat(path_of("a", "cpu.weight"), &st));
	CHECK(!strcmp(read_from("a", "cpu.max"), "max 100000\n") && !write_to("a", "cpu.max", "50000 200000") && !strcmp(read_from("a", "cpu.max"), "50000 200000\n"));
	CHECK(!write_to("a", "cpu.max", "20000") && !strcmp(read_from("a", "cpu.max"), "20000 200000\n"));
	CHECK_ERR(write_to("a", "cpu.max", "10"), EINVAL);
	CHECK_ERR(write_to("a", "cpu.max", "20000 10"), EINVAL);
	CHECK_ERR(write_to("a", "cpu.max", "x"), EINVAL);
	CHECK(!write_to("a", "cpu.max", "max 100000") && !strcmp(read_from("a", "cpu.max"), "max 100000\n"));
	CHECK_ERR(stat(path_of("a", "memory.max"), &st), ENOENT);
	CHECK_ERR(write_to("a", "cgroup.subtree_control", "+memory"), ENOENT);
	/* who has groups with limits has no processes */
	p = sleeper();
	CHECK_ERR(put("", p), EBUSY);
	CHECK(!write_to("a", "cgroup.subtree_control", "+pids"));
	CHECK_ERR(put("a", p), EBUSY);
	CHECK_ERR(write_to("", "cgroup.subtree_control", "-pids"), EBUSY);
	CHECK(!write_to("a", "cgroup.subtree_control", "-pids") && !put("a", p));
	CHECK_ERR(write_to("a", "cgroup.subtree_control", "+pids"), EBUSY);
	CHECK(!write_to("", "cgroup.subtree_control", "-pids"));
	CHECK_ERR(stat(path_of("a", "pids.max"), &st), ENOENT);
	end(p);
	leave_the_root("-cpu");
}

CASE(limited_in_processes)
{
	pid_t p, q;
	int fd, s;

	if (!own_the_root())
		return;
	CHECK(!mkdir(path_of("a", ""), 0755) && !write_to("", "cgroup.subtree_control", "+pids") && !write_to("a", "cgroup.subtree_control", "+pids"));
	CHECK(!mkdir(path_of("a/b", ""), 0755));
	CHECK(!strcmp(read_from("a", "pids.max"), "max\n") && !strcmp(read_from("a", "pids.current"), "0\n"));
	CHECK_ERR(write_to("a", "pids.max", "x"), EINVAL);
	CHECK_ERR(write_to("a", "pids.max", "-1"), EINVAL);
	CHECK(!write_to("a", "pids.max", "2") && !strcmp(read_from("a", "pids.max"), "2\n"));
	CHECK((fd = open(path_of("a", "pids.events"), O_RDONLY)) >= 0);
	until(fd, "max 0");
	p = fork();
	if (!p) {
		CHECK(!put("a/b", 0));
		q = sleeper();
		CHECK_ERR(fork(), EAGAIN);
		CHECK(!strcmp(read_from("a", "pids.current"), "2\n") && !strcmp(read_from("a/b", "pids.current"), "2\n"));
		end(q);
		q = sleeper();
		end(q);
		_exit(0);
	}
	CHECK(waitpid(p, &s, 0) == p && !s);
	until(fd, "max 1");
	/* moving into it is not bounded, and what is in it already stays */
	CHECK(!write_to("a", "pids.max", "0"));
	p = sleeper();
	CHECK(!put("a/b", p));
	end(p);
	CHECK(!rmdir(path_of("a/b", "")) && !rmdir(path_of("a", "")));
	leave_the_root("-pids");
}

CASE(limited_in_memory)
{
	pid_t p;
	int s;

	if (!own_the_root())
		return;
	CHECK(!mkdir(path_of("a", ""), 0755) && !write_to("", "cgroup.subtree_control", "+memory"));
	p = fork();
	if (!p) {
		char *m = mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		CHECK(!put("a", 0) && m != MAP_FAILED);
		for (long i = 0; i < 8 << 20; i += 4096)
			((volatile char *)m)[i] = 1;
		CHECK(strtoul(read_from("a", "memory.current"), NULL, 10) >= 8 << 20);
		_exit(0);
	}
	CHECK(waitpid(p, &s, 0) == p && !s);
	CHECK(!strcmp(read_from("a", "memory.max"), "max\n") && !write_to("a", "memory.max", "max"));
	CHECK_ERR(write_to("a", "memory.max", "x"), EINVAL);
	CHECK(!rmdir(path_of("a", "")));
	leave_the_root("-memory");
}

CASE(namespace)
{
	char root[80];
	pid_t p;
	int s;

	begin();
	CHECK(!mkdir(path_of("a", ""), 0755) && !mkdir(path_of("a/b", ""), 0755) && !mkdir(path_of("b", ""), 0755));
	p = fork();
	if (!p) {
		CHECK(!put("a", 0) && !unshare(CLONE_NEWCGROUP));
		check_own(getpid(), "0::/");
		check_own(getppid(), "0::/../..");
		/* it sees what is below it, and moves nobody out of it */
		strcpy(root, "/media");
		CHECK(!mount("cgroup2", root, "cgroup2", 0, NULL));
		strcat(root, "/b");
		CHECK(!access(root, F_OK));
		strcat(root, "/b");
		CHECK_ERR(access(root, F_OK), ENOENT);
		CHECK(!put("b", 0) || errno == ENOENT); /* as its mount was made with "nsdelegate" or without */
		CHECK(!put("", 0) || errno == ENOENT);
		CHECK(!put("a/b", 0));
		check_own(getpid(), "0::/b");
		_exit(0);
	}
	CHECK(waitpid(p, &s, 0) == p && !s);
}

CASE(who_may_move)
{
	int fd, s;
	pid_t p, q;

	begin();
	CHECK(!mkdir(path_of("a", ""), 0755) && !mkdir(path_of("a/b", ""), 0755) && !mkdir(path_of("b", ""), 0755));
	CHECK(!chown(path_of("a", ""), 1000, 1000) && !chown(path_of("a", "cgroup.procs"), 1000, 1000));
	CHECK(!chown(path_of("a/b", "cgroup.procs"), 1000, 1000) && !chown(path_of("b", "cgroup.procs"), 1000, 1000));
	*strrchr(top, '/') = 0;
	CHECK(!chmod(top, 0755));
	sprintf(top + strlen(top), "/redoubt%d", maker);
	q = sleeper();
	CHECK(!put("a", q));
	p = fork();
	if (!p) {
		CHECK(!setresgid(1000, 1000, 1000) && !setresuid(1000, 1000, 1000));
		CHECK((fd = open(path_of("b", "cgroup.procs"), O_WRONLY)) >= 0);
		CHECK_ERR(put("b", q), EACCES); /* what is above both is not its own */
		CHECK(!put("a/b", q));
		CHECK(!mkdir(path_of("a/c", ""), 0755) && !put("a/c", q));
		_exit(0);
	}
	CHECK(waitpid(p, &s, 0) == p && !s);
	end(q);
	CHECK(!rmdir(path_of("a/c", "")));
}

int main(void)
{
	return run_cases();
}
