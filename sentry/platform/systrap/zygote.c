/*
 * zygote.c - starts the zygote stub at boot, and has it make stub processes.
 *
 * st_zygote_start runs on the boot thread before the sentry is sealed and before
 * there are other threads; that thread must live as long as the sentry, as the
 * stubs die with it (PR_SET_PDEATHSIG is per thread).  The stub's code is in
 * guest-code/; all that it tells is said before any program code runs in it.
 */
#include "platform/systrap/systrap.h"

#include "platform/stub_exec.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_MS 10000 /* a stub that was killed at its start never answers */

_Static_assert(ST_SLOTS >= TASK_SIZE && ST_ORDERS >= TASK_SIZE && ST_TEXT >= TASK_SIZE, "the stub lies above the program");

extern const uint8_t st_stub_image[], st_stub_image_end[];

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
static int64_t read_answer(struct st_platform *p, int *fd)
{
	struct pollfd pfd = { .fd = p->zygote_fd, .events = POLLIN };
	int64_t v;
	int n;

	*fd = -1;
	while ((n = poll(&pfd, 1, ANSWER_MS)) < 0)
		if (errno != EINTR)
			return -errno;
	if (!(pfd.revents & POLLIN))
		return n ? -ECHILD : -ETIMEDOUT;
	if (receive(p->zygote_fd, &v, fd) == sizeof(v))
		return v;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return -EPROTO;
}

static struct err *zygote_spawn(struct st_platform *p, int exec_fd, const int fds[4])
{
	int64_t v;
	int fd;

	p->zygote = stub_exec(exec_fd, fds, 4);
	if (p->zygote < 0)
		return err_new(errno, "cannot fork");
	close(fds[ST_FD_ZYGOTE]); /* so that its death is seen */
	v = read_answer(p, &fd);
	if (!v)
		return NULL;
	if (v == -ECHILD) {
		int st = 0;

		waitpid(p->zygote, &st, 0);
		return err_new(0, "the stub zygote died at its start (wait status 0x%x)", st);
	}
	return err_new((int)-v, "the stub zygote cannot set itself up");
}

struct err *st_zygote_start(struct st_platform *p)
{
	int order[2], channel[2], exec_fd;
	struct err *e;

	exec_fd = stub_exec_file(st_stub_image, (size_t)(st_stub_image_end - st_stub_image));
	if (exec_fd < 0)
		return err_new(errno, "cannot make the stub's executable");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, order) || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel)) {
		close(exec_fd);
		return err_new(errno, "cannot make the stubs' sockets");
	}
	p->zygote_fd = order[0];
	p->channel = channel[0];
	p->channel_stubs = channel[1];
	e = zygote_spawn(p, exec_fd, (const int[4]){ p->mem_fd, channel[1], order[1], p->slots_fd });
	close(exec_fd);
	return e;
}

pid_t st_zygote_fork_locked(struct st_platform *p, uint64_t orders, int *notify_fd)
{
	int64_t v;

	mutex_assert_held(&p->zygote_mu);
	if (write(p->zygote_fd, &orders, sizeof(orders)) != sizeof(orders)) /* SIGPIPE is ignored: main.c */
		return -errno;
	v = read_answer(p, notify_fd);
	if (v > 0 && v <= INT32_MAX && *notify_fd >= 0)
		return (pid_t)v;
	if (*notify_fd >= 0)
		close(*notify_fd);
	return v < 0 && v > -4096 ? (pid_t)v : -EPROTO;
}
