/* /proc/PID/syscall, /proc/PID/timers and /proc/locks: what processes wait for and hold. */
#include "../test.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>

static char text[65536];

static char *text_of(const char *fmt, int pid)
{
	char path[64];
	size_t len = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), fmt, pid);
	fd = open(path, O_RDONLY);
	CHECK(fd >= 0);
	while ((n = syscall(SYS_read, fd, text + len, sizeof(text) - 1 - len)) > 0) /* a page at a time: a host may have many locks */
		len += (size_t)n;
	CHECK(n == 0);
	close(fd);
	text[len] = 0;
	return text;
}

CASE(call_of_a_sleeper)
{
	uint64_t v[8];
	char buf[77];
	long nr;
	int fd[2];
	pid_t p;

	CHECK(pipe(fd) == 0);
	p = fork();
	if (!p) {
		for (int i = 0; i < 100; i++) /* a call site that is known by now */
			syscall(SYS_fcntl, fd[0], F_GETFD, 1, 2, 3, 4);
		_exit(syscall(SYS_read, fd[0], buf, sizeof(buf), 4, 5, 6) == 1 ? 0 : 1);
	}
	until_asleep(p);
	CHECK(sscanf(text_of("/proc/%d/syscall", p), "%ld %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64, &nr, v, v + 1, v + 2, v + 3,
		      v + 4, v + 5, v + 6, v + 7) == 9);
	CHECK(nr == SYS_read && v[0] == (unsigned)fd[0] && v[1] == (uintptr_t)buf && v[2] == sizeof(buf) && v[3] == 4 && v[4] == 5 && v[5] == 6);
	CHECK(v[6] > (uintptr_t)buf - 4096 && v[6] < (uintptr_t)buf + 65536); /* its stack is ours */
	CHECK(v[7] > (uintptr_t)syscall - 8192 && v[7] < (uintptr_t)syscall + 8192);
	CHECK(write(fd[1], "x", 1) == 1 && waitpid(p, &(int){ 0 }, 0) == p);
}

CASE(call_of_its_own)
{
	char want[100];
	int fd = open("/proc/self/syscall", O_RDONLY);

	CHECK(fd >= 0);
	snprintf(want, sizeof(want), "%d 0x%x 0x%lx 0x%x ", SYS_read, fd, (unsigned long)text, 500);
	CHECK(syscall(SYS_read, fd, text, 500) > 0 && !strncmp(text, want, strlen(want)));
}

CASE(runs)
{
	pid_t p = fork();

	if (!p)
		for (;;)
			__asm__ volatile("" ::: "memory");
	while (strcmp(text_of("/proc/%d/syscall", p), "running\n")) /* it begins with faults */
		usleep(1000);
	kill(p, SIGKILL);
}

CASE(timers)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 1, .sigev_value.sival_ptr = (void *)0x1234 };
	struct sigevent none = { .sigev_notify = SIGEV_NONE };
	struct sigevent thread = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1 };
	char want[400];
	timer_t a, b, c;

	CHECK(!*text_of("/proc/%d/timers", getpid()));
	thread._sigev_un._tid = getpid();
	CHECK(timer_create(CLOCK_MONOTONIC, &ev, &a) == 0 && timer_create(CLOCK_REALTIME, &none, &b) == 0 && timer_create(CLOCK_BOOTTIME, &thread, &c) == 0);
	for (int i = 0; i < 3; i++) {
		snprintf(want, sizeof(want), "notify: %s/%s.%d\nClockID: %d\n", i == 1 ? "none" : "signal", i == 2 ? "tid" : "pid", getpid(), i == 0 ? CLOCK_MONOTONIC : i == 1 ? CLOCK_REALTIME : CLOCK_BOOTTIME);
		CHECK(strstr(text_of("/proc/%d/timers", getpid()), want));
	}
	snprintf(want, sizeof(want), "signal: %d/0000000000001234\n", SIGRTMIN + 1);
	CHECK(strstr(text, want));
	CHECK(timer_delete(a) == 0 && timer_delete(b) == 0 && timer_delete(c) == 0 && !*text_of("/proc/%d/timers", getpid()));
}

/* Whether /proc/locks has such a line, without its number. */
static int locked(const char *rest)
{
	for (char *line = strtok(text_of("/proc/locks", 0), "\n"); line; line = strtok(NULL, "\n"))
		if (strchr(line, ':') && !strcmp(strchr(line, ':') + 2, rest))
			return 1;
	return 0;
}

CASE(locks)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 5 }, o = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	char name[] = "/tmp/locksXXXXXX", want[4][120], id[60];
	int fd = mkstemp(name), other = open(name, O_RDWR);
	struct stat st;
	pid_t p;

	CHECK(fd >= 0 && other >= 0 && unlink(name) == 0 && fstat(fd, &st) == 0);
	snprintf(id, sizeof(id), "%02x:%02x:%lu", major(st.st_dev), minor(st.st_dev), (unsigned long)st.st_ino);
	snprintf(want[0], sizeof(want[0]), "POSIX  ADVISORY  WRITE %d %s 10 14", getpid(), id);
	snprintf(want[1], sizeof(want[1]), "FLOCK  ADVISORY  READ %d %s 0 EOF", getpid(), id);
	CHECK(!locked(want[0]) && fcntl(fd, F_SETLK, &l) == 0 && flock(fd, LOCK_SH) == 0 && locked(want[0]) && locked(want[1]));
	p = fork();
	if (!p) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(fcntl(other, F_SETLKW, &l) == 0 ? 0 : 1);
	}
	until_asleep(p);
	snprintf(want[2], sizeof(want[2]), "-> POSIX  ADVISORY  WRITE %d %s 10 14", p, id);
	CHECK(locked(want[2]));
	l.l_type = F_UNLCK;
	CHECK(fcntl(fd, F_SETLK, &l) == 0 && waitpid(p, &(int){ 0 }, 0) == p && !locked(want[0]) && !locked(want[2]));
	snprintf(want[3], sizeof(want[3]), "OFDLCK ADVISORY  READ -1 %s 0 EOF", id);
	CHECK(fcntl(other, F_OFD_SETLK, &o) == 0 && locked(want[3]));
	close(other);
	CHECK(!locked(want[3]) && flock(fd, LOCK_UN) == 0 && !locked(want[1]));
}

int main(void) { return run_cases(); }
