/*
 * churn.c - areas that come and go thousands of times, as allocators have them do: after each
 * change the old is gone at once, for the thread that made it and for others, with signals in between.
 */
#include "../test.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/time.h>

#define PAGE 4096
#define AREA (64 << 10)
#define ROUNDS 3000

static __thread sigjmp_buf back;
static volatile sig_atomic_t alarms;

static void on_fault(int sig) { siglongjmp(back, sig); }
static void on_alarm(int sig) { alarms++; }

/* The signal that an access there gets; 0: none. */
static int access_gets(volatile char *at, int write)
{
	int sig = sigsetjmp(back, 1);

	if (sig)
		return sig;
	if (write)
		*at = 1;
	else
		(void)*at;
	return 0;
}

static char *area(size_t len)
{
	return mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void catch_faults(void)
{
	signal(SIGSEGV, on_fault);
	signal(SIGBUS, on_fault);
}

/* Many changes, few looks at what they leave: a look is a fault. Whether each round was as it should be.
 * others: threads that map too, perhaps at the same place. */
static int churn(int rounds, int others)
{
	int ok = 1;

	for (int i = 0; i < rounds; i++) {
		char *m = area(AREA);

		ok &= m != MAP_FAILED && !m[0] && !m[AREA - 1];
		m[0] = m[AREA / 2] = (char)i;
		if (i % 5 == 0)
			ok &= !mprotect(m, PAGE, PROT_READ) && m[0] == (char)i;
		if (i % 100 == 0)
			ok &= access_gets(m, 1) == SIGSEGV;
		ok &= !munmap(m, AREA / 2) && m[AREA / 2] == (char)i;
		ok &= !munmap(m + AREA / 2, AREA / 2);
		if (i % 50 == 25 && !others)
			ok &= access_gets(m, 0) == SIGSEGV && access_gets(m + AREA / 2, 1) == SIGSEGV;
	}
	return ok;
}

CASE(gone_at_once)
{
	catch_faults();
	CHECK(churn(ROUNDS, 0));
}

CASE(moved_at_once)
{
	char *at[2] = { area(AREA), area(AREA) };
	int ok = 1;

	catch_faults();
	munmap(at[1], AREA);
	for (int i = 0; i < ROUNDS; i++) {
		char *from = at[i & 1], *to = at[!(i & 1)];

		from[0] = from[AREA - 1] = (char)i;
		ok &= mremap(from, AREA, AREA, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to && to[0] == (char)i && to[AREA - 1] == (char)i;
		if (i % 50 == 0)
			ok &= access_gets(from, 0) == SIGSEGV;
	}
	CHECK(ok);
}

CASE(heap_comes_and_goes)
{
	char *start = sbrk(0);
	int ok = 1;

	catch_faults();
	for (int i = 0; i < ROUNDS; i++) {
		char *p = sbrk(4 * PAGE);

		ok &= p == start && !p[0] && !p[3 * PAGE];
		p[0] = p[3 * PAGE] = 1;
		ok &= sbrk(-4 * PAGE) == start + 4 * PAGE;
		if (i % 50 == 0)
			ok &= access_gets(start + 2 * PAGE, 1) == SIGSEGV;
	}
	CHECK(ok);
}

CASE(signals_in_between)
{
	const struct itimerval often = { { 0, 700 }, { 0, 700 } }, never = { 0 };

	catch_faults();
	signal(SIGALRM, on_alarm);
	CHECK(!setitimer(ITIMER_REAL, &often, NULL));
	CHECK(churn(ROUNDS, 0));
	CHECK(!setitimer(ITIMER_REAL, &never, NULL));
}

static void *churner(void *arg)
{
	return churn(ROUNDS / 2, 1) ? arg : NULL;
}

CASE(threads_at_once)
{
	pthread_t t[3];
	void *r;

	catch_faults();
	for (int i = 0; i < 3; i++)
		CHECK(!pthread_create(&t[i], NULL, churner, t));
	CHECK(churn(ROUNDS / 2, 1));
	for (int i = 0; i < 3; i++)
		CHECK(!pthread_join(t[i], &r) && r == t);
}

/* A fork between two changes sees the first and not the second; so it does in its own copy. */
CASE(forks_in_between)
{
	int ok = 1;

	catch_faults();
	ok &= churn(ROUNDS / 10, 0);
	for (int i = 0; i < 20; i++) {
		char *m = area(AREA), *n = area(AREA);
		pid_t pid;
		int st;

		m[0] = 1;
		n[0] = 2;
		ok &= churn(20, 0) && !munmap(m, AREA);
		pid = fork();
		if (!pid)
			_exit(access_gets(m, 0) == SIGSEGV && n[0] == 2 && !munmap(n, AREA) && access_gets(n, 0) == SIGSEGV && churn(20, 0) ? 0 : 1);
		ok &= waitpid(pid, &st, 0) == pid && !st && n[0] == 2 && !munmap(n, AREA);
	}
	CHECK(ok);
}

/* As many areas as there may be: what cannot be cut out stays, and all else is as it was. */
CASE(no_more_areas)
{
	const size_t pages = 140000, step = 512;
	char *m = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int ok = m != MAP_FAILED, refused = 0;

	catch_faults();
	for (size_t i = 0; i < pages; i += step)
		m[i * PAGE] = (char)(i / step + 1);
	for (size_t i = 1; i < pages; i += 2)
		if (munmap(m + i * PAGE, PAGE)) {
			ok &= errno == ENOMEM;
			refused++;
		} else if (i % 1000 == 1) {
			ok &= access_gets(m + i * PAGE, 0) == SIGSEGV;
		}
	for (size_t i = 0; i < pages; i += step)
		ok &= m[i * PAGE] == (char)(i / step + 1);
	CHECK(ok);
	CHECK(!munmap(m, pages * PAGE));
	CHECK(churn(20, 0));
}

int main(void) { return run_cases(); }
