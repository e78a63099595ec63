/*
 * plan.c - mounts in order, with those that every container has.
 * links: launcher/plan_mounts.c launcher/mounts.c launcher/pool.c
 */
#include "launcher/plan.h"

#include <check.h>
#include <linux/mount.h>
#include <stdlib.h>
#include <string.h>

static struct pool pool;

/* "TYPE DESTINATION" of each mount, parted by ", ". */
static const char *shape(const struct plan *p)
{
	char *text = pool_strdup(&pool, "");

	for (size_t i = 0; i < p->mounts.n; i++)
		text = pool_printf(&pool, "%s%s%s %s", text, i ? ", " : "", p->mounts.v[i].type.p, p->mounts.v[i].destination.p);
	return text;
}

static struct err *plan(struct oci_mount *mounts, size_t n, struct plan *out)
{
	struct oci_root root = { "/", false };
	const struct oci_spec s = { .root = &root, .mounts = { mounts, n } };

	memset(out, 0, sizeof(*out));
	return plan_mounts(&s, "/tmp", &pool, out);
}

START_TEST(nothing_given)
{
	struct plan p;

	ck_assert_ptr_null(plan(NULL, 0, &p));
	ck_assert_str_eq(shape(&p), "gofer /, proc /proc, sysfs /sys, devtmpfs /dev, devpts /dev/pts, tmpfs /dev/shm");
	ck_assert_uint_eq(p.trees.n, 1);
}
END_TEST

START_TEST(tmpfs_on_dev)
{
	struct oci_mount m[] = { { .destination = "/tmp/", .type = "tmpfs" }, { .destination = "/dev", .type = "tmpfs" },
		{ .destination = "//proc", .type = "proc" } };
	struct plan p;

	ck_assert_ptr_null(plan(m, 3, &p));
	ck_assert_str_eq(shape(&p), "gofer /, sysfs /sys, tmpfs /tmp, devtmpfs /dev, devpts /dev/pts, tmpfs /dev/shm, proc /proc");
}
END_TEST

START_TEST(binds)
{
	const char *ro[] = { "rbind", "ro" };
	struct oci_mount m[] = { { .destination = "/a", .type = "bind", .source = "/etc", .options = { ro, 2 } },
		{ .destination = "/dev", .type = "none", .source = "/dev", .options = { ro, 1 } }, { .destination = "/c", .type = "bind", .source = "x" } };
	struct plan p;
	struct err *e;

	ck_assert_ptr_null(plan(m, 2, &p));
	ck_assert_str_eq(shape(&p), "gofer /, proc /proc, sysfs /sys, gofer /a, gofer /dev");
	ck_assert_uint_eq(p.trees.n, 3);
	ck_assert(p.trees.v[1].readonly && !p.trees.v[2].readonly);
	ck_assert_uint_eq(p.mounts.v[3].tree, 1);
	ck_assert_uint_eq(p.mounts.v[3].flags, MS_RDONLY | MS_RELATIME);
	e = plan(m, 3, &p);
	ck_assert_str_eq(err_text(e), "mounts[2].source: '/tmp/x': No such file or directory");
	err_free(e);
}
END_TEST

static void drop_pool(void)
{
	pool_free(&pool);
}

int main(void)
{
	Suite *s = suite_create("launcher/plan");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, NULL, drop_pool);
	tcase_add_test(t, nothing_given);
	tcase_add_test(t, tmpfs_on_dev);
	tcase_add_test(t, binds);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
