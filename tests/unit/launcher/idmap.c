/*
 * idmap.c - maps of ids: the configuration's, and a caller's own from /etc/subuid
 * and /etc/subgid, which each case replaces in a mount namespace of its own; what
 * the kernel is given.  All but the first cases need root, and pass without it.
 * links: launcher/idmap.c launcher/pool.c
 */
#include "launcher/idmap.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534 /* by that name in Debian's /etc/passwd */

static struct pool pool;

/* "CONTAINER:HOST:SIZE ..." */
static const char *shape(const struct oci_id_mappings *m)
{
	char *text = pool_strdup(&pool, "");

	for (size_t i = 0; i < m->n; i++)
		text = pool_printf(&pool, "%s%s%llu:%llu:%llu", text, i ? " " : "", (unsigned long long)m->v[i].container,
			(unsigned long long)m->v[i].host, (unsigned long long)m->v[i].size);
	return text;
}

static struct oci_linux with_user_ns(struct oci_id_mapping *uids, size_t n_uids, struct oci_id_mapping *gids, size_t n_gids)
{
	static struct oci_namespace user = { "user", NULL };

	return (struct oci_linux){ .namespaces = { &user, 1 }, .uid_mappings = { uids, n_uids }, .gid_mappings = { gids, n_gids } };
}

START_TEST(of_the_configuration)
{
	struct oci_id_mapping u[] = { { 0, 1000, 1 }, { 1, 5000, 10 } }, g[] = { { 0, 2000, 3 } };
	struct oci_linux l = with_user_ns(u, 2, g, 1);
	struct id_maps m = { 0 };

	ck_assert_ptr_null(idmap_plan(&l, &pool, &m));
	ck_assert_str_eq(shape(&m.uids), "0:1000:1 1:5000:10");
	ck_assert_str_eq(shape(&m.gids), "0:2000:3");
}
END_TEST

START_TEST(half_of_a_configuration)
{
	struct oci_id_mapping u[] = { { 0, 1000, 1 } };
	struct oci_linux l = with_user_ns(u, 1, NULL, 0), only_gids = with_user_ns(NULL, 0, u, 1);
	struct id_maps m = { 0 };
	struct err *e = idmap_plan(&l, &pool, &m);

	ck_assert_ptr_nonnull(e);
	ck_assert_str_eq(err_text(e), "linux.gidMappings: is missing, linux.uidMappings is given");
	err_free(e);
	e = idmap_plan(&only_gids, &pool, &m);
	ck_assert_ptr_nonnull(e);
	ck_assert_str_eq(err_text(e), "linux.uidMappings: is missing, linux.gidMappings is given");
	err_free(e);
}
END_TEST

/* Without a user namespace of its own its maps mean nothing; root needs none. */
START_TEST(of_root)
{
	struct oci_id_mapping u[] = { { 0, 1000, 1 } };
	struct oci_linux l = { .uid_mappings = { u, 1 }, .gid_mappings = { u, 1 } };
	struct id_maps m = { 0 };

	if (geteuid())
		return;
	ck_assert_ptr_null(idmap_plan(&l, &pool, &m));
	ck_assert_uint_eq(m.uids.n + m.gids.n, 0);
	ck_assert_ptr_null(idmap_plan(NULL, &pool, &m));
	ck_assert_uint_eq(m.uids.n + m.gids.n, 0);
}
END_TEST

/* --- a caller's own ---------------------------------------------------------------------- */

static void replace(const char *path, const char *text)
{
	char temp[] = "/tmp/redoubt-idmap.XXXXXX";
	int fd = mkstemp(temp);

	ck_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && !fchmod(fd, 0644));
	ck_assert(!mount(temp, path, NULL, MS_BIND, NULL));
	unlink(temp);
	close(fd);
}

