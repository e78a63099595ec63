/*
 * Credentials after exec, from a table of cases (capabilities(7)).
 *
 * links: sentry/kernel/exec_cred.c sentry/vfs/cred.c sentry/vfs/user_ns.c sentry/lib/lock.c
 */
#include "abi/capability.h"
#include "kernel/exec.h"

#include <check.h>
#include <errno.h>

#define ALL LINUX_CAP_ALL
#define NET (UINT64_C(1) << 13)

struct who {
	uint32_t ruid, euid;
	uint64_t bounding, inheritable, permitted, ambient;
	uint32_t securebits;
};
static const struct {
	struct who who;
	uint32_t mode, uid;
	struct file_caps fc;
	bool may_gain;
	int error;
	uint32_t euid;
	uint64_t permitted, effective;
	bool secure;
} cases[] = {
	/* root keeps the bounding set */
	{ { 0, 0, ALL, 0, ALL, 0, 0 }, 0755, 0, { 0 }, true, 0, 0, ALL, ALL, false },
	{ { 0, 0, NET, 0, ALL, 0, 0 }, 0755, 0, { 0 }, true, 0, 0, NET, NET, false },
	{ { 0, 0, 0, 0, 0, 0, 0 }, 0755, 0, { 0 }, true, 0, 0, 0, 0, false },
	/* others lose all but the ambient */
	{ { 1000, 1000, ALL, 0, ALL, 0, 0 }, 0755, 0, { 0 }, true, 0, 1000, 0, 0, false },
	{ { 1000, 1000, ALL, NET, NET, NET, 0 }, 0755, 0, { 0 }, true, 0, 1000, NET, NET, false },
	/* set-user-ID root */
	{ { 1000, 1000, ALL, 0, 0, 0, 0 }, 04755, 0, { 0 }, true, 0, 0, ALL, ALL, true },
	{ { 1000, 1000, ALL, 0, 0, 0, 0 }, 04755, 0, { 0 }, false, 0, 1000, 0, 0, false },
	{ { 1000, 1000, ALL, 0, 0, 0, LINUX_SECBIT_NOROOT }, 04755, 0, { 0 }, true, 0, 0, 0, 0, true },
	/* set-user-ID to another plain user */
	{ { 1000, 1000, ALL, 0, 0, 0, 0 }, 04755, 33, { 0 }, true, 0, 33, 0, 0, true },
	/* file capabilities */
	{ { 1000, 1000, ALL, 0, 0, 0, 0 }, 0755, 0, { true, true, NET, 0 }, true, 0, 1000, NET, NET, true },
	{ { 1000, 1000, ALL, 0, 0, 0, 0 }, 0755, 0, { true, false, NET, 0 }, true, 0, 1000, NET, 0, true },
	{ { 1000, 1000, ALL, 0, 0, 0, 0 }, 0755, 0, { true, true, NET, 0 }, false, 0, 1000, 0, 0, false },
	{ { 1000, 1000, 0, 0, 0, 0, 0 }, 0755, 0, { true, true, NET, 0 }, true, -EPERM, 0, 0, 0, false },
};

START_TEST(after_exec)
{
	struct cred *old = cred_new(), *c;
	const struct who *w = &cases[_i].who;
	bool secure;
	int err;

	old->ruid = w->ruid;
	old->euid = old->suid = old->fsuid = w->euid;
	old->cap_bounding = w->bounding;
	old->cap_inheritable = w->inheritable;
	old->cap_permitted = old->cap_effective = w->permitted;
	old->cap_ambient = w->ambient;
	old->securebits = w->securebits;
	c = exec_cred(old, cases[_i].mode, cases[_i].uid, 0, &cases[_i].fc, cases[_i].may_gain, &err, &secure);
	ck_assert_int_eq(err, cases[_i].error);
	if (!err) {
		ck_assert_uint_eq(c->euid, cases[_i].euid);
		ck_assert_uint_eq(c->suid, cases[_i].euid);
		ck_assert_uint_eq(c->ruid, w->ruid);
		ck_assert_uint_eq(c->cap_permitted, cases[_i].permitted);
		ck_assert_uint_eq(c->cap_effective, cases[_i].effective);
		ck_assert_int_eq(secure, cases[_i].secure);
	}
	cred_put(c);
	cred_put(old);
}
END_TEST

START_TEST(attribute)
{
	static const uint8_t v2[20] = { 1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0 };
	static const uint8_t bad[20] = { 1, 0, 0, 9 };
	struct file_caps fc;

	ck_assert(file_caps_parse(v2, sizeof(v2), &fc));
	ck_assert(fc.effective);
	ck_assert_uint_eq(fc.permitted, NET | UINT64_C(1) << 32);
	for (size_t n = 0; n < sizeof(v2); n++)
		ck_assert(!file_caps_parse(v2, n, &fc));
	ck_assert(!file_caps_parse(bad, sizeof(bad), &fc));
}
END_TEST

START_TEST(groups)
{
	uint32_t list[] = { 3, 7, 9 };
	struct cred c = { .fsgid = 5, .groups = list, .n_groups = 3 };

	ck_assert(cred_in_group(&c, 5) && cred_in_group(&c, 3) && cred_in_group(&c, 7) && cred_in_group(&c, 9));
	ck_assert(!cred_in_group(&c, 4) && !cred_in_group(&c, 0) && !cred_in_group(&c, 10));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("exec");
	TCase *t = tcase_create("cred");
	SRunner *r;
	int failed;

	tcase_add_loop_test(t, after_exec, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(t, attribute);
	tcase_add_test(t, groups);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
