/*
 * plan.c - mounts in order, with those that every container has.
 * links: launcher/plan_mounts.c launcher/mount_ids.c launcher/mounts.c launcher/pool.c
 */
#include "launcher/plan.h"

#include <check.h>
#include <linux/mount.h>
#include <stdlib.h>
#include <string.h>

#define BUNDLE "/proc" /* where nobody makes a file */

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
	return plan_mounts(&s, BUNDLE, &pool, out);
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
	ck_assert_str_eq(err_text(e), "mounts[2].source: '" BUNDLE "/x': No such file or directory");
	err_free(e);
}
END_TEST

START_TEST(overlays)
{
	const char *both[] = { "lowerdir=/a:/b", "nodev", "upperdir=/c", "workdir=/d" };
	struct oci_mount m[] = { { .destination = "/x", .type = "overlay", .options = { both, 4 } },
		{ .destination = "/y", .type = "overlay", .options = { both, 1 } } };
	struct plan p;

	ck_assert_ptr_null(plan(m, 2, &p));
	ck_assert_uint_eq(p.trees.n, 3);
	ck_assert_str_eq(p.trees.v[1].overlay, "lowerdir=/a:/b,upperdir=/c,workdir=/d");
	ck_assert(!p.trees.v[1].readonly && p.trees.v[2].readonly); /* nowhere to write to */
	ck_assert_str_eq(p.mounts.v[p.mounts.n - 1].type.p, "gofer");
	ck_assert_str_eq(p.mounts.v[p.mounts.n - 1].options.p, "");
	ck_assert_uint_eq(p.mounts.v[p.mounts.n - 1].flags, MS_RDONLY | MS_RELATIME);
}
END_TEST

/* "UIDS;GIDS" as A-B-N, or why not. */
static const char *ids_of(const char *option, struct oci_id_mappings own)
{
	struct oci_id_mapping in[] = { { 0, 0, 1 }, { 1, 2, 1000 } };
	const char *options[] = { "rbind", option };
	struct oci_mount m = { .destination = "/x", .type = "bind", .source = "/etc", .options = { options, 2 }, .uid_mappings = own, .gid_mappings = own };
	struct oci_root root = { "/", false };
	const struct oci_spec s = { .root = &root, .mounts = { &m, 1 } };
	struct plan p = { .ids = { { in, 2 }, { in, 2 } } };
	struct err *e = plan_mounts(&s, BUNDLE, &pool, &p);
	char *text = pool_strdup(&pool, e ? err_text(e) : "");
	const struct id_maps *ids = e ? NULL : p.trees.v[1].ids;

	err_free(e);
	for (size_t i = 0; ids && i < ids->uids.n + ids->gids.n; i++) {
		const struct oci_id_mapping *r = i < ids->uids.n ? &ids->uids.v[i] : &ids->gids.v[i - ids->uids.n];

		text = pool_printf(&pool, "%s%s%d-%d-%d", text, i == ids->uids.n ? ";" : i ? "#" : "", (int)r->container, (int)r->host, (int)r->size);
	}
	return text;
}

START_TEST(mapped_ids)
{
	static const char wrong[] = "mounts[0].options: 'idmap=%s' is not uids=A-B-N;gids=A-B-N with ids that the container has";
	static const char *const bad[] = { "", "uids=1-2-3", "uids=1-2;gids=1-2-3", "uids=1-2-0;gids=1-2-3", "uids=1-2-3;gids=1-2-4294967296", "uids=-1-2-3;gids=1-2-3",
		"uids=1-2-3;gids=1-2-3;", "uids=1-2-3#;gids=1-2-3", "pids=1-2-3;gids=1-2-3", "uids=@0-0-2;gids=1-2-3", "uids=@0-2000-1;gids=1-2-3" };
	struct oci_id_mapping one = { 7, 8, 9 };
	const struct oci_id_mappings none = { 0 }, own = { &one, 1 };

	ck_assert_str_eq(ids_of("idmap", none), "0-0-1#1-2-1000;0-0-1#1-2-1000");
	ck_assert_str_eq(ids_of("ro", own), "7-8-9;7-8-9");
	ck_assert_str_eq(ids_of("idmap=uids=0-1-10#10-11-10;gids=0-100-10", none), "0-1-10#10-11-10;0-100-10");
	ck_assert_str_eq(ids_of("idmap=uids=@1-3-10;gids=@5-0-1", none), "1-4-10;5-0-1");
	ck_assert_str_eq(ids_of("idmap=uids=1-2-3;gids=1-2-3", own), "mounts[0].options: idmap= has a map, and uidMappings another");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_str_eq(ids_of(pool_printf(&pool, "idmap=%s", bad[i]), none), pool_printf(&pool, wrong, bad[i]));
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
	tcase_add_test(t, overlays);
	tcase_add_test(t, mapped_ids);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
