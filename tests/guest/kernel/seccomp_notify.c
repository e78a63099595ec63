/*
 * seccomp_notify.c - a filter that asks another process (SECCOMP_RET_USER_NOTIF): what that is told, what it can answer,
 * descriptors it gives, and what happens when one of the two goes.
 */
#include "../test.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV 32
#endif

static int listen_to(int nr, unsigned flags)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog p = { 4, f };

	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &p);
}

/* A child that runs fn under a filter that asks about nr; *l is the listener. */
static pid_t child(int nr, unsigned flags, int (*fn)(void), int *l)
{
	int pair[2], fd = -1;
	union {
		struct cmsghdr h;
		char b[CMSG_SPACE(sizeof(int))];
	} c;
	char byte = 0;
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof(c) };
	pid_t p;

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	p = fork();
	CHECK(p >= 0);
	if (!p) {
		CHECK((fd = listen_to(nr, SECCOMP_FILTER_FLAG_NEW_LISTENER | flags)) >= 0);
		c.h = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
		memcpy(CMSG_DATA(&c.h), &fd, sizeof(fd));
		CHECK(sendmsg(pair[1], &m, 0) == 1);
		close(fd);
		close(pair[0]);
		close(pair[1]);
		_exit(fn());
	}
	close(pair[1]);
	CHECK(recvmsg(pair[0], &m, MSG_CMSG_CLOEXEC) == 1 && m.msg_controllen == sizeof(c));
	memcpy(l, CMSG_DATA(&c.h), sizeof(fd));
	close(pair[0]);
	return p;
}

static struct seccomp_notif received(int l)
{
	struct seccomp_notif n = { 0 };

	CHECK(!ioctl(l, SECCOMP_IOCTL_NOTIF_RECV, &n));
	return n;
}

static int answer(int l, uint64_t id, int64_t val, int error, unsigned flags)
{
	struct seccomp_notif_resp r = { id, val, error, flags };

	return ioctl(l, SECCOMP_IOCTL_NOTIF_SEND, &r);
}

static int status(pid_t p)
{
	int s;

	CHECK(waitpid(p, &s, 0) == p && WIFEXITED(s));
	return WEXITSTATUS(s);
}

CASE(what_there_is)
{
	struct seccomp_notif_sizes s;
	uint32_t a = SECCOMP_RET_USER_NOTIF;

	CHECK(!syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &s));
	CHECK(s.seccomp_notif == sizeof(struct seccomp_notif) && s.seccomp_notif_resp == sizeof(struct seccomp_notif_resp));
	CHECK(s.seccomp_data == sizeof(struct seccomp_data));
	CHECK_ERR(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 1, &s), EINVAL);
	CHECK(!syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &a));
	CHECK_ERR(listen_to(SYS_getppid, SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_TSYNC), EINVAL);
	CHECK_ERR(listen_to(SYS_getppid, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV), EINVAL);
}

static int asks(void)
{
	long r = syscall(SYS_getppid, 11, 12);

	return r == 1234 ? 0 : 1;
}

CASE(answered)
{
	struct pollfd f = { .events = POLLIN | POLLOUT };
	struct seccomp_notif n, dirty = { .id = 1 };
	char link[40], name[64];
	pid_t p = child(SYS_getppid, 0, asks, &f.fd);
	uint64_t none = 77;
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", f.fd);
	CHECK((len = readlink(link, name, sizeof(name) - 1)) > 0);
	name[len] = 0;
	CHECK(!strcmp(name, "anon_inode:seccomp notify"));
	CHECK(poll(&f, 1, -1) == 1 && f.revents == POLLIN);
	CHECK_ERR(ioctl(f.fd, SECCOMP_IOCTL_NOTIF_RECV, &dirty), EINVAL);
	n = received(f.fd);
	CHECK(n.pid == (uint32_t)p && n.data.nr == SYS_getppid && n.data.arch == AUDIT_ARCH_X86_64 && !n.flags);
	CHECK(n.data.args[0] == 11 && n.data.args[1] == 12 && n.data.instruction_pointer);
	CHECK(poll(&f, 1, 0) == 1 && f.revents == POLLOUT);
	CHECK(!ioctl(f.fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &n.id));
	CHECK_ERR(ioctl(f.fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &none), ENOENT);
	CHECK_ERR(answer(f.fd, none, 0, 0, 0), ENOENT);
	CHECK_ERR(answer(f.fd, n.id, 0, 0, 2), EINVAL);
	CHECK_ERR(answer(f.fd, n.id, 1, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE), EINVAL);
	CHECK(!answer(f.fd, n.id, 1234, 0, 0));
	CHECK(status(p) == 0);
	CHECK_ERR(answer(f.fd, n.id, 1234, 0, 0), ENOENT);
	CHECK(poll(&f, 1, -1) == 1 && f.revents == POLLHUP);
	CHECK_ERR(ioctl(f.fd, SECCOMP_IOCTL_NOTIF_RECV, memset(&n, 0, sizeof(n))), ENOENT);
	CHECK_ERR(ioctl(f.fd, 0x2199, 0), EINVAL);
}


