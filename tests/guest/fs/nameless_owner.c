/* Pipes and sockets have an owner, a mode and times, which can be set by descriptor. */
#include "../test.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

static void settable(int fd)
{
	struct timespec at[2] = { { 1000000, 5 }, { 2000000, 7 } };
	struct stat st;

	CHECK(fstat(fd, &st) == 0 && st.st_uid == geteuid());
	CHECK(fchmod(fd, 0640) == 0 && fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0640);
	CHECK(futimens(fd, at) == 0 && fstat(fd, &st) == 0 && st.st_mtim.tv_sec == 2000000 && st.st_mtim.tv_nsec == 7);
	CHECK(fchown(fd, (uid_t)-1, getegid()) == 0);
	if (geteuid())
		return;
	CHECK(fchown(fd, 12, 34) == 0 && fstat(fd, &st) == 0 && st.st_uid == 12 && st.st_gid == 34);
}

CASE(pipe_owner)
{
	struct stat st;
	int p[2];

	CHECK(pipe(p) == 0);
	settable(p[0]);
	CHECK(fstat(p[1], &st) == 0 && (st.st_mode & 07777) == 0640); /* the other end is the same file */
	CHECK(write(p[1], "x", 1) == 1);
}

CASE(socket_owner)
{
	int p[2], s = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, p) == 0 && s >= 0);
	settable(p[0]);
	settable(s);
}

/* What an engine does: the user whose pipe it has become may open it again. */
CASE(pipe_given_away)
{
	char path[64];
	int p[2], st;

	if (geteuid())
		return;
	CHECK(pipe(p) == 0 && fchown(p[1], 12, 34) == 0);
	for (int uid = 12; uid <= 13; uid++) {
		if (!fork()) {
			CHECK(setgid(99) == 0 && setuid((uid_t)uid) == 0);
			snprintf(path, sizeof(path), "/proc/self/fd/%d", p[1]);
			if (uid == 12)
				CHECK(open(path, O_WRONLY) >= 0);
			else
				CHECK_ERR(open(path, O_WRONLY), EACCES);
			_exit(0);
		}
		CHECK(wait(&st) > 0 && !st);
	}
}

int main(void) { return run_cases(); }
