/*
 * Signal-driven input and output: O_ASYNC, F_SETOWN, F_SETSIG, F_SETOWN_EX (fcntl(2)).
 */
#include "../test.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>

static volatile sig_atomic_t caught, caught_code, caught_fd, caught_band, caught_tid;

static void note(int signo, siginfo_t *info, void *uc)
{
	caught++;
	caught_code = info->si_code;
	caught_fd = info->si_fd;
	caught_band = (int)info->si_band;
	caught_tid = (int)syscall(SYS_gettid);
}

static void catch(int signo)
{
	struct sigaction sa = { .sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_RESTART };

	CHECK(!sigaction(signo, &sa, NULL));
	caught = 0;
}

static void async(int fd)
{
	CHECK(!fcntl(fd, F_SETOWN, getpid()));
	CHECK(!fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC));
	CHECK(fcntl(fd, F_GETFL) & O_ASYNC);
}

CASE(pipe_plain)
{
	int p[2];

	catch(SIGIO);
	CHECK(!pipe(p));
	async(p[0]);
	CHECK(write(p[1], "x", 1) == 1);
	CHECK(caught == 1); /* before the write returned */
	CHECK(fcntl(p[0], F_GETOWN) == getpid());
	CHECK(!fcntl(p[0], F_SETFL, 0));
	CHECK(write(p[1], "x", 1) == 1 && caught == 1);
}

CASE(pipe_says_which)
{
	int p[2], rt = SIGRTMIN + 3;

	catch(rt);
	CHECK(!pipe(p) && !fcntl(p[0], F_SETSIG, rt) && fcntl(p[0], F_GETSIG) == rt);
	async(p[0]);
	CHECK(write(p[1], "x", 1) == 1 && caught == 1);
	CHECK(caught_code == POLL_IN && caught_fd == p[0] && caught_band == (POLLIN | POLLRDNORM));
	CHECK_ERR(fcntl(p[0], F_SETSIG, 65), EINVAL);
	CHECK_ERR(fcntl(p[0], F_SETSIG, -1), EINVAL);
	/* every write again */
	CHECK(write(p[1], "y", 1) == 1 && caught == 2);
	CHECK(!close(p[1]) && caught == 3 && caught_code == POLL_IN);
}

CASE(pipe_room)
{
	char buf[65536] = "";
	int p[2];

	catch(SIGRTMIN);
	CHECK(!pipe2(p, O_NONBLOCK) && !fcntl(p[1], F_SETSIG, SIGRTMIN));
	CHECK(write(p[1], buf, sizeof(buf)) == sizeof(buf));
	async(p[1]);
	CHECK(read(p[0], buf, sizeof(buf)) == sizeof(buf));
	CHECK(caught == 1 && caught_code == POLL_OUT && caught_fd == p[1]);
}

/* A writer that has to wait has told its reader before. */
CASE(told_before_sleep)
{
	char *big = calloc(1, 200000), sink[4096];
	int p[2], ready[2];
	pid_t child;
	char c;

	CHECK(big && !pipe(p) && !pipe(ready));
	child = fork();
	if (!child) {
		sigset_t set;
		int signo;

		sigemptyset(&set);
		sigaddset(&set, SIGIO);
		sigprocmask(SIG_BLOCK, &set, NULL);
		async(p[0]);
		close(p[1]);
		if (write(ready[1], "x", 1) != 1 || sigwait(&set, &signo))
			_exit(1);
		while (read(p[0], sink, sizeof(sink)) > 0)
			;
		_exit(0);
	}
	CHECK(read(ready[0], &c, 1) == 1);
	CHECK(write(p[1], big, 200000) == 200000);
	close(p[1]);
	CHECK(waitpid(child, &(int){ 0 }, 0) == child);
}

CASE(unix_socket)
{
	int s[2];
	char c;

	catch(SIGRTMIN);
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, s) && !fcntl(s[0], F_SETSIG, SIGRTMIN));
	async(s[0]);
	CHECK(write(s[1], "x", 1) == 1);
	CHECK(caught >= 1 && caught_code == POLL_IN && caught_fd == s[0]);
	CHECK(read(s[0], &c, 1) == 1);
	caught = 0;
	CHECK(!close(s[1]));
	CHECK(caught >= 1 && caught_code == POLL_HUP);
}

CASE(socket_ioctls)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0), to = socket(AF_INET, SOCK_DGRAM, 0), me = getpid(), who = 0, on = 1;
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);

	catch(SIGIO);
	CHECK(!bind(s, (struct sockaddr *)&a, sizeof(a)) && !getsockname(s, (struct sockaddr *)&a, &n));
	CHECK(!ioctl(s, FIOSETOWN, &me) && !ioctl(s, SIOCGPGRP, &who) && who == me);
	CHECK(!ioctl(s, FIOASYNC, &on) && fcntl(s, F_GETFL) & O_ASYNC);
	CHECK(sendto(to, "x", 1, 0, (struct sockaddr *)&a, sizeof(a)) == 1);
	for (int i = 0; i < 2000 && !caught; i++)
		usleep(10000);
	CHECK(caught == 1);
	me = -getpgrp();
	CHECK(!ioctl(s, SIOCSPGRP, &me) && !ioctl(s, FIOGETOWN, &who) && who == me);
}

