/* Reading, writing, seeking, sizes, holes, copying. */
#include "fs.h"

#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/wait.h>

CASE(positions)
{
	char buf[16];
	int fd, d;

	in_temp();
	fd = open("f", O_CREAT | O_RDWR, 0644);
	CHECK(write(fd, "0123456789", 10) == 10);
	CHECK(lseek(fd, 0, SEEK_CUR) == 10 && lseek(fd, -3, SEEK_END) == 7 && read(fd, buf, 16) == 3 && !memcmp(buf, "789", 3));
	CHECK(pread(fd, buf, 2, 4) == 2 && buf[0] == '4' && lseek(fd, 0, SEEK_CUR) == 10);
	CHECK(pwrite(fd, "xx", 2, 1) == 2 && pread(fd, buf, 4, 0) == 4 && !memcmp(buf, "0xx3", 4));
	CHECK_ERR(lseek(fd, -1, SEEK_SET), EINVAL);
	CHECK_ERR(lseek(fd, 0, 77), EINVAL);
	CHECK_ERR(pread(fd, buf, 1, -1), EINVAL);
	d = dup(fd);
	CHECK(lseek(fd, 5, SEEK_SET) == 5 && read(d, buf, 1) == 1 && buf[0] == '5');
	CHECK(read(fd, buf, 0) == 0);
	CHECK(lseek(fd, 100, SEEK_SET) == 100 && read(fd, buf, 1) == 0);
}

CASE(append)
{
	struct stat st;
	int a, b;

	in_temp();
	a = open("f", O_CREAT | O_WRONLY | O_APPEND, 0644);
	b = open("f", O_WRONLY | O_APPEND);
	CHECK(write(a, "a", 1) == 1 && write(b, "b", 1) == 1 && write(a, "a", 1) == 1);
	CHECK(lseek(a, 0, SEEK_CUR) == 3 && file_is("f", "aba"));
	CHECK(fcntl(a, F_SETFL, 0) == 0 && lseek(a, 0, SEEK_SET) == 0 && write(a, "X", 1) == 1 && file_is("f", "Xba"));
	CHECK(fstat(a, &st) == 0 && st.st_size == 3);
}

CASE(vectors)
{
	char x[3], y[5];
	struct iovec out[3] = { { "ab", 2 }, { "", 0 }, { "cdef", 4 } }, in[2] = { { x, 3 }, { y, 5 } };
	volatile int minus = -1;
	int fd;

	in_temp();
	fd = open("f", O_CREAT | O_RDWR, 0644);
	CHECK(writev(fd, out, 3) == 6);
	CHECK(preadv(fd, in, 2, 0) == 6 && !memcmp(x, "abc", 3) && !memcmp(y, "def", 3));
	CHECK_ERR(writev(fd, out, minus), EINVAL);
	CHECK(writev(fd, out, 0) == 0);
	CHECK(pwritev(fd, out, 3, 100) == 6);
	CHECK(lseek(fd, 0, SEEK_END) == 106);
}

CASE(bad_memory)
{
	char *volatile bad = (char *)8;
	int fd;

	in_temp();
	fd = open("f", O_CREAT | O_RDWR, 0644);
	CHECK_ERR(write(fd, bad, 10), EFAULT);
	CHECK(write(fd, "hello", 5) == 5);
	CHECK_ERR(pread(fd, bad, 5, 0), EFAULT);
	CHECK_ERR(open(bad, O_RDONLY), EFAULT);
}

CASE(truncate_)
{
	char buf[8192];
	struct stat st;
	int fd;

	in_temp();
	fd = open("f", O_CREAT | O_RDWR, 0644);
	memset(buf, 'x', sizeof(buf));
	CHECK(write(fd, buf, sizeof(buf)) == sizeof(buf));
	CHECK(ftruncate(fd, 100) == 0 && ftruncate(fd, 5000) == 0 && fstat(fd, &st) == 0 && st.st_size == 5000);
	CHECK(pread(fd, buf, sizeof(buf), 0) == 5000 && buf[99] == 'x' && buf[100] == 0 && buf[4999] == 0);
	CHECK(truncate("f", 3) == 0 && stat("f", &st) == 0 && st.st_size == 3);
	CHECK_ERR(truncate(".", 0), EISDIR);
	CHECK_ERR(truncate("none", 0), ENOENT);
	CHECK_ERR(truncate("f", -1), EINVAL);
}

