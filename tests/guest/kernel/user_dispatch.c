/*
 * PR_SET_SYSCALL_USER_DISPATCH: calls that go back to the program as SIGSYS.
 */
#include "../test.h"

#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif
#define OFF 0
#define ON 1
#define ALLOW 0
#define BLOCK 1
#define TOLD 2 /* si_code: SYS_USER_DISPATCH */

static volatile char selector;
static volatile int taken, taken_nr, taken_code, taken_errno;
static void *volatile taken_at;
static volatile long long taken_rax;

/* A call from a place of its own. */
long own_call(long nr, long a, long b, long c);
extern char own_end[];
__asm__(".text\n.globl own_call, own_end\nown_call: mov %rdi, %rax\nmov %rsi, %rdi\nmov %rdx, %rsi\nmov %rcx, %rdx\nsyscall\nown_after: ret\nown_end:\n");
extern char own_after[];

static void on_sigsys(int sig, siginfo_t *i, void *uc)
{
	ucontext_t *u = uc;

	(void)sig;
	selector = ALLOW; /* for the return from here */
	taken++;
	taken_nr = i->si_syscall;
	taken_code = i->si_code;
	taken_errno = i->si_errno;
	taken_at = i->si_call_addr;
	taken_rax = u->uc_mcontext.gregs[REG_RAX];
	u->uc_mcontext.gregs[REG_RAX] = 123456;
}

static void handle(void)
{
	struct sigaction sa = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };

	CHECK(sigaction(SIGSYS, &sa, NULL) == 0);
	selector = ALLOW;
	taken = 0;
}

static long dispatch(unsigned long how, unsigned long start, unsigned long len, volatile char *sel)
{
	return prctl(PR_SET_SYSCALL_USER_DISPATCH, how, start, len, sel);
}

CASE(calls_come_back)
{
	long r;

	handle();
	CHECK(dispatch(ON, 0, 0, &selector) == 0);
	r = own_call(SYS_getpid, 0, 0, 0);
	CHECK(r == getpid() && taken == 0);
	for (int i = 0; i < 3; i++) {
		selector = BLOCK;
		r = own_call(SYS_getpid, 0, 0, 0);
		CHECK(r == 123456 && taken == i + 1 && selector == ALLOW);
		CHECK(taken_nr == SYS_getpid && taken_code == TOLD && taken_errno == 0 && taken_at == own_after && taken_rax == SYS_getpid);
	}
	selector = BLOCK;
	r = own_call(4000, 0, 0, 0); /* no call has that number */
	CHECK(r == 123456 && taken == 4 && taken_nr == 4000);
	CHECK(dispatch(OFF, 0, 0, NULL) == 0);
	selector = BLOCK;
	CHECK(own_call(SYS_getpid, 0, 0, 0) == getpid() && taken == 4);
}

/* Calls that were made often before. */
CASE(calls_that_were_frequent)
{
	static const long nrs[] = { SYS_getpid, SYS_gettid, SYS_getuid, SYS_read, SYS_write, SYS_sched_yield, SYS_rt_sigprocmask };
	char c = 'x';
	int p[2];
	long r;

	handle();
	CHECK(pipe(p) == 0);
	for (int i = 0; i < 3000; i++) {
		CHECK(own_call(SYS_getpid, 0, 0, 0) == getpid());
		CHECK(own_call(SYS_write, p[1], (long)&c, 1) == 1 && own_call(SYS_read, p[0], (long)&c, 1) == 1);
		CHECK(own_call(SYS_sched_yield, 0, 0, 0) == 0);
	}
	CHECK(own_call(SYS_write, p[1], (long)&c, 1) == 1);
	CHECK(dispatch(ON, 0, 0, &selector) == 0);
	for (size_t i = 0; i < sizeof(nrs) / sizeof(nrs[0]); i++) {
		int fd = nrs[i] == SYS_read ? p[0] : p[1];

		selector = BLOCK;
		r = own_call(nrs[i], fd, (long)&c, 1);
		CHECK(r == 123456 && taken == (int)i + 1 && taken_nr == nrs[i]);
	}
	CHECK(read(p[0], &c, 1) == 1); /* nothing was read or written by those */
	CHECK(dispatch(OFF, 0, 0, NULL) == 0);
	for (int i = 0; i < 3000; i++)
		CHECK(own_call(SYS_write, p[1], (long)&c, 1) == 1 && own_call(SYS_read, p[0], (long)&c, 1) == 1);
}

