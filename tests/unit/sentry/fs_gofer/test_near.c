/*
 * near.c: what a gofer is told, by the frames that come to its end.
 * links: sentry/fs/gofer/near.c sentry/lib/wait.c sentry/lib/lock.c
 */
#include "fs/gofer/internal.h"
#include "libipc/frame_io.h"

#include <check.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST 100000 /* requests until enough on end were close to each other, on a machine full of others */
#define AHEAD 28 /* requests on end that are close and do not count after one ahead */

static struct gofer_conn conn;
static int far_end;
static unsigned cpu;

static void begin(void)
{
	int s[2];
	cpu_set_t one, all;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s), 0);
	conn = (struct gofer_conn){ .far = -1 };
	ck_assert_ptr_null(rpc_client_new(s[0], &conn.client));
	far_end = s[1];
	ck_assert_int_eq(sched_getaffinity(0, sizeof(all), &all), 0);
	for (cpu = 0; !CPU_ISSET(cpu, &all); cpu++)
		;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
}

static void end(void)
{
	rpc_client_free(conn.client);
	close(far_end);
}

/* False: nothing was told. */
static bool told(struct gofer_near *out)
{
	struct pollfd p = { .fd = far_end, .events = POLLIN };
	_cleanup_arena_ struct msg_arena a = { NULL };
	struct frame f;
	const char *why;
	bool eof;

	if (poll(&p, 1, 0) != 1)
		return false;
	ck_assert_int_eq(frame_recv_flags(far_end, &f, 0, &eof, &why), 0);
	ck_assert_int_eq(f.kind, FRAME_EVENT);
	ck_assert_uint_eq(f.method, gofer_near_id);
	ck_assert_ptr_null(msg_decode(&gofer_near_desc, &f, out, &a));
	frame_free(&f);
	return true;
}

static void ask_until_told(struct gofer_near *out)
{
	unsigned i = 0;

	do {
		ck_assert_uint_lt(i++, MOST);
		gofer_near_ask(&conn);
	} while (!told(out));
}

static void expect_held(void)
{
	struct gofer_near e;

	ask_until_told(&e);
	ck_assert(!e.leave);
	ck_assert_uint_eq(e.cpu, cpu);
}

static void expect_left(void)
{
	struct gofer_near e;

	ck_assert(told(&e));
	ck_assert(e.leave);
	ck_assert_uint_eq(e.cpu, cpu);
	ck_assert(!told(&e));
}

START_TEST(close_requests_hold_it)
{
	struct gofer_near e;

	gofer_near_ask(&conn);
	ck_assert(!told(&e));
	expect_held();
}
END_TEST

START_TEST(a_pause_lets_it_go)
{
	struct gofer_near e;

	expect_held();
	usleep(5000);
	ck_assert(!told(&e)); /* nobody wakes it meanwhile */
	gofer_near_ask(&conn);
	expect_left();
	expect_held();
}
END_TEST

START_TEST(what_is_asked_ahead_lets_it_go)
{
	struct gofer_near e;

	gofer_near_ahead(&conn);
	ck_assert(!told(&e)); /* it was not held */
	expect_held();
	gofer_near_ahead(&conn);
	expect_left();
	for (unsigned i = 0; i < AHEAD; i++) {
		gofer_near_ask(&conn);
		ck_assert(!told(&e));
	}
	expect_held();
}
END_TEST

START_TEST(another_process_is_told_anew)
{
	expect_held();
	conn.near.held = 0; /* restart.c */
	expect_held();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("near");
	TCase *t = tcase_create("near");
	SRunner *r = srunner_create(s);

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, close_requests_hold_it);
	tcase_add_test(t, a_pause_lets_it_go);
	tcase_add_test(t, what_is_asked_ahead_lets_it_go);
	tcase_add_test(t, another_process_is_told_anew);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