static int fails_then_goes_on(void)
{
	long r = syscall(SYS_getppid);

	return r == -1 && errno == EXDEV && syscall(SYS_getppid) > 0 ? 0 : 1;
}

CASE(refused_and_let_through)
{
	int l;
	pid_t p = child(SYS_getppid, 0, fails_then_goes_on, &l);

	CHECK(!answer(l, received(l).id, 0, -EXDEV, 0));
	CHECK(!answer(l, received(l).id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE));
	CHECK(status(p) == 0);
}

static int unheard(void)
{
	return syscall(SYS_getppid) == -1 && errno == ENOSYS ? 0 : 1;
}

CASE(nobody_listens)
{
	int l;
	pid_t p = child(SYS_getppid, 0, unheard, &l);

	(void)received(l);
	close(l);
	CHECK(status(p) == 0);
	p = fork();
	if (!p) {
		CHECK(!listen_to(SYS_getppid, 0));
		_exit(unheard());
	}
	CHECK(status(p) == 0);
}

CASE(one_listener)
{
	int l;

	CHECK((l = listen_to(SYS_getppid, SECCOMP_FILTER_FLAG_NEW_LISTENER)) >= 0 && fcntl(l, F_GETFD) == FD_CLOEXEC);
	CHECK_ERR(listen_to(SYS_getpgrp, SECCOMP_FILTER_FLAG_NEW_LISTENER), EBUSY);
	CHECK(!listen_to(SYS_getpgrp, 0));
}

static volatile sig_atomic_t caught;
static void on_signal(int s) { caught = 1; }

static int interrupted(void)
{
	struct sigaction a = { .sa_handler = on_signal };

	sigaction(SIGUSR1, &a, NULL);
	return syscall(SYS_getppid) == -1 && errno == EINTR && caught ? 0 : 1;
}

static int restarted(void)
{
	struct sigaction a = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	sigaction(SIGUSR1, &a, NULL);
	return syscall(SYS_getppid) == 1234 && caught ? 0 : 1;
}

CASE(interrupted_by_a_signal)
{
	struct seccomp_notif n;
	uint64_t first;
	int l;
	pid_t p = child(SYS_getppid, 0, interrupted, &l);

	n = received(l);
	CHECK(!kill(p, SIGUSR1) && status(p) == 0);
	CHECK_ERR(ioctl(l, SECCOMP_IOCTL_NOTIF_ID_VALID, &n.id), ENOENT);
	close(l);
	p = child(SYS_getppid, 0, restarted, &l);
	first = received(l).id;
	CHECK(!kill(p, SIGUSR1));
	n = received(l); /* again, as another */
	CHECK(n.id != first && n.pid == (uint32_t)p);
	CHECK(!answer(l, n.id, 1234, 0, 0) && status(p) == 0);
}

CASE(only_a_kill_interrupts_what_is_being_handled)
{
	int l, s;
	pid_t p = child(SYS_getppid, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, restarted, &l);
	struct seccomp_notif n = received(l);

	CHECK(!kill(p, SIGUSR1));
	usleep(20000);
	CHECK(!ioctl(l, SECCOMP_IOCTL_NOTIF_ID_VALID, &n.id));
	CHECK(!answer(l, n.id, 1234, 0, 0) && status(p) == 0);
	close(l);
	p = child(SYS_getppid, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, restarted, &l);
	n = received(l);
	CHECK(!kill(p, SIGKILL) && waitpid(p, &s, 0) == p && WIFSIGNALED(s));
	CHECK_ERR(ioctl(l, SECCOMP_IOCTL_NOTIF_ID_VALID, &n.id), ENOENT);
}

