/*
 * test_cpus.c - the number of processors that systrap reckons with follows the host's.
 *
 * links: sentry/platform/platform.c sentry/platform/stub_zygote.c sentry/platform/ptrace/call.c sentry/platform/ptrace/as.c sentry/platform/ptrace/ctx.c sentry/platform/ptrace/switch.c sentry/platform/ptrace/stub_image.S sentry/platform/stub_exec.c sentry/platform/stub_fd.c sentry/platform/systrap/as.c sentry/platform/systrap/pool.c sentry/platform/systrap/place.c sentry/platform/systrap/cpus.c sentry/platform/systrap/seat.c sentry/platform/systrap/slots.c sentry/platform/systrap/orders.c sentry/platform/systrap/near.c sentry/platform/systrap/ctx.c sentry/platform/systrap/frame.c sentry/platform/systrap/patch.c sentry/platform/systrap/mask.c sentry/platform/systrap/robust.c sentry/platform/systrap/records.c sentry/platform/systrap/told.c sentry/platform/systrap/names.c sentry/platform/systrap/window.c sentry/platform/systrap/rings.c sentry/platform/systrap/look.c sentry/platform/systrap/site.c sentry/platform/systrap/asks.c sentry/platform/systrap/handover.c sentry/platform/systrap/line.c sentry/platform/systrap/switch.c sentry/platform/systrap/init.c sentry/platform/systrap/stub_image.S sentry/arch/x86_64/regs.c sentry/arch/x86_64/lea.c sentry/arch/x86_64/move.c sentry/arch/x86_64/fpstate.c sentry/lib/lock.c sentry/lib/wait.c sentry/lib/threads.c sentry/lib/counters.c
 */
#include "lib/wait.h"
#include "platform/systrap/systrap.h"
#include "platform_case.h"

#include <sys/stat.h>
#include <time.h>

#define CPUSET "/sys/fs/cgroup/cpuset"
#define SECONDS 20

static struct guest g;
static struct sleeper self;

static struct st_platform *platform(void)
{
	return (struct st_platform *)plat;
}

static void begin(void)
{
	sleeper_init(&self);
	sleeper_set_current(&self);
	guest_new(&g, blob_getppid);
	ck_assert_int_eq(run(&g), PLATFORM_SYSCALL);
	msleep(20); /* its stub's thread sleeps */
}

/* Counting leaves nothing behind: the thread may run wherever it was allowed to before. */
static void check_free(void)
{
	struct st_ctx *c = (struct st_ctx *)g.c;
	cpu_set_t own, stub;

	if (!c->p->places)
		return;
	for (int i = 0; i < 10; i++) {
		run(&g);
		msleep(1);
	}
	ck_assert(c->th->on != ST_ON_UNKNOWN);
	st_place_free(c);
	ck_assert(!sched_getaffinity(0, sizeof(own), &own) && !sched_getaffinity(c->th->tid, sizeof(stub), &stub) && CPU_EQUAL(&own, &stub));
}

START_TEST(counted)
{
	cpu_set_t given;
	int first = 0;

	ck_assert(!sched_getaffinity(0, sizeof(given), &given));
	begin();
	ck_assert_uint_eq(st_cpus_count((struct st_ctx *)g.c), CPU_COUNT(&given));
	check_free();
	while (!CPU_ISSET(first, &given))
		first++;
	CPU_ZERO(&platform()->cpu_set);
	CPU_SET(first, &platform()->cpu_set);
	msleep(20);
	ck_assert_uint_eq(st_cpus_count((struct st_ctx *)g.c), 1);
	guest_free(&g);
}
END_TEST

/* --- the host changes it: where there is a cpuset to do that by (cgroup v1) ------------------- */

static bool write_file(const char *dir, const char *name, const char *text)
{
	char path[200];
	FILE *f;
	bool ok;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	if (!f)
		return false;
	ok = fputs(text, f) >= 0;
	return !fclose(f) && ok;
}

static void join(pid_t pid, void *dir)
{
	char text[20];

	snprintf(text, sizeof(text), "%d", pid);
	write_file(dir, "cgroup.procs", text);
}

static void all_join(char *dir)
{
	join(getpid(), dir);
	for_each_child(join, dir);
}

static bool reckons_with(unsigned n)
{
	for (int i = 0; i < SECONDS * 1000; i++) {
		if (platform()->cpus == n)
			return true;
		run(&g);
		msleep(1);
	}
	return false;
}

/* Calls all the time: with one processor both sides stay awake before long. */
static bool yields(void)
{
	struct st_ctx *c = (struct st_ctx *)g.c;
	time_t end = time(NULL) + SECONDS;

	while (!c->yields && time(NULL) < end)
		run(&g);
	return c->yields;
}

/* And all the same finds out that there are more. */
static bool yields_no_longer(unsigned n)
{
	time_t end = time(NULL) + SECONDS;

	while (platform()->cpus != n && time(NULL) < end)
		run(&g);
	return platform()->cpus == n && run(&g) == PLATFORM_SYSCALL && !((struct st_ctx *)g.c)->yields;
}

static bool own_cpuset(char path[100])
{
	char line[200], *at;
	FILE *f = fopen("/proc/self/cgroup", "r");

	path[0] = 0;
	while (f && fgets(line, sizeof(line), f)) {
		at = strstr(line, ":cpuset:/");
		if (at && strlen(at) < 60)
			snprintf(path, 100, "%s%.*s", CPUSET, (int)strcspn(at + 8, "\n"), at + 8);
	}
	if (f)
		fclose(f);
	return path[0] && !access(path, W_OK);
}

START_TEST(followed)
{
	char home[100], dir[160], one[20], all[200], path[200];
	cpu_set_t given;
	unsigned n;
	int first = 0;
	FILE *f;

	ck_assert(!sched_getaffinity(0, sizeof(given), &given));
	n = (unsigned)CPU_COUNT(&given);
	if (n < 2 || !platform()->places || !own_cpuset(home))
		return;
	while (!CPU_ISSET(first, &given))
		first++;
	snprintf(one, sizeof(one), "%d", first);
	snprintf(path, sizeof(path), "%s/cpuset.cpus", home);
	f = fopen(path, "r");
	ck_assert(f && fgets(all, sizeof(all), f));
	fclose(f);
	snprintf(dir, sizeof(dir), "%s/redoubt-unit.%d", home, getpid());
	if (mkdir(dir, 0700))
		return;
	begin();
	if (write_file(dir, "cpuset.cpus", all) && write_file(dir, "cpuset.mems", "0")) {
		bool fewer, yielded, more, fewer_again, more_again;

		all_join(dir);
		ck_assert_uint_eq(platform()->cpus, n);
		fewer = write_file(dir, "cpuset.cpus", one) && reckons_with(1);
		yielded = yields();
		more = write_file(dir, "cpuset.cpus", all) && yields_no_longer(n);
		fewer_again = write_file(dir, "cpuset.cpus", one) && reckons_with(1);
		more_again = write_file(dir, "cpuset.cpus", all) && reckons_with(n);
		all_join(home);
		for (int i = 0; i < 1000 && rmdir(dir) && errno == EBUSY; i++) {
			all_join(home);
			msleep(10);
		}
		ck_assert(fewer && yielded && more && fewer_again && more_again);
		check_free();
	} else {
		rmdir(dir);
	}
	guest_free(&g);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { counted, followed };

	setenv("REDOUBT_PLATFORM", "systrap", 1);
	return run_on_platforms(tests, sizeof(tests) / sizeof(tests[0]));
}
