/* execve: scripts, environment, close-on-exec, what is reset, errors; vfork. */
#include "../test.h"

#include <stdint.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>

extern char **environ;
static char dir[] = "/tmp/exec.XXXXXX";

static void put(const char *name, const char *text, int mode)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0700);
	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	fchmod(fd, (mode_t)mode);
	close(fd);
}

static int run(const char *name, char *const argv[], char *const envp[])
{
	char path[64];
	int st;
	pid_t p;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	p = fork();
	if (!p) {
		execve(path, argv, envp);
		_exit(errno);
	}
	waitpid(p, &st, 0);
	return WIFEXITED(st) ? WEXITSTATUS(st) : 256 + st;
}

static void enter(void)
{
	CHECK(mkdtemp(dir));
}

static void leave(void)
{
	char cmd[64];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	CHECK(system(cmd) == 0);
}

CASE(script)
{
	enter();
	put("s", "#!/bin/sh\ntest \"$1\" = one -a $# = 1 && exit 42\n", 0755);
	CHECK(run("s", (char *[]){ "x", "one", NULL }, environ) == 42);
	put("s", "#! /bin/sh -u \nexit 43\n", 0755);
	CHECK(run("s", (char *[]){ "x", NULL }, environ) == 43);
	put("s", "#!/nonexistent\n", 0755);
	CHECK(run("s", (char *[]){ "x", NULL }, environ) == ENOENT);
	put("s", "no program\n", 0755);
	CHECK(run("s", (char *[]){ "x", NULL }, environ) == ENOEXEC);
	put("s", "", 0755);
	CHECK(run("s", (char *[]){ "x", NULL }, environ) == ENOEXEC);
	leave();
}

CASE(script_of_scripts)
{
	char text[64], name[8];

	enter();
	put("s0", "#!/bin/sh\nexit 9\n", 0755);
	for (int i = 1; i < 8; i++) {
		snprintf(text, sizeof(text), "#!%s/s%d\n", dir, i - 1);
		snprintf(name, sizeof(name), "s%d", i);
		put(name, text, 0755);
	}
	CHECK(run("s4", (char *[]){ "x", NULL }, environ) == 9);
	CHECK(run("s7", (char *[]){ "x", NULL }, environ) == ELOOP);
	leave();
}

CASE(permissions)
{
	enter();
	put("plain", "#!/bin/sh\nexit 1\n", 0644);
	CHECK(run("plain", (char *[]){ "x", NULL }, environ) == EACCES);
	CHECK(run(".", (char *[]){ "x", NULL }, environ) == EACCES);
	CHECK(run("missing", (char *[]){ "x", NULL }, environ) == ENOENT);
	CHECK(run("plain/x", (char *[]){ "x", NULL }, environ) == ENOTDIR);
	leave();
}

CASE(text_busy)
{
	char cmd[128], path[64];
	int fd;

	enter();
	snprintf(cmd, sizeof(cmd), "cp /bin/true %s/prog", dir);
	CHECK(system(cmd) == 0);
	snprintf(path, sizeof(path), "%s/prog", dir);
	fd = open(path, O_WRONLY);
	CHECK(fd >= 0);
	CHECK(run("prog", (char *[]){ "x", NULL }, environ) == ETXTBSY);
	close(fd);
	CHECK(run("prog", (char *[]){ "x", NULL }, environ) == 0);
	leave();
}

CASE(environment)
{
	enter();
	put("s", "#!/bin/sh\ntest \"$A\" = b && test -z \"$HOME\" && exit 5\n", 0755);
	CHECK(run("s", (char *[]){ "x", NULL }, (char *[]){ "A=b", NULL }) == 5);
	leave();
}

CASE(too_much)
{
	static char big[131073];
	char *argv[] = { "x", big, NULL }, **many = calloc(400001, sizeof(*many));

	memset(big, 'a', sizeof(big) - 1);
	enter();
	put("s", "#!/bin/sh\nexit 0\n", 0755);
	CHECK(run("s", argv, environ) == E2BIG);
	big[131071] = 0;
	CHECK(run("s", argv, environ) == 0);
	for (int i = 0; i < 400000; i++)
		many[i] = "aaaaaaaa";
	CHECK(run("s", many, environ) == E2BIG);
	leave();
}

