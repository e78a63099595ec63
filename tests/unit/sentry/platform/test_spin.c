/*
 * test_spin.c - when the sides of a hand-over spin and when they sleep at once.
 *
 * links: sentry/lib/lock.c
 */
#include "platform/systrap/spin.h"

#include <check.h>
#include <stdlib.h>

static struct st_spin s;

static void begin(void)
{
	spin_init(&s, SPIN_REST_NEW);
	s.rest = 0;
}

static void learn(unsigned n, bool answered)
{
	while (n--)
		spin_learn(&s, answered);
}

/* How many hand-overs sleep before one spins again. */
static unsigned rest(void)
{
	unsigned n = 0;

	while (!spin_pays(&s))
		n++;
	return n;
}

START_TEST(begins_soon)
{
	spin_init(&s, SPIN_REST_NEW);
	ck_assert_uint_eq(rest(), SPIN_REST_NEW);
	ck_assert(spin_pays(&s));
	learn(1, false);
	ck_assert(spin_pays(&s)); /* a call that takes long, once */
	learn(1, false);
	ck_assert_uint_eq(rest(), SPIN_REST_FIRST);
}
END_TEST

START_TEST(the_short_lived_begin_later)
{
	unsigned n = SPIN_REST_NEW;

	for (unsigned i = 0; i < 20; i++) {
		unsigned before = n;

		n = spin_rest_new(n, 1);
		ck_assert_uint_ge(n, before);
	}
	ck_assert_uint_eq(n, SPIN_REST_SHORT);
	spin_init(&s, n);
	ck_assert_uint_eq(rest(), SPIN_REST_SHORT);
	ck_assert_uint_eq(spin_rest_new(n, SPIN_LIFE_SHORT), SPIN_REST_NEW);
}
END_TEST

static void saw(unsigned n, bool answered)
{
	while (n--)
		spin_saw(&s, answered);
}

START_TEST(what_is_seen_ends_a_rest)
{
	begin();
	learn(2, false);
	saw(SPIN_SEEN - 1, true);
	ck_assert(!spin_pays(&s));
	saw(1, true);
	ck_assert(spin_pays(&s));
	learn(SPIN_SEEN / SPIN_LOSS, false); /* and they count as answers */
	ck_assert(spin_pays(&s));
	learn(1, false);
	ck_assert(!spin_pays(&s));
	saw(SPIN_SEEN - 1, true); /* of this rest only */
	ck_assert(!spin_pays(&s));
}
END_TEST

START_TEST(too_few_are_seen)
{
	begin();
	learn(2, false);
	for (unsigned i = 0; i < 1000; i++) {
		saw(SPIN_LOSS - 1, true);
		saw(1, false);
	}
	ck_assert_uint_eq(rest(), SPIN_REST_FIRST);
}
END_TEST

START_TEST(new_ones_look_for_as_long_as_others_lived)
{
	spin_init(&s, SPIN_REST_SHORT);
	saw(2 * SPIN_REST_SHORT - 1, true);
	ck_assert(!spin_pays(&s));
	saw(1, true);
	ck_assert(spin_pays(&s));
}
END_TEST

START_TEST(answers_outweigh_failures)
{
	begin();
	for (unsigned i = 0; i < 1000; i++) {
		learn(SPIN_LOSS, true);
		ck_assert(spin_pays(&s));
		learn(1, false);
		ck_assert(spin_pays(&s));
	}
}
END_TEST

START_TEST(too_few_answers)
{
	unsigned spun = 0;

	begin();
	for (unsigned i = 0; i < 100000; i++) {
		if (!spin_pays(&s))
			continue;
		spun++;
		learn(SPIN_LOSS / 4, true);
		learn(1, false);
	}
	ck_assert_uint_lt(spun, 1000);
}
END_TEST

START_TEST(rests_grow_to_a_bound)
{
	unsigned most = 0, last;

	begin();
	for (unsigned expected = SPIN_REST_FIRST; most < SPIN_REST_MOST; expected *= 2) {
		learn(2, false);
		most = rest();
		ck_assert_uint_eq(most, expected);
	}
	learn(2, false);
	last = rest();
	ck_assert_uint_eq(last, SPIN_REST_MOST);
}
END_TEST

START_TEST(paying_again_forgets_the_rests)
{
	begin();
	for (unsigned i = 0; i < 20; i++) {
		learn(2, false);
		rest();
	}
	learn(SPIN_CREDIT_MOST + 1, true);
	learn(SPIN_CREDIT_MOST / SPIN_LOSS, false);
	ck_assert(spin_pays(&s));
	learn(1, false);
	ck_assert_uint_eq(rest(), SPIN_REST_FIRST);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("spin");
	TCase *t = tcase_create("spin");
	SRunner *r;
	int failed;

	tcase_add_test(t, begins_soon);
	tcase_add_test(t, the_short_lived_begin_later);
	tcase_add_test(t, what_is_seen_ends_a_rest);
	tcase_add_test(t, too_few_are_seen);
	tcase_add_test(t, new_ones_look_for_as_long_as_others_lived);
	tcase_add_test(t, answers_outweigh_failures);
	tcase_add_test(t, too_few_answers);
	tcase_add_test(t, rests_grow_to_a_bound);
	tcase_add_test(t, paying_again_forgets_the_rests);
	suite_add_tcase(suite, t);
	r = srunner_create(suite);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
