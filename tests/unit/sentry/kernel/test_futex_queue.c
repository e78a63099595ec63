/*
 * The queues of futex waiters, with made-up keys.
 *
 * links: sentry/kernel/futex_queue.c sentry/lib/wait.c sentry/lib/lock.c
 */
#include "kernel/futex.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

static struct futex_table *ft;
static struct sleeper s[4];
static struct futex_waiter w[4];
static const struct futex_key k1 = { 1, 0x1000 }, k2 = { 1, 0x2000 };

static void setup(void)
{
	ft = futex_table_new();
	for (int i = 0; i < 4; i++) {
		sleeper_init(&s[i]);
		w[i] = (struct futex_waiter){ .bitset = LINUX_FUTEX_BITSET_ALL, .sleeper = &s[i] };
	}
}

static void teardown(void)
{
	free(ft);
}

static void add(int i, const struct futex_key *k)
{
	struct futex_bucket *b = futex_bucket(ft, k);

	mutex_lock(&b->mu);
	futex_enqueue_locked(b, &w[i], k);
	mutex_unlock(&b->mu);
}

static int wake(const struct futex_key *k, int n, uint32_t bits)
{
	struct futex_bucket *b = futex_bucket(ft, k);
	int r;

	mutex_lock(&b->mu);
	r = futex_wake_locked(b, k, n, bits);
	mutex_unlock(&b->mu);
	return r;
}

START_TEST(wake_in_order)
{
	add(0, &k1);
	add(1, &k1);
	add(2, &k2);
	ck_assert_int_eq(wake(&k1, 1, LINUX_FUTEX_BITSET_ALL), 1);
	ck_assert(w[0].woken && !w[1].woken);
	ck_assert_int_eq(atomic_load(&s[0].word), 1);
	ck_assert_int_eq(wake(&k1, 10, LINUX_FUTEX_BITSET_ALL), 1);
	ck_assert(w[1].woken && !w[2].woken);
	ck_assert(!futex_dequeue(&w[0]));
	ck_assert(futex_dequeue(&w[2]));
}
END_TEST

START_TEST(bitsets)
{
	w[0].bitset = 1;
	w[1].bitset = 6;
	add(0, &k1);
	add(1, &k1);
	ck_assert_int_eq(wake(&k1, 10, 8), 0);
	ck_assert_int_eq(wake(&k1, 10, 4), 1);
	ck_assert(!w[0].woken && w[1].woken);
	ck_assert(futex_dequeue(&w[0]));
}
END_TEST

START_TEST(requeue_moves)
{
	struct futex_bucket *a = futex_bucket(ft, &k1), *b = futex_bucket(ft, &k2);

	for (int i = 0; i < 4; i++)
		add(i, &k1);
	futex_lock_two(a, b);
	ck_assert_int_eq(futex_wake_locked(a, &k1, 1, LINUX_FUTEX_BITSET_ALL), 1);
	ck_assert_int_eq(futex_requeue_locked(a, b, &k1, &k2, 2), 2);
	futex_unlock_two(a, b);
	ck_assert_int_eq(wake(&k2, 10, LINUX_FUTEX_BITSET_ALL), 2);
	ck_assert(w[0].woken && w[1].woken && w[2].woken && !w[3].woken);
	ck_assert(futex_dequeue(&w[3]));
}
END_TEST

START_TEST(requeue_to_the_same_word_ends)
{
	struct futex_bucket *a = futex_bucket(ft, &k1);

	add(0, &k1);
	add(1, &k1);
	futex_lock_two(a, a);
	ck_assert_int_eq(futex_requeue_locked(a, a, &k1, &k1, 1000), 2);
	futex_unlock_two(a, a);
	ck_assert_int_eq(wake(&k1, 10, LINUX_FUTEX_BITSET_ALL), 2);
}
END_TEST

START_TEST(pi_waiters_are_not_woken_by_wake)
{
	w[0].pi = true;
	add(0, &k1);
	ck_assert_int_eq(wake(&k1, 1, LINUX_FUTEX_BITSET_ALL), -EINVAL);
	ck_assert(futex_dequeue(&w[0]));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("futex");
	TCase *t = tcase_create("queue");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, wake_in_order);
	tcase_add_test(t, bitsets);
	tcase_add_test(t, requeue_moves);
	tcase_add_test(t, requeue_to_the_same_word_ends);
	tcase_add_test(t, pi_waiters_are_not_woken_by_wake);
	suite_add_tcase(suite, t);
	r = srunner_create(suite);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
