/*
 * background.c - see background.h.
 */
#include "background.h"

#include "libipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static struct {
	char *at;
	size_t size;
} command_line;

void background_argv(int argc, char **argv)
{
	command_line.at = argv[0];
	command_line.size = (size_t)(argv[argc - 1] + strlen(argv[argc - 1]) + 1 - argv[0]);
}

/* The title comes from a program's arguments: no control byte reaches who reads the list. */
static void set_title(const char *title)
{
	size_t n = strlen(title);
	char name[16];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(title, " "), title);
	prctl(PR_SET_NAME, name);
	if (!command_line.size)
		return;
	n = n < command_line.size ? n : command_line.size - 1;
	for (size_t i = 0; i < n; i++)
		command_line.at[i] = (unsigned char)title[i] < ' ' || title[i] == 127 ? '?' : title[i];
	memset(command_line.at + n, 0, command_line.size - n);
}

struct err *background_enter(const char *title, const int *keep, size_t n)
{
	struct err *e = fd_keep_only(keep, n);
	int null;

	if (e)
		return e;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	setsid();
	for (int fd = 0; null >= 0 && fd <= 2; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
	set_title(title);
	return NULL;
}
