/* Files that are read from one end to the other, in pieces, or whole just after they were opened,
 * so often that somebody may bring ahead what comes next: it must be what is there when it is read. */
#include "fs.h"

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define LONG 300000
#define OFTEN 20

static unsigned char all[LONG], got[LONG];

static uint32_t odd(void)
{
	static uint64_t s = 88172645463325252;

	s ^= s << 13;
	s ^= s >> 7;
	s ^= s << 17;
	return (uint32_t)(s >> 16);
}

static int make(const char *name, size_t n)
{
	int f = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);

	CHECK(f >= 0 && write(f, all, n) == (ssize_t)n);
	return f;
}

static void begin(void)
{
	in_temp();
	for (size_t i = 0; i < LONG; i++)
		all[i] = (unsigned char)odd();
}

static int open_long(void)
{
	int f;

	close(make("long", LONG));
	CHECK((f = open("long", O_RDONLY)) >= 0);
	return f;
}

/* The next n bytes of a file that has those of `all`. */
static void next(int f, size_t n)
{
	off_t at = lseek(f, 0, SEEK_CUR);
	size_t left = at < LONG ? LONG - (size_t)at : 0, want = n < left ? n : left;

	memset(got, 0, n + 1 < LONG ? n + 1 : LONG);
	CHECK(read(f, got, n) == (ssize_t)want && !memcmp(got, all + at, want));
	CHECK(lseek(f, 0, SEEK_CUR) == at + (off_t)want);
}

CASE(pieces)
{
	begin();
	for (int round = 0; round < OFTEN; round++) {
		int f = open_long();
		size_t most = 1u << odd() % 18;

		for (int i = 0; i < 300; i++) {
			next(f, odd() % 8 ? most : odd() % 20000 + 1);
			if (odd() % 100 == 0)
				CHECK(lseek(f, odd() % LONG, SEEK_SET) >= 0);
			if (odd() % 100 == 0) {
				off_t at = odd() % (LONG - 100);

				CHECK(pread(f, got, 100, at) == 100 && !memcmp(got, all + at, 100));
			}
		}
		CHECK(lseek(f, LONG - 10, SEEK_SET) == LONG - 10);
		next(f, 100);
		next(f, 100);
		close(f);
	}
}

/* Opens and reads small files until that is a habit. */
static void habit(void)
{
	char name[20];

	for (int i = 0; i < OFTEN; i++) {
		size_t n = odd() % 70000;
		int f;

		snprintf(name, sizeof(name), "s%d", i);
		close(make(name, n));
		CHECK((f = open(name, O_RDONLY)) >= 0);
		CHECK(read(f, got, sizeof(got)) == (ssize_t)n && !memcmp(got, all, n) && read(f, got, 1) == 0);
		close(f);
	}
}

CASE(small_files)
{
	begin();
	habit();
	for (int i = 0; i < OFTEN; i++) {
		char name[20];
		struct stat s;
		int f;

		snprintf(name, sizeof(name), "s%d", i);
		CHECK((f = open(name, O_RDONLY)) >= 0 && fstat(f, &s) == 0);
		for (off_t at = 0; at < s.st_size; at += 1000) {
			size_t n = s.st_size - at < 1000 ? (size_t)(s.st_size - at) : 1000;

			CHECK(read(f, got, 1000) == (ssize_t)n && !memcmp(got, all + at, n) && lseek(f, 0, SEEK_CUR) == at + (off_t)n);
		}
		CHECK(read(f, got, 1000) == 0 && read(f, got, 0) == 0);
		close(f);
	}
}

/* A child that has its memory of the parent's, but descriptors of its own. */
static void elsewhere(void (*change)(void))
{
	int status;
	pid_t p = fork();

	if (!p) {
		change();
		_exit(0);
	}
	CHECK(p > 0 && waitpid(p, &status, 0) == p && status == 0);
}

