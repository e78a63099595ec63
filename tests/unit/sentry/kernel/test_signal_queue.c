/*
 * Pending signals, and the restart rules.
 *
 * links: sentry/kernel/signal_queue.c sentry/kernel/user_count.c sentry/kernel/restart.c sentry/lib/lock.c
 */
#include "kernel/task_table.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

static struct task_table tt;

static void queue(struct sigpending *p, int signo, uint64_t value)
{
	struct sigqueue *q = sigqueue_new(&tt, 1000, 100, false);

	ck_assert_ptr_nonnull(q);
	q->info = (struct linux_siginfo){ .signo = signo, .code = LINUX_SI_QUEUE };
	q->info.rt.value = value;
	sigpending_push(p, signo, q);
}

START_TEST(realtime_in_order)
{
	struct linux_siginfo info;
	struct sigpending p;

	sigpending_init(&p, &tt);
	queue(&p, 40, 1);
	queue(&p, 40, 2);
	queue(&p, 34, 3);
	ck_assert_int_eq(sigpending_first(p.set, 0), 34);
	sigpending_take(&p, 34, &info);
	ck_assert_uint_eq(info.rt.value, 3);
	ck_assert_int_eq(sigpending_first(p.set, 0), 40);
	sigpending_take(&p, 40, &info);
	ck_assert_uint_eq(info.rt.value, 1);
	ck_assert_uint_eq(p.set, SIGBIT(40));
	sigpending_take(&p, 40, &info);
	ck_assert_uint_eq(info.rt.value, 2);
	ck_assert_uint_eq(p.set, 0);
	ck_assert(LIST_EMPTY(&tt.users[1000 % USER_COUNTS]));
}
END_TEST

START_TEST(faults_come_first)
{
	uint64_t set = SIGBIT(LINUX_SIGHUP) | SIGBIT(LINUX_SIGSEGV) | SIGBIT(LINUX_SIGUSR1);

	ck_assert_int_eq(sigpending_first(set, 0), LINUX_SIGSEGV);
	ck_assert_int_eq(sigpending_first(set, SIGBIT(LINUX_SIGSEGV)), LINUX_SIGHUP);
	ck_assert_int_eq(sigpending_first(set, ~UINT64_C(0)), 0);
}
END_TEST

START_TEST(limit_per_user)
{
	struct sigpending p;

	sigpending_init(&p, &tt);
	for (int i = 0; i < 3; i++) {
		struct sigqueue *q = sigqueue_new(&tt, 7, 3, false);

		q->info.signo = 40;
		sigpending_push(&p, 40, q);
	}
	ck_assert_ptr_null(sigqueue_new(&tt, 7, 3, false));
	struct sigqueue *other = sigqueue_new(&tt, 8, 3, false), *forced = sigqueue_new(&tt, 7, 3, true);

	ck_assert_ptr_nonnull(other);
	ck_assert_ptr_nonnull(forced);
	sigqueue_free(&p, other);
	sigqueue_free(&p, forced);
	sigpending_destroy(&p);
	ck_assert(LIST_EMPTY(&tt.users[7]));
	ck_assert(LIST_EMPTY(&tt.users[8]));
}
END_TEST

START_TEST(a_bit_without_information)
{
	struct linux_siginfo info;
	struct sigpending p;

	sigpending_init(&p, &tt);
	sigpending_push(&p, LINUX_SIGTERM, NULL);
	sigpending_take(&p, LINUX_SIGTERM, &info);
	ck_assert_int_eq(info.signo, LINUX_SIGTERM);
	ck_assert_int_eq(info.code, LINUX_SI_USER);
	ck_assert_uint_eq(p.set, 0);
}
END_TEST

START_TEST(owned_entries_stay)
{
	struct sigqueue mine = { .owned = true, .info.signo = 14 };
	struct linux_siginfo info;
	struct sigpending p;

	sigpending_init(&p, &tt);
	sigpending_push(&p, 14, &mine);
	ck_assert(mine.queued);
	sigpending_take(&p, 14, &info);
	ck_assert(!mine.queued);
	sigpending_push(&p, 14, &mine);
	sigpending_flush(&p, SIGBIT(14));
	ck_assert(!mine.queued);
}
END_TEST

START_TEST(dispositions)
{
	struct sighand *h = sighand_new(NULL), *c;

	ck_assert(sighand_ignores(h, LINUX_SIGCHLD));
	ck_assert(!sighand_ignores(h, LINUX_SIGTERM));
	h->action[LINUX_SIGTERM - 1].handler = LINUX_SIG_IGN;
	c = sighand_new(h);
	ck_assert(sighand_ignores(c, LINUX_SIGTERM));
	sighand_put(c);
	sighand_put(h);
}
END_TEST

/* {error, case} -> rax, whether rip moved back */
static const struct {
	int error;
	enum restart_case c;
	int64_t rax;
	bool back;
} rules[] = {
	{ ERESTARTSYS, RESTART_NO_HANDLER, 35, true },
	{ ERESTARTSYS, RESTART_HANDLER, -EINTR, false },
	{ ERESTARTSYS, RESTART_HANDLER_SA_RESTART, 35, true },
	{ ERESTARTNOINTR, RESTART_HANDLER, 35, true },
	{ ERESTARTNOHAND, RESTART_NO_HANDLER, 35, true },
	{ ERESTARTNOHAND, RESTART_HANDLER_SA_RESTART, -EINTR, false },
	{ ERESTART_RESTARTBLOCK, RESTART_NO_HANDLER, 219, true },
	{ ERESTART_RESTARTBLOCK, RESTART_HANDLER_SA_RESTART, -EINTR, false },
	{ EINTR, RESTART_NO_HANDLER, -EINTR, false },
};

START_TEST(restart)
{
	struct regs r = { .orig_rax = 35, .rip = 100, .rax = (uint64_t) - (int64_t)rules[_i].error };

	restart_apply(&r, rules[_i].c);
	ck_assert_int_eq((int64_t)r.rax, rules[_i].rax);
	ck_assert_uint_eq(r.rip, rules[_i].back ? 98 : 100);
	ck_assert_int_eq((int64_t)r.orig_rax, -1);
	/* not after a system call: nothing happens */
	r = (struct regs){ .orig_rax = UINT64_MAX, .rip = 100, .rax = (uint64_t)-ERESTARTSYS };
	restart_apply(&r, rules[_i].c);
	ck_assert_uint_eq(r.rip, 100);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("signals");
	TCase *t = tcase_create("queue");
	SRunner *r;
	int failed;

	tcase_add_test(t, realtime_in_order);
	tcase_add_test(t, faults_come_first);
	tcase_add_test(t, limit_per_user);
	tcase_add_test(t, a_bit_without_information);
	tcase_add_test(t, owned_entries_stay);
	tcase_add_test(t, dispositions);
	tcase_add_loop_test(t, restart, 0, sizeof(rules) / sizeof(rules[0]));
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
