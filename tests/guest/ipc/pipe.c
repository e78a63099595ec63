/* Pipes and fifos: ends, signals, atomicity, sizes, opening rules. */
#include "../test.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

static volatile sig_atomic_t got;
static void on_signal(int s) { got = s; }

CASE(eof_after_last_writer)
{
	int p[2], q;
	char b[8];

	CHECK(pipe(p) == 0);
	q = dup(p[1]);
	CHECK(write(p[1], "abc", 3) == 3);
	close(p[1]);
	CHECK(read(p[0], b, 8) == 3 && !memcmp(b, "abc", 3));
	CHECK(write(q, "d", 1) == 1);
	close(q);
	CHECK(read(p[0], b, 8) == 1);
	CHECK(read(p[0], b, 8) == 0);
	CHECK(read(p[0], b, 8) == 0);
}

CASE(epipe_and_sigpipe)
{
	int p[2];

	CHECK(pipe(p) == 0);
	close(p[0]);
	signal(SIGPIPE, on_signal);
	CHECK_ERR(write(p[1], "x", 1), EPIPE);
	CHECK(got == SIGPIPE);
	signal(SIGPIPE, SIG_IGN);
	CHECK_ERR(write(p[1], "x", 1), EPIPE);
}

CASE(sigpipe_kills)
{
	int p[2], st;
	pid_t c;

	CHECK(pipe(p) == 0);
	close(p[0]);
	c = fork();
	if (!c) {
		signal(SIGPIPE, SIG_DFL);
		if (write(p[1], "x", 1) < 0)
			_exit(1);
		_exit(0);
	}
	CHECK(waitpid(c, &st, 0) == c);
	CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGPIPE);
}

CASE(wrong_direction)
{
	int p[2];
	char b;

	CHECK(pipe(p) == 0);
	CHECK_ERR(write(p[0], "x", 1), EBADF);
	CHECK_ERR(read(p[1], &b, 1), EBADF);
	CHECK_ERR(lseek(p[0], 0, SEEK_CUR), ESPIPE);
	CHECK_ERR(pread(p[0], &b, 1, 0), ESPIPE);
}

CASE(nonblock_fill)
{
	int p[2], n = -1;
	static char b[65536];

	CHECK(pipe2(p, O_NONBLOCK | O_CLOEXEC) == 0);
	CHECK(fcntl(p[0], F_GETFD) == FD_CLOEXEC);
	CHECK_ERR(read(p[0], b, 1), EAGAIN);
	CHECK(write(p[1], b, 65536) == 65536);
	CHECK_ERR(write(p[1], b, 1), EAGAIN);
	CHECK(ioctl(p[0], FIONREAD, &n) == 0 && n == 65536);
	CHECK(read(p[0], b, 4096) == 4096);
	CHECK(write(p[1], b, 8192) == 4096);
	CHECK_ERR(write(p[1], b, 4096), EAGAIN);
}

CASE(sizes)
{
	int p[2];
	static char b[8192];

	CHECK(pipe(p) == 0);
	CHECK(fcntl(p[0], F_GETPIPE_SZ) == 65536);
	CHECK(fcntl(p[1], F_SETPIPE_SZ, 5000) == 8192);
	CHECK(fcntl(p[0], F_GETPIPE_SZ) == 8192);
	CHECK(write(p[1], b, 8192) == 8192);
	CHECK_ERR(fcntl(p[1], F_SETPIPE_SZ, 4096), EBUSY);
	CHECK(fcntl(p[1], F_SETPIPE_SZ, 1048576) == 1048576);
	CHECK(read(p[0], b, 8192) == 8192);
	CHECK_ERR(fcntl(0, F_GETPIPE_SZ + 1000000), EINVAL);
}

CASE(many_writers_are_atomic)
{
	int p[2], left = 8 * 200;
	char rec[512], b[512];

	CHECK(pipe(p) == 0);
	for (int i = 0; i < 8; i++) {
		if (fork())
			continue;
		memset(rec, 'a' + i, sizeof(rec));
		for (int k = 0; k < 200; k++)
			if (write(p[1], rec, sizeof(rec)) != sizeof(rec))
				_exit(1);
		_exit(0);
	}
	close(p[1]);
	while (left--) {
		size_t n = 0;

		while (n < sizeof(b)) {
			ssize_t r = read(p[0], b + n, sizeof(b) - n);

			CHECK(r > 0);
			n += r;
		}
		for (size_t i = 1; i < sizeof(b); i++)
			CHECK(b[i] == b[0]);
	}
	CHECK(read(p[0], b, 1) == 0);
	for (int i = 0, st; i < 8; i++)
		CHECK(wait(&st) > 0 && st == 0);
}

CASE(big_transfer)
{
	int p[2], st;
	static unsigned char b[100000];
	size_t total = 0;
	ssize_t r;

	CHECK(pipe(p) == 0);
	if (!fork()) {
		for (int k = 0; k < 20; k++) {
			for (size_t i = 0; i < sizeof(b); i++)
				b[i] = (k * sizeof(b) + i) % 251;
			if (write(p[1], b, sizeof(b)) != sizeof(b))
				_exit(1);
		}
		_exit(0);
	}
	close(p[1]);
	while ((r = read(p[0], b, 33333)) > 0)
		for (ssize_t i = 0; i < r; i++, total++)
			CHECK(b[i] == total % 251);
	CHECK(r == 0 && total == 20 * sizeof(b));
	CHECK(wait(&st) > 0 && st == 0);
}

