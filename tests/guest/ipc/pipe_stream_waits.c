/* Who streams through a pipe and waits for the other side, is interrupted or stopped, or ends. */
#include "pipe_stream.h"

#include <poll.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

enum how { BY_READ, BY_POLL, BY_EPOLL };

static void wait_for(int fd, enum how how)
{
	struct epoll_event e = { .events = EPOLLIN };
	struct pollfd f = { .fd = fd, .events = POLLIN };
	int set;

	if (how == BY_POLL)
		CHECK(poll(&f, 1, -1) == 1);
	if (how != BY_EPOLL)
		return;
	set = epoll_create1(0);
	CHECK(!epoll_ctl(set, EPOLL_CTL_ADD, fd, &e) && epoll_wait(set, &e, 1, -1) == 1 && !close(set));
}

/* The reader waits in different ways, and for a writer that then works, or sleeps elsewhere. */
CASE(each_piece_arrives)
{
	_Atomic int *got = shared();

	for (int how = 0; how <= BY_EPOLL; how++) {
		static char b[1000];
		int p[2];
		pid_t c;

		CHECK(!pipe(p));
		*got = 0;
		c = fork();
		if (!c) {
			close(p[1]);
			for (;;) {
				wait_for(p[0], (enum how)how);
				if (read(p[0], b, sizeof(b)) != sizeof(b))
					_exit(0);
				(*got)++;
			}
		}
		close(p[0]);
		for (int i = 1; i <= 4 * MANY; i++) {
			CHECK(write(p[1], b, sizeof(b)) == sizeof(b));
			if (i % 50 == 0)
				while (*got < i) /* makes no call */
					;
			if (i % 60 == 0)
				while (*got < i)
					usleep(10);
		}
		close(p[1]);
		ends_well(c);
		CHECK(*got == 4 * MANY);
	}
}

/* A writer that waits for room goes on when there is some, though the reader then makes no call. */
CASE(room_is_told)
{
	_Atomic int *done = shared();
	static char b[PIPE];
	int p[2];
	pid_t c;

	CHECK(!pipe(p));
	c = fork();
	if (!c) {
		for (int i = 0; i < 40 * MANY; i++) {
			CHECK(write(p[1], b, PAGE) == PAGE);
			(*done)++;
		}
		_exit(0);
	}
	for (int i = 0; i < 40 * MANY; i++) {
		CHECK(read(p[0], b, PAGE) == PAGE);
		if (i % 100 == 0)
			while (*done < i + 16 && *done < 40 * MANY)
				;
	}
	ends_well(c);
}

CASE(taking_turns_after_streaming)
{
	int p[2], q[2];
	char b[100] = "";
	pid_t c;

	CHECK(!pipe(p) && !pipe(q));
	c = fork();
	if (!c) {
		close(p[1]);
		while (read(p[0], b, sizeof(b)) > 0)
			if (b[0])
				CHECK(write(q[1], b, 1) == 1);
		_exit(0);
	}
	close(p[0]);
	for (int round = 0; round < 5; round++) {
		b[0] = 0;
		for (int i = 0; i < MANY; i++)
			CHECK(write(p[1], b, sizeof(b)) == sizeof(b));
		b[0] = 1;
		for (int i = 0; i < MANY; i++)
			CHECK(write(p[1], b, sizeof(b)) == sizeof(b) && read(q[0], b + 1, 1) == 1);
	}
	close(p[1]);
	ends_well(c);
}

/* --- interrupted, and ended --------------------------------------------------------------- */

static void on_signal(int s) { (void)s; }

CASE(signals_while_it_waits)
{
	const struct sigaction a = { .sa_handler = on_signal };
	static char b[PIPE];
	int p[2], st;
	pid_t c;

	CHECK(!pipe(p));
	c = fork();
	if (!c) {
		sigaction(SIGUSR1, &a, NULL);
		stream_here(p);
		CHECK_ERR(read(p[0], b, 1), EINTR);
		CHECK(write(p[1], b, PIPE) == PIPE);
		CHECK_ERR(write(p[1], b, PIPE), EINTR);
		_exit(0);
	}
	until_asleep(c);
	CHECK(!kill(c, SIGUSR1));
	while (!ioctl(p[0], FIONREAD, &st) && st < PIPE)
		usleep(1000);
	until_asleep(c);
	CHECK(!kill(c, SIGUSR1));
	ends_well(c);
}

CASE(stopped_in_between)
{
	uint32_t next[WRITERS] = { 0 };
	int p[2], st;
	pid_t c;

	CHECK(!pipe(p));
	c = writes(p, 0, 6000);
	close(p[1]);
	for (int i = 0; i < 5; i++) {
		expect_records(p[0], next, 1000);
		CHECK(!kill(c, SIGSTOP) && waitpid(c, &st, WUNTRACED) == c);
		if (WIFEXITED(st))
			break;
		CHECK(WIFSTOPPED(st) && !kill(c, SIGCONT));
	}
	expect_records(p[0], next, 6000 - next[0]);
	CHECK(read(p[0], &st, 1) == 0);
}

CASE(the_reader_goes)
{
	uint32_t next[WRITERS] = { 0 };
	int p[2], st;
	pid_t c;

	CHECK(!pipe(p));
	c = writes(p, 0, 1000000);
	close(p[1]);
	expect_records(p[0], next, 5000);
	close(p[0]);
	CHECK(waitpid(c, &st, 0) == c && WIFSIGNALED(st) && WTERMSIG(st) == SIGPIPE);
}

CASE(the_writer_is_killed)
{
	uint32_t next[WRITERS] = { 0 };
	struct record r;
	int p[2];
	pid_t c;

	CHECK(!pipe(p));
	c = writes(p, 0, 1000000);
	close(p[1]);
	expect_records(p[0], next, 5000);
	CHECK(!kill(c, SIGKILL));
	while (read(p[0], &r, RECORD) == RECORD)
		check_record(&r, next);
	CHECK(read(p[0], &r, RECORD) == 0);
}

int main(void) { return run_cases(); }
