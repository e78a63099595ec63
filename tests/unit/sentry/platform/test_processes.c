/*
 * test_processes.c - the host processes in which programs run: many of them,
 * in reserve, killed and stopped by others.
 *
 * links: sentry/platform/platform.c sentry/platform/stub_zygote.c sentry/platform/ptrace/call.c sentry/platform/ptrace/as.c sentry/platform/ptrace/ctx.c sentry/platform/ptrace/switch.c sentry/platform/ptrace/stub_image.S sentry/platform/stub_exec.c sentry/platform/stub_fd.c sentry/platform/systrap/as.c sentry/platform/systrap/pool.c sentry/platform/systrap/place.c sentry/platform/systrap/cpus.c sentry/platform/systrap/seat.c sentry/platform/systrap/slots.c sentry/platform/systrap/orders.c sentry/platform/systrap/near.c sentry/platform/systrap/ctx.c sentry/platform/systrap/frame.c sentry/platform/systrap/patch.c sentry/platform/systrap/mask.c sentry/platform/systrap/robust.c sentry/platform/systrap/records.c sentry/platform/systrap/told.c sentry/platform/systrap/names.c sentry/platform/systrap/window.c sentry/platform/systrap/rings.c sentry/platform/systrap/look.c sentry/platform/systrap/site.c sentry/platform/systrap/asks.c sentry/platform/systrap/handover.c sentry/platform/systrap/line.c sentry/platform/systrap/switch.c sentry/platform/systrap/init.c sentry/platform/systrap/stub_image.S sentry/arch/x86_64/regs.c sentry/arch/x86_64/lea.c sentry/arch/x86_64/move.c sentry/arch/x86_64/fpstate.c sentry/lib/lock.c sentry/lib/wait.c sentry/lib/threads.c sentry/lib/counters.c
 */
#include "platform_case.h"

#define RESERVE 4 /* systrap's POOL_MAX */

static void count_child(pid_t pid, void *arg)
{
	++*(unsigned *)arg;
}

static void kill_idle(pid_t pid, void *arg)
{
	pid_t program = 0;

	note_program(pid, &program);
	if (!program && ++*(unsigned *)arg > 1) /* not the zygote, which is the oldest */
		kill(pid, SIGKILL);
}

/* Processes kept in reserve that somebody kills are not used. */
START_TEST(reserve_killed)
{
	struct guest g[4];
	unsigned n = 0;

	for (int i = 0; i < 4; i++) {
		guest_new(&g[i], blob_getppid);
		ck_assert_int_eq(run(&g[i]), PLATFORM_SYSCALL);
	}
	msleep(100);
	for_each_child(kill_idle, &n);
	msleep(100);
	for (int i = 0; i < 4; i++) {
		struct guest h;

		guest_new(&h, blob_getppid);
		ck_assert_int_eq(run(&h), PLATFORM_SYSCALL);
		guest_free(&h);
		guest_free(&g[i]);
	}
}
END_TEST

START_TEST(killed_from_outside)
{
	struct guest g;
	struct worker w;
	struct platform_as *as;

	guest_new(&g, blob_getppid);
	ck_assert_int_eq(run(&g), PLATFORM_SYSCALL);
	kill(youngest_child(), SIGKILL);
	ck_assert_int_eq(run(&g), PLATFORM_DEAD);
	ck_assert_int_eq(run(&g), PLATFORM_DEAD);
	ck_assert_int_eq(platform_as_unmap(g.as, DATA, 4096), 0);
	guest_free(&g);

	as = new_as(4096);
	worker_start(&w, as, blob_spin, 0);
	msleep(30);
	kill(youngest_child(), SIGKILL);
	pthread_join(w.thread, NULL);
	ck_assert_int_eq(w.last, PLATFORM_DEAD);
	platform_as_free(as);
}
END_TEST

/* The death is noticed though another thread's host thread is not waiting. */
START_TEST(killed_while_others_sleep)
{
	struct platform_as *as = new_as(4096);
	struct guest g = { .as = as, .c = platform_ctx_new(plat, as) };
	struct worker w;

	platform_ctx_bind(g.c);
	regs_exec(&g.r, AT(blob_getppid), DATA);
	ck_assert_int_eq(run(&g), PLATFORM_SYSCALL);
	worker_start(&w, as, blob_getppid, 0);
	ck_assert(becomes_more(&w.events[PLATFORM_SYSCALL], 0));
	worker_stop(&w);
	worker_start(&w, as, blob_spin, 0);
	msleep(30);
	kill(youngest_child(), SIGKILL); /* g is in a system call */
	pthread_join(w.thread, NULL);
	ck_assert_int_eq(w.last, PLATFORM_DEAD);
	ck_assert_int_eq(run(&g), PLATFORM_DEAD);
	guest_free(&g);
}
END_TEST

START_TEST(stopped_from_outside)
{
	struct worker w;
	struct platform_as *as = new_as(4096);
	pid_t pid;

	worker_start(&w, as, blob_getppid, 0);
	ck_assert(becomes_more(&w.events[PLATFORM_SYSCALL], 0));
	pid = youngest_child();
	kill(pid, SIGSTOP);
	kill(pid, SIGTERM);
	kill(pid, SIGCONT);
	msleep(20);
	ck_assert(becomes_more(&w.events[PLATFORM_SYSCALL], atomic_load(&w.events[PLATFORM_SYSCALL])));
	worker_stop(&w);
	platform_as_free(as);
}
END_TEST

START_TEST(hundred_processes)
{
	static struct guest g[100];

	for (int i = 0; i < 100; i++) {
		guest_new(&g[i], blob_getppid);
		ck_assert_int_eq(run(&g[i]), PLATFORM_SYSCALL);
	}
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(run(&g[i]), PLATFORM_SYSCALL);
	for (int i = 0; i < 100; i++)
		guest_free(&g[i]);
	for (int i = 0; i < 3000; i++) { /* the zygote is left, and what is kept in reserve */
		unsigned n = 0;

		for_each_child(count_child, &n);
		if (n <= 1 + RESERVE)
			return;
		msleep(10);
	}
	ck_abort_msg("processes are left");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { reserve_killed, killed_from_outside, killed_while_others_sleep, stopped_from_outside, hundred_processes };

	return run_on_platforms(tests, sizeof(tests) / sizeof(tests[0]));
}
