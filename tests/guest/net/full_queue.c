/*
 * full_queue.c - TCP connections to a listener whose queue is full: they are made when there is
 * room, and the program that does not wait in connect(2) is told then, not that they failed.
 */
#include "../test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/time.h>

#define CLIENTS 4 /* two more than the queue takes */
#define LONG_ENOUGH 20000 /* ms: Linux sends a SYN again after 1, 3, 7 seconds */

static int listener(struct sockaddr_in *a)
{
	int l = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t n = sizeof(*a);

	*a = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	CHECK(l >= 0 && bind(l, (void *)a, sizeof(*a)) == 0 && listen(l, 1) == 0);
	CHECK(getsockname(l, (void *)a, &n) == 0);
	return l;
}

static int begin(const struct sockaddr_in *a)
{
	int c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	CHECK(c >= 0);
	CHECK_ERR(connect(c, (const void *)a, sizeof(*a)), EINPROGRESS);
	return c;
}

static short events(int c, int ms)
{
	struct pollfd p = { c, POLLOUT, 0 };

	CHECK(poll(&p, 1, ms) >= 0);
	return p.revents;
}

static int error_of(int c)
{
	socklen_t n = sizeof(int);
	int e;

	CHECK(getsockopt(c, SOL_SOCKET, SO_ERROR, &e, &n) == 0);
	return e;
}

/* The last of them finds no room. */
static void fill(const struct sockaddr_in *a, int c[CLIENTS])
{
	for (int i = 0; i < CLIENTS; i++)
		c[i] = begin(a);
	CHECK(events(c[0], LONG_ENOUGH) == POLLOUT);
	CHECK(events(c[CLIENTS - 1], 100) == 0 && error_of(c[CLIENTS - 1]) == 0);
}

static int accept_one(int l)
{
	struct pollfd p = { l, POLLIN, 0 };

	CHECK(poll(&p, 1, LONG_ENOUGH) == 1);
	return accept(l, NULL, NULL);
}

CASE(all_get_through)
{
	struct sockaddr_in a;
	int l = listener(&a), c[CLIENTS];
	bool came[CLIENTS] = { 0 };
	char b;

	fill(&a, c);
	for (int i = 0; i < CLIENTS; i++) {
		int s = accept_one(l), who;
		struct sockaddr_in from, o;
		socklen_t n = sizeof(from);

		CHECK(s >= 0 && getpeername(s, (void *)&from, &n) == 0);
		for (who = 0; who < CLIENTS; who++) {
			n = sizeof(o);
			CHECK(getsockname(c[who], (void *)&o, &n) == 0);
			if (o.sin_port == from.sin_port)
				break;
		}
		CHECK(who < CLIENTS && !came[who]);
		came[who] = true;
		CHECK(events(c[who], LONG_ENOUGH) == POLLOUT && error_of(c[who]) == 0);
		CHECK(connect(c[who], (void *)&a, sizeof(a)) == 0);
		CHECK_ERR(connect(c[who], (void *)&a, sizeof(a)), EISCONN);
		CHECK(write(c[who], "x", 1) == 1 && read(s, &b, 1) == 1 && b == 'x');
		CHECK(write(s, "y", 1) == 1 && read(c[who], &b, 1) == 1 && b == 'y');
		close(s);
	}
}

CASE(who_waits_may_go)
{
	struct sockaddr_in a;
	int l = listener(&a), c[CLIENTS], s, n = 0, e;

	fill(&a, c);
	CHECK_ERR(connect(c[CLIENTS - 1], (void *)&a, sizeof(a)), EALREADY);
	for (int i = 1; i < CLIENTS; i++)
		close(c[i]);
	/* those that were in the queue are there still */
	CHECK(fcntl(l, F_SETFL, O_NONBLOCK) == 0);
	while ((s = accept(l, NULL, NULL)) >= 0) {
		close(s);
		n++;
	}
	e = errno;
	CHECK(e == EAGAIN && n >= 1 && n < CLIENTS);
	c[1] = begin(&a);
	CHECK(events(c[1], LONG_ENOUGH) == POLLOUT && error_of(c[1]) == 0);
}

CASE(a_larger_queue_has_room)
{
	struct sockaddr_in a;
	int l = listener(&a), c[CLIENTS];

	fill(&a, c);
	CHECK(listen(l, CLIENTS) == 0);
	for (int i = 0; i < CLIENTS; i++)
		CHECK(events(c[i], LONG_ENOUGH) == POLLOUT && error_of(c[i]) == 0);
}

CASE(refused_when_nobody_listens_any_more)
{
	struct sockaddr_in a;
	int l = listener(&a), c[CLIENTS], last;

	fill(&a, c);
	last = c[CLIENTS - 1];
	close(l);
	CHECK(events(last, LONG_ENOUGH) & POLLERR);
	CHECK(error_of(last) == ECONNREFUSED);
	l = listener(&a);
	CHECK_ERR(connect(last, (void *)&a, sizeof(a)), ECONNABORTED); /* how the last one ended */
	CHECK_ERR(connect(last, (void *)&a, sizeof(a)), EINPROGRESS);
	CHECK(events(last, LONG_ENOUGH) == POLLOUT && error_of(last) == 0);
}

CASE(a_call_that_waits_and_one_that_waited)
{
	struct timeval tv = { .tv_usec = 50000 };
	struct sockaddr_in a;
	int l = listener(&a), c[CLIENTS], timed = socket(AF_INET, SOCK_STREAM, 0), st;
	pid_t child;

	fill(&a, c);
	CHECK(timed >= 0 && setsockopt(timed, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) == 0);
	CHECK_ERR(connect(timed, (void *)&a, sizeof(a)), EINPROGRESS);
	child = fork();
	CHECK(child >= 0);
	if (!child) {
		fcntl(c[CLIENTS - 1], F_SETFL, 0);
		_exit(connect(c[CLIENTS - 1], (void *)&a, sizeof(a)) != 0);
	}
	for (int i = 0; i < CLIENTS + 1; i++)
		CHECK(accept_one(l) >= 0);
	CHECK(waitpid(child, &st, 0) == child && WIFEXITED(st) && WEXITSTATUS(st) == 0);
	CHECK(events(timed, LONG_ENOUGH) == POLLOUT && error_of(timed) == 0);
}

int main(void)
{
	return run_cases();
}