CASE(from_a_range_they_are_made)
{
	long r;

	handle();
	CHECK(dispatch(ON, (uintptr_t)own_call, (uintptr_t)(own_end - (char *)own_call), &selector) == 0);
	selector = BLOCK;
	r = own_call(SYS_getpid, 0, 0, 0);
	CHECK(taken == 0);
	selector = BLOCK;
	r = r == getppid(); /* of the C library */
	CHECK(taken == 1 && taken_nr == SYS_getppid && r == 0);
}

static void *in_thread(void *arg)
{
	(void)arg;
	return (void *)own_call(SYS_getppid, 0, 0, 0);
}

CASE(children_begin_without)
{
	pthread_t th;
	pid_t p;
	void *got;
	int st;

	handle();
	CHECK(dispatch(ON, 0, 0, &selector) == 0);
	p = fork();
	CHECK(p >= 0);
	if (!p) {
		selector = BLOCK;
		_exit(own_call(SYS_getppid, 0, 0, 0) == 123456 || taken);
	}
	CHECK(waitpid(p, &st, 0) == p && st == 0);
	CHECK(pthread_create(&th, NULL, in_thread, NULL) == 0 && pthread_join(th, &got) == 0);
	CHECK((long)got == getppid() && taken == 0);
	p = fork();
	CHECK(p >= 0);
	if (!p && dispatch(ON, 0, 0, &selector) == 0)
		execl("/bin/true", "true", NULL);
	CHECK(waitpid(p, &st, 0) == p && st == 0);
}

static int ends_with(char sel, void *at)
{
	pid_t p = fork();
	int st;

	CHECK(p >= 0);
	if (!p) {
		handle();
		if (dispatch(ON, 0, 0, at ? at : &selector))
			_exit(1);
		if (at)
			(void)own_call(SYS_getpid, 0, 0, 0);
		selector = sel;
		(void)own_call(SYS_getpid, 0, 0, 0);
		for (;;)
			;
	}
	CHECK(waitpid(p, &st, 0) == p);
	return WIFSIGNALED(st) ? WTERMSIG(st) : -1;
}

CASE(bad_selectors_end_it)
{
	CHECK(ends_with(2, NULL) == SIGSYS); /* it is not asked, though it has a handler */
	CHECK(ends_with(-1, NULL) == SIGSYS);
	CHECK(ends_with(ALLOW, (void *)8) == SIGSEGV);
}

CASE(mistakes)
{
	CHECK_ERR(dispatch(2, 0, 0, NULL), EINVAL);
	CHECK_ERR(dispatch(OFF, 1, 0, NULL), EINVAL);
	CHECK_ERR(dispatch(OFF, 0, 1, NULL), EINVAL);
	CHECK_ERR(dispatch(OFF, 0, 0, &selector), EINVAL);
	CHECK(dispatch(OFF, 0, 0, NULL) == 0);
	CHECK_ERR(dispatch(ON, 1, 0, &selector), EINVAL);
	CHECK_ERR(dispatch(ON, 1, -1ul, &selector), EINVAL);
	CHECK_ERR(dispatch(ON, -1ul, 1, &selector), EINVAL);
	CHECK_ERR(dispatch(ON, 0, 1, (volatile char *)-1l), EFAULT);
}

int main(void)
{
	return run_cases();
}
