/*
 * policy.c - the policy in all its variants is well-formed and small enough.
 * (tests/gofer/run compares it with what a running gofer may really do.)
 * links: gofer/policy.c gofer/attr.c gofer/resolve.c gofer/node.c gofer/fdlru.c
 */
#include "gofer/policy.h"

#include "gofer/attr.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define CALLS_MAX 40

static char listen_path[] = "/x";

static bool allows(const struct policy *p, const char *call)
{
	for (size_t i = 0; i < p->n_rules; i++) {
		if (!strcmp(p->rules[i].call, call))
			return true;
	}
	return false;
}

static unsigned count_calls(const struct policy *p)
{
	unsigned n = 0;

	for (size_t i = 0; i < p->n_rules; i++)
		n += !i || strcmp(p->rules[i].call, p->rules[i - 1].call); /* rows are sorted: policy_check */
	return n;
}

START_TEST(variants)
{
	attr_probe();
	for (int i = 0; i < 12; i++) {
		struct options o = { .host_uds = (enum host_uds)(i % 3), .listen = i / 3 % 2 ? listen_path : NULL, .allow_mknod = i / 6 };
		const struct policy *p = gofer_policy(&o);
		struct err *e = policy_check(p);

		ck_assert_msg(!e, "%s", e ? err_text(e) : "");
		ck_assert_uint_le(count_calls(p), CALLS_MAX);
		ck_assert_int_eq(allows(p, "socket"), o.host_uds != HOST_UDS_NONE);
		ck_assert_int_eq(allows(p, "connect"), o.host_uds != HOST_UDS_NONE);
		ck_assert_int_eq(allows(p, "bind"), o.host_uds == HOST_UDS_CREATE);
		ck_assert_int_eq(allows(p, "accept4"), o.listen != NULL);
		ck_assert_int_eq(allows(p, "sched_setaffinity"), !o.listen);
	}
}
END_TEST

/* The keeper's is the server's and a few calls more; it never has host sockets. */
START_TEST(keeper)
{
	attr_probe();
	for (int i = 0; i < 2; i++) {
		struct options o = { .keeper = true, .allow_mknod = i };
		const struct policy *p = gofer_keeper_policy(&o), *s = gofer_policy(&o);
		struct err *e = policy_check(p);

		ck_assert_msg(!e, "%s", e ? err_text(e) : "");
		ck_assert_uint_le(count_calls(p), CALLS_MAX);
		for (size_t k = 0; k < s->n_rules; k++)
			ck_assert_msg(allows(p, s->rules[k].call), "the server needs %s", s->rules[k].call);
		ck_assert(allows(p, "clone") && !allows(s, "clone"));
		ck_assert_uint_eq(s->n_rlimits, p->n_rlimits + 1);
	}
}
END_TEST

/* Nothing that starts a program, a process or a thread, or opens by path. */
START_TEST(never)
{
	static const char *const calls[] = { "open", "openat", "creat", "execve", "execveat", "clone", "clone3", "fork", "vfork",
		"chmod", "fchmodat", "chown", "lchown", "rename", "renameat", "unlink", "mkdir", "mknod", "link", "symlink",
		"readlink", "stat", "lstat", "chdir", "chroot", "mount", "umount2", "pivot_root", "unshare", "setns", "ptrace",
		"ioctl", "name_to_handle_at", "open_by_handle_at", "prctl", "capset", "setuid", "kill", "mprotect" };
	struct options o = { .host_uds = HOST_UDS_CREATE, .listen = listen_path, .allow_mknod = true };
	const struct policy *p = gofer_policy(&o);

	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		ck_assert_msg(!allows(p, calls[i]), "%s is allowed", calls[i]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("gofer/policy");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(t, variants);
	tcase_add_test(t, keeper);
	tcase_add_test(t, never);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
