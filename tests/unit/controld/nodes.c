/*
 * nodes.c - numbers for paths.
 * links: controld/nodes.c
 */
#include "controld/nodes.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct nodes ns;

static void set_up(void)
{
	nodes_init(&ns);
}

static void tear_down(void)
{
	nodes_free(&ns);
}

START_TEST(told_and_forgotten)
{
	uint64_t a = nodes_tell(&ns, "1"), b = nodes_tell(&ns, "1/status");

	ck_assert(a > NODES_ROOT && b > a && nodes_tell(&ns, "1") == a);
	ck_assert_str_eq(nodes_path(&ns, NODES_ROOT), "");
	ck_assert_str_eq(nodes_path(&ns, b), "1/status");
	nodes_forget(&ns, a, 1);
	ck_assert_str_eq(nodes_path(&ns, a), "1");
	nodes_forget(&ns, a, 5); /* more often than it was told */
	ck_assert_ptr_null(nodes_path(&ns, a));
	nodes_forget(&ns, a, 1);
	nodes_forget(&ns, 77, 1);
	nodes_forget(&ns, NODES_ROOT, 1);
	ck_assert_str_eq(nodes_path(&ns, NODES_ROOT), "");
	ck_assert_uint_gt(nodes_tell(&ns, "1"), b); /* another number */
}
END_TEST

START_TEST(join)
{
	static char path[NODES_PATH_MAX + 1], name[NODES_PATH_MAX + 1];
	uint64_t dir = nodes_tell(&ns, "1");

	ck_assert(nodes_join(&ns, NODES_ROOT, "stat", path));
	ck_assert_str_eq(path, "stat");
	ck_assert(nodes_join(&ns, dir, "stat", path));
	ck_assert_str_eq(path, "1/stat");
	ck_assert(!nodes_join(&ns, dir + 1, "stat", path));
	memset(name, 'x', NODES_PATH_MAX);
	name[NODES_PATH_MAX] = 0;
	ck_assert(nodes_join(&ns, NODES_ROOT, name, path));
	ck_assert(!nodes_join(&ns, dir, name, path));
	name[NODES_PATH_MAX - 2] = 0;
	ck_assert(nodes_join(&ns, dir, name, path));
	ck_assert_uint_eq(strlen(path), NODES_PATH_MAX);
}
END_TEST

START_TEST(bounded)
{
	uint64_t first = nodes_tell(&ns, "first"), second = nodes_tell(&ns, "second");
	char path[32];

	for (int i = 0; i < NODES_MAX - 1; i++) {
		nodes_path(&ns, first); /* in use: it stays */
		snprintf(path, sizeof(path), "%d", i);
		ck_assert(nodes_tell(&ns, path));
	}
	ck_assert_uint_eq(ns.n, NODES_MAX);
	ck_assert_str_eq(nodes_path(&ns, first), "first");
	ck_assert_ptr_null(nodes_path(&ns, second));
}
END_TEST

START_TEST(bounded_bytes)
{
	static char path[NODES_PATH_MAX + 1];
	uint64_t first = nodes_tell(&ns, "first");

	memset(path, 'x', NODES_PATH_MAX);
	for (int i = 0; i < 1000; i++) {
		path[i] = 'y'; /* another each time */
		ck_assert(nodes_tell(&ns, path));
		ck_assert(ns.bytes <= NODES_BYTES_MAX && ns.n <= NODES_BYTES_MAX / NODES_PATH_MAX + 1);
	}
	ck_assert_ptr_null(nodes_path(&ns, first));
}
END_TEST

START_TEST(renamed)
{
	static char deep[NODES_PATH_MAX + 1];
	uint64_t a = nodes_tell(&ns, "a"), in = nodes_tell(&ns, "a/b/c"), other = nodes_tell(&ns, "ab"), old = nodes_tell(&ns, "d/old"), below, far;

	nodes_rename(&ns, "a", "d");
	ck_assert_str_eq(nodes_path(&ns, a), "d");
	ck_assert_str_eq(nodes_path(&ns, in), "d/b/c");
	ck_assert_str_eq(nodes_path(&ns, other), "ab");
	ck_assert_ptr_null(nodes_path(&ns, old)); /* what was there */
	ck_assert(nodes_tell(&ns, "d/b/c") == in && nodes_tell(&ns, "a") != a);
	nodes_rename(&ns, "d", "d");
	ck_assert_str_eq(nodes_path(&ns, in), "d/b/c");
	/* too long where it comes to: it is asked for by name again */
	memset(deep, 'x', NODES_PATH_MAX);
	deep[1] = '/';
	far = nodes_tell(&ns, deep);
	below = nodes_tell(&ns, "x");
	nodes_rename(&ns, "x", "long");
	ck_assert_ptr_null(nodes_path(&ns, far));
	ck_assert_str_eq(nodes_path(&ns, below), "long");
	nodes_rename(&ns, "ab", "e");
	nodes_forget(&ns, other, 1);
	ck_assert_ptr_null(nodes_path(&ns, other));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("controld/nodes");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, told_and_forgotten);
	tcase_add_test(t, join);
	tcase_add_test(t, bounded);
	tcase_add_test(t, bounded_bytes);
	tcase_add_test(t, renamed);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