CASE(holes)
{
	char buf[4096];
	struct stat st;
	int fd;

	in_temp();
	fd = open("f", O_CREAT | O_RDWR, 0644);
	CHECK(pwrite(fd, "end", 3, 1 << 20) == 3);
	CHECK(fstat(fd, &st) == 0 && st.st_size == (1 << 20) + 3 && st.st_blocks * 512 < 1 << 20);
	CHECK(pread(fd, buf, 4096, 4096) == 4096 && buf[0] == 0 && buf[4095] == 0);
	off_t data = lseek(fd, 0, SEEK_DATA);
	CHECK(data == 1 << 20 || data == 0);
	CHECK(lseek(fd, 1 << 20, SEEK_HOLE) == (1 << 20) + 3);
	CHECK_ERR(lseek(fd, 2 << 20, SEEK_DATA), ENXIO);
	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1 << 20, 4096) == 0)
		CHECK(pread(fd, buf, 3, 1 << 20) == 3 && !buf[0]);
	CHECK(posix_fallocate(fd, 0, 3 << 20) == 0 && fstat(fd, &st) == 0 && st.st_size == 3 << 20);
}

CASE(large)
{
	size_t n = 5 << 20;
	char *a = malloc(n), *b = malloc(n);
	int fd;

	in_temp();
	for (size_t i = 0; i < n; i++)
		a[i] = (char)(i * 7 + i / 4096);
	fd = open("f", O_CREAT | O_RDWR, 0644);
	CHECK(write(fd, a, n) == (ssize_t)n);
	CHECK(pread(fd, b, n, 0) == (ssize_t)n && !memcmp(a, b, n));
	CHECK(pread(fd, b, 100000, 12345) == 100000 && !memcmp(a + 12345, b, 100000));
}

CASE(copies)
{
	off_t off = 2, in = 0;
	int a, b;

	in_temp();
	make_file("a", "0123456789");
	a = open("a", O_RDONLY);
	b = open("b", O_CREAT | O_RDWR, 0644);
	CHECK_ERR(sendfile(-1, -1, (off_t *)8, 4), EFAULT);
	CHECK(sendfile(b, a, &off, 4) == 4 && off == 6 && lseek(a, 0, SEEK_CUR) == 0);
	CHECK(file_is("b", "2345"));
	CHECK(copy_file_range(a, &in, b, NULL, 100, 0) == 10 && in == 10 && file_is("b", "23450123456789"));
	CHECK(copy_file_range(a, &in, b, NULL, 100, 0) == 0);
	CHECK_ERR(copy_file_range(b, NULL, a, NULL, 1, 0), EBADF);
	CHECK_ERR(copy_file_range(a, NULL, b, NULL, 1, 1), EINVAL);
}

CASE(copies_within_a_file)
{
	off_t to = 10;
	int both, b, pipes[2];

	in_temp();
	make_file("a", "0123456789");
	both = open("a", O_RDWR);
	b = open("b", O_CREAT | O_RDWR, 0644);
	/* at the end there is nothing that could overlap, though more is asked for */
	CHECK(lseek(both, 10, SEEK_SET) == 10 && copy_file_range(both, NULL, both, &to, 100, 0) == 0);
	CHECK(lseek(both, 0, SEEK_SET) == 0 && copy_file_range(both, NULL, both, &to, 100, 0) == 10);
	CHECK(lseek(both, 0, SEEK_SET) == 0);
	CHECK_ERR(copy_file_range(both, NULL, both, NULL, 5, 0), EINVAL);
	CHECK(pipe(pipes) == 0);
	CHECK_ERR(copy_file_range(pipes[0], NULL, b, NULL, 1, 0), EINVAL);
	CHECK_ERR(sendfile(b, open(".", O_RDONLY), NULL, 1), EINVAL);
}

