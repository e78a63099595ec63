/* Seccomp filters and strict mode. */
#include "../test.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <ucontext.h>

#define NR BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))
#define ARG(n) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[n]))
#define ON(v, action) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, v, 0, 1), BPF_STMT(BPF_RET | BPF_K, action)
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static int install(struct sock_filter *f, unsigned short n, unsigned flags)
{
	struct sock_fprog p = { .len = n, .filter = f };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &p);
}
#define INSTALL(f, flags) install(f, sizeof(f) / sizeof(f[0]), flags)

static int status_line(const char *name)
{
	char line[256];
	int v = -1;
	FILE *f = fopen("/proc/self/status", "r");

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
			v = atoi(line + strlen(name) + 1);
	fclose(f);
	return v;
}

static int end_of(pid_t p)
{
	int st;

	CHECK(waitpid(p, &st, 0) == p);
	return st;
}

CASE(seccomp_errno)
{
	struct sock_filter f[] = { NR, ON(SYS_getppid, SECCOMP_RET_ERRNO | 77), ON(SYS_getpgrp, SECCOMP_RET_ERRNO | 0), ALLOW };
	struct sock_filter g[] = { NR, ON(SYS_getppid, SECCOMP_RET_ERRNO | 78), ON(SYS_getuid, SECCOMP_RET_LOG), ALLOW };
	pid_t p;

	CHECK(prctl(PR_GET_SECCOMP) == 0);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(INSTALL(f, 0) == 0);
	CHECK_ERR(syscall(SYS_getppid), 77);
	CHECK(syscall(SYS_getpgrp) == 0);
	CHECK(status_line("Seccomp") == 2);
	CHECK(INSTALL(g, SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW) == 0);
	CHECK_ERR(syscall(SYS_getppid), 78); /* the newest of equal ones */
	CHECK(status_line("Seccomp_filters") == 2);
	CHECK(getuid() == geteuid());
	p = fork();
	if (!p)
		_exit(syscall(SYS_getppid) == -1 && errno == 78 && prctl(PR_GET_SECCOMP) == 2 ? 0 : 1);
	CHECK(end_of(p) == 0);
	p = fork();
	if (!p) {
		execl("/bin/sh", "sh", "-c", "grep -q '^Seccomp:.*2' /proc/self/status", NULL);
		_exit(1);
	}
	CHECK(end_of(p) == 0);
}

CASE(seccomp_bad_programs)
{
	struct sock_filter no_ret[] = { NR };
	struct sock_filter far[] = { BPF_JUMP(BPF_JMP | BPF_JA, 5, 0, 0), ALLOW };
	struct sock_filter far_jt[] = { BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0), ALLOW };
	struct sock_filter odd[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), ALLOW };
	struct sock_filter beyond[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), ALLOW };
	struct sock_filter byte[] = { BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), ALLOW };
	struct sock_filter by_zero[] = { BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), ALLOW };
	struct sock_filter unset[] = { BPF_STMT(BPF_LD | BPF_MEM, 3), ALLOW };
	struct sock_filter mem16[] = { BPF_STMT(BPF_ST, 16), ALLOW };
	struct sock_filter shift[] = { BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32), ALLOW };
	struct sock_filter ok[] = { ALLOW };

	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK_ERR(INSTALL(no_ret, 0), EINVAL);
	CHECK_ERR(INSTALL(far, 0), EINVAL);
	CHECK_ERR(INSTALL(far_jt, 0), EINVAL);
	CHECK_ERR(INSTALL(odd, 0), EINVAL);
	CHECK_ERR(INSTALL(beyond, 0), EINVAL);
	CHECK_ERR(INSTALL(byte, 0), EINVAL);
	CHECK_ERR(INSTALL(by_zero, 0), EINVAL);
	CHECK_ERR(INSTALL(unset, 0), EINVAL);
	CHECK_ERR(INSTALL(mem16, 0), EINVAL);
	CHECK_ERR(INSTALL(shift, 0), EINVAL);
	CHECK_ERR(install(ok, 0, 0), EINVAL);
	CHECK_ERR(install((void *)8, 1, 0), EFAULT);
	CHECK_ERR(install(ok, 1, 1u << 31), EINVAL);
	CHECK_ERR(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL), EFAULT);
	CHECK_ERR(syscall(SYS_seccomp, 99, 0, NULL), EINVAL);
	CHECK_ERR(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, NULL), EINVAL);
	CHECK(prctl(PR_GET_SECCOMP) == 0);
}

CASE(seccomp_needs_privilege)
{
	struct sock_filter ok[] = { ALLOW };

	if (geteuid() == 0)
		CHECK(setuid(4242) == 0);
	CHECK_ERR(INSTALL(ok, 0), EACCES);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(INSTALL(ok, 0) == 0);
	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &(struct sock_fprog){ 1, ok }) == 0);
}

static volatile int trapped, trap_nr, trap_code, trap_errno;
static volatile unsigned trap_arch;
static void on_sys(int s, siginfo_t *i, void *ctx)
{
	ucontext_t *uc = ctx;

	trapped++;
	trap_nr = i->si_syscall;
	trap_code = i->si_code;
	trap_errno = i->si_errno;
	trap_arch = i->si_arch;
	if (uc->uc_mcontext.gregs[REG_RAX] == SYS_getppid)
		uc->uc_mcontext.gregs[REG_RAX] = 4711; /* the handler answers */
}

