/* POSIX message queues. */
#include "../test.h"

#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

static char name[64];

static mqd_t make(long maxmsg, long size, int flags)
{
	struct mq_attr a = { .mq_maxmsg = maxmsg, .mq_msgsize = size };
	mqd_t q;

	snprintf(name, sizeof(name), "/redoubt-test-%d-%s", getpid(), test_name);
	q = mq_open(name, O_RDWR | O_CREAT | O_EXCL | flags, 0600, &a);
	CHECK(q >= 0);
	return q;
}

CASE(mq_priorities)
{
	mqd_t q = make(5, 100, 0);
	struct mq_attr a;
	char buf[100];
	unsigned prio;

	CHECK(mq_send(q, "low", 4, 1) == 0 && mq_send(q, "high", 5, 9) == 0 && mq_send(q, "low2", 5, 1) == 0);
	CHECK(mq_getattr(q, &a) == 0 && a.mq_maxmsg == 5 && a.mq_msgsize == 100 && a.mq_curmsgs == 3 && a.mq_flags == 0);
	CHECK(mq_receive(q, buf, sizeof(buf), &prio) == 5 && prio == 9 && !strcmp(buf, "high"));
	CHECK(mq_receive(q, buf, sizeof(buf), &prio) == 4 && prio == 1 && !strcmp(buf, "low"));
	CHECK(mq_receive(q, buf, sizeof(buf), NULL) == 5 && !strcmp(buf, "low2"));
	CHECK_ERR(mq_receive(q, buf, 99, NULL), EMSGSIZE);
	CHECK_ERR(mq_send(q, buf, 101, 0), EMSGSIZE);
	CHECK_ERR(mq_send(q, buf, 1, 32768), EINVAL);
	CHECK(mq_unlink(name) == 0);
	CHECK_ERR(mq_unlink(name), ENOENT);
	CHECK(mq_send(q, "after", 6, 0) == 0); /* lives on while open */
	CHECK(mq_close(q) == 0);
	CHECK_ERR(mq_close(q), EBADF);
}

CASE(mq_open_errors)
{
	struct mq_attr bad = { .mq_maxmsg = 0, .mq_msgsize = 10 };
	mqd_t q = make(2, 10, 0), r;
	char buf[10];

	CHECK_ERR(mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, NULL), EEXIST);
	CHECK_ERR(mq_open("/redoubt-none", O_RDWR), ENOENT);
	CHECK_ERR(mq_open("/redoubt-bad", O_RDWR | O_CREAT, 0600, &bad), EINVAL);
	CHECK_ERR(mq_open("/a/b", O_RDWR), EACCES);
	CHECK_ERR(syscall(SYS_mq_open, "", O_RDWR, 0, NULL), ENOENT);
	r = mq_open(name, O_RDONLY);
	CHECK(r >= 0);
	CHECK(fcntl(r, F_GETFD) == FD_CLOEXEC);
	CHECK_ERR(mq_send(r, "x", 1, 0), EBADF);
	CHECK(mq_send(q, "x", 1, 0) == 0 && mq_receive(r, buf, 10, NULL) == 1);
	CHECK_ERR(mq_send(0, "x", 1, 0), EBADF);
	CHECK(mq_unlink(name) == 0);
}

CASE(mq_blocking)
{
	mqd_t q = make(1, 10, 0);
	struct timespec past, bad = { 0, -1 };
	struct mq_attr nb = { .mq_flags = O_NONBLOCK }, old;
	struct pollfd p = { .fd = q, .events = POLLIN | POLLOUT };
	char buf[10];
	pid_t pid;
	int st;

	clock_gettime(CLOCK_REALTIME, &past);
	past.tv_nsec += 50000000;
	if (past.tv_nsec >= 1000000000) {
		past.tv_sec++;
		past.tv_nsec -= 1000000000;
	}
	CHECK_ERR(mq_timedreceive(q, buf, 10, NULL, &past), ETIMEDOUT);
	CHECK_ERR(mq_timedreceive(q, buf, 10, NULL, &bad), EINVAL);
	CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLOUT);
	CHECK(mq_send(q, "1", 1, 0) == 0);
	CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLIN);
	pid = fork();
	if (!pid)
		_exit(mq_send(q, "2", 1, 0) ? 1 : 0);
	usleep(20000);
	CHECK(mq_receive(q, buf, 10, NULL) == 1 && buf[0] == '1');
	CHECK(mq_receive(q, buf, 10, NULL) == 1 && buf[0] == '2');
	CHECK(waitpid(pid, &st, 0) == pid && st == 0);
	CHECK(mq_setattr(q, &nb, &old) == 0 && old.mq_flags == 0);
	CHECK_ERR(mq_receive(q, buf, 10, NULL), EAGAIN);
	CHECK(mq_unlink(name) == 0);
}

static volatile int got, got_code, got_value;
static volatile pid_t got_pid;
static void on_usr1(int s, siginfo_t *i, void *c)
{
	got++;
	got_code = i->si_code;
	got_value = i->si_value.sival_int;
	got_pid = i->si_pid;
}

CASE(mq_notification)
{
	mqd_t q = make(3, 10, O_NONBLOCK);
	struct sigevent e = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 31 };
	struct sigaction sa = { .sa_sigaction = on_usr1, .sa_flags = SA_SIGINFO };
	char buf[10];
	pid_t pid;
	int st;

	sigaction(SIGUSR1, &sa, NULL);
	CHECK(mq_notify(q, &e) == 0);
	CHECK_ERR(mq_notify(q, &e), EBUSY);
	CHECK(mq_send(q, "a", 1, 0) == 0);
	CHECK(got == 1 && got_code == SI_MESGQ && got_value == 31 && got_pid == getpid());
	CHECK(mq_notify(q, &e) == 0); /* once only; not told of what is there */
	CHECK(mq_send(q, "b", 1, 0) == 0 && got == 1);
	CHECK(mq_receive(q, buf, 10, NULL) == 1 && mq_receive(q, buf, 10, NULL) == 1);
	CHECK(mq_notify(q, NULL) == 0);
	CHECK(mq_send(q, "c", 1, 0) == 0 && got == 1);
	CHECK(mq_receive(q, buf, 10, NULL) == 1);
	/* a process that ends is told no more */
	pid = fork();
	if (!pid)
		_exit(mq_notify(q, &e) ? 1 : 0);
	CHECK(waitpid(pid, &st, 0) == pid && st == 0);
	CHECK(mq_notify(q, &e) == 0);
	CHECK(mq_unlink(name) == 0);
}

static volatile int threads_told;
static void on_thread(union sigval v)
{
	threads_told += v.sival_int;
}

CASE(mq_notification_by_thread)
{
	mqd_t q = make(3, 10, O_NONBLOCK);
	struct sigevent e = { .sigev_notify = SIGEV_THREAD, .sigev_notify_function = on_thread, .sigev_value.sival_int = 7 };
	char buf[10];

	CHECK(mq_notify(q, &e) == 0);
	CHECK_ERR(mq_notify(q, &e), EBUSY);
	CHECK(mq_send(q, "a", 1, 0) == 0);
	for (int i = 0; i < 10000 && !threads_told; i++)
		usleep(2000);
	CHECK(threads_told == 7);
	CHECK(mq_receive(q, buf, 10, NULL) == 1);
	CHECK(mq_notify(q, &e) == 0 && mq_notify(q, NULL) == 0);
	CHECK(mq_send(q, "b", 1, 0) == 0);
	usleep(20000);
	CHECK(threads_told == 7);
	CHECK(mq_unlink(name) == 0);
}

int main(void) { return run_cases(); }
