/*
 * proc_id.c - a process named so that another with the same number is not
 * taken for it.  See state.h.
 */
#include "proc_stat.h"
#include "state.h"

#include <sys/pidfd.h>
#include <unistd.h>

struct proc_id proc_identify(pid_t pid)
{
	struct proc_stat s;

	return (struct proc_id){ (uint64_t)pid, proc_stat(pid, &s) ? s.start : 0 };
}

int proc_open(const struct proc_id *p)
{
	struct proc_stat s;
	int fd;

	if (!p || p->pid <= 1 || p->pid > INT32_MAX)
		return -1;
	if ((fd = pidfd_open((pid_t)p->pid, 0)) < 0)
		return -1;
	/* the descriptor holds the process: if the time is right now, it is the one */
	if (proc_stat((pid_t)p->pid, &s) && s.start == p->start && s.state != 'Z' && s.state != 'X')
		return fd;
	close(fd);
	return -1;
}
