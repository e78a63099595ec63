/*
 * options.c - controld's command line.
 * links: controld/options.c
 */
#include "controld/options.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* The copies live as long as o, that is until the next call. */
static struct err *parse(int n, const char *const *args, struct options *o)
{
	static char *argv[16];

	for (int i = 0; i < 16; i++) {
		free(argv[i]);
		argv[i] = i > n ? NULL : strdup(i ? args[i - 1] : "controld");
	}
	return options_parse(n + 1, argv, o);
}
#define PARSE(O, ...) parse(sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *), (const char *[]){ __VA_ARGS__ }, (O))

START_TEST(good)
{
	struct options o;
	struct err *e = PARSE(&o, "--id", "x", "--listen-fd", "0", "--sentry-fd=1", "--sentry-pidfd", "2", "--sentry-pid", "77", "--debug");

	ck_assert_msg(!e, "%s", e ? err_text(e) : "");
	ck_assert_str_eq(o.id, "x");
	ck_assert(o.listen == 0 && o.sentry == 1 && o.sentry_pidfd == 2 && o.gofer_pidfd == -1 && o.sentry_pid == 77 && o.debug);
}
END_TEST

START_TEST(bad)
{
	static const struct {
		const char *a, *b, *error;
	} all[] = {
		{ "--nope", "1", "unknown option '--nope'" }, { "id", "1", "unknown option 'id'" }, { "--", "1", "unknown option '--'" },
		{ "-", "1", "unknown option '-'" }, { "", "1", "unknown option ''" },
		{ "--id=x", "--log-format=xml", "--log-format: 'xml' is neither text nor json" },
		{ "--id=", "--debug", "--id: is empty" }, { "--debug", "--debug=1", "--debug: takes no value" },
		{ "--debug", "--id", "--id: needs a value" }, { "--sentry-pid", "-1", "--sentry-pid: '-1' is not a number" },
		{ "--sentry-pid", "4294967296", "--sentry-pid: '4294967296' is not a number" }, { "--id", "x", "--listen-fd is missing" },
		{ "--listen-fd", "0", "--id is missing" },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct options o;
		struct err *e = PARSE(&o, all[i].a, all[i].b);

		ck_assert_msg(e != NULL, "%s %s", all[i].a, all[i].b);
		ck_assert_str_eq(err_text(e), all[i].error);
		err_free(e);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("controld/options");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(t, good);
	tcase_add_test(t, bad);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
