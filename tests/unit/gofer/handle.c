/*
 * handle.c - handles: any number may come from a peer.
 * links: gofer/handle.c
 */
#include "gofer/handle.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

/* never looked into by the table */
static struct node *fake(uintptr_t n)
{
	return (struct node *)n;
}

START_TEST(give_and_take)
{
	struct handle_table t;
	uint64_t a, b, c;

	handle_table_init(&t, 1000, 0);
	ck_assert_int_eq(handle_new(&t, fake(16), &a), 0);
	ck_assert_int_eq(handle_new(&t, fake(32), &b), 0);
	ck_assert_uint_eq(a, 1);
	ck_assert_uint_eq(b, 2);
	ck_assert_ptr_eq(handle_get(&t, a), fake(16));
	ck_assert_ptr_eq(handle_get(&t, b), fake(32));
	ck_assert_ptr_eq(handle_take(&t, a), fake(16));
	ck_assert_ptr_null(handle_get(&t, a));
	ck_assert_ptr_null(handle_take(&t, a));
	/* the same index, another handle */
	ck_assert_int_eq(handle_new(&t, fake(48), &c), 0);
	ck_assert_uint_eq(c & 0xffffff, a & 0xffffff);
	ck_assert_uint_ne(c, a);
	ck_assert_ptr_null(handle_get(&t, a));
	ck_assert_ptr_eq(handle_get(&t, c), fake(48));
	ck_assert_uint_eq(t.live, 2);
	handle_table_destroy(&t);
}
END_TEST

START_TEST(nonsense)
{
	static const uint64_t bad[] = { 0, 2, 256, 257, 0xffffffff, 1ull << 32, UINT64_MAX, 1ull << 63 | 1, 0x1000001, 1ull << 51 | 1 };
	struct handle_table t;
	uint64_t a;

	handle_table_init(&t, 1000, 0);
	ck_assert_ptr_null(handle_get(&t, 1));
	ck_assert_int_eq(handle_new(&t, fake(16), &a), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		ck_assert_ptr_null(handle_get(&t, bad[i]));
		ck_assert_ptr_null(handle_take(&t, bad[i]));
	}
	ck_assert_ptr_eq(handle_get(&t, a), fake(16));
	handle_table_destroy(&t);
}
END_TEST

/* What a process before this one gave out is nothing here. */
START_TEST(another_process)
{
	struct handle_table before, after;
	uint64_t a, b;

	handle_table_init(&before, 1000, 6);
	handle_table_init(&after, 1000, 7);
	ck_assert_int_eq(handle_new(&before, fake(16), &a), 0);
	ck_assert_int_eq(handle_new(&after, fake(16), &b), 0);
	ck_assert_uint_eq(a >> 51, 6);
	ck_assert_uint_eq(b >> 51, 7);
	ck_assert_ptr_null(handle_get(&after, a));
	ck_assert_ptr_null(handle_take(&after, a));
	ck_assert_ptr_eq(handle_take(&after, b), fake(16));
	ck_assert_int_eq(handle_new(&after, fake(16), &a), 0);
	ck_assert_uint_eq(a >> 51, 7);
	handle_table_destroy(&before);
	handle_table_destroy(&after);
}
END_TEST

START_TEST(bound)
{
	struct handle_table t;
	uint64_t h[300], more;

	handle_table_init(&t, 300, 0);
	for (uintptr_t i = 0; i < 300; i++)
		ck_assert_int_eq(handle_new(&t, fake(16 + i), &h[i]), 0);
	ck_assert_int_eq(handle_new(&t, fake(8), &more), -ENFILE);
	for (uintptr_t i = 0; i < 300; i++)
		ck_assert_ptr_eq(handle_get(&t, h[i]), fake(16 + i));
	ck_assert_ptr_eq(handle_take(&t, h[77]), fake(16 + 77));
	ck_assert_int_eq(handle_new(&t, fake(8), &more), 0);
	ck_assert_ptr_eq(handle_get(&t, more), fake(8));
	handle_table_destroy(&t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("gofer/handle");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(t, give_and_take);
	tcase_add_test(t, nonsense);
	tcase_add_test(t, another_process);
	tcase_add_test(t, bound);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