CASE(seccomp_trap)
{
	struct sock_filter f[] = { NR, ON(SYS_getppid, SECCOMP_RET_TRAP | 5), ALLOW };
	struct sigaction sa = { .sa_sigaction = on_sys, .sa_flags = SA_SIGINFO };

	sigaction(SIGSYS, &sa, NULL);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && INSTALL(f, 0) == 0);
	CHECK(syscall(SYS_getppid) == 4711);
	CHECK(trapped == 1 && trap_nr == SYS_getppid && trap_code == 1 && trap_errno == 5 && trap_arch == AUDIT_ARCH_X86_64);
}

static int killed_by(struct sock_filter *f, int n)
{
	pid_t p = fork();
	int st;

	if (!p) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || install(f, n, 0))
			_exit(1);
		syscall(SYS_getppid);
		_exit(0);
	}
	st = end_of(p);
	return WIFSIGNALED(st) ? WTERMSIG(st) : -1;
}

CASE(seccomp_kill)
{
	struct sock_filter process[] = { NR, ON(SYS_getppid, SECCOMP_RET_KILL_PROCESS), ALLOW };
	struct sock_filter thread[] = { NR, ON(SYS_getppid, SECCOMP_RET_KILL_THREAD), ALLOW };
	struct sock_filter unknown[] = { NR, ON(SYS_getppid, 0x12340000), ALLOW };
	struct sock_filter div_x[] = { NR, BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 2), BPF_STMT(BPF_LDX | BPF_IMM, 0),
		BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0), ALLOW };

	CHECK(killed_by(process, 4) == SIGSYS);
	CHECK(killed_by(thread, 4) == SIGSYS);
	CHECK(killed_by(unknown, 4) == SIGSYS);
	CHECK(killed_by(div_x, 5) == SIGSYS);
}

CASE(seccomp_arguments_and_arithmetic)
{
	/* write to descriptor 99 only fails, found by some arithmetic: M[0] = (fd << 1) ^ 6 */
	struct sock_filter f[] = { NR, BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 0, 10), ARG(0), BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 1),
		BPF_STMT(BPF_LDX | BPF_IMM, 6), BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0), BPF_STMT(BPF_ST, 0), BPF_STMT(BPF_LD | BPF_IMM, 0),
		BPF_STMT(BPF_LDX | BPF_MEM, 0), BPF_STMT(BPF_MISC | BPF_TXA, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (99 << 1) ^ 6, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 42), ALLOW };
	int null = open("/dev/null", O_WRONLY);

	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && INSTALL(f, 0) == 0);
	CHECK_ERR(write(99, "x", 1), 42);
	CHECK_ERR(write(98, "x", 1), EBADF);
	CHECK(write(null, "x", 1) == 1);
}

CASE(seccomp_strict)
{
	pid_t p = fork();

	if (!p) {
		if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
			_exit(1);
		syscall(SYS_write, -1, "", 0);
		syscall(SYS_exit, 5);
	}
	CHECK(end_of(p) == 5 << 8);
	p = fork();
	if (!p) {
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
		syscall(SYS_getpid);
		syscall(SYS_exit, 5);
	}
	CHECK(WTERMSIG(end_of(p)) == SIGKILL);
}

static int fds[2][2];
static void *other_thread(void *arg)
{
	char c;
	int which = arg != NULL;

	if (which) {
		struct sock_filter own[] = { NR, ON(SYS_getpgrp, SECCOMP_RET_ERRNO | 1), ALLOW };

		CHECK(INSTALL(own, 0) == 0);
	}
	CHECK(write(fds[0][1], "r", 1) == 1 && read(fds[1][0], &c, 1) == 1);
	errno = 0;
	return (void *)(long)(syscall(SYS_getppid) == -1 && errno == 79);
}

CASE(seccomp_threads)
{
	struct sock_filter f[] = { NR, ON(SYS_getppid, SECCOMP_RET_ERRNO | 79), ALLOW };
	pthread_t th;
	void *ret;
	char c;

	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(pipe(fds[0]) == 0 && pipe(fds[1]) == 0);
	CHECK(pthread_create(&th, NULL, other_thread, NULL) == 0);
	CHECK(read(fds[0][0], &c, 1) == 1);
	CHECK(INSTALL(f, SECCOMP_FILTER_FLAG_TSYNC) == 0);
	CHECK(write(fds[1][1], "g", 1) == 1);
	CHECK(pthread_join(th, &ret) == 0 && ret);
	/* a thread with a filter of its own cannot follow */
	CHECK(pthread_create(&th, NULL, other_thread, "") == 0);
	CHECK(read(fds[0][0], &c, 1) == 1);
	CHECK(INSTALL(f, SECCOMP_FILTER_FLAG_TSYNC) > 0);
	CHECK_ERR(INSTALL(f, SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH), ESRCH);
	CHECK(write(fds[1][1], "g", 1) == 1);
	CHECK(pthread_join(th, &ret) == 0 && ret);
}

static void *killed_thread(void *arg)
{
	struct sock_filter f[] = { NR, ON(SYS_getppid, SECCOMP_RET_KILL_THREAD), ALLOW };

	CHECK(INSTALL(f, 0) == 0);
	syscall(SYS_getppid);
	*(int *)arg = 1;
	return NULL;
}

CASE(seccomp_kill_thread)
{
	pthread_t th;
	int lived = 0;

	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(pthread_create(&th, NULL, killed_thread, &lived) == 0);
	CHECK(pthread_join(th, NULL) == 0);
	CHECK(!lived);
}

CASE(seccomp_available)
{
	unsigned a = SECCOMP_RET_ERRNO, bad = 0x12340000;

	CHECK(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &a) == 0);
	CHECK_ERR(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &bad), EOPNOTSUPP);
	CHECK_ERR(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 1, &a), EINVAL);
}

int main(void) { return run_cases(); }
