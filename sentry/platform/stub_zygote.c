/*
 * stub_zygote.c - see stub_zygote.h.  Nothing that a zygote sends is used but a
 * process id, which its user checks by what it then can do to it, and a descriptor.
 */
#include "platform/stub_zygote.h"

#include "platform/stub_exec.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_MS 10000 /* a stub that was killed at its start never answers */

enum { FD_ORDERS = 2 }; /* the zygote's, as the stubs' headers have it */

/* A message, and the descriptor that came with it or -1. */
static ssize_t receive(int sock, int64_t *value, int *fd)
{
	union {
		struct cmsghdr h;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { value, sizeof(*value) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf, .msg_controllen = sizeof(control.buf) };
	struct cmsghdr *h;
	ssize_t n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);

	*fd = -1;
	h = n < 0 ? NULL : CMSG_FIRSTHDR(&m);
	if (h && h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS && h->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(fd, CMSG_DATA(h), sizeof(*fd));
	return n;
}

/* The next answer; the zygote's death ends the wait. */
static int64_t read_answer(const struct stub_zygote *z, int *fd)
{
	struct pollfd pfd[2] = { { .fd = z->answers, .events = POLLIN }, { .fd = z->sock, .events = 0 } };
	int64_t v;
	int n;

	*fd = -1;
	while ((n = poll(pfd, 2, ANSWER_MS)) < 0)
		if (errno != EINTR)
			return -errno;
	if (!(pfd[0].revents & POLLIN))
		return n ? -ECHILD : -ETIMEDOUT;
	if (receive(z->answers, &v, fd) == sizeof(v))
		return v;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return -EPROTO;
}

static struct err *spawn(struct stub_zygote *z, int exec_fd, const int *fds, unsigned n)
{
	int64_t v;
	int fd, st = 0;

	z->pid = stub_exec(exec_fd, fds, n);
	if (z->pid < 0)
		return err_new(errno, "cannot fork");
	close(fds[FD_ORDERS]); /* so that its death is seen */
	v = read_answer(z, &fd);
	if (!v)
		return NULL;
	if (v != -ECHILD)
		return err_new((int)-v, "the stub zygote cannot set itself up");
	waitpid(z->pid, &st, 0);
	return err_new(0, "the stub zygote died at its start (wait status 0x%x)", st);
}

struct err *stub_zygote_start(struct stub_zygote *z, const struct stub_zygote_start *s)
{
	int order[2], channel[2], exec_fd = stub_exec_file(s->image, (size_t)(s->image_end - s->image));
	struct err *e;

	if (exec_fd < 0)
		return err_new(errno, "cannot make the stub's executable");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, order) || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel)) {
		close(exec_fd);
		return err_new(errno, "cannot make the stubs' sockets");
	}
	z->sock = order[0];
	z->channel = channel[0];
	z->channel_stubs = channel[1];
	z->answers = s->on_channel ? z->channel : z->sock;
	e = spawn(z, exec_fd, (const int[]){ s->mem_fd, channel[1], [FD_ORDERS] = order[1], s->extra_fd[0], s->extra_fd[1] },
		s->extra_fd[0] < 0 ? 3 : s->extra_fd[1] < 0 ? 4 : 5);
	close(exec_fd);
	return e;
}

pid_t stub_zygote_fork(struct stub_zygote *z, uint64_t order, int *fd)
{
	int64_t v;

	*fd = -1;
	if (write(z->sock, &order, sizeof(order)) != sizeof(order)) /* SIGPIPE is ignored: main.c */
		return -errno;
	v = read_answer(z, fd);
	if (v > 0 && v <= INT32_MAX)
		return (pid_t)v;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return v < 0 && v > -4096 ? (pid_t)v : -EPROTO;
}
