/*
 * test_child_first.c - when a new thread goes first, and when threads are left out.
 *
 * links: sentry/lib/lock.c
 */
#include "kernel/child_first.h"

#include <check.h>
#include <stdlib.h>

/* How many threads are left out before one goes first again. */
static unsigned left_out(struct child_first *f)
{
	unsigned n = 0;

	while (!child_first_pays(f, FIRST_SURE))
		n++;
	return n;
}

START_TEST(only_where_threads_end_soon)
{
	struct child_first f = { 0 };

	ck_assert(!child_first_pays(&f, 0));
	ck_assert(!child_first_pays(&f, FIRST_SURE - 1));
	ck_assert(child_first_pays(&f, FIRST_SURE));
}
END_TEST

START_TEST(fewer_where_they_run_on)
{
	struct child_first f = { 0 };
	unsigned rest = FIRST_REST;

	for (int i = 0; i < 20; i++) {
		child_first_learn(&f, false);
		ck_assert_uint_eq(left_out(&f), rest);
		rest = rest < FIRST_REST_MOST ? rest * 2 : rest;
	}
	ck_assert_uint_eq(rest, FIRST_REST_MOST);
}
END_TEST

START_TEST(good_ones_make_up_for_it)
{
	struct child_first f = { 0 };

	for (int i = 0; i < 20; i++)
		child_first_learn(&f, false);
	(void)left_out(&f);
	for (int i = 0; i < FIRST_GOOD - 1; i++)
		child_first_learn(&f, true);
	child_first_learn(&f, false); /* not quite */
	ck_assert_uint_eq(left_out(&f), FIRST_REST_MOST);
	for (int i = 0; i < 20 * FIRST_GOOD; i++)
		child_first_learn(&f, true);
	child_first_learn(&f, false);
	ck_assert_uint_eq(left_out(&f), FIRST_REST);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("child_first");
	TCase *t = tcase_create("child_first");
	SRunner *r;
	int failed;

	tcase_add_test(t, only_where_threads_end_soon);
	tcase_add_test(t, fewer_where_they_run_on);
	tcase_add_test(t, good_ones_make_up_for_it);
	suite_add_tcase(suite, t);
	r = srunner_create(suite);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
