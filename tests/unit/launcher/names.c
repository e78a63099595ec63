/*
 * names.c - signal, capability and resource limit names.
 * links: launcher/names.c
 */
#include "launcher/names.h"

#include <check.h>
#include <stdlib.h>

START_TEST(signals)
{
	static const struct {
		const char *name;
		int number;
	} all[] = {
		{ "TERM", 15 }, { "SIGTERM", 15 }, { "sigterm", 15 }, { "15", 15 }, { "KILL", 9 }, { "9", 9 }, { "1", 1 }, { "64", 64 },
		{ "USR1", 10 }, { "SIGPOLL", 29 }, { "RTMIN", 34 }, { "SIGRTMIN+3", 37 }, { "RTMAX", 64 }, { "RTMAX-1", 63 }, { "RTMIN+30", 64 },
		{ "0", -1 }, { "65", -1 }, { "-1", -1 }, { "", -1 }, { "SIG", -1 }, { "TERMX", -1 }, { "1x", -1 }, { "099", -1 }, { "RTMIN+31", -1 },
		{ "RTMAX+1", -1 }, { "RTMAX-31", -1 }, { "RTMIN-1", -1 }, { "RTMIN+", -1 }, { " 9", -1 }, { "+9", -1 },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		ck_assert_msg(signal_number(all[i].name) == all[i].number, "%s: %d", all[i].name, signal_number(all[i].name));
}
END_TEST

START_TEST(capabilities)
{
	ck_assert_int_eq(capability_number("CAP_CHOWN"), 0);
	ck_assert_int_eq(capability_number("cap_sys_admin"), 21);
	ck_assert_int_eq(capability_number("CHECKPOINT_RESTORE"), 40);
	ck_assert_int_eq(capability_number("CAP_"), -1);
	ck_assert_int_eq(capability_number(""), -1);
	ck_assert_int_eq(capability_number("CAP_CHOWNS"), -1);
	ck_assert_int_eq(capability_number("ALL"), -1);
}
END_TEST

START_TEST(limits)
{
	ck_assert_int_eq(rlimit_number("RLIMIT_CPU"), 0);
	ck_assert_int_eq(rlimit_number("RLIMIT_NOFILE"), 7);
	ck_assert_int_eq(rlimit_number("RLIMIT_RTTIME"), 15);
	ck_assert_int_eq(rlimit_number("NOFILE"), -1);
	ck_assert_int_eq(rlimit_number("RLIMIT_"), -1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("launcher/names");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(t, signals);
	tcase_add_test(t, capabilities);
	tcase_add_test(t, limits);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
