/*
 * proc_stat.c - see proc_stat.h.
 */
#include "proc_stat.h"

#include "libipc/fd.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool proc_stat(pid_t pid, struct proc_stat *out)
{
	char path[64], text[1024], *p;
	_cleanup_close_ int fd = -1;
	unsigned long long start;
	struct proc_stat s;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0 || (n = read(fd, text, sizeof(text) - 1)) <= 0)
		return false;
	text[n] = 0;
	/* fields 3, 4 and 22 lie past the command, which may hold any byte */
	if (!(p = strrchr(text, ')')) ||
		sscanf(p + 1, " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &s.state, &s.parent, &start) != 3)
		return false;
	s.start = start;
	*out = s;
	return true;
}

size_t proc_children(pid_t parent, pid_t *out, size_t max)
{
	DIR *d = opendir("/proc");
	size_t n = 0;

	for (const struct dirent *e; d && (e = readdir(d));) {
		pid_t pid = isdigit((unsigned char)e->d_name[0]) ? atoi(e->d_name) : 0;
		struct proc_stat s;

		if (pid <= 0 || !proc_stat(pid, &s) || s.parent != parent)
			continue;
		if (n < max)
			out[n] = pid;
		n++;
	}
	if (d)
		closedir(d);
	return n;
}