/* Linux leaves that to the program; where it is done it is done right, and never from /proc. */
CASE(copies_between_file_systems)
{
	static char big[300000], back[sizeof(big)];
	int a, m, proc, done, err;
	off_t in = 5;

	in_temp();
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * i >> 3);
	a = open("a", O_CREAT | O_RDWR, 0644);
	CHECK(write(a, big, sizeof(big)) == sizeof(big));
	m = memfd_create("m", 0);
	done = (int)copy_file_range(a, &in, m, NULL, 1 << 20, 0);
	err = errno;
	if (done < 0) {
		CHECK(err == EXDEV && in == 5);
	} else {
		CHECK(done == sizeof(big) - 5 && in == sizeof(big) && lseek(m, 0, SEEK_CUR) == done);
		CHECK(copy_file_range(a, &in, m, NULL, 1 << 20, 0) == 0);
		CHECK(pread(m, back, sizeof(back), 0) == done && !memcmp(back, big + 5, (size_t)done));
		CHECK(ftruncate(a, 0) == 0 && lseek(a, 0, SEEK_SET) == 0 && lseek(m, 0, SEEK_SET) == 0);
		CHECK(copy_file_range(m, NULL, a, NULL, 1000, 0) == 1000 && pread(a, back, sizeof(back), 0) == 1000 && !memcmp(back, big + 5, 1000));
	}
	proc = open("/proc/self/stat", O_RDONLY);
	CHECK_ERR(copy_file_range(proc, NULL, a, NULL, 100, 0), EXDEV);
}

CASE(copies_up_to_the_size_limit)
{
	struct rlimit limit = { .rlim_cur = 5, .rlim_max = RLIM_INFINITY };
	off_t in = 0;
	int a, b, pipes[2];

	in_temp();
	make_file("a", "0123456789");
	a = open("a", O_RDONLY);
	b = open("b", O_CREAT | O_RDWR, 0644);
	signal(SIGXFSZ, SIG_IGN);
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHECK(copy_file_range(a, &in, b, NULL, 10, 0) == 5 && in == 5 && file_is("b", "01234"));
	CHECK_ERR(copy_file_range(a, &in, b, NULL, 10, 0), EFBIG);
	CHECK_ERR(copy_file_range(a, &in, b, NULL, 0, 0), EFBIG);
	in = 0;
	CHECK(lseek(b, 2, SEEK_SET) == 2 && sendfile(b, a, &in, 10) == 3 && in == 3 && file_is("b", "01012"));
	CHECK_ERR(sendfile(b, a, &in, 10), EFBIG);
	CHECK(in == 3 && file_is("b", "01012"));
	CHECK(pipe(pipes) == 0 && write(pipes[1], "abc", 3) == 3);
	CHECK_ERR(splice(pipes[0], NULL, b, NULL, 3, 0), EFBIG);
	in = 3;
	CHECK(splice(pipes[0], NULL, b, &in, 3, 0) == 2 && file_is("b", "010ab"));
	signal(SIGXFSZ, SIG_DFL);
	if (fork() == 0) {
		copy_file_range(a, &in, b, NULL, 10, 0);
		_exit(0);
	}
	CHECK(wait(&b) > 0 && WIFSIGNALED(b) && WTERMSIG(b) == SIGXFSZ);
}

