/* A static program: its thread-local storage, bss, constructor order, vDSO clock. */
#include "../test.h"

#include <pthread.h>
#include <stdint.h>
#include <time.h>

static char bss[300000];
static int data = 42;
static __thread int tls = 17;
static __thread char tls_bss[5000];

CASE(segments_are_right)
{
	CHECK(data == 42);
	for (size_t i = 0; i < sizeof(bss); i++)
		CHECK(bss[i] == 0);
	memset(bss, 1, sizeof(bss));
	CHECK(tls == 17 && tls_bss[4999] == 0);
}

static void *thread(void *arg)
{
	tls++;
	tls_bss[1] = 1;
	return (void *)(intptr_t)tls;
}

CASE(threads_have_their_own_tls)
{
	pthread_t t[4];
	void *r;

	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&t[i], NULL, thread, NULL) == 0);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_join(t[i], &r) == 0 && (intptr_t)r == 18);
	CHECK(tls == 17 && tls_bss[1] == 0);
}

CASE(clock_moves)
{
	struct timespec a, b;

	CHECK(clock_gettime(CLOCK_MONOTONIC, &a) == 0);
	do
		CHECK(clock_gettime(CLOCK_MONOTONIC, &b) == 0);
	while (a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec);
	CHECK(b.tv_sec > a.tv_sec || b.tv_nsec > a.tv_nsec);
}

int main(void) { return run_cases(); }
