/*
 * state.c - the state directory and its record: written and read back,
 * truncated at every byte, hostile.
 * links: launcher/state.c launcher/idmap.c launcher/state_file.c launcher/proc_id.c launcher/proc_stat.c launcher/json_read.c launcher/pool.c
 */
#include "launcher/state.h"

#include "libipc/fd.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct pool pool;
static char root[] = "/tmp/redoubt-unit-state-XXXXXX";
static struct state_dir dir;

static void set_up(void)
{
	strcpy(root + strlen(root) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	ck_assert_ptr_null(state_create(root, "box", &pool, &dir));
}

static void tear_down(void)
{
	err_free(state_remove(&dir));
	state_close(&dir);
	rmdir(root);
	pool_free(&pool);
}

static struct proc_id self;

static struct state sample(void)
{
	static struct jpair annotation = { "k", "v\"\n" };

	self = proc_identify(getpid());
	return (struct state){ .id = "box", .bundle = "/b", .created = "2026-01-01T00:00:00Z", .phase = "created", .owner = 7, .terminal = true, .transient = true,
		.sentry = &self, .annotations = { &annotation, 1 } };
}

START_TEST(round_trip)
{
	struct state s = sample(), r = { 0 };

	ck_assert_ptr_null(state_write(&dir, &s));
	ck_assert_ptr_null(state_read(&dir, &pool, &r));
	ck_assert_str_eq(r.bundle, "/b");
	ck_assert_str_eq(r.phase, "created");
	ck_assert_uint_eq(r.owner, 7);
	ck_assert(r.terminal && r.transient);
	ck_assert_uint_eq(r.sentry->pid, (uint64_t)getpid());
	ck_assert_uint_eq(r.sentry->start, self.start);
	ck_assert_ptr_null(r.gofer);
	ck_assert_str_eq(r.annotations.v[0].value, "v\"\n");
	ck_assert_int_eq(faccessat(dir.fd, "state.json.tmp", F_OK, 0), -1);
}
END_TEST

static void write_text(const char *text, size_t n)
{
	_cleanup_close_ int fd = openat(dir.fd, "state.json", O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, n), (ssize_t)n);
}

START_TEST(truncated_anywhere)
{
	struct state s = sample(), r;
	char text[4096];
	ssize_t n;
	int fd;

	ck_assert_ptr_null(state_write(&dir, &s));
	fd = openat(dir.fd, "state.json", O_RDONLY);
	n = read(fd, text, sizeof(text));
	close(fd);
	ck_assert_int_gt(n, 100);
	for (ssize_t i = 0; i < n; i++) {
		struct err *e;

		write_text(text, (size_t)i);
		r = (struct state){ 0 };
		e = state_read(&dir, &pool, &r);
		ck_assert_msg(e || text[i] == '\n', "%zd of %zd bytes were accepted", i, n);
		err_free(e);
	}
}
END_TEST

START_TEST(hostile)
{
	static const struct {
		const char *text, *error;
	} all[] = {
		{ "{\"version\":1,\"id\":\"other\",\"phase\":\"created\"}", "id: is 'other', must be 'box'" },
		{ "{\"version\":2,\"id\":\"box\",\"phase\":\"created\"}", "version: is 2, this program knows 1" },
		{ "{\"version\":1,\"id\":\"box\",\"phase\":\"dancing\"}", "phase: unknown phase 'dancing'" },
		{ "{\"version\":1,\"id\":\"box\",\"phase\":\"created\",\"sentry\":{\"pid\":-1,\"start\":1}}", "sentry.pid: is negative" },
		{ "{\"version\":1,\"id\":\"box\",\"phase\":\"created\",\"gofer\":{\"pid\":4294967297,\"start\":1}}", "gofer.pid: is 4294967297, at most" },
		{ "{\"version\":1,\"id\":\"box\",\"phase\":\"created\",\"controld\":{\"pid\":5}}", "controld.start: is missing" },
		{ "{\"version\":1,\"id\":\"box\"}", "phase: is missing" },
		{ "[]", "is a list, must be an object" },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct state r = { 0 };
		struct err *e;

		write_text(all[i].text, strlen(all[i].text));
		e = state_read(&dir, &pool, &r);
		ck_assert_msg(e && strstr(err_text(e), all[i].error), "%s: %s", all[i].text, e ? err_text(e) : "accepted");
		err_free(e);
	}
}
END_TEST

