/* Pipes that programs stream through: a sandbox may let them do that by themselves.  Whatever comes
 * in between - other readers and writers, descriptors that close, waiting, signals - must be as ever. */
#include "../test.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define PIPE 65536
#define PAGE 4096
#define MANY 200 /* calls in a row, after which it is a stream */
#define RECORD 64

static unsigned char at(uint64_t i) { return (unsigned char)(i * 7 % 251); }

static void fill(unsigned char *b, size_t n, uint64_t from)
{
	for (size_t i = 0; i < n; i++)
		b[i] = at(from + i);
}

static int differs(const unsigned char *b, size_t n, uint64_t from)
{
	for (size_t i = 0; i < n; i++)
		if (b[i] != at(from + i))
			return 1;
	return 0;
}

/* One process writes and reads, so often that it streams. */
static void stream_here(const int p[2])
{
	char b[100];

	for (int i = 0; i < MANY; i++) {
		memset(b, i, sizeof(b));
		CHECK(write(p[1], b, sizeof(b)) == sizeof(b) && read(p[0], b, sizeof(b)) == sizeof(b) && b[0] == (char)i && b[99] == (char)i);
	}
}

static void *shared(void)
{
	void *m = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(m != MAP_FAILED);
	return m;
}

static void ends_well(pid_t c)
{
	int st;

	CHECK(waitpid(c, &st, 0) == c && WIFEXITED(st) && WEXITSTATUS(st) == 0);
}

static const size_t sizes[] = { 1, 100, 4096, 7, 10240, 4097, 300, 65536, 12, 65537, 5000, 100000 };
#define N_SIZES (sizeof(sizes) / sizeof(sizes[0]))

static void write_all(int fd, uint64_t total, unsigned first, unsigned naps)
{
	static unsigned char b[100000];

	for (uint64_t done = 0; done < total; first++) {
		size_t n = sizes[first / 20 % N_SIZES];

		fill(b, n, done);
		CHECK(write(fd, b, n) == (ssize_t)n);
		done += n;
		if (naps && first % naps == 0)
			usleep(300);
	}
	close(fd);
}

static void read_all(int fd, uint64_t total, unsigned first, unsigned naps)
{
	static unsigned char b[100000];
	uint64_t done = 0;
	ssize_t r;

	for (; (r = read(fd, b, sizes[first / 30 % N_SIZES])) > 0; first++) {
		CHECK(!differs(b, (size_t)r, done));
		done += (uint64_t)r;
		if (naps && first % naps == 0)
			usleep(300);
	}
	CHECK(!r && done >= total);
}

static void both(uint64_t total, unsigned first, unsigned writer_naps, unsigned reader_naps)
{
	int p[2];
	pid_t c;

	CHECK(!pipe(p));
	c = fork();
	if (!c) {
		close(p[0]);
		write_all(p[1], total, first, writer_naps);
		_exit(0);
	}
	close(p[1]);
	read_all(p[0], total, 3 * first, reader_naps);
	ends_well(c);
}

CASE(pieces_of_all_sizes)
{
	for (unsigned first = 0; first < 5; first++)
		both(3000000, 50 * first, 0, 0);
}

CASE(a_slow_side)
{
	both(2000000, 40, 5, 0);
	both(2000000, 40, 0, 5);
	both(2000000, 0, 7, 11);
}

/* --- others who come ------------------------------------------------------------------- */

struct record {
	uint32_t who, nr;
	uint32_t rest[RECORD / 4 - 2];
};

static void write_records(int fd, uint32_t who, uint32_t n)
{
	struct record r;

	for (uint32_t i = 0; i < n; i++) {
		r = (struct record){ .who = who, .nr = i };
		for (unsigned k = 0; k < RECORD / 4 - 2; k++)
			r.rest[k] = who * 1000003 + i;
		CHECK(write(fd, &r, RECORD) == RECORD);
	}
}

static void check_record(const struct record *r, uint32_t next[])
{
	for (unsigned k = 0; k < RECORD / 4 - 2; k++)
		CHECK(r->rest[k] == r->who * 1000003 + r->nr);
	CHECK(r->who < 8 && r->nr == next[r->who]++);
}

