/*
 * test_soon.c - when a thread lets the program run, and for how long it does not after that was in vain.
 */
#include "platform/systrap/soon.h"

#include <check.h>
#include <stdlib.h>

static unsigned slept_through(struct st_soon *s)
{
	unsigned n = 0;

	while (!soon_pays(s))
		n++;
	return n;
}

static void learn(struct st_soon *s, unsigned n, bool in_time)
{
	while (n--)
		soon_learn(s, in_time);
}

START_TEST(tried_at_once)
{
	struct st_soon s = { 0 };

	ck_assert_uint_eq(slept_through(&s), 0);
	learn(&s, 3 * SOON_GOOD, true);
	ck_assert_uint_eq(slept_through(&s), 0);
}
END_TEST

START_TEST(rests_grow_to_a_bound)
{
	struct st_soon s = { 0 };
	unsigned rest = SOON_REST;

	for (int i = 0; i < 20; i++) {
		learn(&s, 1, false);
		ck_assert_uint_eq(slept_through(&s), rest);
		learn(&s, SOON_GOOD - 1, true); /* not quite enough */
		rest = rest < SOON_REST_MOST ? rest * 2 : rest;
	}
	ck_assert_uint_eq(rest, SOON_REST_MOST);
}
END_TEST

START_TEST(good_ones_make_up_for_it)
{
	struct st_soon s = { 0 };

	for (int i = 0; i < 20; i++)
		learn(&s, 1, false);
	learn(&s, SOON_GOOD, true);
	learn(&s, 1, false);
	ck_assert_uint_eq(slept_through(&s), SOON_REST_MOST / 2);
	learn(&s, 20 * SOON_GOOD, true);
	learn(&s, 1, false);
	ck_assert_uint_eq(slept_through(&s), SOON_REST);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("soon");
	TCase *t = tcase_create("soon");
	SRunner *r;
	int failed;

	tcase_add_test(t, tried_at_once);
	tcase_add_test(t, rests_grow_to_a_bound);
	tcase_add_test(t, good_ones_make_up_for_it);
	suite_add_tcase(suite, t);
	r = srunner_create(suite);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
