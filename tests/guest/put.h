/*
 * put.h - text written to a file of /proc.
 */
#ifndef TESTS_GUEST_PUT_H
#define TESTS_GUEST_PUT_H

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* 0, or the errno of opening or writing it. */
static inline int put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), r;

	if (fd < 0)
		return errno;
	r = write(fd, text, strlen(text)) < 0 ? errno : 0;
	close(fd);
	return r;
}

#endif
