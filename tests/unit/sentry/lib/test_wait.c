/*
 * Sleepers, and when those who are woken are: a waker with locks gives them back
 * first, one that was told to wake later sleeps first.
 *
 * links: sentry/lib/wait.c sentry/lib/lock.c
 */
#include "lib/wait.h"

#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000

/* A thread that sleeps. */
static struct sleeper other;
static _Atomic bool asleep, awake;
static _Atomic int told; /* how often it would have been woken */
static enum wake_when when;
static struct waitq queue; /* where it waits */
static struct mutex a = MUTEX_INIT(RANK_FILE), b = MUTEX_INIT(RANK_WAITQ);

static enum wake_when wakes(struct sleeper *s)
{
	(void)s;
	told++;
	return when;
}

static void sleeps(struct sleeper *s)
{
	(void)s;
	atomic_store(&asleep, true);
}

static void *sleep_once(void *arg)
{
	struct waiter w;

	sleeper_set_current(&other);
	wait_begin(&w, &queue, EVENT_IN);
	if (!wait_sleep(WAIT_FOREVER))
		atomic_store(&awake, true);
	wait_end(&w);
	return arg;
}

static void pause_ms(int ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * (long)MS }, NULL);
}

static pthread_t begin(enum wake_when to_wake)
{
	pthread_t t;

	when = to_wake;
	waitq_init(&queue);
	sleeper_init(&other);
	other.wakes = wakes;
	other.sleeps = sleeps;
	ck_assert(!pthread_create(&t, NULL, sleep_once, NULL));
	while (!atomic_load(&asleep))
		pause_ms(1);
	pause_ms(20); /* it is in the host's futex now */
	return t;
}

START_TEST(woken_when_no_lock_is_held)
{
	pthread_t t = begin(WAKE_NOW);

	mutex_lock(&a);
	mutex_lock(&b);
	sleeper_wake(&other);
	sleeper_wake(&other); /* it need not be told twice */
	pause_ms(20);
	mutex_unlock(&b);
	pause_ms(20);
	ck_assert(!atomic_load(&awake) && lock_state.owes);
	mutex_unlock(&a);
	ck_assert(!lock_state.owes && !lock_state.held && told == 1);
	pthread_join(t, NULL);
	ck_assert(atomic_load(&awake));
}
END_TEST

START_TEST(woken_at_once_without_locks)
{
	pthread_t t = begin(WAKE_NOW);

	sleeper_wake(&other);
	pthread_join(t, NULL);
	ck_assert(atomic_load(&awake) && told == 1);
}
END_TEST

START_TEST(woken_later)
{
	struct sleeper own;
	pthread_t t = begin(WAKE_LATER);

	sleeper_init(&own);
	sleeper_set_current(&own);
	sleeper_wake(&other);
	mutex_lock(&a);
	mutex_unlock(&a);
	pause_ms(20);
	ck_assert(!atomic_load(&awake) && lock_state.owes_later);
	ck_assert_int_eq(wait_sleep(now_monotonic() + MS), -ETIMEDOUT);
	ck_assert(!lock_state.owes_later);
	pthread_join(t, NULL);
	ck_assert(atomic_load(&awake));
}
END_TEST

/* Only where more is to come, and no longer than something that takes its time. */
START_TEST(woken_lazily)
{
	pthread_t t = begin(WAKE_LAZILY);

	waitq_wake_lazily(&queue, EVENT_OUT);
	ck_assert(!lock_state.lazy && told == 0);
	waitq_wake_lazily(&queue, EVENT_IN);
	waitq_wake(&queue, EVENT_IN);
	pause_ms(20);
	ck_assert(!atomic_load(&awake) && lock_state.lazy && !lock_state.lazily && told == 1);
	lock_wake_lazy();
	ck_assert(!lock_state.lazy);
	pthread_join(t, NULL);
	ck_assert(atomic_load(&awake));
}
END_TEST

