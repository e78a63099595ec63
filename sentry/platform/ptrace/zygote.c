/*
 * zygote.c - starts the zygote stub at boot, and has it make stub processes.
 *
 * pt_zygote_start runs on the boot thread before the sentry is sealed and before
 * there are other threads; that thread must live as long as the sentry, as the
 * stubs die with it (PR_SET_PDEATHSIG is per thread).  The stub's code is in
 * guest-code/; nothing it sends is used but a process id, which is checked by
 * ptrace itself (only a child of ours can be seized).
 */
#include "platform/ptrace/ptrace.h"

#include "platform/ptrace/guest-code/stub.h"
#include "platform/stub_exec.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

_Static_assert(STUB_BASE >= TASK_SIZE, "the stub lies above the program");

extern const uint8_t pt_stub_image[], pt_stub_image_end[];

/* The next message on the channel; the zygote's death ends the wait. */
static int64_t read_answer(struct pt_platform *p)
{
	struct pollfd pfd[2] = { { .fd = p->channel, .events = POLLIN }, { .fd = p->zygote_fd, .events = 0 } };
	int64_t v;

	while (poll(pfd, 2, -1) < 0)
		if (errno != EINTR)
			return -errno;
	if (!(pfd[0].revents & POLLIN))
		return -ECHILD;
	if (read(p->channel, &v, sizeof(v)) != sizeof(v))
		return -EPROTO;
	return v;
}

static struct err *zygote_spawn(struct pt_platform *p, int exec_fd, const int fds[3])
{
	int64_t v;

	p->zygote = stub_exec(exec_fd, fds, 3);
	if (p->zygote < 0)
		return err_new(errno, "cannot fork");
	close(fds[STUB_FD_ZYGOTE]); /* so that its death is seen */
	v = read_answer(p);
	if (!v)
		return NULL;
	if (v == -ECHILD) {
		int st = 0;

		waitpid(p->zygote, &st, 0);
		return err_new(0, "the stub zygote died at its start (wait status 0x%x)", st);
	}
	return err_new((int)-v, "the stub zygote cannot set itself up");
}

struct err *pt_zygote_start(struct pt_platform *p)
{
	int order[2], channel[2], exec_fd;
	struct err *e;

	exec_fd = stub_exec_file(pt_stub_image, (size_t)(pt_stub_image_end - pt_stub_image));
	if (exec_fd < 0)
		return err_new(errno, "cannot make the stub's executable");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, order) || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel)) {
		close(exec_fd);
		return err_new(errno, "cannot make the stubs' sockets");
	}
	p->zygote_fd = order[0];
	p->channel = channel[0];
	p->channel_stubs = channel[1];
	e = zygote_spawn(p, exec_fd, (const int[3]){ p->mem_fd, channel[1], order[1] });
	close(exec_fd);
	return e;
}

pid_t pt_zygote_fork(struct pt_platform *p)
{
	char order = 'f';
	int64_t v;

	mutex_lock_nested(&p->mu);
	if (write(p->zygote_fd, &order, 1) != 1) /* SIGPIPE is ignored: main.c */
		v = -errno;
	else
		v = read_answer(p);
	mutex_unlock(&p->mu);
	if (v > INT32_MAX || v == 0)
		v = -EPROTO;
	return (pid_t)v;
}
