/*
 * check_main.h - what every libipc unit test begins and ends with.
 */
#ifndef REDOUBT_TESTS_LIBIPC_CHECK_MAIN_H
#define REDOUBT_TESTS_LIBIPC_CHECK_MAIN_H

#include "libipc/err.h"

#include <check.h>
#include <dirent.h>

static inline int open_fds(void)
{
	int n = 0;
	DIR *d = opendir("/proc/self/fd");
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static inline void no_error(struct err *e)
{
	ck_assert_msg(!e, "%s", e ? err_text(e) : "");
}

/* e must be an error with this text; frees it. */
static inline void error_is(struct err *e, const char *text)
{
	ck_assert_ptr_nonnull(e);
	ck_assert_str_eq(err_text(e), text);
	err_free(e);
}

/* tests ends with NULL */
static inline int check_main(const char *name, const TTest *const *tests)
{
	Suite *s = suite_create(name);
	TCase *c = tcase_create(name);
	tcase_set_timeout(c, 60);
	for (; *tests; tests++)
		tcase_add_test(c, *tests);
	suite_add_tcase(s, c);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}

#endif
