/*
 * Two that take turns through pipes, so often that a sandbox may let them wait for each other by
 * themselves; then whoever waits is interrupted, ended, or left alone, or the pipe is used by others.
 */
#include "pipe_stream.h"

#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/time.h>

#define ROUNDS 12
#define MOST 3000

struct pair {
	int to[2], from[2];
	pid_t echo;
};

static volatile sig_atomic_t signals;

static void on_signal(int s)
{
	(void)s;
	signals++;
}

/* Answers what it gets with the same, in one piece. */
static void answers(const struct pair *p)
{
	static char b[MOST];
	ssize_t n;

	while ((n = read(p->to[0], b, sizeof(b))) > 0)
		if (write(p->from[1], b, (size_t)n) != n)
			_exit(1);
	_exit(n != 0);
}

static struct pair begin(void)
{
	struct pair p;

	CHECK(!pipe(p.to) && !pipe(p.from));
	p.echo = fork();
	if (!p.echo) {
		close(p.to[1]);
		close(p.from[0]);
		answers(&p);
	}
	close(p.to[0]);
	close(p.from[1]);
	return p;
}

static void end(struct pair *p)
{
	char c;

	CHECK(!close(p->to[1]));
	ends_well(p->echo);
	CHECK(read(p->from[0], &c, 1) == 0 && !close(p->from[0]));
}

static void turn(const struct pair *p, size_t n, int i)
{
	static char b[MOST];

	memset(b, i, n);
	CHECK(write(p->to[1], b, n) == (ssize_t)n);
	memset(b, ~i, n);
	CHECK(read(p->from[0], b, sizeof(b)) == (ssize_t)n);
	CHECK(b[0] == (char)i && b[n / 2] == (char)i && b[n - 1] == (char)i);
}

static void turns(const struct pair *p)
{
	for (int i = 0; i < MANY; i++)
		turn(p, 1, i);
}

CASE(of_all_sizes)
{
	struct pair p = begin();

	for (int i = 0; i < 20 * MANY; i++)
		turn(&p, 1 + (size_t)i * 37 % MOST, i);
	end(&p);
}

/* Both wait now and then for longer than anybody would look on. */
CASE(with_rests)
{
	struct pair p = begin();

	for (int i = 0; i < 30; i++) {
		turns(&p);
		usleep(i % 3 ? 200 : 3000);
	}
	end(&p);
}

/* Who waits for an answer that does not come is interrupted, at once or after a while. */
CASE(a_signal_interrupts)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct pair p = begin();
	char c;

	CHECK(!sigaction(SIGALRM, &sa, NULL));
	for (int i = 0; i < ROUNDS; i++) {
		struct itimerval soon = { .it_value = { .tv_usec = i % 2 ? 20 : 5000 }, .it_interval = { .tv_usec = 2000 } }, never = { 0 };

		turns(&p);
		signals = 0;
		CHECK(!setitimer(ITIMER_REAL, &soon, NULL));
		CHECK_ERR(read(p.from[0], &c, 1), EINTR);
		CHECK(!setitimer(ITIMER_REAL, &never, NULL) && signals);
	}
	end(&p);
}

/* Or goes on waiting, and gets what comes. */
CASE(a_call_goes_on_after_it)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct pair p = begin();
	struct itimerval often = { .it_value = { .tv_usec = 300 }, .it_interval = { .tv_usec = 300 } };

	CHECK(!sigaction(SIGALRM, &sa, NULL) && !setitimer(ITIMER_REAL, &often, NULL));
	for (int i = 0; i < 30 || !signals; i++)
		turns(&p);
	often = (struct itimerval){ 0 };
	CHECK(!setitimer(ITIMER_REAL, &often, NULL));
	end(&p);
}

CASE(one_is_killed)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct pair p = begin();
		char c = 0;
		int st;

		signal(SIGPIPE, SIG_IGN);
		turns(&p);
		CHECK(!kill(p.echo, SIGKILL) && waitpid(p.echo, &st, 0) == p.echo && WIFSIGNALED(st));
		CHECK(read(p.from[0], &c, 1) == 0);
		CHECK_ERR(write(p.to[1], &c, 1), EPIPE);
		close(p.to[1]);
		close(p.from[0]);
	}
}

/* It wakes when it goes on, and has missed nothing. */
CASE(one_is_stopped)
{
	struct pair p = begin();
	char c = 7;
	int st;

	for (int i = 0; i < ROUNDS; i++) {
		turns(&p);
		CHECK(!kill(p.echo, SIGSTOP) && waitpid(p.echo, &st, WUNTRACED) == p.echo && WIFSTOPPED(st));
		CHECK(write(p.to[1], &c, 1) == 1);
		CHECK(!kill(p.echo, SIGCONT) && read(p.from[0], &c, 1) == 1 && c == 7);
	}
	end(&p);
}

/* A third one answers instead, or asks. */
CASE(somebody_else_writes)
{
	struct pair p;
	int also[2];
	char c = 1;

	CHECK(!pipe(also));
	p = begin();
	for (int i = 0; i < ROUNDS; i++) {
		pid_t other;

		turns(&p);
		other = fork();
		if (!other)
			_exit(write(p.to[1], "y", 1) != 1);
		CHECK(read(p.from[0], &c, 1) == 1 && c == 'y');
		ends_well(other);
	}
	end(&p);
}

/* Who writes makes no call more until the other has got it, however they were before. */
CASE(one_works_on)
{
	_Atomic int *got = shared();
	int p[2], back[2];
	pid_t c;
	char b = 0;

	CHECK(!pipe(p) && !pipe(back));
	c = fork();
	if (!c) {
		close(p[1]);
		while (read(p[0], &b, 1) == 1) {
			(*got)++;
			if (write(back[1], &b, 1) != 1)
				_exit(1);
		}
		_exit(0);
	}
	for (int i = 1; i <= 40 * MANY; i++) {
		CHECK(write(p[1], &b, 1) == 1);
		if (i % 40 == 0)
			while (*got < i)
				;
		CHECK(read(back[0], &b, 1) == 1);
	}
	close(p[1]);
	ends_well(c);
}

/* A pipe that is not to be waited for is not; and one that is watched tells. */
CASE(without_waiting)
{
	struct pair p = begin();
	struct pollfd f = { .fd = p.from[0], .events = POLLIN };
	char c = 3;
	int n;

	for (int i = 0; i < ROUNDS; i++) {
		turns(&p);
		CHECK(!fcntl(p.from[0], F_SETFL, O_NONBLOCK));
		CHECK_ERR(read(p.from[0], &c, 1), EAGAIN);
		CHECK(!fcntl(p.from[0], F_SETFL, 0));
		CHECK(poll(&f, 1, 0) == 0 && write(p.to[1], &c, 1) == 1 && poll(&f, 1, -1) == 1);
		CHECK(!ioctl(p.from[0], FIONREAD, &n) && n == 1 && read(p.from[0], &c, 1) == 1 && c == 3);
		CHECK(read(p.from[0], &c, 0) == 0);
	}
	end(&p);
}

int main(void)
{
	return run_cases();
}
