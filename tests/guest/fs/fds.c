/* Descriptors: dup and its kin, close_range, close on exec, limits. */
#include "fs.h"

#include <limits.h>
#include <sys/resource.h>
#include <sys/syscall.h>

CASE(dups)
{
	int fd;

	in_temp();
	fd = open("f", O_CREAT | O_RDWR, 0644);
	CHECK(dup2(fd, 50) == 50 && fcntl(50, F_GETFD) == 0);
	CHECK(dup3(fd, 51, O_CLOEXEC) == 51 && fcntl(51, F_GETFD) == FD_CLOEXEC);
	CHECK_ERR(dup3(fd, fd, 0), EINVAL);
	CHECK(dup2(fd, fd) == fd);
	CHECK_ERR(dup2(99, 99), EBADF);
	CHECK(fcntl(fd, F_DUPFD, 50) == 52 && fcntl(fd, F_DUPFD_CLOEXEC, 60) == 60);
	CHECK_ERR(fcntl(fd, F_DUPFD, -1), EINVAL);
	CHECK(close(50) == 0);
	CHECK_ERR(close(50), EBADF);
	CHECK(dup(fd) < 50);
}

CASE(range)
{
	in_temp();
	for (int i = 20; i < 30; i++)
		CHECK(dup2(1, i) == i);
	CHECK(syscall(SYS_close_range, 22, 25, 0) == 0);
	CHECK(fcntl(21, F_GETFD) == 0 && fcntl(26, F_GETFD) == 0);
	CHECK_ERR(fcntl(22, F_GETFD), EBADF);
	CHECK(syscall(SYS_close_range, 26, ~0u, 4 /* CLOEXEC */) == 0 && fcntl(29, F_GETFD) == FD_CLOEXEC);
	CHECK_ERR(syscall(SYS_close_range, 5, 4, 0), EINVAL);
}

CASE(limit)
{
	struct rlimit r;
	int fd, last = -1, e;

	in_temp();
	CHECK(getrlimit(RLIMIT_NOFILE, &r) == 0);
	r.rlim_cur = 40;
	CHECK(setrlimit(RLIMIT_NOFILE, &r) == 0);
	while ((fd = open(".", O_RDONLY)) >= 0)
		last = fd;
	e = errno;
	CHECK(e == EMFILE && last == 39);
	CHECK_ERR(dup2(0, 40), EBADF);
	CHECK_ERR(fcntl(0, F_DUPFD, 40), EINVAL);
}

CASE(lowest)
{
	int a, b, c;

	in_temp();
	a = open(".", O_RDONLY);
	b = open(".", O_RDONLY);
	c = open(".", O_RDONLY);
	CHECK(b == a + 1 && c == b + 1);
	close(a);
	close(b);
	CHECK(dup(c) == a && dup(c) == b && dup(c) == c + 1);
}

CASE(owners)
{
	struct f_owner_ex x = { F_OWNER_PID, NO_PID };
	int p[2];

	CHECK(pipe(p) == 0);
	CHECK_ERR(fcntl(p[0], F_SETOWN, INT_MIN), EINVAL);
	CHECK_ERR(fcntl(p[0], F_SETOWN, NO_PID), ESRCH);
	CHECK_ERR(fcntl(p[0], F_SETOWN, -NO_PID), ESRCH);
	CHECK(fcntl(p[0], F_SETOWN, getpid()) == 0 && fcntl(p[0], F_GETOWN) == getpid());
	CHECK(setpgid(0, 0) == 0 && fcntl(p[0], F_SETOWN, -getpid()) == 0);
	CHECK(fcntl(p[0], F_GETOWN_EX, &x) == 0 && x.type == F_OWNER_PGRP && x.pid == getpid());
	x = (struct f_owner_ex){ F_OWNER_PID, NO_PID };
	CHECK_ERR(fcntl(p[0], F_SETOWN_EX, &x), ESRCH);
	x = (struct f_owner_ex){ 3, 0 };
	CHECK_ERR(fcntl(p[0], F_SETOWN_EX, &x), EINVAL);
	x = (struct f_owner_ex){ F_OWNER_PID, 0 };
	CHECK(fcntl(p[0], F_SETOWN_EX, &x) == 0 && fcntl(p[0], F_GETOWN) == 0);
}

int main(void) { return run_cases(); }