static void overwrite(void)
{
	int f = open("f", O_WRONLY);

	CHECK(f >= 0 && pwrite(f, "abc", 3, 5000) == 3);
	close(f);
}
static void shorten(void) { CHECK(truncate("f", 4000) == 0); }
static void lengthen(void) { CHECK(truncate("f", 20000) == 0); }

CASE(changes_after_open)
{
	int f;

	begin();
	habit();
	close(make("f", 10000));
	CHECK((f = open("f", O_RDONLY)) >= 0);
	overwrite();
	CHECK(read(f, got, 20000) == 10000 && !memcmp(got, all, 5000) && !memcmp(got + 5000, "abc", 3) && !memcmp(got + 5003, all + 5003, 4997));
	CHECK(lseek(f, 0, SEEK_SET) == 0);
	for (int i = 0; i < 6; i++)
		CHECK(read(f, got, 500) == 500 && !memcmp(got, all + 500 * i, 500));
	elsewhere(shorten);
	CHECK(read(f, got, 20000) == 1000 && read(f, got, 10) == 0);
	elsewhere(lengthen);
	CHECK(read(f, got, 20000) == 16000 && got[0] == 0 && got[15999] == 0);
}

/* Another process changes the file while this one makes no call at all. */
CASE(changes_in_between)
{
	volatile int *state = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int f, status;
	pid_t p;

	begin();
	habit();
	close(make("f", 10000));
	p = fork();
	if (!p) {
		while (*state != 1)
			sched_yield();
		overwrite();
		*state = 2;
		_exit(0);
	}
	CHECK(p > 0 && (f = open("f", O_RDONLY)) >= 0);
	for (int i = 0; i < 4; i++)
		CHECK(read(f, got, 500) == 500 && !memcmp(got, all + 500 * i, 500));
	*state = 1;
	while (*state != 2)
		;
	CHECK(read(f, got, 10000) == 8000 && !memcmp(got + 3000, "abc", 3));
	CHECK(waitpid(p, &status, 0) == p && status == 0);
}

static int shared_file;

static void read_on(void)
{
	CHECK(read(shared_file, got, 1000) == 1000 && !memcmp(got, all + 4 * 1000, 1000));
}

CASE(position_shared)
{
	int f, d;

	begin();
	habit();
	f = shared_file = open_long();
	for (int i = 0; i < 4; i++)
		next(f, 1000);
	elsewhere(read_on);
	CHECK(lseek(f, 0, SEEK_CUR) == 5000);
	next(f, 1000);
	CHECK((d = dup(f)) >= 0);
	next(d, 1000);
	next(f, 1000);
	CHECK(lseek(d, 0, SEEK_CUR) == 8000);
}

static long shown_position(pid_t p, int f)
{
	char path[64];
	long pos = -1;
	FILE *s;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", p, f);
	s = fopen(path, "r");
	CHECK(s && fscanf(s, "pos: %ld", &pos) == 1);
	fclose(s);
	return pos;
}

/* Others look at the position while this process makes no other call than read. */
CASE(position_looked_at)
{
	volatile int *state = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status, f;
	pid_t p, parent = getpid();

	begin();
	habit();
	f = open_long(); /* here, so that the number is the child's too */
	p = fork();
	if (!p) {
		int pidfd = (int)syscall(SYS_pidfd_open, parent, 0), g;

		while (*state != 1)
			;
		CHECK(shown_position(parent, f) == 9000);
		*state = 2;
		while (*state != 3)
			;
		CHECK(pidfd >= 0 && (g = (int)syscall(SYS_pidfd_getfd, pidfd, f, 0)) >= 0);
		CHECK(lseek(g, 0, SEEK_CUR) == 14000 && read(g, got, 2000) == 2000 && !memcmp(got, all + 14000, 2000));
		*state = 4;
		_exit(0);
	}
	CHECK(p > 0 && close(f) == 0 && open("long", O_RDONLY) == f);
	for (int i = 0; i < 9; i++)
		CHECK(read(f, got, 1000) == 1000 && !memcmp(got, all + 1000 * i, 1000));
	*state = 1;
	while (*state != 2)
		;
	for (int i = 9; i < 14; i++)
		CHECK(read(f, got, 1000) == 1000 && !memcmp(got, all + 1000 * i, 1000));
	*state = 3;
	while (*state != 4)
		;
	CHECK(read(f, got, 1000) == 1000 && !memcmp(got, all + 16000, 1000));
	CHECK(waitpid(p, &status, 0) == p && status == 0);
}

