/* epoll(7). */
#include "../test.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

static int add(int ep, int fd, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.fd = fd };

	return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
}

static void *volatile bad_pointer = (void *)8;

static int waiting(int ep, int timeout, struct epoll_event *out)
{
	return epoll_wait(ep, out, 8, timeout);
}

CASE(level)
{
	int p[2], ep = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event e[8];
	char b;

	CHECK(ep >= 0 && pipe(p) == 0 && add(ep, p[0], EPOLLIN) == 0);
	CHECK(waiting(ep, 0, e) == 0);
	CHECK(write(p[1], "ab", 2) == 2);
	CHECK(waiting(ep, 0, e) == 1 && e[0].events == EPOLLIN && e[0].data.fd == p[0]);
	CHECK(waiting(ep, 0, e) == 1);
	CHECK(read(p[0], &b, 1) == 1);
	CHECK(waiting(ep, 0, e) == 1);
	CHECK(read(p[0], &b, 1) == 1);
	CHECK(waiting(ep, 0, e) == 0);
	close(p[1]);
	CHECK(waiting(ep, 0, e) == 1 && e[0].events == EPOLLHUP);
}

CASE(edge)
{
	int p[2], ep = epoll_create1(0);
	struct epoll_event e[8];
	char b[4];

	CHECK(pipe(p) == 0 && add(ep, p[0], EPOLLIN | EPOLLET) == 0);
	CHECK(write(p[1], "a", 1) == 1);
	CHECK(waiting(ep, 0, e) == 1);
	CHECK(waiting(ep, 0, e) == 0);
	CHECK(write(p[1], "b", 1) == 1);
	CHECK(waiting(ep, 0, e) == 1);
	CHECK(read(p[0], b, 1) == 1);
	CHECK(waiting(ep, 0, e) == 0);
	CHECK(read(p[0], b, 1) == 1);
}

CASE(oneshot_and_mod)
{
	int p[2], ep = epoll_create1(0);
	struct epoll_event e[8], m = { .events = EPOLLIN | EPOLLONESHOT, .data.u64 = 77 };

	CHECK(pipe(p) == 0 && add(ep, p[0], EPOLLIN | EPOLLONESHOT) == 0);
	CHECK(write(p[1], "a", 1) == 1);
	CHECK(waiting(ep, 0, e) == 1);
	CHECK(write(p[1], "a", 1) == 1);
	CHECK(waiting(ep, 0, e) == 0);
	CHECK(epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &m) == 0);
	CHECK(waiting(ep, 0, e) == 1 && e[0].data.u64 == 77);
}

CASE(errors)
{
	int p[2], ep = epoll_create1(0), fd = open("/proc/self/exe", O_RDONLY);
	struct epoll_event e[8] = { { .events = EPOLLIN } };

	CHECK(pipe(p) == 0);
	CHECK_ERR(epoll_create(0), EINVAL);
	CHECK_ERR(add(ep, fd, EPOLLIN), EPERM);
	CHECK_ERR(add(ep, ep, EPOLLIN), EINVAL);
	CHECK_ERR(add(ep, 999, EPOLLIN), EBADF);
	CHECK_ERR(add(p[0], p[1], EPOLLIN), EINVAL);
	CHECK_ERR(epoll_ctl(ep, EPOLL_CTL_MOD, p[0], e), ENOENT);
	CHECK_ERR(epoll_ctl(ep, EPOLL_CTL_DEL, p[0], NULL), ENOENT);
	CHECK(add(ep, p[0], EPOLLIN) == 0);
	CHECK_ERR(add(ep, p[0], EPOLLIN), EEXIST);
	CHECK_ERR(epoll_wait(ep, e, 0, 0), EINVAL);
	CHECK_ERR(epoll_wait(p[0], e, 1, 0), EINVAL);
	CHECK_ERR(epoll_ctl(ep, 9, p[0], e), EINVAL);
	CHECK(write(p[1], "x", 1) == 1);
	CHECK_ERR(epoll_wait(ep, bad_pointer, 1, 0), EFAULT);
	CHECK(epoll_wait(ep, e, 1, 0) == 1);
}

