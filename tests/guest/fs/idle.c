/*
 * Looking at descriptors again and again without waiting: the sandbox may answer
 * that nothing is there without its kernel, but never once something is.
 */
#include "../test.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

#define OFTEN 30

static int look(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events, .revents = 0x7777 };
	int r = poll(&p, 1, 0);

	CHECK(r == (p.revents != 0));
	return p.revents;
}

/* Until it is known that nothing is there. */
static void stare(int fd)
{
	for (int i = 0; i < OFTEN; i++)
		CHECK(look(fd, POLLIN) == 0);
}

static int set_of(int fd, unsigned events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };
	int ep = epoll_create1(0);

	CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) == 0);
	return ep;
}

static int wait_set(int ep)
{
	struct epoll_event ev[4];

	return epoll_wait(ep, ev, 4, 0);
}

static void stare_set(int ep)
{
	for (int i = 0; i < OFTEN; i++)
		CHECK(wait_set(ep) == 0);
}

static void put(int fd)
{
	CHECK(write(fd, "12345678", 8) == 8);
}

static void take(int fd)
{
	char b[8];

	CHECK(read(fd, b, 8) == 8);
}

/* --- what comes ---------------------------------------------------------------- */

CASE(a_pipe)
{
	int p[2];

	CHECK(pipe(p) == 0);
	for (int i = 0; i < 10; i++) {
		stare(p[0]);
		put(p[1]);
		CHECK(look(p[0], POLLIN) == POLLIN && look(p[0], POLLIN) == POLLIN);
		take(p[0]);
	}
	stare(p[0]);
	close(p[1]);
	CHECK(look(p[0], POLLIN) == POLLHUP && look(p[0], 0) == POLLHUP);
}

CASE(an_eventfd_and_a_socket)
{
	int e = eventfd(0, 0), s[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	for (int i = 0; i < 10; i++) {
		stare(e);
		put(e);
		CHECK(look(e, POLLIN) == POLLIN);
		take(e);
		stare(s[0]);
		put(s[1]);
		CHECK(look(s[0], POLLIN) == POLLIN);
		take(s[0]);
	}
}

CASE(events_and_results)
{
	struct pollfd p[3] = { { .fd = -1, .revents = 77 }, { .events = POLLIN, .revents = 77 }, { .fd = -5, .events = POLLIN } };
	int fd[2];

	CHECK(pipe(fd) == 0);
	p[1].fd = fd[0];
	for (int i = 0; i < OFTEN; i++) {
		p[0].revents = p[1].revents = p[2].revents = 77;
		CHECK(poll(p, 3, 0) == 0 && !p[0].revents && !p[1].revents && !p[2].revents);
		CHECK(poll(NULL, 0, 0) == 0);
	}
	for (int i = 0; i < OFTEN; i++)
		CHECK(look(fd[0], (short)0xffff & ~POLLOUT & ~POLLWRNORM & ~POLLWRBAND) == 0);
	CHECK(look(fd[1], POLLIN | POLLOUT) == POLLOUT);
	CHECK(look(1000, POLLIN) == POLLNVAL && look(100000, POLLIN) == POLLNVAL);
	CHECK_ERR(syscall(SYS_poll, 8, 1, 0), EFAULT);
	CHECK_ERR(epoll_wait(fd[0], (struct epoll_event[1]){ 0 }, 1, 0), EINVAL);
	p[2] = (struct pollfd){ .fd = 1000 };
	CHECK(poll(p, 3, 0) == 1 && p[2].revents == POLLNVAL && !p[1].revents);
}

CASE(event_sets)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int p[2], ep;

	CHECK(pipe(p) == 0);
	ep = set_of(p[0], EPOLLIN);
	for (int i = 0; i < 10; i++) {
		stare_set(ep);
		put(p[1]);
		CHECK(wait_set(ep) == 1 && wait_set(ep) == 1 && look(ep, POLLIN) == POLLIN);
		take(p[0]);
		CHECK(look(ep, POLLIN) == 0);
	}
	stare_set(ep);
	for (int i = 0; i < OFTEN; i++)
		CHECK(epoll_pwait(ep, &ev, 1, 0, NULL) == 0);
	CHECK_ERR(epoll_wait(ep, &ev, 0, 0), EINVAL);
	CHECK_ERR(syscall(SYS_epoll_wait, ep, &ev, -1, 0), EINVAL);
	CHECK_ERR(epoll_wait(1000, &ev, 1, 0), EBADF);
	ev = (struct epoll_event){ .events = EPOLLOUT };
	CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, p[1], &ev) == 0 && wait_set(ep) == 1);
	CHECK(epoll_ctl(ep, EPOLL_CTL_DEL, p[1], &ev) == 0 && wait_set(ep) == 0);
	stare_set(ep);
	close(p[1]);
	CHECK(wait_set(ep) == 1);
	close(p[0]);
	CHECK(wait_set(ep) == 0);
}

