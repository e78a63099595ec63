/*
 * test_misc.c - errors, log lines, descriptor ownership and donation.
 */
#include "check_main.h"

#include "libipc/fd.h"
#include "libipc/log.h"
#include "libipc/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

START_TEST(errors)
{
	struct err *e = err_new(ENOENT, "thing %d", 7);
	ck_assert_str_eq(err_text(e), "thing 7: No such file or directory");
	e = err_wrap(e, "doing %s", "b");
	e = err_wrap(e, "doing a");
	ck_assert_str_eq(err_text(e), "doing a: doing b: thing 7: No such file or directory");
	ck_assert_int_eq(err_errno(e), ENOENT);
	err_free(e);
	e = err_new(0, "mounts[3].type: unknown");
	ck_assert_str_eq(err_text(e), "mounts[3].type: unknown");
	ck_assert_int_eq(err_errno(e), EIO);
	err_free(e);
	error_is(err_with_text(EPERM, "as is"), "as is");
	err_free(NULL);
}
END_TEST

static char *logged(int fd)
{
	static char buf[16384];
	ssize_t n = pread(fd, buf, sizeof buf - 1, 0);
	ck_assert_int_ge(n, 0);
	buf[n] = 0;
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	return buf;
}

START_TEST(log_lines)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	char want[128];
	ck_assert_int_ge(fd, 0);
	log_init("gofer", fd, LOG_TEXT, LOG_INFO);
	errno = 42;
	log_warning("a %s\nline\x1b[1m", "hostile");
	ck_assert_int_eq(errno, 42);
	log_debug("not seen");
	char *t = logged(fd);
	snprintf(want, sizeof want, "Z gofer[%d] warning: a hostile\\x0aline\\x1b[1m\n", (int)getpid());
	ck_assert_str_eq(t + 23, want);
	ck_assert_int_eq(t[4] == '-' && t[10] == 'T' && t[19] == '.', 1);

	log_init("sentry", fd, LOG_JSON, LOG_ERROR);
	log_info("not seen");
	log_set_level(LOG_DEBUG);
	log_debug("quote \" slash \\ tab \t");
	json_t *j = json_loads(logged(fd), 0, NULL);
	ck_assert_ptr_nonnull(j);
	ck_assert_str_eq(json_string_value(json_object_get(j, "msg")), "quote \" slash \\ tab \t");
	ck_assert_str_eq(json_string_value(json_object_get(j, "level")), "debug");
	ck_assert_str_eq(json_string_value(json_object_get(j, "component")), "sentry");
	ck_assert_int_eq(json_integer_value(json_object_get(j, "pid")), getpid());
	json_decref(j);
	/* names on Linux need not be UTF-8; JSON must be */
	log_error("%s", "a\xff\xc3\xa4\xc3(\xed\xa0\x80\xe2\x82\xac\xf0\x9f\x98\x80\xe2\x82");
	j = json_loads(logged(fd), 0, NULL);
	ck_assert_ptr_nonnull(j);
	ck_assert_str_eq(json_string_value(json_object_get(j, "msg")),
		"a\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbd\xef\xbf\xbd");
	json_decref(j);
	/* longer than a line may be: cut, still one line, still JSON */
	char *big = calloc(1, 20000);
	memset(big, '"', 19999);
	log_error("%s", big);
	free(big);
	j = json_loads(logged(fd), 0, NULL);
	ck_assert_ptr_nonnull(j);
	json_decref(j);
	log_init("gofer", -1, LOG_TEXT, LOG_DEBUG);
	ck_assert(!log_enabled(LOG_ERROR));
	log_error("nowhere");
	close(fd);
}
END_TEST

START_TEST(ownership)
{
	int fd = open("/dev/null", O_RDONLY), none = -1;
	int moved = TAKE_FD(fd);
	ck_assert_int_eq(fd, -1);
	errno = 5;
	fd_close(&none);
	fd_close(&moved);
	ck_assert_int_eq(moved, -1);
	ck_assert_int_eq(errno, 5);
}
END_TEST

START_TEST(options)
{
	int fd = -5, real = open("/dev/null", O_RDONLY);
	char text[16];
	snprintf(text, sizeof text, "%d", real);
	no_error(fd_from_option("--ipc-fd", text, &fd));
	ck_assert_int_eq(fd, real);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(real);
	fd = -5;
	static const char *const bad[] = { "", "x", "3x", "-1", "+3", " 3", "99999999999999999999", "2147483648" };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		char want[128];
		snprintf(want, sizeof want, "--ipc-fd: '%s' is not a descriptor number", bad[i]);
		error_is(fd_from_option("--ipc-fd", bad[i], &fd), want);
	}
	error_is(fd_from_option("--ipc-fd", "900", &fd), "--ipc-fd: descriptor 900: Bad file descriptor");
	ck_assert_int_eq(fd, -5);
}
END_TEST

/* In a child: what is open and inheritable is what was kept. */
START_TEST(donation)
{
	pid_t pid = fork();
	if (pid == 0) {
		int fds[5], bad = 0;
		for (int i = 0; i < 5; i++)
			fds[i] = open("/dev/null", O_RDONLY);
		int keep[] = { fds[3], fds[1], -1 };
		err_free(fd_donate_only(keep, 2));
		for (int i = 0; i < 5; i++)
			bad |= (fcntl(fds[i], F_GETFD) == 0) != (i == 1 || i == 3);
		err_free(fd_keep_only(keep, 3));
		for (int i = 0; i < 5; i++)
			bad |= (fcntl(fds[i], F_GETFD) >= 0) != (i == 1 || i == 3);
		for (int i = 0; i < 3; i++)
			bad |= fcntl(i, F_GETFD) < 0;
		_exit(bad);
	}
	int status;
	waitpid(pid, &status, 0);
	ck_assert_int_eq(status, 0);
	int keep = 900;
	error_is(fd_donate_only(&keep, 1), "donating a descriptor: descriptor 900: Bad file descriptor");
}
END_TEST

static int seven(void *arg, const char *name, size_t len)
{
	return len == 2 && memcmp(name, "fd", 2) == 0 ? 7 : -1;
}

START_TEST(places)
{
	char *out;
	no_error(spawn_expand("gofer {fd} ${fd} {} {1} {fd", seven, NULL, &out));
	ck_assert_str_eq(out, "gofer 7 ${fd} {} {1} {fd");
	free(out);
	no_error(spawn_expand("{fd}{fd}", seven, NULL, &out));
	ck_assert_str_eq(out, "77");
	free(out);
	error_is(spawn_expand("x {other}", seven, NULL, &out), "'{other}' stands for nothing");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { errors, log_lines, ownership, options, donation, places, NULL };
	return check_main("misc", tests);
}