static pid_t writes(const int p[2], uint32_t who, uint32_t n)
{
	pid_t c = fork();

	if (!c) {
		close(p[0]);
		write_records(p[1], who, n);
		_exit(0);
	}
	return c;
}

static void expect_records(int fd, uint32_t next[], uint32_t n)
{
	static struct record r[64];
	ssize_t got;

	while (n && (got = read(fd, r, n < 64 ? n * RECORD : sizeof(r))) > 0) {
		CHECK(got % RECORD == 0);
		for (ssize_t i = 0; i < got / RECORD; i++, n--)
			check_record(&r[i], next);
	}
	CHECK(!n);
}

CASE(more_writers_join)
{
	uint32_t next[8] = { 0 };
	pid_t c[3];
	int p[2];

	CHECK(!pipe(p));
	c[0] = writes(p, 0, 20000);
	expect_records(p[0], next, 5000);
	c[1] = writes(p, 1, 5000);
	expect_records(p[0], next, 5000);
	c[2] = writes(p, 2, 5000);
	expect_records(p[0], next, 20000);
	for (int i = 0; i < 3; i++)
		ends_well(c[i]);
}

CASE(a_writer_forks_and_both_go_on)
{
	uint32_t next[8] = { 0 };
	pid_t c, own;
	int p[2];

	CHECK(!pipe(p));
	c = fork();
	if (!c) {
		write_records(p[1], 0, 3000);
		own = writes(p, 1, 3000);
		write_records(p[1], 2, 3000);
		ends_well(own);
		write_records(p[1], 3, 3000);
		_exit(0);
	}
	expect_records(p[0], next, 12000);
	ends_well(c);
}

/* Two readers: each record is read once, by one of them, in order. */
CASE(another_reader_joins)
{
	_Atomic uint32_t *seen = shared();
	uint32_t next[8] = { 0 }, n = 0;
	struct record r;
	pid_t w, c;
	int p[2];

	CHECK(!pipe(p));
	w = writes(p, 0, 20000);
	close(p[1]);
	expect_records(p[0], next, 3000);
	c = fork();
	if (!c) {
		while (read(p[0], &r, RECORD) == RECORD) {
			CHECK(r.nr == r.rest[10] && r.nr >= 3000);
			(*seen)++;
		}
		_exit(0);
	}
	while (read(p[0], &r, RECORD) == RECORD) {
		CHECK(r.nr == r.rest[10] && r.nr >= 3000);
		n++;
	}
	ends_well(c);
	ends_well(w);
	CHECK(n + *seen == 17000);
}

CASE(a_new_program_goes_on)
{
	char fd[12], *const args[] = { "continues", fd, NULL };
	uint32_t next[8] = { 0 };
	pid_t c;
	int p[2];

	CHECK(!pipe(p));
	snprintf(fd, sizeof(fd), "%d", p[1]);
	c = fork();
	if (!c) {
		write_records(p[1], 0, 2000);
		execv("/proc/self/exe", args);
		_exit(1);
	}
	close(p[1]);
	expect_records(p[0], next, 4000);
	CHECK(read(p[0], fd, 1) == 0);
	ends_well(c);
}

/* --- descriptors ------------------------------------------------------------------------ */

static struct {
	int fd;
	_Atomic uint32_t begun; /* the number of the write that is made now */
	_Atomic int stop;
} streamer;

static void *streams(void *unused)
{
	(void)unused;
	for (uint32_t i = 0; !streamer.stop; i++) {
		streamer.begun = i;
		if (write(streamer.fd, &i, sizeof(i)) != sizeof(i))
			return (void *)(uintptr_t)errno;
	}
	return NULL;
}

struct drain {
	int fd;
	uint32_t first, last, n;
};

static void *drains(void *arg)
{
	struct drain *d = arg;
	uint32_t b[1024];
	ssize_t r;

	while ((r = read(d->fd, b, sizeof(b))) > 0) {
		if (!d->n)
			d->first = b[0];
		d->last = b[r / 4 - 1];
		d->n += (uint32_t)r / 4;
	}
	return NULL;
}