CASE(edges_and_single_shots)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLONESHOT };
	int p[2], edge, once;

	CHECK(pipe(p) == 0);
	edge = set_of(p[0], EPOLLIN | EPOLLET);
	once = set_of(p[0], EPOLLIN | EPOLLONESHOT);
	for (int i = 0; i < 10; i++) {
		stare_set(edge);
		stare_set(once);
		put(p[1]);
		CHECK(wait_set(edge) == 1 && wait_set(once) == 1);
		stare_set(edge);
		stare_set(once);
		CHECK(epoll_ctl(once, EPOLL_CTL_MOD, p[0], &ev) == 0 && wait_set(once) == 1);
		take(p[0]);
		CHECK(epoll_ctl(once, EPOLL_CTL_MOD, p[0], &ev) == 0);
	}
}

CASE(sets_in_sets)
{
	int p[2], inner, outer;

	CHECK(pipe(p) == 0);
	inner = set_of(p[0], EPOLLIN);
	outer = set_of(inner, EPOLLIN);
	for (int i = 0; i < 10; i++) {
		stare_set(outer);
		stare(inner);
		put(p[1]);
		CHECK(wait_set(outer) == 1 && look(inner, POLLIN) == POLLIN && wait_set(inner) == 1);
		take(p[0]);
	}
}

/* --- other descriptors, other tables ------------------------------------------------ */

CASE(numbers_that_change_hands)
{
	int p[2], q[2], fd;

	CHECK(pipe(p) == 0 && pipe(q) == 0);
	put(q[1]);
	for (int i = 0; i < 10; i++) {
		fd = dup(p[0]);
		stare(fd);
		CHECK(close(fd) == 0 && look(fd, POLLIN) == POLLNVAL);
		CHECK(dup2(p[0], fd) == fd);
		stare(fd);
		CHECK(dup2(q[0], fd) == fd && look(fd, POLLIN) == POLLIN);
		CHECK(dup2(p[0], fd) == fd);
		stare(fd);
		CHECK(close_range(fd, fd, 0) == 0 && look(fd, POLLIN) == POLLNVAL);
		stare(p[0]);
	}
}

CASE(children_have_their_own)
{
	int p[2], st;

	CHECK(pipe(p) == 0);
	for (int i = 0; i < 5; i++) {
		stare(p[0]);
		if (!fork()) {
			stare(p[0]);
			close(p[0]);
			_exit(look(p[0], POLLIN) != POLLNVAL);
		}
		CHECK(wait(&st) > 0 && st == 0);
		stare(p[0]);
		if (!vfork()) {
			for (int k = 0; k < OFTEN; k++)
				look(p[0], POLLIN);
			close(p[0]);
			_exit(look(p[0], POLLIN) != POLLNVAL);
		}
		CHECK(wait(&st) > 0 && st == 0);
		CHECK(look(p[0], POLLIN) == 0);
		put(p[1]);
		CHECK(look(p[0], POLLIN) == POLLIN);
		take(p[0]);
	}
}

/* A child that shares the table but not the memory. */
CASE(a_shared_table)
{
	int p[2], q[2], st;

	CHECK(pipe(p) == 0 && pipe(q) == 0);
	for (int i = 0; i < 5; i++) {
		int fd = dup(p[0]);
		pid_t c;

		stare(fd);
		c = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);
		if (!c) {
			stare(fd);
			close(fd);
			_exit(0);
		}
		CHECK(waitpid(c, &st, 0) == c && st == 0);
		CHECK(look(fd, POLLIN) == POLLNVAL);
		stare(p[0]);
	}
}

static int mine[2];
static _Atomic int step;

static void *own_table(void *arg)
{
	stare(mine[0]);
	CHECK(unshare(CLONE_FILES) == 0);
	stare(mine[0]);
	close(mine[0]);
	CHECK(look(mine[0], POLLIN) == POLLNVAL);
	step = 1;
	while (step != 2)
		sched_yield();
	CHECK(look(mine[0], POLLIN) == POLLNVAL);
	return NULL;
}

CASE(a_thread_with_a_table_of_its_own)
{
	pthread_t th;

	CHECK(pipe(mine) == 0);
	stare(mine[0]);
	CHECK(pthread_create(&th, NULL, own_table, NULL) == 0);
	while (step != 1)
		CHECK(look(mine[0], POLLIN) == 0);
	stare(mine[0]);
	step = 2;
	CHECK(pthread_join(th, NULL) == 0);
	CHECK(look(mine[0], POLLIN) == 0);
	put(mine[1]);
	CHECK(look(mine[0], POLLIN) == POLLIN);
}

