/*
 * test_yield.c - when two sides give one another the only processor (platform/systrap/yield.h).
 */
#include "platform/systrap/yield.h"

#include <check.h>
#include <stdlib.h>

static const struct st_yield_limits limits = { .late = 100, .slice = 1000, .most = 100000 };

START_TEST(unknown)
{
	struct st_yield y = { 0 };

	ck_assert(yield_pays(&y, 0));
	ck_assert(yield_pays(&y, 1));
	ck_assert(yield_learn(&y, &limits, 5, 100));
	ck_assert(yield_pays(&y, 5));
}
END_TEST

START_TEST(rests_for_what_was_lost)
{
	struct st_yield y = { 0 };

	ck_assert(!yield_learn(&y, &limits, 1000, 101));
	ck_assert(!yield_pays(&y, 1101));
	ck_assert(!yield_pays(&y, 1101 + 101 * YIELD_LOSS - 1));
	ck_assert(yield_pays(&y, 1101 + 101 * YIELD_LOSS));
}
END_TEST

START_TEST(twice_as_long_again)
{
	struct st_yield y = { 0 };
	uint64_t now = 1000;

	for (unsigned loss = YIELD_LOSS; loss <= YIELD_LOSS_MOST; loss *= 2) {
		ck_assert(!yield_learn(&y, &limits, now, 200));
		now += 200 + (uint64_t)200 * loss;
		ck_assert(!yield_pays(&y, now - 1));
		ck_assert(yield_pays(&y, now));
	}
	ck_assert(!yield_learn(&y, &limits, now, 200));
	ck_assert(yield_pays(&y, now + 200 + (uint64_t)200 * YIELD_LOSS_MOST));
}
END_TEST

START_TEST(slices_cost_more_at_once)
{
	struct st_yield y = { 0 };

	ck_assert(!yield_learn(&y, &limits, 0, 1000));
	ck_assert(!yield_pays(&y, 1000 + 1000 * YIELD_LOSS_SLICE - 1));
	ck_assert(yield_pays(&y, 1000 + 1000 * YIELD_LOSS_SLICE));
}
END_TEST

START_TEST(never_for_longer_than_most)
{
	struct st_yield y = { 0 };
	uint64_t took = UINT64_MAX / 4;

	ck_assert(!yield_learn(&y, &limits, 0, took));
	ck_assert(!yield_pays(&y, took + limits.most - 1));
	ck_assert(yield_pays(&y, took + limits.most));
}
END_TEST

/* The clock need not be small. */
START_TEST(begins_anew)
{
	struct st_yield y = { 0 };
	uint64_t now = UINT64_MAX / 2 - 5000;

	ck_assert(yield_pays(&y, now));
	for (int i = 0; i < 3; i++) {
		ck_assert(!yield_learn(&y, &limits, now, 200));
		now += 200 + (uint64_t)200 * YIELD_LOSS_MOST;
	}
	now += limits.most;
	ck_assert(yield_pays(&y, now));
	ck_assert(yield_learn(&y, &limits, now, 10));
	ck_assert(!yield_learn(&y, &limits, now, 200));
	ck_assert(yield_pays(&y, now + 200 + 200 * YIELD_LOSS));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("yield");
	TCase *t = tcase_create("yield");
	SRunner *r;
	int failed;

	tcase_add_test(t, unknown);
	tcase_add_test(t, rests_for_what_was_lost);
	tcase_add_test(t, twice_as_long_again);
	tcase_add_test(t, slices_cost_more_at_once);
	tcase_add_test(t, never_for_longer_than_most);
	tcase_add_test(t, begins_anew);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
