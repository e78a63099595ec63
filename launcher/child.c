/*
 * child.c - see child.h.
 */
#include "child.h"

#include "libipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

struct err *child_fork(pid_t *pid, int *end)
{
	_cleanup_close_ int rd = -1, wr = -1;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_new(errno, "pipe");
	rd = fds[0];
	wr = fds[1];
	if ((*pid = fork()) < 0)
		return err_new(errno, "fork");
	*end = *pid ? TAKE_FD(rd) : TAKE_FD(wr);
	return NULL;
}

struct err *child_failure(pid_t pid, int end)
{
	char text[512];
	ssize_t n;

	while ((n = read(end, text, sizeof(text) - 1)) < 0 && errno == EINTR)
		;
	if (n <= 0)
		return NULL;
	text[n] = 0;
	waitpid(pid, NULL, 0);
	return err_new(0, "%s", text);
}

struct err *child_run_in(int mount_ns, void (*fn)(const void *arg), const void *arg)
{
	pid_t pid = fork();

	if (pid < 0)
		return err_new(errno, "fork");
	if (!pid) {
		if (!setns(mount_ns, CLONE_NEWNS))
			fn(arg);
		_exit(0);
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return NULL;
}

bool child_unshare(void)
{
	return !geteuid() && !unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS);
}