CASE(exec)
{
	const char *prog = "import os, select, sys\n"
			   "a, b, c = map(int, sys.argv[1:])\n"
			   "p = select.poll(); p.register(a, select.POLLIN)\n"
			   "for i in range(50): assert not p.poll(0)\n"
			   "os.write(b, b'x'); assert p.poll(0); assert os.read(a, 1) == b'x'\n"
			   "for i in range(50): assert not p.poll(0)\n"
			   "q = select.poll(); q.register(c, select.POLLIN); assert q.poll(0)[0][1] == select.POLLNVAL\n";
	int p[2], st;
	char a[3][8];

	CHECK(pipe(p) == 0);
	fcntl(p[1], F_SETFD, 0);
	for (int i = 0; i < 3; i++)
		if (!fork()) {
			int gone = fcntl(p[0], F_DUPFD_CLOEXEC, 50);

			stare(p[0]);
			stare(gone);
			snprintf(a[0], 8, "%d", p[0]);
			snprintf(a[1], 8, "%d", p[1]);
			snprintf(a[2], 8, "%d", gone);
			execlp("python3", "python3", "-c", prog, a[0], a[1], a[2], NULL);
			_exit(errno == ENOENT ? 0 : 1);
		} else {
			CHECK(wait(&st) > 0 && st == 0);
		}
}

CASE(filters_see_the_call)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_poll, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { 4, f };
	struct pollfd p = { .events = POLLIN };
	int fd[2];

	CHECK(pipe(fd) == 0);
	p.fd = fd[0];
	stare(fd[0]);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == 0);
	for (int i = 0; i < OFTEN; i++)
		CHECK_ERR(poll(&p, 1, 0), EPERM);
}

/* --- at once ----------------------------------------------------------------------- */

/* What another process wrote before it said so is there. */
CASE(seen_as_soon_as_it_was_said)
{
	_Atomic int *turn = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int p[2], e = eventfd(0, 0), st, ep;
	const time_t end = time(NULL) + 5;
	pid_t c;

	CHECK(pipe(p) == 0);
	ep = set_of(e, EPOLLIN);
	c = fork();
	if (!c) {
		for (int i = 0; i < 300; i++) {
			while (*turn != 2 * i + 1 && *turn >= 0)
				sched_yield();
			if (*turn < 0)
				break;
			put(i & 1 ? e : p[1]);
			*turn = 2 * i + 2;
		}
		_exit(0);
	}
	for (int i = 0; i < 300 && (i < 10 || time(NULL) < end); i++) { /* on one processor each takes its time */
		CHECK(look(p[0], POLLIN) == 0 && wait_set(ep) == 0);
		*turn = 2 * i + 1;
		while (*turn != 2 * i + 2) {
			look(p[0], POLLIN);
			wait_set(ep);
		}
		CHECK(i & 1 ? wait_set(ep) == 1 : look(p[0], POLLIN) == POLLIN);
		take(i & 1 ? e : p[0]);
	}
	*turn = -1;
	CHECK(waitpid(c, &st, 0) == c && st == 0);
}

static void *writes_pairs(void *arg)
{
	while (!step) {
		CHECK(write(mine[1], "ab", 2) == 2);
		sched_yield();
	}
	close(mine[1]);
	return NULL;
}

/* Who has read half of a write knows that the other half is there. */
CASE(never_less_than_was_seen)
{
	const time_t end = time(NULL) + 5;
	pthread_t th;
	char c;
	int n = 0;

	CHECK(pipe2(mine, O_NONBLOCK) == 0);
	fcntl(mine[1], F_SETFL, 0);
	CHECK(pthread_create(&th, NULL, writes_pairs, NULL) == 0);
	while (n < 3000 && (n < 10 || time(NULL) < end)) {
		sched_yield();
		while (n < 3000 && (n < 10 || time(NULL) < end) && (look(mine[0], POLLIN) & POLLIN || n == 0)) {
			if (read(mine[0], &c, 1) != 1)
				break;
			CHECK(c == 'a' && look(mine[0], POLLIN) & POLLIN);
			CHECK(read(mine[0], &c, 1) == 1 && c == 'b');
			n++;
		}
		if (read(mine[0], &c, 1) == 1) {
			CHECK(c == 'a' && look(mine[0], POLLIN) & POLLIN);
			CHECK(read(mine[0], &c, 1) == 1 && c == 'b');
			n++;
		}
	}
	step = 1;
	while (read(mine[0], &c, 1) != 0)
		;
	CHECK(pthread_join(th, NULL) == 0);
}

static void *closes_and_opens(void *arg)
{
	int other[2];

	CHECK(pipe(other) == 0);
	put(other[1]);
	while (!step) {
		dup2(other[0], mine[0]);
		dup2(mine[1], mine[0]);
	}
	return NULL;
}

/* Under a thread that exchanges the file. */
CASE(exchanged_meanwhile)
{
	pthread_t th;
	int fd[2], saw[2] = { 0 };

	CHECK(pipe(fd) == 0);
	mine[1] = fd[0]; /* idle */
	mine[0] = dup(fd[0]);
	stare(mine[0]);
	CHECK(pthread_create(&th, NULL, closes_and_opens, NULL) == 0);
	while (saw[0] < 1000 || saw[1] < 1000)
		saw[look(mine[0], POLLIN) == POLLIN]++;
	step = 1;
	CHECK(pthread_join(th, NULL) == 0);
	CHECK(look(mine[0], POLLIN) == 0);
}

int main(void)
{
	return run_cases();
}
