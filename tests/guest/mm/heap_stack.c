/* The heap's break, growing stacks, guard gaps. */
#include "../test.h"

#include <setjmp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define PG 4096ul

CASE(brk_moves)
{
	char *at = (char *)syscall(SYS_brk, 0), *p;

	CHECK((char *)syscall(SYS_brk, at + 10000) == at + 10000);
	memset(at, 1, 10000);
	CHECK((char *)syscall(SYS_brk, at + 100) == at + 100);
	CHECK((char *)syscall(SYS_brk, at + 3 * PG) == at + 3 * PG);
	p = (char *)(((uintptr_t)at + 100 + PG - 1) & ~(PG - 1));
	CHECK(p[0] == 0); /* pages given back come again zeroed */
	CHECK((char *)syscall(SYS_brk, 1) == at + 3 * PG);
	CHECK((char *)syscall(SYS_brk, 1ul << 62) == at + 3 * PG);
}

static volatile int sink;

static int deep(int n)
{
	volatile char big[4096];

	big[0] = (char)n;
	sink = big[0];
	return n ? deep(n - 1) + big[0] * 0 : 0;
}

CASE(stack_grows)
{
	CHECK(deep(1000) == 0); /* 4 MiB */
}

static sigjmp_buf env;
static siginfo_t got;

static void on_signal(int s, siginfo_t *i, void *u)
{
	got = *i;
	siglongjmp(env, s);
}

CASE(stack_overflow_is_sigsegv_on_the_altstack)
{
	stack_t ss = { .ss_sp = malloc(65536), .ss_size = 65536 };
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK };

	CHECK(sigaltstack(&ss, NULL) == 0);
	CHECK(sigaction(SIGSEGV, &sa, NULL) == 0);
	if (!sigsetjmp(env, 1)) {
		deep(1 << 20);
		CHECK(0);
	}
	CHECK(got.si_signo == SIGSEGV);
}

CASE(growsdown_mapping)
{
	char *p = mmap(NULL, 1024 * PG, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *s;

	munmap(p, 1024 * PG);
	s = mmap(p + 1000 * PG, 4 * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
	CHECK(s == p + 1000 * PG);
	for (int i = 0; i < 100; i++)
		s[-(long)(i * PG) - 1] = 1;
	CHECK(s[-1] == 1);
}

CASE(address_space_limit)
{
	struct rlimit rl = { 256ul << 20, 256ul << 20 };
	char *p;

	CHECK(setrlimit(RLIMIT_AS, &rl) == 0);
	CHECK(mmap(NULL, 300ul << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == ENOMEM);
	p = mmap(NULL, 100ul << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED);
	CHECK(mremap(p, 100ul << 20, 280ul << 20, MREMAP_MAYMOVE) == MAP_FAILED && errno == ENOMEM);
	CHECK(munmap(p, 100ul << 20) == 0);
}

CASE(data_limit)
{
	struct rlimit rl = { 8ul << 20, 8ul << 20 };
	char *at = (char *)syscall(SYS_brk, 0);

	CHECK(setrlimit(RLIMIT_DATA, &rl) == 0);
	CHECK((char *)syscall(SYS_brk, at + (16ul << 20)) == at);
	CHECK(mmap(NULL, 16ul << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == ENOMEM);
	CHECK(mmap(NULL, 16ul << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
}

int main(void) { return run_cases(); }
