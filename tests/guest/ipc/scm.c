/* Descriptor and credential passing. */
#include "../test.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static ssize_t send_fds(int s, const int *fds, int n, int flags)
{
	union {
		char b[CMSG_SPACE(sizeof(int) * 300)];
		struct cmsghdr align;
	} c = { 0 };
	struct iovec v = { "d", 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = c.b, .msg_controllen = CMSG_SPACE(sizeof(int) * n) };
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(int) * n);
	memcpy(CMSG_DATA(h), fds, sizeof(int) * n);
	return sendmsg(s, &m, flags);
}

static int recv_fds(int s, int *fds, int max, int flags, int *out_flags)
{
	union {
		char b[CMSG_SPACE(sizeof(int) * 300)];
		struct cmsghdr align;
	} c;
	char byte[8];
	struct iovec v = { byte, sizeof(byte) };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = c.b, .msg_controllen = max ? CMSG_SPACE(sizeof(int) * max) : 0 };
	struct cmsghdr *h;
	int n;

	if (recvmsg(s, &m, flags) <= 0)
		return -1;
	if (out_flags)
		*out_flags = m.msg_flags;
	h = CMSG_FIRSTHDR(&m);
	if (!h || h->cmsg_type != SCM_RIGHTS)
		return 0;
	n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(fds, CMSG_DATA(h), n * sizeof(int));
	return n;
}

static int lowest_free(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

CASE(pass_pipe)
{
	int s[2], p[2], fd, fl;
	char b[4];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 && pipe(p) == 0);
	CHECK(send_fds(s[0], &p[1], 1, 0) == 1);
	close(p[1]);
	CHECK(recv_fds(s[1], &fd, 1, MSG_CMSG_CLOEXEC, &fl) == 1);
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(write(fd, "via", 3) == 3 && read(p[0], b, 4) == 3);
	close(fd);
	CHECK(read(p[0], b, 4) == 0);
}

CASE(dropped_unread)
{
	int s[2], p[2];
	char b;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 && pipe(p) == 0);
	CHECK(send_fds(s[0], &p[1], 1, 0) == 1);
	close(p[1]);
	close(s[0]);
	close(s[1]);
	CHECK(read(p[0], &b, 1) == 0); /* the write end went with the queue */
}

CASE(truncated_control_closes)
{
	int s[2], p[2], fds[8], fl;
	char b;

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0 && pipe(p) == 0);
	fds[0] = fds[1] = fds[2] = p[1];
	CHECK(send_fds(s[0], fds, 3, 0) == 1);
	close(p[1]);
	CHECK(recv_fds(s[1], fds, 0, 0, &fl) == 0 && fl & MSG_CTRUNC);
	CHECK(read(p[0], &b, 1) == 0);
}

CASE(stream_stops_at_files)
{
	int s[2], fd;
	char b[8];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	CHECK(write(s[0], "a", 1) == 1 && send_fds(s[0], &s[0], 1, 0) == 1 && write(s[0], "z", 1) == 1);
	CHECK(recv_fds(s[1], &fd, 1, 0, NULL) == 1);
	CHECK(read(s[1], b, 8) == 1 && b[0] == 'z');
	close(fd);
}

CASE(peek_leaves_them)
{
	int s[2], a, b;

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	CHECK(send_fds(s[0], &s[0], 1, 0) == 1);
	CHECK(recv_fds(s[1], &a, 1, MSG_PEEK, NULL) == 1);
	CHECK(recv_fds(s[1], &b, 1, 0, NULL) == 1 && a != b);
}

CASE(errors_and_limit)
{
	int s[2], fds[300], bad = 999;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	CHECK_ERR(send_fds(s[0], &bad, 1, 0), EBADF);
	for (int i = 0; i < 254; i++)
		fds[i] = s[0];
	CHECK_ERR(send_fds(s[0], fds, 254, 0), EINVAL);
	CHECK(send_fds(s[0], fds, 253, 0) == 1);
}

CASE(too_many_in_flight)
{
	struct rlimit rl = { 64, 64 };
	int s[2], i, e;

	if (geteuid() == 0 && setuid(12345))
		return;
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	CHECK(setrlimit(RLIMIT_NOFILE, &rl) == 0);
	for (i = 0; i < 200; i++)
		if (send_fds(s[0], &s[0], 1, MSG_DONTWAIT) < 0)
			break;
	e = errno;
	CHECK(i < 200 && i >= 60 && e == ETOOMANYREFS);
}

CASE(cycles_are_collected)
{
	int base = lowest_free(), p[2];
	char b;

	CHECK(pipe(p) == 0);
	for (int i = 0; i < 100; i++) {
		int s[2], fds[2];

		CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
		fds[0] = s[0];
		fds[1] = i == 50 ? p[1] : s[1];
		CHECK(send_fds(s[0], fds, 2, 0) == 1);
		CHECK(send_fds(s[1], fds, 1, 0) == 1);
		close(s[0]);
		close(s[1]);
	}
	close(p[1]);
	CHECK(read(p[0], &b, 1) == 0);
	close(p[0]);
	CHECK(lowest_free() == base);
}

CASE(deep_chain)
{
	int prev[2], s[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, prev) == 0);
	for (int i = 0; i < 500; i++) {
		CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
		if (send_fds(s[0], prev, 2, 0) != 1)
			break; /* a limit in the way is fine */
		close(prev[0]);
		close(prev[1]);
		prev[0] = s[0];
		prev[1] = s[1];
	}
	close(prev[0]);
	close(prev[1]);
}

CASE(credentials)
{
	int s[2], one = 1, st;
	union {
		char b[CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr align;
	} c;
	char byte;
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = c.b, .msg_controllen = sizeof(c.b) };
	struct ucred *u;
	pid_t kid;

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	CHECK(setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)) == 0);
	kid = fork();
	if (!kid)
		_exit(send(s[0], "x", 1, 0) != 1);
	CHECK(recvmsg(s[1], &m, 0) == 1);
	CHECK(CMSG_FIRSTHDR(&m) && CMSG_FIRSTHDR(&m)->cmsg_type == SCM_CREDENTIALS);
	u = (struct ucred *)CMSG_DATA(CMSG_FIRSTHDR(&m));
	CHECK(u->pid == kid && u->uid == getuid() && u->gid == getgid());
	CHECK(waitpid(kid, &st, 0) == kid && st == 0);
}

/* The bytes of control messages that come with nothing, once the other side is closed; or -errno. */
static ssize_t control_at_end(int type, int closes)
{
	char b[8], control[64];
	struct iovec v = { b, sizeof(b) };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	int s[2], one = 1;

	CHECK(socketpair(AF_UNIX, type, 0, s) == 0);
	CHECK(setsockopt(s[0], SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)) == 0);
	if (closes)
		close(s[1]);
	else
		CHECK(shutdown(s[0], SHUT_RD) == 0);
	if (recvmsg(s[0], &m, MSG_DONTWAIT) < 0)
		return -errno;
	return (ssize_t)m.msg_controllen;
}

CASE(credentials_at_the_end)
{
	CHECK(control_at_end(SOCK_STREAM, 1) > 0);
	CHECK(control_at_end(SOCK_SEQPACKET, 1) == 0);
	CHECK(control_at_end(SOCK_SEQPACKET, 0) == 0);
	CHECK(control_at_end(SOCK_DGRAM, 0) == -EAGAIN);
}

int main(void) { return run_cases(); }
