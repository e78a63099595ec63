/*
 * proc_id.c - a process named so that another with the same number is not
 * taken for it.  See state.h.
 */
#include "state.h"

#include "libipc/fd.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>

/* Field 3 (state) and 22 (start) of /proc/PID/stat, past the command, which
 * may hold any byte. */
static uint64_t start_time(pid_t pid, char *state)
{
	char path[64], text[1024], *p;
	_cleanup_close_ int fd = -1;
	unsigned long long start = 0;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0 || (n = read(fd, text, sizeof(text) - 1)) <= 0)
		return 0;
	text[n] = 0;
	if (!(p = strrchr(text, ')')) ||
		sscanf(p + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", state, &start) != 2)
		return 0;
	return start;
}

struct proc_id proc_identify(pid_t pid)
{
	char state;

	return (struct proc_id){ (uint64_t)pid, start_time(pid, &state) };
}

int proc_open(const struct proc_id *p)
{
	char state = 0;
	int fd;

	if (!p || p->pid <= 1 || p->pid > INT32_MAX)
		return -1;
	if ((fd = pidfd_open((pid_t)p->pid, 0)) < 0)
		return -1;
	/* the descriptor holds the process: if the time is right now, it is the one */
	if (start_time((pid_t)p->pid, &state) == p->start && state != 'Z' && state != 'X')
		return fd;
	close(fd);
	return -1;
}
