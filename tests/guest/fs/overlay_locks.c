/*
 * Files are copied up into two directories of an overlay's layer while somebody asks for the end of one of those in the layer
 * itself: all go on, in whatever order they come to the directories' locks.
 */
#include "overlay.h"

#include <signal.h>
#include <sys/wait.h>

#define PAIRS 8 /* directories pN with a directory c */
#define FILES 60 /* in each of them */

static const char *name(const char *format, int pair, int file)
{
	static char text[4][64];
	static unsigned n;
	char *t = text[n++ % 4];

	snprintf(t, sizeof(text[0]), format, pair, file);
	return t;
}

/* In the layer below all is there.  In the upper one, c is there before the overlay is mounted, and p after that. */
static void lay_out(void)
{
	for (int k = 0; k < PAIRS; k++) {
		CHECK(mkdir(name("l1/p%d", k, 0), 0755) == 0 && mkdir(name("l1/p%d/c", k, 0), 0755) == 0 && mkdir(name("u/c%d", k, 0), 0755) == 0);
		make_file(name("u/c%d/stays", k, 0), "");
		for (int i = 0; i < FILES; i++) {
			make_file(name("l1/p%d/f%d", k, i), "");
			make_file(name("l1/p%d/c/f%d", k, i), "");
		}
	}
	CHECK(mount_it(usual) == 0);
	for (int k = 0; k < PAIRS; k++)
		CHECK(chmod(name("m/p%d", k, 0), 0700) == 0 && rename(name("u/c%d", k, 0), name("u/p%d/c", k, 0)) == 0);
}

static pid_t copies_up(const char *format, int pair)
{
	pid_t p = fork();

	if (p)
		return p;
	for (int i = 0; i < FILES; i++)
		if (chmod(name(format, pair, i), 0600))
			_exit(1);
	_exit(0);
}

static pid_t removes(int pair)
{
	pid_t p = fork();

	if (p)
		return p;
	while (rmdir(name("u/p%d/c", pair, 0)) < 0 && (errno == ENOTEMPTY || errno == EEXIST))
		;
	_exit(1);
}

static void expect_done(pid_t p)
{
	int st;

	CHECK(waitpid(p, &st, 0) == p && st == 0);
}

CASE(directories_in_any_order)
{
	int st;

	if (!begin())
		return;
	lay_out();
	for (int k = 0; k < PAIRS; k++) {
		pid_t inner = copies_up("m/p%d/c/f%d", k), outer = copies_up("m/p%d/f%d", k), third = removes(k);

		expect_done(inner);
		expect_done(outer);
		CHECK(kill(third, SIGKILL) == 0 && waitpid(third, &st, 0) == third && WIFSIGNALED(st));
		for (int i = 0; i < FILES; i++) {
			CHECK((lstat_of(name("u/p%d/f%d", k, i)).st_mode & 07777) == 0600);
			CHECK((lstat_of(name("u/p%d/c/f%d", k, i)).st_mode & 07777) == 0600);
		}
	}
}

int main(void) { return run_cases(); }
