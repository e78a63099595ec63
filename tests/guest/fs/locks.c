/* fcntl(2) record locks, open file description locks, flock(2). */
#include "fs.h"

#include <sys/file.h>

static int lock(int fd, int cmd, int type, off_t start, off_t len)
{
	struct flock l = { .l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = len };

	return fcntl(fd, cmd, &l);
}

/* What another process is told. */
static struct flock ask(const char *name, int type, off_t start, off_t len)
{
	struct flock l = { .l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = len };
	int p[2], st;

	CHECK(pipe(p) == 0);
	if (!fork()) {
		int fd = open(name, O_RDWR);

		CHECK(fcntl(fd, F_GETLK, &l) == 0);
		CHECK(write(p[1], &l, sizeof(l)) == sizeof(l));
		_exit(0);
	}
	CHECK(read(p[0], &l, sizeof(l)) == sizeof(l));
	CHECK(wait(&st) > 0 && st == 0);
	return l;
}

CASE(ranges)
{
	struct flock l;
	int fd;

	in_temp();
	fd = open("f", O_CREAT | O_RDWR, 0644);
	CHECK(lock(fd, F_SETLK, F_WRLCK, 10, 10) == 0 && lock(fd, F_SETLK, F_RDLCK, 14, 2) == 0);
	l = ask("f", F_RDLCK, 0, 0);
	CHECK(l.l_type == F_WRLCK && l.l_start == 10 && l.l_len == 4 && l.l_pid == getpid());
	CHECK(ask("f", F_RDLCK, 14, 2).l_type == F_UNLCK);
	CHECK(ask("f", F_WRLCK, 14, 2).l_type == F_RDLCK);
	CHECK(lock(fd, F_SETLK, F_UNLCK, 0, 0) == 0 && ask("f", F_WRLCK, 0, 0).l_type == F_UNLCK);
	CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 0) == 0);
	close(open("f", O_RDONLY)); /* closing any descriptor of the file lets go of all */
	CHECK(ask("f", F_WRLCK, 0, 0).l_type == F_UNLCK);
	CHECK_ERR(lock(fd, F_SETLK, 99, 0, 0), EINVAL);
}

CASE(conflict_and_wait)
{
	int fd, p[2], st;
	char c;

	in_temp();
	fd = open("f", O_CREAT | O_RDWR, 0644);
	CHECK(pipe(p) == 0 && lock(fd, F_SETLK, F_WRLCK, 0, 10) == 0);
	if (!fork()) {
		int mine = open("f", O_RDWR);

		CHECK_ERR(lock(mine, F_SETLK, F_WRLCK, 5, 1), EAGAIN);
		CHECK(write(p[1], "x", 1) == 1);
		CHECK(lock(mine, F_SETLKW, F_WRLCK, 5, 1) == 0);
		_exit(0);
	}
	CHECK(read(p[0], &c, 1) == 1);
	usleep(50000);
	CHECK(lock(fd, F_SETLK, F_UNLCK, 0, 0) == 0);
	CHECK(wait(&st) > 0 && st == 0);
}

CASE(deadlock)
{
	int fd, p[2], st;
	pid_t child;
	char c;

	in_temp();
	fd = open("f", O_CREAT | O_RDWR, 0644);
	CHECK(pipe(p) == 0 && lock(fd, F_SETLK, F_WRLCK, 0, 1) == 0);
	child = fork();
	if (!child) {
		int mine = open("f", O_RDWR);

		CHECK(lock(mine, F_SETLK, F_WRLCK, 1, 1) == 0);
		CHECK(write(p[1], "x", 1) == 1);
		CHECK(lock(mine, F_SETLKW, F_WRLCK, 0, 1) == 0);
		_exit(0);
	}
	CHECK(read(p[0], &c, 1) == 1);
	until_asleep(child);
	CHECK_ERR(lock(fd, F_SETLKW, F_WRLCK, 1, 1), EDEADLK);
	CHECK(lock(fd, F_SETLK, F_UNLCK, 0, 0) == 0);
	CHECK(wait(&st) > 0 && st == 0);
}

CASE(ofd)
{
	int a, b, d;

	in_temp();
	a = open("f", O_CREAT | O_RDWR, 0644);
	b = open("f", O_RDWR);
	CHECK(lock(a, F_OFD_SETLK, F_WRLCK, 0, 0) == 0);
	CHECK_ERR(lock(b, F_OFD_SETLK, F_RDLCK, 0, 1), EAGAIN);
	d = dup(a);
	close(a);
	CHECK_ERR(lock(b, F_OFD_SETLK, F_RDLCK, 0, 1), EAGAIN);
	close(d);
	CHECK(lock(b, F_OFD_SETLK, F_RDLCK, 0, 1) == 0);
}

CASE(flock_)
{
	int a, b;

	in_temp();
	a = open("f", O_CREAT | O_RDWR, 0644);
	b = open("f", O_RDWR);
	CHECK(flock(a, LOCK_SH) == 0 && flock(b, LOCK_SH) == 0);
	CHECK_ERR(flock(a, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	CHECK(flock(b, LOCK_UN) == 0 && flock(a, LOCK_EX | LOCK_NB) == 0);
	CHECK_ERR(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK);
	if (!fork()) { /* the child shares the description */
		CHECK(flock(a, LOCK_EX | LOCK_NB) == 0);
		_exit(0);
	}
	int st;
	CHECK(wait(&st) > 0 && st == 0);
	close(a);
	CHECK(flock(b, LOCK_EX | LOCK_NB) == 0);
	CHECK_ERR(flock(b, 77), EINVAL);
}

int main(void) { return run_cases(); }