CASE(interrupted_read_restarts_or_not)
{
	struct sigaction sa = { .sa_handler = on_signal };
	int p[2];
	char b;

	CHECK(pipe(p) == 0);
	sigaction(SIGUSR1, &sa, NULL);
	if (!fork()) {
		until_asleep(getppid());
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
	CHECK_ERR(read(p[0], &b, 1), EINTR);
	sa.sa_flags = SA_RESTART;
	sigaction(SIGUSR1, &sa, NULL);
	got = 0;
	if (!fork()) {
		until_asleep(getppid());
		kill(getppid(), SIGUSR1);
		usleep(50000);
		if (write(p[1], "z", 1) != 1)
			_exit(1);
		_exit(0);
	}
	CHECK(read(p[0], &b, 1) == 1 && b == 'z' && got == SIGUSR1);
}

CASE(poll_of_ends)
{
	int p[2];
	static char b[65536];
	struct pollfd f[2];

	CHECK(pipe(p) == 0);
	f[0] = (struct pollfd){ p[0], POLLIN, 0 };
	f[1] = (struct pollfd){ p[1], POLLOUT, 0 };
	CHECK(poll(f, 2, 0) == 1 && f[0].revents == 0 && f[1].revents == POLLOUT);
	CHECK(write(p[1], b, 65536) == 65536);
	CHECK(poll(f, 2, 0) == 1 && f[0].revents == POLLIN && f[1].revents == 0);
	close(p[1]);
	CHECK(poll(f, 1, 0) == 1 && f[0].revents == (POLLIN | POLLHUP));
	CHECK(read(p[0], b, 65536) == 65536);
	CHECK(poll(f, 1, -1) == 1 && f[0].revents == POLLHUP);
	CHECK(pipe(p) == 0);
	close(p[0]);
	f[1].fd = p[1];
	CHECK(poll(f + 1, 1, 0) == 1 && f[1].revents == (POLLOUT | POLLERR));
}

static char fifo_path[64];
static void make_fifo(void)
{
	snprintf(fifo_path, sizeof(fifo_path), "/tmp/fifo.%d", getpid());
	unlink(fifo_path);
	CHECK(mkfifo(fifo_path, 0600) == 0);
}

CASE(fifo_open_rules)
{
	int r, w;
	char b[4];
	struct pollfd f;

	make_fifo();
	CHECK_ERR(open(fifo_path, O_WRONLY | O_NONBLOCK), ENXIO);
	r = open(fifo_path, O_RDONLY | O_NONBLOCK);
	CHECK(r >= 0);
	f = (struct pollfd){ r, POLLIN, 0 };
	CHECK(read(r, b, 1) == 0);
	CHECK(poll(&f, 1, 0) == 0);
	w = open(fifo_path, O_WRONLY | O_NONBLOCK);
	CHECK(w >= 0);
	CHECK_ERR(read(r, b, 1), EAGAIN);
	CHECK(write(w, "hi", 2) == 2 && read(r, b, 4) == 2);
	close(w);
	CHECK(poll(&f, 1, 0) == 1 && f.revents == POLLHUP);
	close(r);
	r = open(fifo_path, O_RDWR);
	CHECK(r >= 0 && write(r, "x", 1) == 1 && read(r, b, 1) == 1);
	unlink(fifo_path);
}

CASE(fifo_open_blocks_for_partner)
{
	int fd, st;
	char b[8];

	make_fifo();
	if (!fork()) {
		usleep(30000);
		fd = open(fifo_path, O_WRONLY);
		if (fd < 0 || write(fd, "fifo", 4) != 4)
			_exit(1);
		_exit(0);
	}
	fd = open(fifo_path, O_RDONLY);
	CHECK(fd >= 0);
	CHECK(read(fd, b, 8) == 4);
	CHECK(read(fd, b, 8) == 0);
	CHECK(wait(&st) > 0 && st == 0);
	unlink(fifo_path);
}

CASE(reopened_through_proc)
{
	int p[2], r, w;
	char path[64], b[8];

	CHECK(pipe(p) == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", p[0]);
	r = open(path, O_RDONLY);
	w = open(path, O_WRONLY);
	CHECK(r >= 0 && w >= 0);
	CHECK(write(w, "again", 5) == 5 && read(r, b, 8) == 5);
	close(p[1]);
	CHECK(write(w, "x", 1) == 1 && read(p[0], b, 8) == 1);
	close(w);
	CHECK(read(r, b, 8) == 0);
	CHECK(open(path, O_RDONLY) >= 0); /* waits for nobody */
}

/* Both ends are one inode: they have one name, and either opens again for either direction, without waiting. */
CASE(reopened_from_either_end)
{
	char path[64], name[2][64] = { "", "" }, b[8];
	struct stat st[2];
	int p[2], q;

	CHECK(pipe(p) == 0);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", p[i]);
		CHECK(readlink(path, name[i], sizeof(name[i]) - 1) > 0);
		CHECK(fstat(p[i], &st[i]) == 0);
	}
	CHECK(!strcmp(name[0], name[1]));
	CHECK(st[0].st_ino == st[1].st_ino);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", p[i]);
		q = open(path, O_WRONLY);
		CHECK(q >= 0);
		CHECK(write(q, "abc", 3) == 3);
		close(q);
		q = open(path, O_RDONLY);
		CHECK(q >= 0);
		CHECK(read(q, b, sizeof(b)) == 3 && !memcmp(b, "abc", 3));
		close(q);
	}
}

int main(void) { return run_cases(); }
