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

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x10u
#endif

_Static_assert(STUB_BASE >= TASK_SIZE, "the stub lies above the program");

extern const uint8_t pt_stub_image[], pt_stub_image_end[];

/* The stub's executable in a memory file, to be executed by descriptor. */
static int stub_file(void)
{
	size_t len = (size_t)(pt_stub_image_end - pt_stub_image);
	int fd = memfd_create("redoubt-stub", MFD_CLOEXEC | MFD_EXEC);

	if (fd < 0 && errno == EINVAL) /* before Linux 6.3 */
		fd = memfd_create("redoubt-stub", MFD_CLOEXEC);
	if (fd < 0)
		return -1;
	if (write(fd, pt_stub_image, len) != (ssize_t)len || fchmod(fd, 0555)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* In the vfork child: descriptors 0-2 as stub.h has them, nothing else; no
 * signal masked; a small, predictable layout.  Shares our memory: changes none. */
static _Noreturn void zygote_exec(int exec_fd, const int fds[3])
{
	char name[] = "redoubt-stub";
	char *const argv[] = { name, NULL }, *const envp[] = { NULL };
	const struct rlimit stack = { 8 << 20, 8 << 20 }, core = { 0, 0 };
	sigset_t none;
	int high[4];

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGCHLD, SIG_DFL);
	setsid(); /* no signals from a terminal */
	setrlimit(RLIMIT_STACK, &stack); /* unlimited would mean the legacy layout */
	setrlimit(RLIMIT_CORE, &core);
	personality(ADDR_NO_RANDOMIZE); /* the kernel's own mappings stay above TASK_SIZE */
	/* Out of the way first: a source may be one of 0-3. */
	for (int i = 0; i < 3; i++)
		high[i] = fcntl(fds[i], F_DUPFD, 10);
	high[3] = fcntl(exec_fd, F_DUPFD, 10);
	for (int i = 0; i < 3; i++)
		if (dup2(high[i], i) < 0)
			_exit(126);
	if (dup3(high[3], 3, O_CLOEXEC) < 0 || syscall(SYS_close_range, 4, ~0u, 0))
		_exit(126);
	syscall(SYS_execveat, 3, "", argv, envp, AT_EMPTY_PATH);
	_exit(127);
}

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

	p->zygote = vfork();
	if (!p->zygote)
		zygote_exec(exec_fd, fds);
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

	exec_fd = stub_file();
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
