/*
 * The timer queue, on the host's clock.
 *
 * links: sentry/kernel/timer.c sentry/lib/wait.c sentry/lib/lock.c sentry/lib/threads.c sentry/lib/counters.c
 */
#include "kernel/task.h"
#include "kernel/timer_queue.h"

#include <check.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

#define MS 1000000

static struct kernel k;
static _Atomic int order[8], fired;
static _Atomic bool begun;

static void note(struct ktimer *t)
{
	order[fired++] = (int)(intptr_t)t->arg;
}

static void again(struct ktimer *t)
{
	if (++fired < 3)
		ktimer_arm(t, now_monotonic() + 2 * MS);
}

static void slow(struct ktimer *t)
{
	atomic_store(&begun, true);
	nanosleep(&(struct timespec){ .tv_nsec = 50 * MS }, NULL);
	fired++;
}

/* Until so many have fired, for a time that only a failure takes. */
static void until_fired(int n)
{
	for (int i = 0; i < 20000 && fired < n; i++)
		nanosleep(&(struct timespec){ .tv_nsec = MS }, NULL);
	ck_assert_int_eq(fired, n);
}

static void sleep_ms(int ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = (long)ms * MS }, NULL);
}

static void setup(void)
{
	k.timers = timer_queue_new();
	fired = 0;
}

START_TEST(fire_in_order)
{
	struct ktimer t[3];
	int64_t now = now_monotonic();
	static const int64_t at[3] = { 1500 * MS, 500 * MS, 1000 * MS }; /* a stall between two is shorter */

	for (int i = 0; i < 3; i++) {
		ktimer_init(&t[i], &k, note, (void *)(intptr_t)i);
		ktimer_arm(&t[i], now + at[i]);
	}
	until_fired(3);
	ck_assert_int_eq(order[0], 1);
	ck_assert_int_eq(order[1], 2);
	ck_assert_int_eq(order[2], 0);
	ck_assert(!ktimer_cancel(&t[0]));
}
END_TEST

START_TEST(cancelled_does_not_fire)
{
	struct ktimer t;

	ktimer_init(&t, &k, note, NULL);
	ktimer_arm(&t, now_monotonic() + 2000 * MS);
	ck_assert(ktimer_cancel(&t));
	sleep_ms(2100);
	ck_assert_int_eq(fired, 0);
}
END_TEST

START_TEST(rearming)
{
	struct ktimer t;

	ktimer_init(&t, &k, again, NULL);
	ktimer_arm(&t, now_monotonic() + INT64_C(1000000) * MS);
	ktimer_arm(&t, now_monotonic() + 2 * MS); /* earlier than before */
	until_fired(3);
}
END_TEST

START_TEST(cancel_waits_for_the_callback)
{
	struct sleeper s;
	struct ktimer t;

	sleeper_init(&s);
	sleeper_set_current(&s);
	ktimer_init(&t, &k, slow, NULL);
	ktimer_arm(&t, now_monotonic());
	while (!atomic_load(&begun))
		sleep_ms(1);
	ck_assert(!ktimer_cancel(&t));
	ck_assert_int_eq(fired, 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("timer");
	TCase *t = tcase_create("queue");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, fire_in_order);
	tcase_add_test(t, cancelled_does_not_fire);
	tcase_add_test(t, rearming);
	tcase_add_test(t, cancel_waits_for_the_callback);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