START_TEST(woken_lazily_before_a_sleep)
{
	struct sleeper own;
	pthread_t t = begin(WAKE_LAZILY);

	sleeper_init(&own);
	sleeper_set_current(&own);
	waitq_wake_lazily(&queue, EVENT_IN);
	ck_assert_int_eq(wait_sleep(now_monotonic() + MS), -ETIMEDOUT);
	ck_assert(!lock_state.lazy);
	pthread_join(t, NULL);
}
END_TEST

START_TEST(not_lazily)
{
	pthread_t t = begin(WAKE_LAZILY);

	waitq_wake(&queue, EVENT_IN);
	pthread_join(t, NULL);
	t = begin(WAKE_NOW);
	waitq_wake_lazily(&queue, EVENT_IN);
	pthread_join(t, NULL);
	ck_assert(!lock_state.lazy);
}
END_TEST

/* More than a thread can owe: the first ones are given. */
START_TEST(many_owed)
{
	static _Atomic uint32_t words[100];
	pthread_t t = begin(WAKE_NOW);

	mutex_lock(&a);
	sleeper_wake(&other);
	for (int i = 0; i < 100; i++)
		lock_wake(&words[i]);
	pthread_join(t, NULL);
	ck_assert(atomic_load(&awake));
	mutex_unlock(&a);
}
END_TEST

START_TEST(own_wake_is_kept)
{
	struct sleeper own;

	sleeper_init(&own);
	own.wakes = wakes;
	sleeper_set_current(&own);
	sleeper_wake(&own);
	ck_assert(told == 0 && wait_sleep(WAIT_FOREVER) == 0);
	ck_assert_int_eq(wait_sleep(now_monotonic() + MS), -ETIMEDOUT);
}
END_TEST

/* Where its thread is held is the thread's, whichever sleeper is current. */
/* What is owed is paid, but the thread does not sleep. */
START_TEST(no_sleep_when_the_time_is_over)
{
	static struct sleeper own;
	pthread_t t = begin(WAKE_LATER);

	sleeper_init(&own);
	own.sleeps = sleeps;
	sleeper_set_current(&own);
	waitq_wake(&queue, EVENT_IN);
	ck_assert(lock_state.owes_later);
	atomic_store(&asleep, false);
	ck_assert(wait_sleep(now_monotonic()) == -ETIMEDOUT && wait_sleep(0) == -ETIMEDOUT && wait_sleep_uninterruptible(0) == -ETIMEDOUT);
	ck_assert(!atomic_load(&asleep) && !lock_state.owes_later);
	pthread_join(t, NULL);
	ck_assert(wait_sleep(now_monotonic() + MS) == -ETIMEDOUT && atomic_load(&asleep));
	sleeper_wake(&own); /* kept, whatever the time */
	ck_assert(wait_sleep(0) == 0);
	sleeper_interrupt(&own);
	ck_assert(wait_sleep(0) == -ERESTARTSYS && wait_sleep_uninterruptible(0) == 0 && wait_sleep_uninterruptible(0) == -ETIMEDOUT);
	sleeper_set_current(NULL);
}
END_TEST

START_TEST(seat_goes_along)
{
	struct sleeper one, two;

	sleeper_init(&one);
	sleeper_init(&two);
	sleeper_set_current(&one);
	ck_assert(atomic_load(&one.tid) == gettid());
	atomic_store(&one.seat, 3);
	sleeper_set_current(NULL);
	one.seat = 0;
	sleeper_set_current(&two);
	ck_assert(atomic_load(&two.seat) == 3 && atomic_load(&two.tid) == gettid());
}
END_TEST

int main(void)
{
	Suite *s = suite_create("wait");
	TCase *t = tcase_create("wait");
	SRunner *r;
	int failed;

	tcase_add_test(t, woken_when_no_lock_is_held);
	tcase_add_test(t, woken_at_once_without_locks);
	tcase_add_test(t, woken_later);
	tcase_add_test(t, woken_lazily);
	tcase_add_test(t, woken_lazily_before_a_sleep);
	tcase_add_test(t, not_lazily);
	tcase_add_test(t, many_owed);
	tcase_add_test(t, own_wake_is_kept);
	tcase_add_test(t, no_sleep_when_the_time_is_over);
	tcase_add_test(t, seat_goes_along);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