START_TEST(not_a_plain_file)
{
	struct state r;
	struct err *e;

	ck_assert_int_eq(symlinkat("/etc/passwd", dir.fd, "state.json"), 0);
	ck_assert_ptr_nonnull(e = state_read(&dir, &pool, &r));
	err_free(e);
	unlinkat(dir.fd, "state.json", 0);
	ck_assert_int_eq(mkfifoat(dir.fd, "state.json", 0600), 0);
	ck_assert_ptr_nonnull(e = state_read(&dir, &pool, &r));
	err_free(e);
}
END_TEST

START_TEST(id_syntax)
{
	static const char *const bad[] = { "", ".", "..", "../x", "a/b", "-x", ".x", "a b", "a\n", "\xc3\xa4", NULL };
	static const char *const good[] = { "a", "A.b-c_d+1", "0", NULL };
	char longest[257];

	for (size_t i = 0; bad[i]; i++) {
		struct err *e = state_check_id(bad[i]);

		ck_assert_msg(e != NULL, "'%s' was accepted", bad[i]);
		err_free(e);
	}
	for (size_t i = 0; good[i]; i++)
		ck_assert_ptr_null(state_check_id(good[i]));
	memset(longest, 'a', 256);
	longest[256] = 0;
	struct err *e = state_check_id(longest);
	ck_assert_ptr_nonnull(e);
	err_free(e);
	longest[255] = 0;
	ck_assert_ptr_null(state_check_id(longest));
}
END_TEST

START_TEST(taken_and_locked)
{
	struct state_dir other;
	struct err *e = state_create(root, "box", &pool, &other);

	ck_assert_int_eq(err_errno(e), EEXIST);
	err_free(e);
	ck_assert_ptr_null(state_open(root, "box", &pool, &other));
	e = state_lock(&other, false);
	ck_assert_int_eq(err_errno(e), EBUSY);
	err_free(e);
	ck_assert(!state_was_removed(&other));
	ck_assert_ptr_null(state_remove(&dir));
	ck_assert(state_was_removed(&other));
	state_close(&other);
	ck_assert_ptr_null(state_create(root, "box", &pool, &other));
	ck_assert_ptr_null(state_remove(&other));
	state_close(&other);
	e = state_open(root, "none", &pool, &other);
	ck_assert_int_eq(err_errno(e), ENOENT);
	err_free(e);
}
END_TEST

START_TEST(writable_by_others)
{
	struct state_dir other;
	struct err *e;

	ck_assert_int_eq(fchmod(dir.fd, 0777), 0);
	e = state_open(root, "box", &pool, &other);
	ck_assert_int_eq(err_errno(e), EPERM);
	err_free(e);
}
END_TEST

START_TEST(processes)
{
	struct proc_id id = proc_identify(getpid()), wrong = id;
	int fd = proc_open(&id), status;
	pid_t pid;

	ck_assert_int_ge(fd, 0);
	close(fd);
	wrong.start++;
	ck_assert_int_eq(proc_open(&wrong), -1);
	ck_assert_int_eq(proc_open(NULL), -1);
	ck_assert_int_eq(proc_open(&(struct proc_id){ 0 }), -1);
	ck_assert_int_eq(proc_open(&(struct proc_id){ 1, 0 }), -1);
	if (!(pid = fork()))
		_exit(0);
	id = proc_identify(pid);
	waitid(P_PID, (id_t)pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT);
	ck_assert_int_eq(proc_open(&id), -1); /* a zombie */
	waitpid(pid, &status, 0);
	ck_assert_int_eq(proc_open(&id), -1);
}
END_TEST

START_TEST(list_is_sorted)
{
	struct state_ids ids = { 0 };
	struct state_dir a;

	ck_assert_ptr_null(state_create(root, "a", &pool, &a));
	ck_assert_ptr_null(state_list(root, &pool, &ids));
	ck_assert_uint_eq(ids.n, 2);
	ck_assert_str_eq(ids.v[0], "a");
	ck_assert_ptr_null(state_remove(&a));
	state_close(&a);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("launcher/state");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, round_trip);
	tcase_add_test(t, truncated_anywhere);
	tcase_add_test(t, hostile);
	tcase_add_test(t, not_a_plain_file);
	tcase_add_test(t, id_syntax);
	tcase_add_test(t, taken_and_locked);
	tcase_add_test(t, writable_by_others);
	tcase_add_test(t, processes);
	tcase_add_test(t, list_is_sorted);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
