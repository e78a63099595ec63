/* Pipes that others come to while it streams through them: forks, new programs, threads that
 * replace or close the descriptor. */
#include "pipe_stream.h"

#include <pthread.h>
#include <stdatomic.h>

CASE(more_writers_join)
{
	uint32_t next[WRITERS] = { 0 };
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
	uint32_t next[WRITERS] = { 0 };
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
	uint32_t next[WRITERS] = { 0 }, n = 0;
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
	uint32_t next[WRITERS] = { 0 };
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

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[0], "continues")) {
		write_records(atoi(argv[1]), 1, 2000);
		return 0;
	}
	return run_cases();
}