static int uses_gift(void)
{
	long fd = syscall(SYS_getppid);
	char b = 0;

	return fd >= 0 && read((int)fd, &b, 1) == 1 && b == 'x' && fcntl((int)fd, F_GETFD) == FD_CLOEXEC ? 0 : 1;
}

static int uses_20(void)
{
	char b = 0;

	return syscall(SYS_getppid) == 5 && read(20, &b, 1) == 1 && b == 'x' && !fcntl(20, F_GETFD) ? 0 : 1;
}

CASE(given_descriptors)
{
	struct seccomp_notif_addfd a = { .newfd_flags = O_CLOEXEC };
	struct seccomp_notif n;
	int l, pipes[2], fd;
	pid_t p = child(SYS_getppid, 0, uses_gift, &l);

	CHECK(!pipe(pipes) && write(pipes[1], "xx", 2) == 2);
	a.srcfd = (uint32_t)pipes[0];
	n = received(l);
	CHECK_ERR(ioctl(l, SECCOMP_IOCTL_NOTIF_ADDFD, &a), ENOENT);
	a.id = n.id;
	a.flags = 4;
	CHECK_ERR(ioctl(l, SECCOMP_IOCTL_NOTIF_ADDFD, &a), EINVAL);
	a.flags = 0;
	a.newfd = 3;
	CHECK_ERR(ioctl(l, SECCOMP_IOCTL_NOTIF_ADDFD, &a), EINVAL);
	a.newfd = 0;
	a.srcfd = 999;
	CHECK_ERR(ioctl(l, SECCOMP_IOCTL_NOTIF_ADDFD, &a), EBADF);
	a.srcfd = (uint32_t)pipes[0];
	CHECK((fd = ioctl(l, SECCOMP_IOCTL_NOTIF_ADDFD, &a)) >= 3);
	CHECK(!answer(l, n.id, fd, 0, 0) && status(p) == 0);
	close(l);

	/* at a number of its own, and as the call's result */
	p = child(SYS_getppid, 0, uses_20, &l);
	n = received(l);
	a = (struct seccomp_notif_addfd){ .id = n.id, .flags = SECCOMP_ADDFD_FLAG_SETFD, .srcfd = (uint32_t)pipes[0], .newfd = 20 };
	CHECK(ioctl(l, SECCOMP_IOCTL_NOTIF_ADDFD, &a) == 20);
	CHECK(!answer(l, n.id, 5, 0, 0) && status(p) == 0);
	CHECK(write(pipes[1], "x", 1) == 1);
	close(l);
	p = child(SYS_getppid, 0, uses_gift, &l);
	n = received(l);
	a = (struct seccomp_notif_addfd){ .id = n.id, .flags = 2 /* SECCOMP_ADDFD_FLAG_SEND */, .srcfd = (uint32_t)pipes[0], .newfd_flags = O_CLOEXEC };
	CHECK(ioctl(l, SECCOMP_IOCTL_NOTIF_ADDFD, &a) >= 3);
	CHECK_ERR(answer(l, n.id, 5, 0, 0), ENOENT);
	CHECK(status(p) == 0);
}

CASE(own_thread_never_hears_itself)
{
	struct pollfd f = { .events = POLLIN };

	CHECK((f.fd = listen_to(SYS_getppid, SECCOMP_FILTER_FLAG_NEW_LISTENER)) >= 0);
	CHECK(poll(&f, 1, 0) == 0);
	/* a child asks too, and so do its children */
	if (!fork()) {
		pid_t p = fork();

		if (!p)
			_exit(syscall(SYS_getppid) == 42 ? 0 : 1);
		_exit(status(p));
	}
	CHECK(!answer(f.fd, received(f.fd).id, 42, 0, 0));
	{
		int s;

		CHECK(wait(&s) > 0 && !s);
	}
}

int main(void)
{
	return run_cases();
}