CASE(listener)
{
	int l = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);

	catch(SIGIO);
	CHECK(!bind(l, (struct sockaddr *)&a, sizeof(a)) && !getsockname(l, (struct sockaddr *)&a, &n) && !listen(l, 3));
	async(l);
	CHECK(!connect(c, (struct sockaddr *)&a, sizeof(a)));
	for (int i = 0; i < 2000 && !caught; i++)
		usleep(10000);
	CHECK(caught >= 1);
}

CASE(terminal)
{
	int m, s;

	catch(SIGRTMIN);
	CHECK(!openpty(&m, &s, NULL, NULL, NULL) && !fcntl(s, F_SETSIG, SIGRTMIN));
	async(s);
	CHECK(write(m, "a line\n", 7) == 7);
	for (int i = 0; i < 2000 && !caught; i++)
		usleep(10000);
	CHECK(caught >= 1 && caught_code == POLL_IN && caught_fd == s);
}

CASE(inotify_event)
{
	int in = inotify_init1(IN_NONBLOCK), fd;
	char name[] = "sigio.XXXXXX";

	catch(SIGIO);
	CHECK(inotify_add_watch(in, ".", IN_CREATE) > 0);
	async(in);
	fd = mkstemp(name);
	CHECK(fd >= 0 && !unlink(name));
	CHECK(caught == 1);
}

CASE(not_for_all_files)
{
	int e = eventfd(0, 0), on = 1;

	CHECK(!fcntl(e, F_SETFL, O_ASYNC) && !(fcntl(e, F_GETFL) & O_ASYNC));
	CHECK_ERR(ioctl(e, FIOASYNC, &on), ENOTTY);
	on = 0;
	CHECK(!ioctl(e, FIOASYNC, &on));
}

static int shared[2];
static volatile pid_t thread_tid;

static void *owner_thread(void *arg)
{
	struct f_owner_ex x = { F_OWNER_TID, (pid_t)syscall(SYS_gettid) }, y;

	thread_tid = x.pid;
	CHECK(!fcntl(shared[0], F_SETOWN_EX, &x) && !fcntl(shared[0], F_GETOWN_EX, &y));
	CHECK(y.type == F_OWNER_TID && y.pid == x.pid);
	CHECK(!fcntl(shared[0], F_SETFL, O_ASYNC));
	for (int i = 0; i < 2000 && !caught; i++)
		usleep(10000);
	return NULL;
}

CASE(one_thread)
{
	pthread_t th;

	catch(SIGRTMIN);
	CHECK(!pipe(shared) && !fcntl(shared[0], F_SETSIG, SIGRTMIN));
	CHECK(!pthread_create(&th, NULL, owner_thread, NULL));
	while (!(fcntl(shared[0], F_GETFL) & O_ASYNC))
		usleep(1000);
	CHECK(write(shared[1], "x", 1) == 1 && !pthread_join(th, NULL));
	CHECK(caught == 1 && caught_tid == thread_tid && thread_tid != getpid());
}

CASE(group)
{
	struct f_owner_ex x = { F_OWNER_PGRP, 0 };
	int p[2], st, ready[2];
	pid_t child;
	char c;

	CHECK(!setpgid(0, 0) && !pipe(p) && !pipe(ready));
	catch(SIGIO);
	child = fork();
	if (!child) {
		CHECK(write(ready[1], "x", 1) == 1);
		for (int i = 0; i < 2000 && !caught; i++)
			usleep(10000);
		_exit(caught == 1 ? 7 : 1);
	}
	x.pid = getpgrp();
	CHECK(read(ready[0], &c, 1) == 1);
	CHECK(!fcntl(p[0], F_SETOWN_EX, &x) && fcntl(p[0], F_GETOWN) == -x.pid);
	CHECK(!fcntl(p[0], F_SETFL, O_ASYNC) && write(p[1], "x", 1) == 1 && caught == 1);
	CHECK(waitpid(child, &st, 0) == child && WEXITSTATUS(st) == 7);
}

CASE(owner_that_is_gone)
{
	struct f_owner_ex x = { F_OWNER_PID, 0 };
	int p[2];
	pid_t child = fork();

	if (!child)
		pause();
	CHECK(!pipe(p) && !fcntl(p[0], F_SETOWN, child) && fcntl(p[0], F_GETOWN) == child);
	CHECK(!fcntl(p[0], F_SETFL, O_ASYNC) && !kill(child, SIGKILL) && waitpid(child, NULL, 0) == child);
	CHECK(write(p[1], "x", 1) == 1 && !fcntl(p[0], F_GETOWN_EX, &x) && !x.pid);
	CHECK_ERR(fcntl(p[0], F_SETOWN, child), ESRCH);
	x = (struct f_owner_ex){ 9, getpid() };
	CHECK_ERR(fcntl(p[0], F_SETOWN_EX, &x), EINVAL);
}

int main(void) { return run_cases(); }
