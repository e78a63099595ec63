/* mprotect and the signals of forbidden accesses. */
#include "../test.h"

#include <setjmp.h>
#include <stdint.h>
#include <sys/mman.h>

#define PG 4096ul
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static sigjmp_buf env;
static siginfo_t got;

static void on_signal(int s, siginfo_t *i, void *u)
{
	got = *i;
	siglongjmp(env, s);
}

/* The signal that the access gives, or 0. */
static int try(volatile char *p, int write)
{
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	int s;

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	memset(&got, 0, sizeof(got));
	s = sigsetjmp(env, 1);
	if (s)
		return s;
	if (write == 2)
		((void (*)(void))(uintptr_t)p)();
	else if (write)
		*p = 1;
	else
		(void)*p;
	return 0;
}

CASE(write_to_read_only)
{
	char *p = mmap(NULL, PG, PROT_READ, ANON, -1, 0);

	CHECK(try(p, 0) == 0);
	CHECK(try(p + 5, 1) == SIGSEGV);
	CHECK(got.si_code == SEGV_ACCERR && got.si_addr == p + 5);
	CHECK(mprotect(p, PG, PROT_READ | PROT_WRITE) == 0);
	CHECK(try(p + 5, 1) == 0);
	CHECK(mprotect(p, PG, PROT_READ) == 0);
	CHECK(try(p + 5, 1) == SIGSEGV);
	CHECK(p[5] == 1);
}

CASE(unmapped)
{
	char *p = mmap(NULL, PG, PROT_READ, ANON, -1, 0);

	munmap(p, PG);
	CHECK(try(p + 9, 0) == SIGSEGV);
	CHECK(got.si_code == SEGV_MAPERR && got.si_addr == p + 9);
	CHECK(try(NULL, 1) == SIGSEGV);
	CHECK(got.si_code == SEGV_MAPERR && got.si_addr == NULL);
}

CASE(prot_none)
{
	char *p = mmap(NULL, PG, PROT_NONE, ANON, -1, 0);

	CHECK(try(p, 0) == SIGSEGV && got.si_code == SEGV_ACCERR);
	CHECK(mprotect(p, PG, PROT_READ | PROT_WRITE) == 0);
	*p = 9;
	CHECK(mprotect(p, PG, PROT_NONE) == 0);
	CHECK(try(p, 1) == SIGSEGV && got.si_code == SEGV_ACCERR);
	CHECK(mprotect(p, PG, PROT_READ) == 0);
	CHECK(*p == 9);
}

CASE(execute)
{
	unsigned char *p = mmap(NULL, PG, PROT_READ | PROT_WRITE, ANON, -1, 0);

	p[0] = 0xc3; /* ret */
	CHECK(try((char *)p, 2) == SIGSEGV);
	CHECK(got.si_code == SEGV_ACCERR && got.si_addr == p);
	CHECK(mprotect(p, PG, PROT_READ | PROT_EXEC) == 0);
	CHECK(try((char *)p, 2) == 0);
	CHECK(mprotect(p, PG, PROT_READ | PROT_WRITE | PROT_EXEC) == 0);
	p[0] = 0x90;
	p[1] = 0xc3;
	CHECK(try((char *)p, 2) == 0);
}

CASE(middle_of_a_mapping)
{
	char *p = mmap(NULL, 9 * PG, PROT_READ | PROT_WRITE, ANON, -1, 0);

	memset(p, 1, 9 * PG);
	CHECK(mprotect(p + 3 * PG, 3 * PG, PROT_READ) == 0);
	CHECK(try(p + 2 * PG, 1) == 0);
	CHECK(try(p + 3 * PG, 1) == SIGSEGV);
	CHECK(try(p + 6 * PG - 1, 1) == SIGSEGV);
	CHECK(try(p + 6 * PG, 1) == 0);
	CHECK(p[4 * PG] == 1);
}

CASE(errors)
{
	char *p = mmap(NULL, 4 * PG, PROT_READ | PROT_WRITE, ANON, -1, 0);

	CHECK_ERR(mprotect(p + 1, PG, PROT_READ), EINVAL);
	CHECK_ERR(mprotect(p, PG, 0x1000), EINVAL);
	CHECK(mprotect(p, 0, PROT_READ) == 0);
	munmap(p + 2 * PG, PG);
	CHECK_ERR(mprotect(p, 4 * PG, PROT_READ), ENOMEM);
	CHECK(try(p, 1) == SIGSEGV); /* the part before the hole has changed */
	CHECK(try(p + 3 * PG, 1) == 0);
}

CASE(kernel_sees_the_same)
{
	char *p = mmap(NULL, PG, PROT_READ, ANON, -1, 0);
	int fd[2];

	CHECK(pipe(fd) == 0);
	CHECK(write(fd[1], "abc", 3) == 3);
	CHECK_ERR(read(fd[0], p, 3), EFAULT);
	CHECK(mprotect(p, PG, PROT_READ | PROT_WRITE) == 0);
	CHECK(read(fd[0], p, 3) == 3 && !memcmp(p, "abc", 3));
	CHECK(mprotect(p, PG, PROT_NONE) == 0);
	CHECK_ERR(write(fd[1], p, 3), EFAULT);
}

int main(void) { return run_cases(); }
