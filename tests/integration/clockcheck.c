/*
 * clockcheck.c - how far the clocks of a time namespace are from the host's, by
 * each way of reading them, and whether waits until an absolute time end then.
 * Static; oci.sh runs it in a container with linux.timeOffsets, and on the host
 * in a time namespace, where it must print the same.
 * usage: clockcheck MONOTONIC BOOTTIME (of the host, in seconds, a moment ago)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000ll
#define STEP 50 /* seconds: what the offsets are multiples of, more than a test takes */

static long host_monotonic, host_boottime;

static long long ns(const struct timespec *ts)
{
	return ts->tv_sec * 1000 * MS + ts->tv_nsec;
}

static long long now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ns(&ts);
}

static struct timespec in_20ms(clockid_t clock)
{
	long long at = now(clock) + 20 * MS;

	return (struct timespec){ at / (1000 * MS), at % (1000 * MS) };
}

/* To the nearest STEP: the time that the test itself has taken goes away. */
static long rounded(long long seconds)
{
	return (long)((seconds + STEP / 2 + 1000000 * STEP) / STEP - 1000000) * STEP;
}

static void show(const char *what, long seconds, long host)
{
	printf("%s %ld\n", what, rounded(seconds - host));
}

/* The vDSO cannot answer at first: read until it does, and after. */
static void clocks(void)
{
	struct timespec ts;

	for (int i = 0; i < 40; i++) {
		now(CLOCK_MONOTONIC);
		usleep(2000);
	}
	show("monotonic", (long)(now(CLOCK_MONOTONIC) / (1000 * MS)), host_monotonic);
	show("monotonic coarse", (long)(now(CLOCK_MONOTONIC_COARSE) / (1000 * MS)), host_monotonic);
	show("monotonic raw", (long)(now(CLOCK_MONOTONIC_RAW) / (1000 * MS)), host_monotonic);
	show("boottime", (long)(now(CLOCK_BOOTTIME) / (1000 * MS)), host_boottime);
	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts);
	show("monotonic by a call", ts.tv_sec, host_monotonic);
	syscall(SYS_clock_gettime, CLOCK_BOOTTIME, &ts);
	show("boottime by a call", ts.tv_sec, host_boottime);
}

/* Ended about when it should have: neither at once nor never. */
static void ended(const char *what, int ok, long long before)
{
	long long took = (now(CLOCK_MONOTONIC) - before) / MS;

	printf("%s %s\n", what, ok && took >= 19 && took < 5000 ? "in time" : ok ? "at the wrong time" : "failed");
}

static void waits(void)
{
	static const clockid_t both[] = { CLOCK_MONOTONIC, CLOCK_BOOTTIME };
	static const char *const names[] = { "monotonic", "boottime" };

	for (int i = 0; i < 2; i++) {
		long long before = now(CLOCK_MONOTONIC);
		struct itimerspec it = { .it_value = in_20ms(both[i]) };
		struct timespec limit = { 5, 0 };
		sigset_t set;
		timer_t timer;
		int fd, r;

		printf("%s: ", names[i]);
		r = clock_nanosleep(both[i], TIMER_ABSTIME, &it.it_value, NULL);
		ended("sleep", !r, before);
		fd = timerfd_create(both[i], 0);
		before = now(CLOCK_MONOTONIC);
		it.it_value = in_20ms(both[i]);
		r = timerfd_settime(fd, TFD_TIMER_ABSTIME, &it, NULL);
		printf("%s: ", names[i]);
		ended("timerfd", !r && poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, 5000) == 1, before);
		sigemptyset(&set);
		sigaddset(&set, SIGALRM);
		sigprocmask(SIG_BLOCK, &set, NULL);
		r = timer_create(both[i], NULL, &timer);
		before = now(CLOCK_MONOTONIC);
		it.it_value = in_20ms(both[i]);
		r = r || timer_settime(timer, TIMER_ABSTIME, &it, NULL);
		printf("%s: ", names[i]);
		ended("timer", !r && sigtimedwait(&set, NULL, &limit) == SIGALRM, before);
		timer_delete(timer);
		close(fd);
	}
}

static void futexes(void)
{
	long long before = now(CLOCK_MONOTONIC);
	struct timespec until = in_20ms(CLOCK_MONOTONIC);
	uint32_t word = 0;
	long r = syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, 0, &until, NULL, FUTEX_BITSET_MATCH_ANY);

	ended("futex", r < 0 && errno == ETIMEDOUT, before);
}

static void print_file(const char *path)
{
	char line[256];
	FILE *f = fopen(path, "r");

	while (f && fgets(line, sizeof(line), f))
		fputs(line, stdout);
	if (f)
		fclose(f);
}

int main(int argc, char **argv)
{
	int status;

	if (argc < 3)
		return 2;
	host_monotonic = atol(argv[1]);
	host_boottime = atol(argv[2]);
	clocks();
	waits();
	futexes();
	print_file("/proc/self/timens_offsets");
	/* a child, and a program that it executes, are in the same */
	fflush(stdout);
	if (!fork()) {
		show("a child's monotonic", (long)(now(CLOCK_MONOTONIC) / (1000 * MS)), host_monotonic);
		fflush(stdout);
		if (argc == 3)
			execl("/proc/self/exe", "clockcheck", argv[1], argv[2], "again", (char *)NULL);
		_exit(0);
	}
	wait(&status);
	printf("ended %d\n", WEXITSTATUS(status));
	return 0;
}
