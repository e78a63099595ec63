/*
 * records.c - how processes ended.
 * links: controld/records.c
 */
#include "controld/records.h"

#include <check.h>
#include <stdlib.h>

struct asker {
	struct record_waiter link;
	int answered, status;
};

static void answer(struct record_waiter *w, uint16_t status)
{
	struct asker *a = (struct asker *)w;

	a->answered++;
	a->status = status;
}

static struct records r;

static void set_up(void)
{
	records_init(&r);
}

static void tear_down(void)
{
	records_free(&r);
}

START_TEST(every_waiter_once)
{
	struct asker a = { 0 }, b = { 0 }, c = { 0 };
	struct record *rec = records_add(&r, 5);

	record_wait(rec, &a.link);
	record_wait(rec, &b.link);
	record_wait(rec, &c.link);
	record_unwait(&b.link);
	record_end(rec, 0x300, answer);
	record_end(rec, 9, answer);
	ck_assert(a.answered == 1 && a.status == 0x300 && c.answered == 1 && !b.answered);
	ck_assert_int_eq(records_find(&r, 5)->status, 0x300);
	ck_assert_ptr_null(records_find(&r, 6));
}
END_TEST

START_TEST(end_all_keeps_the_ended)
{
	struct asker a = { 0 };

	record_end(records_add(&r, 1), 0x100, answer);
	record_wait(records_add(&r, 2), &a.link);
	records_end_all(&r, 9, answer);
	ck_assert_int_eq(records_find(&r, 1)->status, 0x100);
	ck_assert_int_eq(a.status, 9);
}
END_TEST

START_TEST(pid_used_again)
{
	struct record *rec = records_add(&r, 3);

	ck_assert_ptr_eq(records_add(&r, 3), rec);
	record_end(rec, 0x500, answer);
	ck_assert(!records_add(&r, 3)->ended);
	ck_assert_uint_eq(r.n, 1);
}
END_TEST

START_TEST(bounded)
{
	record_end(records_add(&r, 0), 7, answer);
	for (uint32_t pid = 1; pid < RECORDS_MAX; pid++)
		ck_assert_ptr_nonnull(records_add(&r, pid));
	ck_assert_ptr_null(records_add(&r, RECORDS_MAX));
	record_end(records_find(&r, 10), 0, answer);
	ck_assert_ptr_nonnull(records_add(&r, RECORDS_MAX));
	ck_assert_ptr_null(records_find(&r, 10));
	ck_assert_ptr_nonnull(records_find(&r, 0)); /* the container's own is never dropped */
	ck_assert_uint_eq(r.n, RECORDS_MAX);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("controld/records");
	TCase *t = tcase_create("all");
	SRunner *run = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, every_waiter_once);
	tcase_add_test(t, end_all_keeps_the_ended);
	tcase_add_test(t, pid_used_again);
	tcase_add_test(t, bounded);
	suite_add_tcase(s, t);
	srunner_run_all(run, CK_NORMAL);
	failed = srunner_ntests_failed(run);
	srunner_free(run);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
