/*
 * fd.c - descriptor ownership and donation (fd.h).  No state, no locks.
 */
#include "libipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

void fd_close(int *fd)
{
	if (*fd < 0)
		return;
	int saved = errno;
	close(*fd);
	*fd = -1;
	errno = saved;
}

static struct err *set_cloexec(int fd, int on)
{
	int flags = fcntl(fd, F_GETFD);
	if (flags < 0)
		return err_new(errno, "descriptor %d", fd);
	int want = on ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC;
	if (want != flags && fcntl(fd, F_SETFD, want) < 0)
		return err_new(errno, "descriptor %d", fd);
	return NULL;
}

struct err *fd_donate_only(const int *keep, size_t n)
{
	/* Linux 5.11; older kernels do not run systrap's notification either. */
	if (syscall(SYS_close_range, 3, UINT_MAX, CLOSE_RANGE_CLOEXEC) < 0)
		return err_new(errno, "marking descriptors close-on-exec");
	for (size_t i = 0; i < n; i++) {
		struct err *e = set_cloexec(keep[i], 0);
		if (e)
			return err_wrap(e, "donating a descriptor");
	}
	return NULL;
}

static int by_number(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;
	return x < y ? -1 : x > y;
}

struct err *fd_keep_only(const int *keep, size_t n)
{
	_cleanup_free_ int *sorted = calloc(n + 1, sizeof *sorted);
	unsigned from = 3;
	if (!sorted)
		return err_new(ENOMEM, "closing descriptors");
	if (n)
		memcpy(sorted, keep, n * sizeof *keep);
	qsort(sorted, n, sizeof *sorted, by_number);
	for (size_t i = 0; i <= n; i++) {
		/* closes the gap before the next kept one; after the last, all */
		unsigned to = i < n ? (unsigned)sorted[i] : UINT_MAX;
		if (i < n && (sorted[i] < 0 || to < from))
			continue;
		if (to > from && syscall(SYS_close_range, from, i < n ? to - 1 : UINT_MAX, 0) < 0)
			return err_new(errno, "closing descriptors");
		from = to + 1;
	}
	return NULL;
}

struct err *fd_from_option(const char *what, const char *value, int *fd)
{
	char *end;
	errno = 0;
	long v = strtol(value, &end, 10);
	if (errno || end == value || *end || v < 0 || v > INT_MAX || value[0] < '0' || value[0] > '9')
		return err_new(0, "%s: '%s' is not a descriptor number", what, value);
	struct err *e = set_cloexec((int)v, 1);
	if (e)
		return err_wrap(e, "%s", what);
	*fd = (int)v;
	return NULL;
}
