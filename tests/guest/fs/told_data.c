/* A file that is read and looked at again and again, on a file system in memory, open for
 * writing too, while its bytes and attributes change in every way. */
#include "fs.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define OFTEN 100

static int fd;
static char text[4096];

/* Of 3000 bytes: 0 to 9, and again. */
static void begin(void)
{
	in_temp();
	fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0644);
	for (unsigned i = 0; i < 3000; i++)
		text[i] = (char)('0' + i % 10);
	CHECK(fd >= 0 && write(fd, text, 3000) == 3000);
}

/* The n bytes at pos, which are read often enough for somebody to remember them. */
static void see(int f, off_t pos, const char *want)
{
	char buf[64];
	ssize_t n = (ssize_t)strlen(want);

	for (int i = 0; i < OFTEN; i++) {
		memset(buf, 'x', sizeof(buf));
		CHECK(pread(f, buf, (size_t)n, pos) == n && !memcmp(buf, want, (size_t)n) && buf[n] == 'x');
	}
}

static struct stat look(int f)
{
	struct stat s = { 0 };

	for (int i = 0; i < OFTEN; i++)
		CHECK(fstat(f, &s) == 0);
	return s;
}

/* In a process that has its own descriptor. */
static void elsewhere(void (*change)(int f))
{
	int status, f;
	pid_t p = fork();

	if (!p) {
		CHECK((f = open("f", O_RDWR)) >= 0);
		change(f);
		_exit(0);
	}
	CHECK(p > 0 && waitpid(p, &status, 0) == p && status == 0);
	/* the child had a copy of fd: from here on it is this process's alone again */
}

static void write_some(int f) { CHECK(pwrite(f, "abc", 3, 10) == 3); }
static void shorten(int f) { CHECK(ftruncate(f, 12) == 0); }
static void lengthen(int f) { CHECK(ftruncate(f, 5000) == 0); }
static void punch(int f) { CHECK(fallocate(f, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 10, 20) == 0); }
static void change_times(int f) { CHECK(futimens(f, (struct timespec[2]){ { 5, 0 }, { 7, 0 } }) == 0); }

CASE(sizes)
{
	char *volatile bad = (char *)8;
	volatile size_t all = (size_t)-1;

	begin();
	see(fd, 0, "0");
	see(fd, 1, "1");
	see(fd, 7, "7890123456789012345678901234567890123456789");
	see(fd, 1020, "012345678901"); /* across what is remembered */
	see(fd, 2995, "56789");
	for (int i = 0; i < OFTEN; i++)
		CHECK(pread(fd, text, 10, 2995) == 5 && pread(fd, text, 10, 3000) == 0 && pread(fd, text, 1, 1L << 40) == 0);
	for (int i = 0; i < OFTEN; i++) {
		CHECK(pread(fd, text, 0, 1) == 0 && pread(fd, text, 1, 5) == 1);
		CHECK_ERR(pread(fd, text, 1, -1), EINVAL);
		CHECK_ERR(pread(fd, bad, 1, 5), EFAULT);
		CHECK_ERR(pread(fd, text, all, 5), EFAULT);
	}
	CHECK(lseek(fd, 0, SEEK_CUR) == 3000);
}

CASE(changes_of_one_s_own)
{
	begin();
	for (int i = 0; i < 5; i++) {
		see(fd, 10, "012345");
		CHECK(pwrite(fd, "abc", 3, 10) == 3);
		see(fd, 10, "abc345");
		CHECK(lseek(fd, 12, SEEK_SET) == 12 && write(fd, "XY", 2) == 2);
		see(fd, 10, "abXY45");
		CHECK(ftruncate(fd, 12) == 0 && pread(fd, text, 4, 10) == 2 && pread(fd, text, 1, 12) == 0 && look(fd).st_size == 12);
		CHECK(ftruncate(fd, 20) == 0 && pread(fd, text, 4, 10) == 4 && !memcmp(text, "ab\0", 4) && look(fd).st_size == 20);
		CHECK(pwrite(fd, "0123456789", 10, 10) == 10);
	}
}

CASE(changes_of_others)
{
	begin();
	for (int i = 0; i < 3; i++) {
		see(fd, 10, "012345");
		elsewhere(write_some);
		see(fd, 10, "abc345");
		elsewhere(punch);
		CHECK(pread(fd, text, 4, 10) == 4 && !memcmp(text, "\0\0\0", 4));
		CHECK(look(fd).st_size == 3000);
		elsewhere(shorten);
		CHECK(pread(fd, text, 4, 10) == 2 && look(fd).st_size == 12);
		elsewhere(lengthen);
		CHECK(pread(fd, text, 1, 4999) == 1 && look(fd).st_size == 5000);
		elsewhere(change_times);
		CHECK(look(fd).st_mtim.tv_sec == 7 && look(fd).st_atim.tv_sec == 5);
		CHECK(pwrite(fd, "0123456789", 10, 10) == 10 && ftruncate(fd, 3000) == 0);
	}
}

