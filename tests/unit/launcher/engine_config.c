/*
 * engine_config.c - a runtime put into engines' configurations and taken out.
 * links: launcher/engine_config.c launcher/pool.c
 */
#include "launcher/engine_config.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct pool pool;
static const struct engine_runtime runtime = { "redoubt", "/opt/redoubt" };
static const char *text; /* what came out last */

static int add(const char *engine, const char *before)
{
	struct err *e = engine_find(engine)->add(before, &runtime, &pool, &text);
	int errnum = e ? err_errno(e) : 0;

	err_free(e);
	return errnum;
}

static int take_out(const char *engine, const char *before)
{
	struct err *e = engine_find(engine)->remove(before, &runtime, &pool, &text);
	int errnum = e ? err_errno(e) : 0;

	err_free(e);
	return errnum;
}

static const char *const befores[][2] = {
	{ "podman", "" },
	{ "podman", "[engine]\ncgroup_manager = \"cgroupfs\"\n" },
	{ "containerd", "" },
	{ "containerd", "version = 2\n[plugins]\n  [plugins.\"io.containerd.grpc.v1.cri\".cni]\n    bin_dir = \"/usr/lib/cni\"\n" },
	{ "containerd", "# mine\nversion = 3\n" },
	{ "docker", "" },
	{ "docker", "{\n    \"debug\": true,\n    \"runtimes\": {\n        \"other\": {\n            \"path\": \"/x\"\n        }\n    },\n    \"iptables\": false\n}\n" },
};

/* In twice is in once; out again leaves what there was. */
START_TEST(there_and_back)
{
	const char *engine = befores[_i][0], *before = befores[_i][1], *once;

	ck_assert_int_eq(add(engine, before), 0);
	once = text;
	ck_assert_ptr_nonnull(strstr(once, "/opt/redoubt"));
	ck_assert_int_eq(add(engine, once), 0);
	ck_assert_str_eq(text, once);
	ck_assert_int_eq(take_out(engine, once), 0);
	ck_assert_str_eq(text, before);
	ck_assert_int_eq(take_out(engine, before), ENOENT);
}
END_TEST

START_TEST(what_is_written)
{
	ck_assert_int_eq(add("podman", "x = 1"), 0);
	ck_assert_str_eq(text, "x = 1\n# begin of redoubt, written by redoubt install\n[engine.runtimes]\nredoubt = [\"/opt/redoubt\"]\n# end of redoubt\n");
	ck_assert_int_eq(add("docker", "{}"), 0);
	ck_assert_str_eq(text, "{\n    \"runtimes\": {\n        \"redoubt\": {\n            \"path\": \"/opt/redoubt\"\n        }\n    }\n}\n");
	ck_assert_int_eq(add("containerd", "version = 3\n"), 0);
	ck_assert_ptr_nonnull(strstr(text, "\n[plugins.\"io.containerd.cri.v1.runtime\".containerd.runtimes.redoubt]\n"));
	ck_assert_int_eq(add("containerd", ""), 0);
	ck_assert_ptr_nonnull(strstr(text, "\n  [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.redoubt.options]\n    BinaryName = \"/opt/redoubt\"\n"));
}
END_TEST

static const struct {
	const char *engine, *before;
} refused[] = {
	{ "podman", "[engine.runtimes]\nx = [\"/x\"]\n" },
	{ "podman", "# begin of redoubt, written by redoubt install\n[engine.runtimes]\n" }, /* no end */
	{ "containerd", "[plugins]\n" }, /* version 1 */
	{ "containerd", "version = 4\n" },
	{ "containerd", "version = 2\n  [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.redoubt]\n" },
	{ "docker", "{" },
	{ "docker", "[]" },
	{ "docker", "{\"runtimes\": 1}" },
	{ "docker", "{\"a\": 1, \"a\": 2}" },
};

START_TEST(not_touched)
{
	ck_assert_int_ne(add(refused[_i].engine, refused[_i].before), 0);
}
END_TEST

START_TEST(the_default)
{
	ck_assert_int_eq(take_out("docker", "{\"default-runtime\": \"redoubt\", \"runtimes\": {\"redoubt\": {\"path\": \"/x\"}}}"), EBUSY);
	ck_assert_int_eq(add("containerd", "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".containerd]\n  default_runtime_name = \"redoubt\"\n"), 0);
	ck_assert_int_eq(take_out("containerd", text), EBUSY);
}
END_TEST

static const struct engine_runtime bad[] = {
	{ "", "/x" }, { "1x", "/x" }, { "A", "/x" }, { "a.b", "/x" }, { "a]", "/x" }, { "a", "x" }, { "a", "/x\"" }, { "a", "/x\\" }, { "a", "/x\n" },
};

START_TEST(names)
{
	struct err *e = engine_runtime_check(&bad[_i]);

	ck_assert_ptr_nonnull(e);
	err_free(e);
	ck_assert_ptr_null(engine_runtime_check(&runtime));
	ck_assert_ptr_null(engine_find("cri-o"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("engine_config");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_loop_test(t, there_and_back, 0, sizeof(befores) / sizeof(befores[0]));
	tcase_add_test(t, what_is_written);
	tcase_add_loop_test(t, not_touched, 0, sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(t, the_default);
	tcase_add_loop_test(t, names, 0, sizeof(bad) / sizeof(bad[0]));
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	pool_free(&pool);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