CASE(close_on_exec)
{
	char arg[64];
	int keep = open("/dev/null", O_RDONLY), gone = open("/dev/null", O_RDONLY | O_CLOEXEC), st;
	pid_t p;

	snprintf(arg, sizeof(arg), "test -e /proc/self/fd/%d -a ! -e /proc/self/fd/%d", keep, gone);
	p = fork();
	if (!p) {
		execl("/bin/sh", "sh", "-c", arg, NULL);
		_exit(99);
	}
	CHECK(waitpid(p, &st, 0) == p && st == 0);
}

CASE(signals_after_exec)
{
	sigset_t s;
	int st;
	pid_t p = fork();

	if (!p) {
		signal(SIGUSR1, SIG_IGN);
		signal(SIGUSR2, exit);
		sigemptyset(&s);
		sigaddset(&s, SIGTERM);
		sigprocmask(SIG_BLOCK, &s, NULL);
		execl("/bin/sh", "sh", "-c", "kill -USR1 $$; kill -TERM $$; kill -USR2 $$; exit 1", NULL);
		_exit(99);
	}
	CHECK(waitpid(p, &st, 0) == p && WIFSIGNALED(st) && WTERMSIG(st) == SIGUSR2);
}

CASE(by_descriptor)
{
	int fd = open("/bin/true", O_PATH | O_CLOEXEC), st;
	pid_t p = fork();

	if (!p) {
		char *argv[] = { "true", NULL };

		syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
		_exit(99);
	}
	CHECK(waitpid(p, &st, 0) == p && st == 0);
}

CASE(name_of_the_program)
{
	char comm[32] = { 0 };
	int p[2], st;
	pid_t c;

	CHECK(pipe(p) == 0);
	c = fork();
	if (!c) {
		dup2(p[1], 1);
		execl("/bin/cat", "cat", "/proc/self/comm", NULL);
		_exit(99);
	}
	CHECK(waitpid(c, &st, 0) == c && st == 0);
	CHECK(read(p[0], comm, sizeof(comm)) == 4 && !strcmp(comm, "cat\n"));
}

CASE(vfork_shares_and_waits)
{
	volatile int x = 1;
	int st;
	pid_t p = vfork();

	if (!p) {
		x = 2;
		_exit(8);
	}
	CHECK(x == 2);
	CHECK(waitpid(p, &st, 0) == p && WEXITSTATUS(st) == 8);
	p = vfork();
	if (!p) {
		execl("/bin/false", "false", NULL);
		_exit(99);
	}
	CHECK(waitpid(p, &st, 0) == p && WEXITSTATUS(st) == 1);
}

CASE(clone_errors)
{
	CHECK_ERR(syscall(SYS_clone, CLONE_THREAD | SIGCHLD, 0, 0, 0, 0), EINVAL);
	CHECK_ERR(syscall(SYS_clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0), EINVAL);
	CHECK_ERR(syscall(SYS_clone, CLONE_NEWNS | CLONE_FS | SIGCHLD, 0, 0, 0, 0), EINVAL);
	CHECK_ERR(syscall(SYS_clone3, NULL, 64), EFAULT);
	CHECK_ERR(syscall(SYS_clone3, NULL, 8), EINVAL);
	uint64_t args[11] = { 0 };

	args[5] = 1; /* a stack without size */
	CHECK_ERR(syscall(SYS_clone3, args, sizeof(args)), EINVAL);
	args[5] = 0;
	args[4] = SIGCHLD;
	long p = syscall(SYS_clone3, args, sizeof(args));
	int st;

	if (!p)
		_exit(11);
	CHECK(waitpid((pid_t)p, &st, 0) == p && WEXITSTATUS(st) == 11);
}

int main(void) { return run_cases(); }
