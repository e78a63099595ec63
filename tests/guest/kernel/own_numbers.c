/*
 * own_numbers.c - calls that only tell a task its own numbers, which may be
 * answered without asking the kernel: asked often enough to be, then after each
 * change of what they tell.
 */
#include "../test.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static long ask(long nr)
{
	long v = 0;

	for (int i = 0; i < 20; i++)
		v = syscall(nr);
	return v;
}

CASE(child_has_its_own)
{
	long pid = ask(SYS_getpid), tid = ask(SYS_gettid);
	int p[2], st;
	long there[2];
	pid_t c;

	CHECK(pid == tid && pipe(p) == 0);
	c = fork();
	if (!c) {
		there[0] = syscall(SYS_getpid);
		there[1] = ask(SYS_getpid);
		_exit(write(p[1], there, sizeof(there)) != sizeof(there));
	}
	CHECK(read(p[0], there, sizeof(there)) == sizeof(there) && waitpid(c, &st, 0) == c && !st);
	CHECK(there[0] == c && there[1] == c && ask(SYS_getpid) == pid);
}

static void *numbers(void *arg)
{
	long *v = arg;

	v[0] = ask(SYS_getpid);
	v[1] = ask(SYS_gettid);
	return NULL;
}

CASE(thread_has_its_own)
{
	long v[2];
	pthread_t t;

	CHECK(pthread_create(&t, NULL, numbers, v) == 0 && pthread_join(t, NULL) == 0);
	CHECK(v[0] == ask(SYS_getpid) && v[1] != v[0]);
}

CASE(credentials_change)
{
	int st;
	pid_t c;

	if (geteuid())
		return;
	ask(SYS_getuid);
	c = fork();
	if (!c) {
		int bad = ask(SYS_getuid) || ask(SYS_geteuid) || ask(SYS_getegid);

		bad |= syscall(SYS_setresgid, 1001, 1002, 1003) || syscall(SYS_setresuid, 1004, 1005, 1006);
		bad |= syscall(SYS_getuid) != 1004 || syscall(SYS_geteuid) != 1005 || syscall(SYS_getgid) != 1001 || syscall(SYS_getegid) != 1002;
		_exit(bad);
	}
	CHECK(waitpid(c, &st, 0) == c && !st);
	CHECK(ask(SYS_getuid) == 0);
}

/* A filter sees every call. */
CASE(filter_sees_the_call)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 77),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { 4, f };
	int st;
	pid_t c = fork();

	if (!c) {
		int bad = ask(SYS_getpid) <= 0;

		bad |= prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
		bad |= syscall(SYS_getpid) != -1 || errno != 77 || syscall(SYS_gettid) <= 0;
		if (!fork())
			_exit(syscall(SYS_getpid) != -1 || errno != 77);
		bad |= wait(&st) < 0 || st;
		_exit(bad);
	}
	CHECK(waitpid(c, &st, 0) == c && !st);
}

int main(void)
{
	return run_cases();
}
