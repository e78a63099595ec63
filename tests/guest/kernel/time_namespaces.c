/*
 * time_namespaces.c - time namespaces: offsets of the monotonic and boot clocks, for children;
 * and cgroup namespaces.  Needs CAP_SYS_ADMIN, or makes user namespaces of its own.
 */
#include "../test.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

static int64_t now(clockid_t c)
{
	struct timespec ts;

	CHECK(clock_gettime(c, &ts) == 0);
	return ts.tv_sec;
}

/* The same, not by the vDSO. */
static int64_t called(clockid_t c)
{
	struct timespec ts;

	CHECK(syscall(SYS_clock_gettime, c, &ts) == 0);
	return ts.tv_sec;
}

static int near(int64_t a, int64_t b)
{
	return a - b < 20 && b - a < 20;
}

static int set(const char *text)
{
	int fd = open("/proc/self/timens_offsets", O_WRONLY), r;

	CHECK(fd >= 0);
	r = write(fd, text, strlen(text)) < 0 ? errno : 0;
	close(fd);
	return r;
}

static void fresh(void)
{
	CHECK(unshare(CLONE_NEWUSER | CLONE_NEWTIME) == 0);
}

static uint64_t ino(const char *name)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
	CHECK(stat(path, &st) == 0);
	return st.st_ino;
}

/* A child; 0 in it.  The parent waits, and it must have ended well. */
static pid_t child(void)
{
	pid_t c = fork();
	int st;

	CHECK(c >= 0);
	if (c)
		CHECK(waitpid(c, &st, 0) == c && st == 0);
	return c;
}

CASE(children_are_in_it)
{
	int64_t mono = now(CLOCK_MONOTONIC), boot = now(CLOCK_BOOTTIME), real = now(CLOCK_REALTIME);
	uint64_t own = ino("time");

	fresh();
	CHECK(ino("time") == own && ino("time_for_children") != own);
	CHECK(set("monotonic 86400 0\nboottime 172800 500") == 0);
	CHECK(near(now(CLOCK_MONOTONIC), mono)); /* not the caller itself */
	if (!child()) {
		CHECK(ino("time") != own && ino("time") == ino("time_for_children"));
		CHECK(near(now(CLOCK_MONOTONIC), mono + 86400) && near(called(CLOCK_MONOTONIC), mono + 86400));
		CHECK(near(now(CLOCK_MONOTONIC_COARSE), mono + 86400) && near(called(CLOCK_MONOTONIC_RAW), mono + 86400));
		CHECK(near(now(CLOCK_BOOTTIME), boot + 172800) && near(called(CLOCK_BOOTTIME), boot + 172800));
		CHECK(near(now(CLOCK_REALTIME), real));
		if (!child()) {
			CHECK(near(now(CLOCK_MONOTONIC), mono + 86400));
			_exit(0);
		}
		_exit(0);
	}
	CHECK(near(now(CLOCK_MONOTONIC), mono));
}

CASE(offsets_are_shown_and_stay)
{
	char text[128] = "";
	int fd;

	fresh();
	CHECK(set("monotonic -1 999999999") == 0);
	fd = open("/proc/self/timens_offsets", O_RDONLY);
	CHECK(read(fd, text, sizeof(text) - 1) > 0);
	CHECK(!strcmp(text, "monotonic          -1 999999999\nboottime            0         0\n"));
	CHECK(set("realtime 1 0") == EINVAL && set("monotonic 1") == EINVAL && set("monotonic 1 1000000000") == EINVAL);
	CHECK(set("monotonic -4000000000 0") == ERANGE);
	if (!child()) {
		CHECK(set("monotonic 5 0") == EACCES);
		_exit(0);
	}
	CHECK(set("monotonic 5 0") == EACCES);
}

/* Absolute times are the namespace's own. */
CASE(timers)
{
	int64_t mono = now(CLOCK_MONOTONIC);

	fresh();
	CHECK(set("monotonic 86400 0") == 0);
	if (!child()) {
		struct timespec at = { mono + 86400 - 100, 0 }; /* past */
		struct itimerspec i = { .it_value = at };
		int fd = timerfd_create(CLOCK_MONOTONIC, 0);
		uint64_t n;

		CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == 0);
		CHECK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &i, NULL) == 0 && read(fd, &n, sizeof(n)) == 8 && n == 1);
		i.it_value.tv_sec = mono + 100; /* the outer clock's future, this one's past */
		CHECK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &i, NULL) == 0 && read(fd, &n, sizeof(n)) == 8 && n == 1);
		_exit(0);
	}
}

CASE(setns_time)
{
	int64_t mono = now(CLOCK_MONOTONIC);
	int fd;

	fresh();
	CHECK(set("monotonic 1000000 0") == 0);
	fd = open("/proc/self/ns/time_for_children", O_RDONLY);
	CHECK(fd >= 0 && ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWTIME);
	CHECK(setns(fd, CLONE_NEWTIME) == 0);
	CHECK(near(now(CLOCK_MONOTONIC), mono + 1000000) && near(called(CLOCK_MONOTONIC), mono + 1000000));
	CHECK(ino("time") == ino("time_for_children"));
}

CASE(exec_enters)
{
	char script[256];

	snprintf(script, sizeof(script), "test $(cut -d. -f1 /proc/uptime) -gt %lld", (long long)now(CLOCK_BOOTTIME) + 1000000);
	fresh();
	CHECK(set("boottime 2000000 0") == 0);
	CHECK(system(script) == 0);
	execl("/bin/sh", "sh", "-c", script, (char *)NULL);
	_exit(9);
}

CASE(cgroup_namespace)
{
	uint64_t own = ino("cgroup");
	char text[512] = "";
	int fd = open("/proc/self/ns/cgroup", O_RDONLY), in;

	CHECK(fd >= 0 && ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWCGROUP);
	CHECK(unshare(CLONE_NEWUSER | CLONE_NEWCGROUP) == 0);
	CHECK(ino("cgroup") != own);
	in = open("/proc/self/cgroup", O_RDONLY);
	CHECK(read(in, text, sizeof(text) - 1) > 0);
	for (char *p = text; (p = strchr(p, '\n')); p++)
		CHECK(p[-1] == '/'); /* its own group is the root of all */
	CHECK_ERR(setns(fd, CLONE_NEWCGROUP), EPERM); /* the outer user namespace's */
}

int main(void)
{
	return run_cases();
}
