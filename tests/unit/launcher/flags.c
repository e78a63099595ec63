/*
 * flags.c - annotations that set options: which, by whose leave, with what value.
 * links: launcher/flags.c launcher/pool.c
 */
#include "launcher/flags.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char *names[] = { "debug", "no-patch", "platform" };

static struct err *apply(const char *name, const char *value, struct pool *p, struct globals *out)
{
	static const struct globals g = { .allow_flags = { names, 3, 3 } };
	struct context c = { .g = &g, .pool = p };
	struct jpair pairs[] = { { "other", "1" }, { name, value } };
	const struct jmap m = { pairs, 2 };
	struct err *e = flags_apply(&c, &m);

	*out = *c.g;
	return e;
}

START_TEST(set)
{
	struct pool p = { 0 };
	struct globals g;

	ck_assert(!apply("dev.gvisor.flag.debug", "true", &p, &g) && g.debug);
	ck_assert(!apply("dev.gvisor.flag.debug", "false", &p, &g) && !g.debug);
	ck_assert(!apply("dev.gvisor.flag.no-patch", "1", &p, &g) && g.no_patch);
	ck_assert(!apply("dev.gvisor.flag.platform", "systrap", &p, &g) && !strcmp(g.platform, "systrap"));
	ck_assert(!apply("dev.gvisor.spec.mount.x.type", "bind", &p, &g) && !g.debug && !g.platform);
	pool_free(&p);
}
END_TEST

START_TEST(refused)
{
	static const struct {
		const char *name, *value, *error;
	} all[] = {
		{ "dev.gvisor.flag.strace", "true", "annotation dev.gvisor.flag.strace: the operator does not allow it (--allow-flag strace)" },
		{ "dev.gvisor.flag.root", "/", "annotation dev.gvisor.flag.root: there is no such flag" },
		{ "dev.gvisor.flag.", "/", "annotation dev.gvisor.flag.: there is no such flag" },
		{ "dev.gvisor.flag.debug", "yes", "annotation dev.gvisor.flag.debug: 'yes' is neither true nor false" },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct pool p = { 0 };
		struct globals g;
		struct err *e = apply(all[i].name, all[i].value, &p, &g);

		ck_assert(e != NULL);
		ck_assert_str_eq(err_text(e), all[i].error);
		err_free(e);
		pool_free(&p);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("flags");
	TCase *c = tcase_create("flags");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(c, set);
	tcase_add_test(c, refused);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