/* Another process changes it while this one asks and asks, and never makes another call. */
CASE(watched)
{
	int status;
	pid_t p;
	char c = 0;
	struct stat s = { 0 };

	begin();
	p = fork();
	if (!p) {
		close(fd);
		CHECK((fd = open("f", O_RDWR)) >= 0);
		usleep(100000);
		CHECK(pwrite(fd, "!", 1, 100) == 1);
		usleep(100000);
		CHECK(ftruncate(fd, 77) == 0);
		_exit(0);
	}
	CHECK(p > 0 && close(fd) == 0);
	fd = open("f", O_RDWR);
	while (c != '!') /* the case's time limit bounds it */
		CHECK(pread(fd, &c, 1, 100) == 1);
	while (s.st_size != 77)
		CHECK(fstat(fd, &s) == 0);
	CHECK(pread(fd, &c, 1, 77) == 0);
	CHECK(waitpid(p, &status, 0) == p && status == 0);
}

/* Memory changes without a call. */
CASE(mapped)
{
	char *m;

	begin();
	see(fd, 10, "0123");
	m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(m != MAP_FAILED);
	see(fd, 10, "0123");
	memcpy(m + 10, "abcd", 4);
	see(fd, 10, "abcd");
	memcpy(m + 10, "efgh", 4);
	see(fd, 10, "efgh");
}

CASE(blocks_of_holes)
{
	int f;

	in_temp();
	f = open("h", O_RDWR | O_CREAT, 0644);
	CHECK(f >= 0 && ftruncate(f, 1 << 20) == 0 && look(f).st_blocks == 0);
	see(f, 5000, "");
	CHECK(pwrite(f, "x", 1, 5000) == 1 && look(f).st_blocks >= 8);
	CHECK(fallocate(f, FALLOC_FL_KEEP_SIZE, 0, 1 << 20) == 0 && look(f).st_blocks >= 2048);
	CHECK(fallocate(f, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 1 << 20) == 0 && look(f).st_blocks == 0);
}

CASE(attributes)
{
	begin();
	CHECK((look(fd).st_mode & 07777) == 0644 && fchmod(fd, 0600) == 0 && (look(fd).st_mode & 07777) == 0600);
	CHECK(link("f", "g") == 0 && look(fd).st_nlink == 2 && unlink("f") == 0 && look(fd).st_nlink == 1);
	CHECK(chmod("g", 0640) == 0 && (look(fd).st_mode & 07777) == 0640);
	CHECK(rename("g", "f") == 0 && look(fd).st_nlink == 1 && unlink("f") == 0 && look(fd).st_nlink == 0);
	see(fd, 10, "0123");
}

/* Only who may read it learns what is in it; and who may not, not even that it has ended. */
CASE(rights)
{
	int w, r;

	begin();
	CHECK((w = open("f", O_WRONLY | O_APPEND)) >= 0 && (r = open("f", O_RDONLY)) >= 0);
	see(fd, 10, "0123");
	CHECK(look(w).st_size == 3000 && lseek(w, 0, SEEK_END) == 3000 && look(w).st_size == 3000);
	for (int i = 0; i < OFTEN; i++) {
		CHECK_ERR(read(w, text, 1), EBADF);
		CHECK_ERR(pread(w, text, 1, 10), EBADF);
	}
	see(r, 10, "0123");
	CHECK(write(w, "end", 3) == 3);
	see(r, 3000, "end");
	CHECK_ERR(write(r, "x", 1), EBADF);
}

static bool accessed(int in)
{
	char events[sizeof(struct inotify_event) + 256];

	return read(in, events, sizeof(events)) > 0;
}

/* Another process begins to watch, while this one makes no call but such as it makes all the time. */
static void wait_for_reads(const char *what)
{
	int in = inotify_init1(IN_NONBLOCK), go[2], ready[2], done[2], status;
	pid_t p;
	char c;

	CHECK(in >= 0 && pipe(go) == 0 && pipe(ready) == 0 && pipe(done) == 0);
	p = fork();
	if (!p) {
		CHECK(read(go[0], &c, 1) == 1 && inotify_add_watch(in, what, IN_ACCESS) >= 0 && !accessed(in));
		CHECK(write(ready[1], "x", 1) == 1 && read(done[0], &c, 1) == 1 && accessed(in));
		_exit(0);
	}
	CHECK(p > 0 && close(fd) == 0 && (fd = open("f", O_RDWR)) >= 0); /* one that is not the child's */
	see(fd, 10, "0");
	CHECK(write(go[1], "x", 1) == 1 && read(ready[0], &c, 1) == 1);
	CHECK(pread(fd, &c, 1, 10) == 1);
	CHECK(write(done[1], "x", 1) == 1 && waitpid(p, &status, 0) == p && status == 0);
}

CASE(reads_are_told)
{
	begin();
	wait_for_reads("f");
	begin();
	wait_for_reads(".");
}

CASE(time_of_access)
{
	struct timespec old[2] = { { 1000, 0 }, { 2000, 0 } };

	begin();
	CHECK(futimens(fd, old) == 0 && look(fd).st_atim.tv_sec == 1000);
	see(fd, 10, "0123");
	CHECK(look(fd).st_atim.tv_sec > 2000); /* relatime: it was older than the time of change */
}

CASE(number_reused)
{
	int other;

	begin();
	make_file("g", "something else, long enough to be read");
	see(fd, 10, "0123");
	CHECK((other = open("g", O_RDONLY)) >= 0 && dup2(other, fd) == fd);
	see(fd, 10, "else");
	CHECK(close(fd) == 0);
	CHECK_ERR(pread(fd, text, 1, 10), EBADF);
}

int main(void) { return run_cases(); }
