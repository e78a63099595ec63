/*
 * RLIMIT_NPROC: a user's tasks are counted, in whichever process they are, until they have
 * been waited for; root's are not held to it.
 */
#include "../test.h"

#include <pthread.h>
#include <sys/resource.h>

/* Each case is a user of its own. */
static void be_user(uid_t uid, rlim_t limit)
{
	const struct rlimit r = { limit, limit };

	CHECK(setrlimit(RLIMIT_NPROC, &r) == 0);
	CHECK(setuid(uid) == 0);
}

/* How many children can be had at once, at most 10. */
static int children(void)
{
	pid_t kids[10];
	int n = 0, why;

	while (n < 10 && (kids[n] = fork()) >= 0) {
		if (!kids[n])
			for (;;)
				pause();
		n++;
	}
	why = errno;
	for (int i = 0; i < n; i++) {
		kill(kids[i], SIGKILL);
		CHECK(waitpid(kids[i], NULL, 0) == kids[i]);
	}
	CHECK(n == 10 || why == EAGAIN);
	return n;
}

CASE(nproc_counts)
{
	be_user(54321, 5);
	CHECK(children() == 4);
	CHECK(children() == 4); /* those waited for count no more */
}

CASE(nproc_zombies_count)
{
	siginfo_t i;
	pid_t kid;

	be_user(54322, 3);
	kid = fork();
	if (!kid)
		_exit(0);
	CHECK(waitid(P_PID, (id_t)kid, &i, WEXITED | WNOWAIT) == 0);
	CHECK(children() == 1);
	CHECK(waitpid(kid, NULL, 0) == kid);
	CHECK(children() == 2);
}

static void *wait_for_ever(void *arg)
{
	pause();
	return NULL;
}

CASE(nproc_threads_count)
{
	pthread_t t;

	be_user(54323, 4);
	CHECK(pthread_create(&t, NULL, wait_for_ever, NULL) == 0);
	CHECK(children() == 2);
}

CASE(nproc_root_is_free)
{
	const struct rlimit r = { 1, 1 };

	CHECK(setrlimit(RLIMIT_NPROC, &r) == 0);
	CHECK(children() == 10);
}

int main(void) { return run_cases(); }