CASE(nested)
{
	int p[2], in = epoll_create1(0), out = epoll_create1(0);
	struct epoll_event e[8];
	struct pollfd f = { out, POLLIN, 0 };
	char b;

	CHECK(pipe(p) == 0 && add(in, p[0], EPOLLIN) == 0 && add(out, in, EPOLLIN) == 0);
	CHECK(waiting(out, 0, e) == 0 && poll(&f, 1, 0) == 0);
	CHECK(write(p[1], "x", 1) == 1);
	CHECK(poll(&f, 1, 0) == 1 && f.revents == POLLIN);
	CHECK(waiting(out, -1, e) == 1 && e[0].data.fd == in);
	CHECK(read(p[0], &b, 1) == 1);
	CHECK(waiting(out, 0, e) == 0);
	CHECK_ERR(add(in, out, EPOLLIN), ELOOP);
}

CASE(closed_file_leaves)
{
	int p[2], d, ep = epoll_create1(0);
	struct epoll_event e[8];

	CHECK(pipe(p) == 0 && add(ep, p[0], EPOLLIN) == 0);
	CHECK(write(p[1], "x", 1) == 1);
	d = dup(p[0]);
	close(p[0]);
	CHECK(waiting(ep, 0, e) == 1); /* still open through d */
	close(d);
	CHECK(waiting(ep, 0, e) == 0);
	CHECK(pipe(p) == 0 && add(ep, p[0], EPOLLIN) == 0);
}

CASE(shared_after_fork)
{
	int fd = eventfd(0, 0), ep = epoll_create1(0), st;
	struct epoll_event e[8];

	CHECK(add(ep, fd, EPOLLIN) == 0);
	if (!fork()) {
		usleep(20000);
		_exit(eventfd_write(fd, 1) != 0);
	}
	CHECK(waiting(ep, 25000, e) == 1);
	CHECK(wait(&st) > 0 && st == 0);
	if (!fork())
		_exit(epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL) != 0);
	CHECK(wait(&st) > 0 && st == 0);
	CHECK(waiting(ep, 0, e) == 0);
}

static int thread_ep, total;
static void *waiter(void *arg)
{
	struct epoll_event e[1];

	if (epoll_wait(thread_ep, e, 1, 25000) == 1) {
		eventfd_t v;

		eventfd_read(e[0].data.fd, &v);
		__atomic_add_fetch(&total, 1, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

CASE(two_threads_two_events)
{
	pthread_t t[2];
	int a = eventfd(0, 0), b = eventfd(0, 0);

	thread_ep = epoll_create1(0);
	CHECK(add(thread_ep, a, EPOLLIN | EPOLLET) == 0 && add(thread_ep, b, EPOLLIN | EPOLLET) == 0);
	for (int i = 0; i < 2; i++)
		CHECK(pthread_create(&t[i], NULL, waiter, NULL) == 0);
	usleep(20000);
	eventfd_write(a, 1);
	eventfd_write(b, 1);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	CHECK(total == 2);
}

CASE(fairness_and_max)
{
	int ep = epoll_create1(0), fds[6], seen[6] = { 0 };
	struct epoll_event e[2];

	for (int i = 0; i < 6; i++) {
		struct epoll_event ev = { .events = EPOLLIN, .data.u32 = i };

		fds[i] = eventfd(1, 0);
		CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &ev) == 0);
	}
	for (int k = 0; k < 3; k++) {
		CHECK(epoll_wait(ep, e, 2, 0) == 2);
		seen[e[0].data.u32]++;
		seen[e[1].data.u32]++;
	}
	for (int i = 0; i < 6; i++)
		CHECK(seen[i] == 1);
}

int main(void) { return run_cases(); }