CASE(another_thread_replaces_the_descriptor)
{
	for (int round = 0; round < 5; round++) {
		struct drain a = { 0 }, b = { 0 };
		pthread_t writer, ta, tb;
		uint32_t begun;
		int p[2], q[2];

		CHECK(!pipe(p) && !pipe(q));
		a.fd = p[0];
		b.fd = q[0];
		streamer.fd = p[1];
		streamer.stop = 0;
		streamer.begun = 0;
		CHECK(!pthread_create(&ta, NULL, drains, &a) && !pthread_create(&tb, NULL, drains, &b));
		CHECK(!pthread_create(&writer, NULL, streams, NULL));
		while (streamer.begun < 300 + 100 * (uint32_t)round)
			usleep(50);
		CHECK(dup2(q[1], p[1]) == p[1]);
		begun = streamer.begun; /* the next one at the latest goes there */
		while (streamer.begun < begun + 100)
			usleep(50);
		streamer.stop = 1;
		pthread_join(writer, NULL);
		close(p[1]);
		close(q[1]);
		pthread_join(ta, NULL);
		pthread_join(tb, NULL);
		CHECK(a.n == a.last + 1 && b.first == a.last + 1 && b.n == b.last - b.first + 1 && b.first <= begun + 1);
		close(p[0]);
		close(q[0]);
	}
}

CASE(another_thread_closes_the_descriptor)
{
	for (int round = 0; round < 5; round++) {
		struct drain a = { 0 };
		pthread_t writer, ta;
		void *error;
		int p[2];

		CHECK(!pipe(p));
		a.fd = p[0];
		streamer.fd = p[1];
		streamer.stop = 0;
		streamer.begun = 0;
		CHECK(!pthread_create(&ta, NULL, drains, &a) && !pthread_create(&writer, NULL, streams, NULL));
		while (streamer.begun < 300 + 100 * (uint32_t)round)
			usleep(50);
		CHECK(!close(p[1]));
		pthread_join(writer, &error);
		pthread_join(ta, NULL);
		CHECK((uintptr_t)error == EBADF && a.n == streamer.begun);
		close(p[0]);
	}
}

/* --- in the middle ----------------------------------------------------------------------- */

static int ready(int fd, short events)
{
	struct pollfd f = { .fd = fd, .events = events };

	CHECK(poll(&f, 1, 0) >= 0);
	return f.revents;
}

CASE(looked_at_in_between)
{
	static char b[PIPE];
	int p[2], n;

	CHECK(!pipe(p));
	for (int round = 0; round < 3; round++) {
		stream_here(p);
		CHECK(!ready(p[0], POLLIN) && ready(p[1], POLLOUT) == POLLOUT);
		stream_here(p);
		CHECK(write(p[1], b, 1000) == 1000 && !ioctl(p[0], FIONREAD, &n) && n == 1000);
		CHECK(ready(p[0], POLLIN) == POLLIN && read(p[0], b, sizeof(b)) == 1000);
	}
	stream_here(p);
	CHECK(!fcntl(p[0], F_SETFL, O_NONBLOCK) && !fcntl(p[1], F_SETFL, O_NONBLOCK));
	CHECK_ERR(read(p[0], b, 1), EAGAIN);
	stream_here(p);
	for (n = 0; n < PIPE; n += PAGE)
		CHECK(write(p[1], b, PAGE) == PAGE);
	CHECK_ERR(write(p[1], b, 1), EAGAIN);
	CHECK(!ready(p[1], POLLOUT) && read(p[0], b, PAGE) == PAGE && ready(p[1], POLLOUT) == POLLOUT);
	CHECK(read(p[0], b, sizeof(b)) == PIPE - PAGE);
	stream_here(p);
}

CASE(spliced_and_copied_in_between)
{
	unsigned char b[3000], c[3000];
	int p[2], q[2];

	CHECK(!pipe(p) && !pipe(q));
	for (int round = 0; round < 3; round++) {
		stream_here(p);
		stream_here(q);
		fill(b, sizeof(b), 0);
		CHECK(write(p[1], b, sizeof(b)) == sizeof(b));
		CHECK(tee(p[0], q[1], sizeof(b), 0) == sizeof(b) && read(q[0], c, sizeof(c)) == sizeof(c) && !differs(c, sizeof(c), 0));
		CHECK(read(p[0], c, 1000) == 1000 && !differs(c, 1000, 0));
		CHECK(splice(p[0], NULL, q[1], NULL, 5000, 0) == 2000 && read(q[0], c, sizeof(c)) == 2000 && !differs(c, 2000, 1000));
	}
	stream_here(p);
}

