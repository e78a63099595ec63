/* Mapped files: private and shared, their ends, truncation, rights. */
#include "../test.h"

#include <fcntl.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define PG 4096ul

static int temp(size_t size)
{
	char name[] = "/tmp/file_map.XXXXXX";
	int fd = mkstemp(name);

	CHECK(fd >= 0);
	CHECK(unlink(name) == 0);
	for (size_t i = 0; i < size; i++) {
		char c = (char)('a' + i / PG % 26);

		if (i % PG == 0 || i == size - 1)
			CHECK(pwrite(fd, &c, 1, (off_t)i) == 1);
	}
	return fd;
}

static sigjmp_buf env;
static siginfo_t got;

static void on_signal(int s, siginfo_t *i, void *u)
{
	got = *i;
	siglongjmp(env, s);
}

static int try(volatile char *p)
{
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	int s;

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	s = sigsetjmp(env, 1);
	if (s)
		return s;
	(void)*p;
	return 0;
}

CASE(private_does_not_write_back)
{
	int fd = temp(3 * PG);
	char c, *p = mmap(NULL, 3 * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

	CHECK(p != MAP_FAILED);
	CHECK(p[0] == 'a' && p[PG] == 'b' && p[2 * PG] == 'c');
	p[PG] = 'X';
	CHECK(pread(fd, &c, 1, PG) == 1 && c == 'b');
	CHECK(p[PG] == 'X');
	CHECK(madvise(p, 3 * PG, MADV_DONTNEED) == 0);
	CHECK(p[PG] == 'b'); /* the copy is gone */
}

CASE(shared_writes_back)
{
	int fd = temp(3 * PG);
	char c, *p = mmap(NULL, 3 * PG, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), *q = mmap(NULL, PG, PROT_READ, MAP_SHARED, fd, PG);

	CHECK(p != MAP_FAILED && q != MAP_FAILED);
	p[PG + 5] = 'Y';
	CHECK(q[5] == 'Y');
	CHECK(pread(fd, &c, 1, PG + 5) == 1 && c == 'Y');
	CHECK(pwrite(fd, "Z", 1, PG + 6) == 1);
	CHECK(p[PG + 6] == 'Z');
	CHECK(msync(p, 3 * PG, MS_SYNC) == 0);
	CHECK(munmap(p, 3 * PG) == 0);
	CHECK(q[6] == 'Z');
}

CASE(shared_across_fork)
{
	int fd = temp(PG), st;
	char *p = mmap(NULL, PG, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	pid_t c = fork();

	if (!c) {
		p[1] = 'k';
		_exit(0);
	}
	CHECK(waitpid(c, &st, 0) == c && st == 0);
	CHECK(p[1] == 'k');
}

CASE(rest_of_the_last_page)
{
	int fd = temp(PG + 10);
	struct stat st;
	char *p = mmap(NULL, 4 * PG, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	CHECK(p[PG + 9] == 'b' && p[PG + 10] == 0);
	p[PG + 10] = 'x'; /* not part of the file */
	CHECK(fstat(fd, &st) == 0 && st.st_size == (off_t)PG + 10);
	CHECK(try(p + 2 * PG - 1) == 0);
	CHECK(try(p + 2 * PG) == SIGBUS);
	CHECK(got.si_code == BUS_ADRERR && got.si_addr == p + 2 * PG);
}

CASE(truncation_takes_pages)
{
	int fd = temp(8 * PG);
	char *p = mmap(NULL, 8 * PG, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *q = mmap(NULL, 8 * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

	for (size_t i = 0; i < 8; i++)
		p[i * PG + 1] = q[i * PG + 2] = 1;
	CHECK(ftruncate(fd, 3 * PG) == 0);
	CHECK(try(p + 2 * PG) == 0);
	CHECK(try(p + 3 * PG) == SIGBUS);
	CHECK(try(q + 5 * PG) == SIGBUS); /* private copies go too */
	CHECK(q[2 * PG + 2] == 1);
	CHECK(ftruncate(fd, 8 * PG) == 0);
	CHECK(p[5 * PG] == 0 && q[5 * PG + 2] == 0);
}

CASE(growing_is_seen)
{
	int fd = temp(PG);
	char *p = mmap(NULL, 4 * PG, PROT_READ, MAP_SHARED, fd, 0);

	CHECK(p[0] == 'a');
	CHECK(try(p + 2 * PG) == SIGBUS);
	CHECK(pwrite(fd, "n", 1, 2 * PG) == 1);
	CHECK(p[2 * PG] == 'n' && p[PG] == 0);
}

CASE(rights)
{
	char name[] = "/tmp/file_map.XXXXXX";
	int fd = mkstemp(name), ro = open(name, O_RDONLY), wo = open(name, O_WRONLY);
	char *p;

	unlink(name);
	CHECK(write(fd, "hello", 5) == 5);
	CHECK(mmap(NULL, PG, PROT_READ | PROT_WRITE, MAP_SHARED, ro, 0) == MAP_FAILED && errno == EACCES);
	CHECK(mmap(NULL, PG, PROT_READ, MAP_SHARED, wo, 0) == MAP_FAILED && errno == EACCES);
	CHECK(mmap(NULL, PG, PROT_WRITE, MAP_PRIVATE, wo, 0) == MAP_FAILED && errno == EACCES);
	p = mmap(NULL, PG, PROT_READ, MAP_SHARED, ro, 0);
	CHECK(p != MAP_FAILED);
	CHECK_ERR(mprotect(p, PG, PROT_READ | PROT_WRITE), EACCES);
	p = mmap(NULL, PG, PROT_READ | PROT_WRITE, MAP_PRIVATE, ro, 0);
	CHECK(p != MAP_FAILED && p[0] == 'h');
	p[0] = 'j';
	close(fd), close(ro), close(wo);
	CHECK(!memcmp(p, "jello", 5)); /* the mapping outlives the descriptor */
}

CASE(unmappable)
{
	int fd[2], dir = open("/", O_RDONLY | O_DIRECTORY);

	CHECK(pipe(fd) == 0);
	CHECK(mmap(NULL, PG, PROT_READ, MAP_PRIVATE, fd[0], 0) == MAP_FAILED && errno == ENODEV);
	CHECK(mmap(NULL, PG, PROT_READ, MAP_PRIVATE, dir, 0) == MAP_FAILED && errno == ENODEV);
}

CASE(io_through_mappings)
{
	int fd = temp(20 * PG), fd2 = temp(0);
	char *p = mmap(NULL, 20 * PG, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), *q;
	struct stat st;

	/* the kernel reads from and writes to mapped pages */
	CHECK(write(fd2, p, 20 * PG) == (ssize_t)(20 * PG));
	CHECK(fstat(fd2, &st) == 0 && st.st_size == (off_t)(20 * PG));
	q = mmap(NULL, 20 * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd2, 0);
	CHECK(!memcmp(p, q, 20 * PG));
	memset(p, 'm', 20 * PG);
	CHECK(pread(fd2, p + 100, 5 * PG, PG) == (ssize_t)(5 * PG));
	CHECK(p[99] == 'm' && p[100] == 'b' && p[100 + PG] == 'c' && p[100 + 5 * PG] == 'm');
	CHECK(pread(fd2, q + 3, 3 * PG, 0) == (ssize_t)(3 * PG));
	CHECK(q[3] == 'a');
}

int main(void) { return run_cases(); }
