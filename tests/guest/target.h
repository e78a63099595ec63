/*
 * target.h - a process that others look into, or change.
 */
#ifndef TESTS_GUEST_TARGET_H
#define TESTS_GUEST_TARGET_H

#include "test.h"

/* A child that has become what `become` says, until it is killed. */
static inline pid_t target(void (*become)(void))
{
	int ready[2];
	char c;
	pid_t p;

	CHECK(pipe(ready) == 0);
	p = fork();
	CHECK(p >= 0);
	if (!p) {
		become();
		CHECK(write(ready[1], "", 1) == 1);
		for (;;)
			pause();
	}
	close(ready[1]);
	CHECK(read(ready[0], &c, 1) == 1);
	close(ready[0]);
	return p;
}

/* The call fails with err; 0: it does not fail. */
#define CHECK_ANSWER(call, err) CHECK((err) ? (call) == -1 && errno == (err) : (call) >= 0)

#endif