/* As nobody, with these files; false: this cannot be tested here. */
static bool as_nobody(const char *subuid, const char *subgid)
{
	if (geteuid() || access("/etc/subuid", R_OK) || access("/etc/subgid", R_OK) || unshare(CLONE_NEWNS))
		return false;
	ck_assert(!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	replace("/etc/subuid", subuid);
	replace("/etc/subgid", subgid);
	return true;
}

static void become_nobody(void)
{
	ck_assert(!setresgid(NOBODY, NOBODY, NOBODY) && !setresuid(NOBODY, NOBODY, NOBODY));
}

static bool have_programs(void)
{
	return !access("/usr/bin/newuidmap", X_OK) && !access("/usr/bin/newgidmap", X_OK);
}

START_TEST(ranges)
{
	struct id_maps m = { 0 };

	if (!have_programs() || !as_nobody("other:1:5\nnobody:100000:65536\n65534:300000:10\n", "nobody:7000:3\n"))
		return;
	become_nobody();
	ck_assert_ptr_null(idmap_plan(NULL, &pool, &m));
	ck_assert_str_eq(shape(&m.uids), "0:65534:1 1:100000:65536 65537:300000:10");
	ck_assert_str_eq(shape(&m.gids), "0:65534:1 1:7000:3");
}
END_TEST

/* Lines that say nothing usable are as if they were not there. */
START_TEST(nonsense_in_the_files)
{
	struct id_maps m = { 0 };

	if (!have_programs() ||
		!as_nobody("\nnobody\nnobody:\nnobody:x:1\nnobody:5\nnobody:5:0\nnobody:4294967295:2\nnobodyelse:1:1\nnobody:50:2", "nobody:60:1\n"))
		return;
	become_nobody();
	ck_assert_ptr_null(idmap_plan(NULL, &pool, &m));
	ck_assert_str_eq(shape(&m.uids), "0:65534:1 1:50:2");
	ck_assert_str_eq(shape(&m.gids), "0:65534:1 1:60:1");
}
END_TEST

/* More lines than the kernel takes. */
START_TEST(very_many_ranges)
{
	char *text = pool_strdup(&pool, "");
	struct id_maps m = { 0 };

	for (int i = 0; i < 1000; i++)
		text = pool_printf(&pool, "%snobody:%d:1\n", text, 1000 + i);
	if (!have_programs() || !as_nobody(text, "nobody:60:1\n"))
		return;
	become_nobody();
	ck_assert_ptr_null(idmap_plan(NULL, &pool, &m));
	ck_assert_uint_le(m.uids.n, 340);
}
END_TEST

static void one_id_only(void)
{
	struct id_maps m = { 0 };

	become_nobody();
	ck_assert_ptr_null(idmap_plan(NULL, &pool, &m));
	ck_assert_str_eq(shape(&m.uids), "0:65534:1");
	ck_assert_str_eq(shape(&m.gids), "0:65534:1");
}

/* Either kind missing: neither is mapped. */
START_TEST(no_ranges)
{
	if (as_nobody("nobody:100000:65536\n", "other:1:5\n"))
		one_id_only();
}
END_TEST

START_TEST(no_program)
{
	if (!have_programs() || !as_nobody("nobody:100000:65536\n", "nobody:100000:65536\n"))
		return;
	ck_assert(!mount("/dev/null", "/usr/bin/newgidmap", NULL, MS_BIND, NULL));
	one_id_only();
}
END_TEST

/* --- what the kernel gets ------------------------------------------------------------------ */

/* A process in a user namespace of its own, with no map yet. */
static pid_t in_user_ns(void)
{
	int ready[2];
	pid_t pid;
	char c;

	ck_assert(!pipe(ready));
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWUSER) || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	c = read(ready[0], &c, 1) == 1;
	close(ready[0]);
	if (c)
		return pid;
	waitpid(pid, NULL, 0);
	return -1;
}

static const char *map_of(pid_t pid, const char *kind)
{
	static char text[4096];
	unsigned long in, out, n;
	char *at = text;
	FILE *f = fopen(pool_printf(&pool, "/proc/%d/%s", pid, kind), "r");

	ck_assert_ptr_nonnull(f);
	*text = 0;
	while (fscanf(f, "%lu %lu %lu", &in, &out, &n) == 3)
		at += sprintf(at, "%s%lu:%lu:%lu", at > text ? " " : "", in, out, n);
	fclose(f);
	return text;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

START_TEST(written_by_root)
{
	struct oci_id_mapping u[] = { { 0, 1000, 1 }, { 1, 5000, 10 } }, g[] = { { 0, 2000, 3 } };
	const struct id_maps m = { { u, 2 }, { g, 1 } };
	pid_t pid = geteuid() ? -1 : in_user_ns();

	if (pid < 0)
		return;
	ck_assert_ptr_null(idmap_write(pid, &m, &pool));
	ck_assert_str_eq(map_of(pid, "uid_map"), "0:1000:1 1:5000:10");
	ck_assert_str_eq(map_of(pid, "gid_map"), "0:2000:3");
	end(pid);
}
END_TEST

/* A user's own id needs no program, but groups may not be set then. */
START_TEST(written_by_a_user)
{
	struct oci_id_mapping own = { 0, NOBODY, 1 };
	const struct id_maps m = { { &own, 1 }, { &own, 1 } };
	pid_t pid;
	char text[8] = "";
	int fd;

	if (geteuid())
		return;
	become_nobody();
	prctl(PR_SET_DUMPABLE, 1); /* what /proc shows of a child is ours, though we were root */
	if ((pid = in_user_ns()) < 0)
		return;
	ck_assert_ptr_null(idmap_write(pid, &m, &pool));
	ck_assert_str_eq(map_of(pid, "uid_map"), "0:65534:1");
	fd = open(pool_printf(&pool, "/proc/%d/setgroups", pid), O_RDONLY);
	ck_assert(read(fd, text, sizeof(text) - 1) > 0 && !strncmp(text, "deny", 4));
	close(fd);
	end(pid);
}
END_TEST

START_TEST(ids_of_others)
{
	struct oci_id_mapping stolen = { 0, 1, 10 };
	const struct id_maps m = { { &stolen, 1 }, { &stolen, 1 } };
	struct err *e;
	pid_t pid;

	if (!have_programs() || !as_nobody("nobody:100000:65536\n", "nobody:100000:65536\n"))
		return;
	become_nobody();
	prctl(PR_SET_DUMPABLE, 1);
	if ((pid = in_user_ns()) < 0)
		return;
	e = idmap_write(pid, &m, &pool);
	ck_assert_ptr_nonnull(e);
	ck_assert_str_eq(err_text(e), "the container's user ids: newuidmap refused the map: are all its ids in the ranges that /etc/subuid gives you?");
	err_free(e);
	ck_assert_str_eq(map_of(pid, "uid_map"), "");
	end(pid);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { of_the_configuration, half_of_a_configuration, of_root, ranges, nonsense_in_the_files, very_many_ranges, no_ranges,
		no_program, written_by_root, written_by_a_user, ids_of_others };
	Suite *s = suite_create("launcher/idmap");
	TCase *tc = tcase_create("all");
	SRunner *sr = srunner_create(s);
	int failed;

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	pool_free(&pool);
	return failed ? 1 : 0;
}