CASE(changed_in_between)
{
	char b[PIPE];
	int p[2];

	CHECK(!pipe(p));
	stream_here(p);
	CHECK(write(p[1], b, 100) == 100 && fcntl(p[1], F_SETPIPE_SZ, PAGE) == PAGE);
	CHECK(!fcntl(p[1], F_SETFL, O_NONBLOCK) && read(p[0], b, sizeof(b)) == 100 && write(p[1], b, 2 * PAGE) == PAGE);
	CHECK(read(p[0], b, sizeof(b)) == PAGE && fcntl(p[1], F_SETPIPE_SZ, PIPE) == PIPE);
	stream_here(p);
	CHECK(!fcntl(p[1], F_SETFL, O_DIRECT));
	CHECK(write(p[1], b, 10) == 10 && write(p[1], b, 20) == 20 && read(p[0], b, 100) == 10 && read(p[0], b, 100) == 20);
	for (int i = 0; i < MANY; i++)
		CHECK(write(p[1], b, 10) == 10 && write(p[1], b, 20) == 20 && read(p[0], b, 15) == 10 && read(p[0], b, 15) == 15);
}

CASE(memory_that_is_not_there)
{
	char *m = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char b[2 * PAGE];
	int p[2];

	CHECK(m != MAP_FAILED && !pipe(p) && !munmap(m + 3 * PAGE, PAGE));
	stream_here(p);
	CHECK_ERR(write(p[1], m + 3 * PAGE, 100), EFAULT);
	CHECK_ERR(write(p[1], (void *)-4096, 100), EFAULT);
	CHECK(write(p[1], m + PAGE, PAGE) == PAGE && read(p[0], m + 2 * PAGE - 10, PAGE) == PAGE);
	CHECK(write(p[1], m, 100) == 100);
	CHECK_ERR(read(p[0], m + 3 * PAGE, 100), EFAULT);
	CHECK(read(p[0], b, sizeof(b)) == 100);
	stream_here(p);
	CHECK(!mprotect(m, PAGE, PROT_READ) && write(p[1], m, 100) == 100);
	CHECK_ERR(read(p[0], m, 100), EFAULT);
	CHECK(read(p[0], b, sizeof(b)) == 100 && write(p[1], b, 0) == 0);
	stream_here(p);
}

/* --- waiting ------------------------------------------------------------------------------ */

enum how { BY_READ, BY_POLL, BY_EPOLL };

static void wait_for(int fd, enum how how)
{
	struct epoll_event e = { .events = EPOLLIN };
	struct pollfd f = { .fd = fd, .events = POLLIN };
	int set;

	if (how == BY_POLL)
		CHECK(poll(&f, 1, -1) == 1);
	if (how != BY_EPOLL)
		return;
	set = epoll_create1(0);
	CHECK(!epoll_ctl(set, EPOLL_CTL_ADD, fd, &e) && epoll_wait(set, &e, 1, -1) == 1 && !close(set));
}

/* The reader waits in different ways, and for a writer that then works, or sleeps elsewhere. */
CASE(each_piece_arrives)
{
	_Atomic int *got = shared();

	for (int how = 0; how <= BY_EPOLL; how++) {
		static char b[1000];
		int p[2];
		pid_t c;

		CHECK(!pipe(p));
		*got = 0;
		c = fork();
		if (!c) {
			close(p[1]);
			for (;;) {
				wait_for(p[0], (enum how)how);
				if (read(p[0], b, sizeof(b)) != sizeof(b))
					_exit(0);
				(*got)++;
			}
		}
		close(p[0]);
		for (int i = 1; i <= 4 * MANY; i++) {
			CHECK(write(p[1], b, sizeof(b)) == sizeof(b));
			if (i % 50 == 0)
				while (*got < i) /* makes no call */
					;
			if (i % 60 == 0)
				while (*got < i)
					usleep(10);
		}
		close(p[1]);
		ends_well(c);
		CHECK(*got == 4 * MANY);
	}
}

