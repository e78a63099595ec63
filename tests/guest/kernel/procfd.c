/* pidfd and signalfd. */
#include "../test.h"

#include <stdint.h>
#include <poll.h>
#include <sched.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

CASE(pidfd_polls_and_waits)
{
	siginfo_t si;
	pid_t p = fork();
	int fd;

	if (!p)
		for (;;)
			pause();
	fd = (int)syscall(SYS_pidfd_open, p, 0);
	CHECK(fd >= 0);
	struct pollfd pf = { fd, POLLIN, 0 };
	char path[40], link[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK(readlink(path, link, sizeof(link)) == 18 && !memcmp(link, "anon_inode:[pidfd]", 18));
	CHECK(poll(&pf, 1, 0) == 0);
	CHECK(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0) == 0);
	CHECK(poll(&pf, 1, 25000) == 1 && pf.revents == POLLIN);
	CHECK(waitid((idtype_t)P_PIDFD, (id_t)fd, &si, WEXITED) == 0 && si.si_pid == p && si.si_status == SIGTERM);
	CHECK_ERR(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0), ESRCH);
}

CASE(pidfd_errors)
{
	CHECK_ERR(syscall(SYS_pidfd_open, -1, 0), EINVAL);
	CHECK_ERR(syscall(SYS_pidfd_open, NO_PID, 0), ESRCH);
	CHECK_ERR(syscall(SYS_pidfd_open, getpid(), 12345), EINVAL);
	CHECK_ERR(syscall(SYS_pidfd_send_signal, 0, SIGTERM, NULL, 0), EBADF);
}

CASE(pidfd_of_clone)
{
	int fd = -1, st;
	pid_t p = (pid_t)syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, &fd, 0, 0);

	if (!p)
		_exit(3);
	CHECK(p > 0 && fd >= 0);
	struct pollfd pf = { fd, POLLIN, 0 };

	CHECK(poll(&pf, 1, 25000) == 1);
	CHECK(waitpid(p, &st, 0) == p && WEXITSTATUS(st) == 3);
}

CASE(signalfd_reads)
{
	struct signalfd_siginfo si[3];
	sigset_t s;
	int fd;

	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	sigaddset(&s, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &s, NULL);
	fd = signalfd(-1, &s, SFD_NONBLOCK | SFD_CLOEXEC);
	CHECK(fd >= 0);
	CHECK_ERR(read(fd, si, sizeof(si)), EAGAIN);
	CHECK_ERR(read(fd, si, 10), EINVAL);
	struct pollfd pf = { fd, POLLIN, 0 };

	CHECK(poll(&pf, 1, 0) == 0);
	kill(getpid(), SIGUSR1);
	sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 12 });
	CHECK(poll(&pf, 1, 1000) == 1);
	CHECK(read(fd, si, sizeof(si)) == 2 * sizeof(si[0]));
	CHECK(si[0].ssi_signo == SIGUSR1 && si[0].ssi_pid == (uint32_t)getpid() && si[0].ssi_code == SI_USER);
	CHECK(si[1].ssi_signo == (uint32_t)SIGRTMIN && si[1].ssi_int == 12);
	sigemptyset(&s);
	CHECK(signalfd(fd, &s, 0) == fd);
	CHECK_ERR(signalfd(0, &s, 0), EINVAL);
}

CASE(signalfd_blocks)
{
	struct signalfd_siginfo si;
	sigset_t s;
	int fd;
	pid_t p;

	sigemptyset(&s);
	sigaddset(&s, SIGCHLD);
	sigprocmask(SIG_BLOCK, &s, NULL);
	fd = signalfd(-1, &s, 0);
	p = fork();
	if (!p)
		_exit(2);
	CHECK(read(fd, &si, sizeof(si)) == sizeof(si));
	CHECK(si.ssi_signo == SIGCHLD && si.ssi_pid == (uint32_t)p && si.ssi_status == 2);
}

int main(void) { return run_cases(); }