/* The end of a file that was closed, and so is known, moves when others write. */
CASE(ends)
{
	char buf[8192], *map;
	int r, w;

	in_temp();
	make_file("f", "12345");
	r = open("f", O_RDONLY);
	CHECK(read(r, buf, sizeof(buf)) == 5 && read(r, buf, sizeof(buf)) == 0);
	w = open("f", O_WRONLY | O_APPEND);
	CHECK(write(w, "678", 3) == 3 && read(r, buf, sizeof(buf)) == 3 && !memcmp(buf, "678", 3));
	CHECK(close(w) == 0 && read(r, buf, 1) == 0);
	CHECK(truncate("f", 10) == 0 && read(r, buf, sizeof(buf)) == 2 && !buf[0] && !buf[1]);
	CHECK(truncate("f", 4) == 0 && read(r, buf, 1) == 0 && pread(r, buf, sizeof(buf), 0) == 4 && pread(r, buf, 1, 4) == 0);
	CHECK(truncate("f", 5000) == 0 && pread(r, buf, sizeof(buf), 4) == 4996 && pread(r, buf, sizeof(buf), 4990) == 10);
	w = open("f", O_RDWR);
	map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, w, 0);
	CHECK(map != MAP_FAILED && close(w) == 0);
	map[4995] = 'm';
	CHECK(pread(r, buf, sizeof(buf), 4990) == 10 && buf[5] == 'm' && pread(r, buf, 1, 5000) == 0);
	CHECK(truncate("f", 0) == 0 && pread(r, buf, 1, 0) == 0);
}

/* Pages of a file, some there and some not, from its first to its thousandth. */
CASE(pages_here_and_there)
{
	static const int at[] = { 0, 6, 7, 8, 9, 511, 512, 1000 };
	struct statfs fs;
	char c = 0;
	int fd;

	in_temp();
	fd = open("f", O_RDWR | O_CREAT, 0644);
	CHECK(fstatfs(fd, &fs) == 0);
	for (unsigned i = 8; i--;)
		CHECK(pwrite(fd, &"abcdefgh"[i], 1, at[i] * 4096 + (int)i) == 1);
	for (unsigned i = 0; i < 8; i++)
		CHECK(pread(fd, &c, 1, at[i] * 4096 + (int)i) == 1 && c == "abcdefgh"[i]);
	CHECK(pread(fd, &c, 1, 5 * 4096) == 1 && !c && pread(fd, &c, 1, 510 * 4096) == 1 && !c);
	if (fs.f_type == TMPFS_MAGIC) { /* others may know less exactly */
		CHECK(lseek(fd, 4096, SEEK_DATA) == 6 * 4096 && lseek(fd, 6 * 4096, SEEK_HOLE) == 10 * 4096);
		CHECK(lseek(fd, 10 * 4096, SEEK_DATA) == 511 * 4096 && lseek(fd, 511 * 4096, SEEK_HOLE) == 513 * 4096);
		CHECK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 7 * 4096, 2 * 4096) == 0);
		CHECK(lseek(fd, 6 * 4096, SEEK_HOLE) == 7 * 4096 && lseek(fd, 7 * 4096, SEEK_DATA) == 9 * 4096);
		CHECK(pread(fd, &c, 1, 9 * 4096 + 4) == 1 && c == 'e' && pread(fd, &c, 1, 8 * 4096 + 3) == 1 && !c);
	}
	CHECK(ftruncate(fd, 7 * 4096) == 0 && ftruncate(fd, 1001 * 4096) == 0);
	CHECK(pread(fd, &c, 1, 6 * 4096 + 1) == 1 && c == 'b' && pread(fd, &c, 1, 9 * 4096 + 4) == 1 && !c);
	CHECK(ftruncate(fd, 0) == 0 && ftruncate(fd, 4096) == 0 && pread(fd, &c, 1, 0) == 1 && !c);
}

/* More than there is: refused at once, and nothing is taken. */
CASE(too_much_allocated_ahead)
{
	const off_t tib = (off_t)1 << 40;
	int fd = open("/dev/shm", O_RDWR | O_TMPFILE, 0600);
	struct stat st;

	CHECK(fd >= 0);
	CHECK(pwrite(fd, "x", 1, 4096) == 1);
	CHECK_ERR(fallocate(fd, 0, 0, 8 * tib), ENOSPC);
	CHECK(fstat(fd, &st) == 0);
	CHECK(st.st_blocks == 8);
	CHECK(st.st_size == 4097);
	CHECK(fallocate(fd, 0, 0, 1 << 20) == 0);
	CHECK(fstat(fd, &st) == 0);
	CHECK(st.st_blocks == 2048);
}

int main(void) { return run_cases(); }