/* A writer that waits for room goes on when there is some, though the reader then makes no call. */
CASE(room_is_told)
{
	_Atomic int *done = shared();
	static char b[PIPE];
	int p[2];
	pid_t c;

	CHECK(!pipe(p));
	c = fork();
	if (!c) {
		for (int i = 0; i < 40 * MANY; i++) {
			CHECK(write(p[1], b, PAGE) == PAGE);
			(*done)++;
		}
		_exit(0);
	}
	for (int i = 0; i < 40 * MANY; i++) {
		CHECK(read(p[0], b, PAGE) == PAGE);
		if (i % 100 == 0)
			while (*done < i + 16 && *done < 40 * MANY)
				;
	}
	ends_well(c);
}

CASE(taking_turns_after_streaming)
{
	int p[2], q[2];
	char b[100] = "";
	pid_t c;

	CHECK(!pipe(p) && !pipe(q));
	c = fork();
	if (!c) {
		close(p[1]);
		while (read(p[0], b, sizeof(b)) > 0)
			if (b[0])
				CHECK(write(q[1], b, 1) == 1);
		_exit(0);
	}
	close(p[0]);
	for (int round = 0; round < 5; round++) {
		b[0] = 0;
		for (int i = 0; i < MANY; i++)
			CHECK(write(p[1], b, sizeof(b)) == sizeof(b));
		b[0] = 1;
		for (int i = 0; i < MANY; i++)
			CHECK(write(p[1], b, sizeof(b)) == sizeof(b) && read(q[0], b + 1, 1) == 1);
	}
	close(p[1]);
	ends_well(c);
}

static void on_signal(int s) { (void)s; }

CASE(signals_while_it_waits)
{
	const struct sigaction a = { .sa_handler = on_signal };
	static char b[PIPE];
	int p[2], st;
	pid_t c;

	CHECK(!pipe(p));
	c = fork();
	if (!c) {
		sigaction(SIGUSR1, &a, NULL);
		stream_here(p);
		_exit(read(p[0], b, 1) < 0 && errno == EINTR && write(p[1], b, PIPE) == PIPE && write(p[1], b, PIPE) < 0 && errno == EINTR ? 0 : 1);
	}
	until_asleep(c);
	CHECK(!kill(c, SIGUSR1));
	while (!ioctl(p[0], FIONREAD, &st) && st < PIPE)
		usleep(1000);
	until_asleep(c);
	CHECK(!kill(c, SIGUSR1));
	ends_well(c);
}

CASE(stopped_in_between)
{
	uint32_t next[8] = { 0 };
	int p[2], st;
	pid_t c;

	CHECK(!pipe(p));
	c = writes(p, 0, 6000);
	close(p[1]);
	for (int i = 0; i < 5; i++) {
		expect_records(p[0], next, 1000);
		CHECK(!kill(c, SIGSTOP) && waitpid(c, &st, WUNTRACED) == c);
		if (WIFEXITED(st))
			break;
		CHECK(WIFSTOPPED(st) && !kill(c, SIGCONT));
	}
	expect_records(p[0], next, 6000 - next[0]);
	CHECK(read(p[0], &st, 1) == 0);
}

CASE(the_reader_goes)
{
	uint32_t next[8] = { 0 };
	int p[2], st;
	pid_t c;

	CHECK(!pipe(p));
	c = writes(p, 0, 1000000);
	close(p[1]);
	expect_records(p[0], next, 5000);
	close(p[0]);
	CHECK(waitpid(c, &st, 0) == c && WIFSIGNALED(st) && WTERMSIG(st) == SIGPIPE);
}

CASE(the_writer_is_killed)
{
	uint32_t next[8] = { 0 };
	struct record r;
	int p[2];
	pid_t c;

	CHECK(!pipe(p));
	c = writes(p, 0, 1000000);
	close(p[1]);
	expect_records(p[0], next, 5000);
	CHECK(!kill(c, SIGKILL));
	while (read(p[0], &r, RECORD) == RECORD)
		check_record(&r, next);
	CHECK(read(p[0], &r, RECORD) == 0);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[0], "continues")) {
		write_records(atoi(argv[1]), 1, 2000);
		return 0;
	}
	return run_cases();
}
