/*
 * option.c - the option parser.
 * links: launcher/option.c launcher/pool.c
 */
#include "launcher/option.h"

#include <check.h>
#include <stdlib.h>

struct opts {
	bool flag;
	const char *text;
	struct texts many;
};

static const struct option_def defs[] = {
	{ "flag", 'f', OPTION_FLAG, offsetof(struct opts, flag), NULL, "a flag" },
	{ "text", 't', OPTION_TEXT, offsetof(struct opts, text), "T", "a text" },
	{ "many", 'm', OPTION_TEXTS, offsetof(struct opts, many), "M", "texts" },
	{ 0 },
};

static struct pool pool;
static struct opts o;
static int used;

static struct err *parse(int n, const char *const *args)
{
	char *argv[16];

	for (int i = 0; i < n; i++)
		argv[i] = pool_strdup(&pool, args[i]);
	o = (struct opts){ 0 };
	used = -1;
	return option_parse(defs, n, argv, &pool, &o, &used);
}
#define PARSE(...) parse(sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *), (const char *[]){ __VA_ARGS__ })

START_TEST(forms)
{
	ck_assert_ptr_null(PARSE("--flag", "--text", "a", "-m", "1", "--many=2", "-m3", "rest", "--flag"));
	ck_assert(o.flag);
	ck_assert_str_eq(o.text, "a");
	ck_assert_uint_eq(o.many.n, 3);
	ck_assert_str_eq(o.many.v[2], "3");
	ck_assert_int_eq(used, 7);
	ck_assert_ptr_null(PARSE("--flag=false", "--text=", "--", "-x"));
	ck_assert(!o.flag);
	ck_assert_str_eq(o.text, "");
	ck_assert_int_eq(used, 3);
	ck_assert_ptr_null(PARSE("-", "--flag"));
	ck_assert_int_eq(used, 0);
}
END_TEST

START_TEST(errors)
{
	static const struct {
		const char *arg, *error;
	} all[] = {
		{ "--nope", "unknown option '--nope'" }, { "-x", "unknown option '-x'" }, { "--text", "--text: needs a value (T)" },
		{ "-m", "--many: needs a value (M)" }, { "--flag=maybe", "--flag: 'maybe' is neither true nor false" },
		{ "--fla", "unknown option '--fla'" }, { "-ft", "unknown option '-ft'" }, { "--=x", "unknown option '--=x'" },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct err *e = PARSE(all[i].arg);

		ck_assert_msg(e != NULL, "%s", all[i].arg);
		ck_assert_str_eq(err_text(e), all[i].error);
		err_free(e);
	}
}
END_TEST

static void drop_pool(void)
{
	pool_free(&pool);
}

int main(void)
{
	Suite *s = suite_create("launcher/option");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, NULL, drop_pool);
	tcase_add_test(t, forms);
	tcase_add_test(t, errors);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
