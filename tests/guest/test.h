/*
 * test.h - what guest tests share.  A guest test is a plain program that must
 * pass natively and inside: Linux is the specification.
 *
 *	CASE(pipe_eof)
 *	{
 *		CHECK(read(fd, buf, 1) == 0);
 *	}
 *	int main(void) { return run_cases(); }
 *
 * Each case runs in a child of its own with a time limit. Prints "ok NAME" or
 * "FAIL NAME: file:line: condition (errno)" a case; exit status 1 if any failed.
 */
#ifndef TESTS_GUEST_TEST_H
#define TESTS_GUEST_TEST_H

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define CASE_SECONDS 30
#define NO_PID 5000000 /* nobody's number: above the largest that Linux gives, 1 << 22 */

struct test_case {
	const char *name;
	void (*fn)(void);
	struct test_case *next;
};
static struct test_case *test_cases, **test_tail = &test_cases;
static const char *test_name = "";

#define CASE(n)                                                                                                                                      \
	static void case_##n(void);                                                                                                                  \
	static struct test_case tc_##n = { #n, case_##n, NULL };                                                                                     \
	__attribute__((constructor)) static void add_##n(void)                                                                                       \
	{                                                                                                                                            \
		*test_tail = &tc_##n;                                                                                                                \
		test_tail = &tc_##n.next;                                                                                                            \
	}                                                                                                                                            \
	static void case_##n(void)

#define CHECK(cond)                                                                                                                                  \
	do {                                                                                                                                         \
		errno = 0;                                                                                                                           \
		if (!(cond)) {                                                                                                                       \
			fprintf(stderr, "FAIL %s: %s:%d: %s (errno %d %s)\n", test_name, __FILE__, __LINE__, #cond, errno, strerror(errno));         \
			_exit(1);                                                                                                                    \
		}                                                                                                                                    \
	} while (0)

/* The call fails with that errno. */
#define CHECK_ERR(call, err) CHECK((call) == -1 && errno == (err))

/* Waits until the process's first thread sleeps, as one that has come to a call that
 * blocks does; the case's time limit bounds it. */
static inline void until_asleep(pid_t p)
{
	char path[40], line[200], *end;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", p);
	for (;;) {
		f = fopen(path, "r");
		CHECK(f && fgets(line, sizeof(line), f) && (end = strrchr(line, ')')));
		fclose(f);
		if (end[2] == 'S')
			return;
		usleep(1000);
	}
}

static inline int run_cases(void)
{
	const char *seconds = getenv("CASE_SECONDS"); /* a slow machine's */
	int failed = 0;

	for (struct test_case *c = test_cases; c; c = c->next) {
		int st = 0;
		pid_t p;

		fflush(NULL);
		p = fork();
		if (p < 0) {
			perror("fork");
			return 1;
		}
		if (!p) {
			test_name = c->name;
			alarm(seconds && atoi(seconds) > 0 ? (unsigned)atoi(seconds) : CASE_SECONDS);
			c->fn();
			fflush(NULL);
			exit(0);
		}
		while (waitpid(p, &st, 0) < 0 && errno == EINTR)
			;
		if (st) {
			failed = 1;
			printf("not ok %s (wait status 0x%x)\n", c->name, st);
		} else {
			printf("ok %s\n", c->name);
		}
	}
	fflush(NULL);
	return failed;
}

#endif
