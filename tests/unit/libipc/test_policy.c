/*
 * test_policy.c - a policy on paper: what policy_check refuses, what
 * policy_print prints.
 */
#include "check_main.h"

#include "libipc/confine.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static struct err *check(const struct policy_rule *rules, size_t n)
{
	struct policy p = { "test", CLONE_NEWNS, POLICY_USER_NOBODY, POLICY_ROOT_EMPTY, NULL, NULL, 0, rules, n, NULL, 0 };
	return policy_check(&p);
}

#define CHECK(...) check((const struct policy_rule[]){ __VA_ARGS__ }, sizeof((const struct policy_rule[]){ __VA_ARGS__ }) / sizeof(struct policy_rule))
#define ROW(call) { call, { { 0 } }, "why" }

START_TEST(refused)
{
	no_error(CHECK(ROW("close"), ROW("read"), ROW("write")));
	error_is(CHECK(ROW("read"), ROW("close")), "policy of the test: close stands after read: rows must be sorted");
	error_is(CHECK(ROW("close"), ROW("close")), "policy of the test: close: a row without checks makes the other rows moot");
	error_is(CHECK(ROW("nosuch")), "policy of the test: nosuch: unknown system call");
	error_is(CHECK({ "close", { { 0 } }, "" }), "policy of the test: close: needs a reason of one line");
	error_is(CHECK({ "close", { { 0 } }, NULL }), "policy of the test: close: needs a reason of one line");
	error_is(CHECK({ "close", { { 0 } }, "a\nb" }), "policy of the test: close: needs a reason of one line");
	error_is(CHECK({ "close", { { POLICY_EQ, 6, 0, 0 } }, "x" }), "policy of the test: close: there is no argument 6");
	error_is(CHECK({ "close", { { POLICY_EQ, 0, 1, 0 } }, "x" }, { "close", { { POLICY_EQ, 0, 1, 0 } }, "y" }),
		"policy of the test: close: the same row twice");
	no_error(CHECK({ "close", { { POLICY_EQ, 0, 1, 0 } }, "x" }, { "close", { { POLICY_EQ, 0, 2, 0 } }, "y" }));
}
END_TEST

START_TEST(writable_and_executable)
{
	static const char wx[] = "policy of the test: mmap: permits PROT_WRITE with PROT_EXEC";
	error_is(CHECK(ROW("mmap")), wx);
	error_is(CHECK({ "mmap", { { POLICY_EQ, 2, PROT_WRITE | PROT_EXEC, 0 } }, "x" }), wx);
	error_is(CHECK({ "mmap", { { POLICY_NE, 2, PROT_WRITE | PROT_EXEC, 0 } }, "x" }), wx);
	error_is(CHECK({ "mmap", { { POLICY_MASKED_EQ, 3, 0, PROT_EXEC } }, "x" }), wx);
	error_is(CHECK({ "mmap", { { POLICY_MASKED_EQ, 2, PROT_EXEC, PROT_EXEC } }, "x" }), wx);
	no_error(CHECK({ "mmap", { { POLICY_MASKED_EQ, 2, 0, PROT_EXEC } }, "x" }));
	no_error(CHECK({ "mmap", { { POLICY_MASKED_EQ, 2, PROT_EXEC, PROT_EXEC | PROT_WRITE } }, "x" }));
	no_error(CHECK({ "mprotect", { { POLICY_EQ, 2, PROT_READ | PROT_EXEC, 0 } }, "x" }));
	no_error(CHECK({ "mprotect", { { POLICY_LE, 2, PROT_READ | PROT_WRITE, 0 } }, "x" }));
	error_is(CHECK(ROW("mprotect")), "policy of the test: mprotect: permits PROT_WRITE with PROT_EXEC");
}
END_TEST

START_TEST(printed)
{
	static const char *const caps[] = { "cap_chown", "cap_fowner", NULL };
	static const struct policy_rule rules[] = {
		ROW("close"),
		{ "fcntl", { { POLICY_EQ, 1, 3, 0 }, { POLICY_LE, 2, 9, 0 } }, "why not" },
		{ "mmap", { { POLICY_MASKED_EQ, 2, 0, PROT_EXEC } }, "memory" },
	};
	static const struct policy_rlimit limits[] = { { RLIMIT_NOFILE, 64, "few" }, { RLIMIT_AS, RLIM_INFINITY, "all" } };
	struct policy p = { "gofer", CLONE_NEWNS | CLONE_NEWNET, POLICY_USER_KEEP, POLICY_ROOT_GIVEN, caps, limits, 2, rules, 3, NULL, 0 };
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	policy_print(&p, f);
	fclose(f);
	static const char want[] =
		"component gofer\n"
		"user the caller's\n"
		"namespaces mnt net\n"
		"root the given tree\n"
		"capabilities cap_chown cap_fowner\n"
		"rlimit NOFILE 64 # few\n"
		"rlimit AS unlimited # all\n"
		"allow close # why\n"
		"allow fcntl [arg1 == 0x3 && arg2 <= 0x9] # why not\n"
		"allow mmap [(arg2 & 0x4) == 0] # memory\n";
	ck_assert_int_eq(strncmp(text, want, strlen(want)), 0);
	free(text);
	p = (struct policy){ "sentry", CLONE_NEWNS, POLICY_USER_NOBODY, POLICY_ROOT_EMPTY, NULL, NULL, 0, rules, 0, NULL, 0 };
	f = open_memstream(&text, &size);
	policy_print(&p, f);
	fclose(f);
	ck_assert_ptr_nonnull(strstr(text, "namespaces user mnt\n"));
	ck_assert_ptr_nonnull(strstr(text, "root empty, read-only\n"));
	ck_assert_ptr_nonnull(strstr(text, "capabilities none\n"));
	free(text);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { refused, writable_and_executable, printed, NULL };
	return check_main("policy", tests);
}
