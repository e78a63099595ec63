/*
 * stub_exec.c - starts a stub's embedded executable as a child process.
 */
#include "platform/stub_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x10u
#endif

int stub_exec_file(const uint8_t *image, size_t len)
{
	int fd = memfd_create("redoubt-stub", MFD_CLOEXEC | MFD_EXEC);

	if (fd < 0 && errno == EINVAL) /* before Linux 6.3 */
		fd = memfd_create("redoubt-stub", MFD_CLOEXEC);
	if (fd < 0)
		return -1;
	if (write(fd, image, len) != (ssize_t)len || fchmod(fd, 0555)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* In the vfork child: shares our memory, changes none. */
static _Noreturn void run_child(int exec_fd, const int *fds, unsigned n)
{
	char name[] = "redoubt-stub";
	char *const argv[] = { name, NULL }, *const envp[] = { NULL };
	const struct rlimit stack = { 8 << 20, 8 << 20 }, core = { 0, 0 };
	int high[STUB_EXEC_MAX_FDS + 1];
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGCHLD, SIG_DFL);
	setsid(); /* no signals from a terminal */
	setrlimit(RLIMIT_STACK, &stack); /* unlimited would mean the legacy layout */
	setrlimit(RLIMIT_CORE, &core);
	personality(ADDR_NO_RANDOMIZE); /* the kernel's own mappings stay above TASK_SIZE */
	/* Out of the way first: a source may be one of the targets. */
	for (unsigned i = 0; i < n; i++)
		high[i] = fcntl(fds[i], F_DUPFD, 20);
	high[n] = fcntl(exec_fd, F_DUPFD, 20);
	for (unsigned i = 0; i < n; i++)
		if (dup2(high[i], (int)i) < 0)
			_exit(126);
	if (dup3(high[n], (int)n, O_CLOEXEC) < 0 || syscall(SYS_close_range, n + 1, ~0u, 0))
		_exit(126);
	syscall(SYS_execveat, n, "", argv, envp, AT_EMPTY_PATH);
	_exit(127);
}

pid_t stub_exec(int exec_fd, const int *fds, unsigned n)
{
	pid_t pid;

	if (n > STUB_EXEC_MAX_FDS) {
		errno = EINVAL;
		return -1;
	}
	pid = vfork();
	if (!pid)
		run_child(exec_fd, fds, n);
	return pid;
}