/* Where memory ends, or was never touched. */
CASE(memory)
{
	unsigned char *volatile bad = (unsigned char *)8;
	unsigned char *m = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int f;

	begin();
	habit();
	f = open_long();
	for (int i = 0; i < 10; i++)
		next(f, 1000);
	for (size_t i = 0; i < 10; i++)
		CHECK(read(f, m + i * 10000, 5000) == 5000 && !memcmp(m + i * 10000, all + 10000 + i * 5000, 5000));
	CHECK(mprotect(m, 4096, PROT_NONE) == 0);
	CHECK_ERR(read(f, m, 100), EFAULT);
	CHECK(lseek(f, 0, SEEK_CUR) == 60000);
	next(f, 1000);
	next(f, 1000);
	CHECK_ERR(read(f, m, 100), EFAULT);
	next(f, 1000);
	CHECK(mprotect(m, 4096, PROT_READ) == 0);
	CHECK_ERR(read(f, m, 100), EFAULT);
	CHECK_ERR(read(f, bad, 100), EFAULT);
	next(f, 1000);
}

CASE(counted)
{
	unsigned long before, after;
	FILE *s;
	int f;

	begin();
	habit();
	f = open_long();
	for (int i = 0; i < 5; i++)
		next(f, 1000);
	CHECK((s = fopen("/proc/self/io", "r")) && fscanf(s, "rchar: %lu", &before) == 1);
	fclose(s);
	for (int i = 0; i < 20; i++)
		next(f, 1000);
	CHECK((s = fopen("/proc/self/io", "r")) && fscanf(s, "rchar: %lu", &after) == 1);
	fclose(s);
	CHECK(after - before >= 20000 && after - before < 30000);
}

CASE(watched)
{
	char events[sizeof(struct inotify_event) + 256];
	int f, in = inotify_init1(IN_NONBLOCK);

	begin();
	habit();
	f = open_long();
	for (int i = 0; i < 5; i++)
		next(f, 1000);
	CHECK(in >= 0 && inotify_add_watch(in, "long", IN_ACCESS) >= 0);
	for (int i = 0; i < 5; i++) {
		next(f, 1000);
		CHECK(read(in, events, sizeof(events)) > 0);
	}
}

CASE(time_of_access)
{
	struct timespec old[2] = { { 1000, 0 }, { 2000, 0 } };
	struct stat s;
	int f;

	begin();
	habit();
	close(make("f", 10000));
	CHECK(utimensat(AT_FDCWD, "f", old, 0) == 0 && (f = open("f", O_RDONLY)) >= 0);
	CHECK(fstat(f, &s) == 0 && s.st_atim.tv_sec == 1000);
	next(f, 1000);
	CHECK(fstat(f, &s) == 0 && s.st_atim.tv_sec > 2000); /* relatime: it was older than the time of change */
	close(f);
	CHECK(utimensat(AT_FDCWD, "f", old, 0) == 0 && (f = open("f", O_RDONLY)) >= 0);
	close(f);
	CHECK(stat("f", &s) == 0 && s.st_atim.tv_sec == 1000);
}

/* The system's own files, which are elsewhere. */
CASE(of_the_system)
{
	int f = open("/bin/sh", O_RDONLY), g = open("/bin/sh", O_RDONLY);
	static unsigned char b[7000], c[7000];
	off_t at = 0;
	ssize_t n;

	CHECK(f >= 0 && g >= 0);
	while ((n = read(f, b, sizeof(b))) > 0) {
		CHECK(pread(g, c, (size_t)n, at) == n && !memcmp(b, c, (size_t)n));
		at += n;
	}
	CHECK(n == 0 && at > 50000);
}

int main(void) { return run_cases(); }
