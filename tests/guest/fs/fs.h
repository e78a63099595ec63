/*
 * fs.h - a fresh directory for each case (in $TMPDIR or /tmp), and small helpers.
 */
#ifndef TESTS_GUEST_FS_H
#define TESTS_GUEST_FS_H

#include "../test.h"

#include <fcntl.h>
#include <sys/stat.h>

static inline void in_temp(void)
{
	static char dir[256];

	snprintf(dir, sizeof(dir), "%s/guest-fs-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	CHECK(mkdtemp(dir));
	CHECK(chdir(dir) == 0);
	umask(022);
}

static inline void make_file(const char *name, const char *text)
{
	int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644);

	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static inline int file_is(const char *name, const char *text)
{
	char buf[4096];
	int fd = open(name, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf));

	close(fd);
	return n == (ssize_t)strlen(text) && !memcmp(buf, text, (size_t)n);
}

/* Waits until what is changed here is changed later than that, by the clock of this file system: that of the host's kernel
 * goes on with its tick, which comes late where a processor is taken away. */
static inline void until_later(const struct timespec *than)
{
	struct stat s;

	do {
		usleep(1000);
		make_file("clock", "");
		CHECK(stat("clock", &s) == 0 && unlink("clock") == 0);
	} while (s.st_mtim.tv_sec < than->tv_sec || (s.st_mtim.tv_sec == than->tv_sec && s.st_mtim.tv_nsec <= than->tv_nsec));
}

static inline void become(uid_t u)
{
	CHECK(setgid(u) == 0);
	CHECK(setuid(u) == 0);
}

#endif
