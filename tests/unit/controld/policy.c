/*
 * policy.c - controld's privilege: well-formed, and no wider than the list
 * here, so that widening it is a visible change.
 * links: controld/policy.c
 */
#include "controld/policy.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char *const golden[] = {
	"accept4", "brk", "clock_gettime", "close", "epoll_ctl", "epoll_wait", "exit_group", "fcntl", "futex", "getpid", "getsockopt",
	"gettid", "ioctl", "madvise", "mmap", "munmap", "pidfd_send_signal", "read", "recvmsg", "rt_sigprocmask", "rt_sigreturn", "sendmsg", "shutdown", "tgkill",
	"waitid", "write",
};

START_TEST(well_formed)
{
	struct err *e = policy_check(&controld_policy);

	ck_assert_msg(!e, "%s", e ? err_text(e) : "");
	ck_assert_ptr_null(controld_policy.caps);
}
END_TEST

START_TEST(no_wider_than_known)
{
	size_t n = 0;

	for (size_t i = 0; i < controld_policy.n_rules; i++) {
		const char *call = controld_policy.rules[i].call;

		if (i && !strcmp(call, controld_policy.rules[i - 1].call))
			continue;
		ck_assert_uint_lt(n, sizeof(golden) / sizeof(golden[0]));
		ck_assert_str_eq(call, golden[n]);
		n++;
	}
	ck_assert_uint_eq(n, sizeof(golden) / sizeof(golden[0]));
	ck_assert_uint_le(n, 30);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("controld/policy");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(t, well_formed);
	tcase_add_test(t, no_wider_than_known);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
