/*
 * name.c - which names requests may carry.
 * links: gofer/name.c
 */
#include "gofer/name.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int check_bytes(const char *p, size_t len)
{
	struct msg_str s = { p, (uint32_t)len };

	return name_check(&s);
}

START_TEST(components)
{
	char longest[257];

	memset(longest, 'x', sizeof(longest));
	longest[256] = 0;
	ck_assert_int_eq(check_bytes("a", 1), 0);
	ck_assert_int_eq(check_bytes("...", 3), 0);
	ck_assert_int_eq(check_bytes("..a", 3), 0);
	ck_assert_int_eq(check_bytes(".a", 2), 0);
	ck_assert_int_eq(check_bytes("\xff\xfe\n", 3), 0);
	ck_assert_int_eq(check_bytes(longest, 255), 0);
	ck_assert_int_eq(check_bytes(longest, 256), -ENAMETOOLONG);
	ck_assert_int_eq(check_bytes("", 0), -EINVAL);
	ck_assert_int_eq(check_bytes(".", 1), -EINVAL);
	ck_assert_int_eq(check_bytes("..", 2), -EINVAL);
	ck_assert_int_eq(check_bytes("/", 1), -EINVAL);
	ck_assert_int_eq(check_bytes("a/b", 3), -EINVAL);
	ck_assert_int_eq(check_bytes("a/", 2), -EINVAL);
	ck_assert_int_eq(check_bytes("a\0b", 3), -EINVAL);
	ck_assert_int_eq(check_bytes("\0", 1), -EINVAL);
}
END_TEST

START_TEST(xattrs)
{
	static const struct {
		const char *name;
		int read, write;
	} t[] = {
		{ "user.a", 0, 0 },
		{ "security.capability", 0, -EPERM },
		{ "system.posix_acl_access", 0, -EPERM },
		{ "system.posix_acl_default", 0, -EPERM },
		{ "security.selinux", -ENODATA, -EPERM },
		{ "security.capability2", -ENODATA, -EPERM },
		{ "trusted.overlay.opaque", -ENODATA, -EPERM },
		{ "system.other", -EOPNOTSUPP, -EPERM },
		{ "nonsense", -EOPNOTSUPP, -EPERM },
		{ "", -EINVAL, -EINVAL },
	};
	struct msg_str nul = { "user.a\0b", 8 };

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct msg_str s = msg_str(t[i].name);

		ck_assert_msg(xattr_check_read(&s) == t[i].read, "read of '%s': %d", t[i].name, xattr_check_read(&s));
		ck_assert_msg(xattr_check_write(&s) == t[i].write, "write of '%s': %d", t[i].name, xattr_check_write(&s));
	}
	ck_assert_int_eq(xattr_check_read(&nul), -EINVAL);
	ck_assert_int_eq(xattr_check_write(&nul), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("gofer/name");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(t, components);
	tcase_add_test(t, xattrs);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
