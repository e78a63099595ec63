/*
 * pipe_stream.h - what the tests of streams through pipes share: a sandbox may let programs use
 * a pipe by themselves when they read or write it again and again.  Whatever comes in between
 * must be as ever.
 */
#ifndef TESTS_GUEST_IPC_PIPE_STREAM_H
#define TESTS_GUEST_IPC_PIPE_STREAM_H

#include "../test.h"

#include <stdint.h>
#include <sys/mman.h>

#define PIPE 65536
#define PAGE 4096
#define MANY 200 /* calls in a row, after which it is a stream */
#define WRITERS 8 /* at the most */
#define RECORD 64 /* bytes: */
#define REST (RECORD / 4 - 2)

/* One process writes and reads, so often that it streams. */
static inline void stream_here(const int p[2])
{
	char b[100];

	for (int i = 0; i < MANY; i++) {
		memset(b, i, sizeof(b));
		CHECK(write(p[1], b, sizeof(b)) == sizeof(b) && read(p[0], b, sizeof(b)) == sizeof(b));
		CHECK(b[0] == (char)i && b[99] == (char)i);
	}
}

static inline void *shared(void)
{
	void *m = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(m != MAP_FAILED);
	return m;
}

static inline void ends_well(pid_t c)
{
	int st;

	CHECK(waitpid(c, &st, 0) == c && WIFEXITED(st) && WEXITSTATUS(st) == 0);
}

/* One of a writer's: who that is, and how many came before. */
struct record {
	uint32_t who, nr;
	uint32_t rest[REST];
};

static inline void write_records(int fd, uint32_t who, uint32_t n)
{
	struct record r;

	for (uint32_t i = 0; i < n; i++) {
		r = (struct record){ .who = who, .nr = i };
		for (unsigned k = 0; k < REST; k++)
			r.rest[k] = who * 1000003 + i;
		CHECK(write(fd, &r, RECORD) == RECORD);
	}
}

static inline void check_record(const struct record *r, uint32_t next[])
{
	for (unsigned k = 0; k < REST; k++)
		CHECK(r->rest[k] == r->who * 1000003 + r->nr);
	CHECK(r->who < WRITERS && r->nr == next[r->who]++);
}

static inline pid_t writes(const int p[2], uint32_t who, uint32_t n)
{
	pid_t c = fork();

	if (!c) {
		close(p[0]);
		write_records(p[1], who, n);
		_exit(0);
	}
	return c;
}

static inline void expect_records(int fd, uint32_t next[], uint32_t n)
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

#endif
