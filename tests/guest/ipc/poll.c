/* poll, ppoll, select, pselect. */
#include "../test.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <time.h>

static volatile sig_atomic_t got;
static void *volatile volatile_bad = (void *)8;
static void on_signal(int s) { got = s; }

static long ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void kill_when_asleep(void)
{
	pid_t me = getpid();

	if (fork())
		return;
	until_asleep(me);
	kill(me, SIGUSR1);
	_exit(0);
}

CASE(timeouts)
{
	int p[2];
	struct pollfd f;
	long t = ms();

	CHECK(pipe(p) == 0);
	f = (struct pollfd){ p[0], POLLIN, 0 };
	CHECK(poll(&f, 1, 60) == 0);
	CHECK(ms() - t >= 59);
	CHECK(poll(NULL, 0, 10) == 0);
	CHECK_ERR(poll(volatile_bad, 1, 0), EFAULT);
}

CASE(bad_and_negative)
{
	struct pollfd f[2] = { { 999, POLLIN, 0 }, { -1, POLLIN, 7 } };

	CHECK(poll(f, 2, -1) == 1 && f[0].revents == POLLNVAL && f[1].revents == 0);
}

CASE(woken_by_writer)
{
	int p[2];
	struct pollfd f;

	CHECK(pipe(p) == 0);
	if (!fork()) {
		usleep(30000);
		_exit(write(p[1], "x", 1) != 1);
	}
	f = (struct pollfd){ p[0], POLLIN | POLLPRI, 0 };
	CHECK(poll(&f, 1, -1) == 1 && f.revents == POLLIN);
}

CASE(regular_file_is_ready)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	struct pollfd f = { fd, POLLIN | POLLOUT, 0 };

	CHECK(fd >= 0 && poll(&f, 1, 0) == 1 && f.revents == (POLLIN | POLLOUT));
}

CASE(many_descriptors)
{
	struct rlimit rl;
	static struct pollfd f[800];
	static int w[800];

	CHECK(getrlimit(RLIMIT_NOFILE, &rl) == 0);
	rl.rlim_cur = rl.rlim_max < 4096 ? rl.rlim_max : 4096;
	CHECK(setrlimit(RLIMIT_NOFILE, &rl) == 0);
	for (int i = 0; i < 400; i++) {
		int p[2];

		CHECK(pipe(p) == 0);
		f[i] = (struct pollfd){ p[0], POLLIN, 0 };
		w[i] = p[1];
	}
	CHECK(poll(f, 400, 0) == 0);
	CHECK(write(w[3], "x", 1) == 1 && write(w[399], "x", 1) == 1);
	CHECK(poll(f, 400, -1) == 2 && f[3].revents == POLLIN && f[399].revents == POLLIN && !f[4].revents);
}

CASE(interrupted)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct timeval tv = { 25, 0 };

	sigaction(SIGUSR1, &sa, NULL);
	kill_when_asleep();
	CHECK_ERR(poll(NULL, 0, 25000), EINTR);
	kill_when_asleep();
	CHECK_ERR(select(0, NULL, NULL, NULL, &tv), EINTR);
}

CASE(ignored_signal_does_not_end_it)
{
	long t = ms();

	signal(SIGUSR1, SIG_IGN);
	kill_when_asleep();
	CHECK(poll(NULL, 0, 80) == 0);
	CHECK(ms() - t >= 79);
}

CASE(ppoll_mask)
{
	struct timespec ts = { 0, 50000000 };
	sigset_t block, none;

	signal(SIGUSR1, on_signal);
	sigemptyset(&none);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	CHECK(sigprocmask(SIG_BLOCK, &block, NULL) == 0);
	kill(getpid(), SIGUSR1);
	CHECK(ppoll(NULL, 0, &ts, &block) == 0 && !got);
	CHECK_ERR(ppoll(NULL, 0, NULL, &none), EINTR);
	CHECK(got == SIGUSR1);
	sigprocmask(SIG_BLOCK, NULL, &none);
	CHECK(sigismember(&none, SIGUSR1));
}

CASE(select_sets)
{
	int p[2];
	fd_set r, w;
	struct timeval tv = { 0, 0 };

	CHECK(pipe(p) == 0);
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_SET(p[0], &r);
	FD_SET(p[1], &w);
	CHECK(select(p[1] + 1, &r, &w, NULL, &tv) == 1 && !FD_ISSET(p[0], &r) && FD_ISSET(p[1], &w));
	CHECK(write(p[1], "x", 1) == 1);
	FD_SET(p[0], &r);
	CHECK(select(p[1] + 1, &r, &w, NULL, NULL) == 2 && FD_ISSET(p[0], &r) && FD_ISSET(p[1], &w));
	close(p[1]);
	CHECK_ERR(select(p[1] + 1, &r, &w, NULL, NULL), EBADF);
	CHECK_ERR(select(-1, NULL, NULL, NULL, NULL), EINVAL);
	tv.tv_usec = -1;
	CHECK_ERR(select(0, NULL, NULL, NULL, &tv), EINVAL);
}

CASE(pselect_mask_and_time)
{
	struct timespec ts = { 0, 30000000 };
	sigset_t block, none;
	long t = ms();

	CHECK(pselect(0, NULL, NULL, NULL, &ts, NULL) == 0 && ms() - t >= 29);
	signal(SIGUSR1, on_signal);
	sigemptyset(&none);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	sigprocmask(SIG_BLOCK, &block, NULL);
	kill(getpid(), SIGUSR1);
	CHECK_ERR(pselect(0, NULL, NULL, NULL, NULL, &none), EINTR);
	CHECK(got == SIGUSR1);
}

int main(void) { return run_cases(); }
