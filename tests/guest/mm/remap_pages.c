/* remap_file_pages: the pages of a shared mapping in another order. */
#include "../test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/syscall.h>

#define PG 4096ul
#define PAGES 6
#define RW (PROT_READ | PROT_WRITE)

/* The system call itself: none of the C library's checks. */
static long remap(const void *start, size_t size, int prot, size_t page, int flags)
{
	return syscall(SYS_remap_file_pages, start, size, prot, page, flags);
}

/* PAGES pages that begin with 'a', 'b' ... */
static int temp(void)
{
	char name[] = "/tmp/remap_pages.XXXXXX";
	int fd = mkstemp(name);

	CHECK(fd >= 0);
	CHECK(unlink(name) == 0);
	CHECK(ftruncate(fd, PAGES * PG) == 0);
	for (int i = 0; i < PAGES; i++)
		CHECK(pwrite(fd, &(char){ (char)('a' + i) }, 1, i * (off_t)PG) == 1);
	return fd;
}

static char *map(int fd, int prot)
{
	char *p = mmap(NULL, PAGES * PG, prot, MAP_SHARED, fd, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

static void check(const volatile char *p, const char *want)
{
	for (size_t i = 0; i < PAGES; i++)
		CHECK(p[i * PG] == want[i]);
}

static void reversed(char *p)
{
	check(p, "abcdef"); /* what was there has been touched */
	for (size_t i = 0; i < PAGES; i++)
		CHECK(remap(p + i * PG, PG, 0, PAGES - 1 - i, 0) == 0);
	check(p, "fedcba");
}

CASE(a_file)
{
	int fd = temp();
	char *p = map(fd, RW), c;

	reversed(p);
	p[0] = 'F';
	CHECK(pread(fd, &c, 1, (PAGES - 1) * (off_t)PG) == 1 && c == 'F');
	CHECK(pwrite(fd, "A", 1, 0) == 1);
	check(p, "FedcbA");
	CHECK(munmap(p, PAGES * PG) == 0);
}

CASE(anonymous)
{
	char *p = mmap(NULL, PAGES * PG, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int s;

	CHECK(p != MAP_FAILED);
	for (size_t i = 0; i < PAGES; i++)
		p[i * PG] = (char)('a' + i);
	reversed(p);
	if (fork() == 0) {
		p[PG] = 'E';
		_exit(0);
	}
	CHECK(wait(&s) > 0 && s == 0);
	check(p, "fEdcba");
}

CASE(sysv)
{
	int id = shmget(IPC_PRIVATE, PAGES * PG, 0600);
	char *p = shmat(id, NULL, 0), *q = shmat(id, NULL, 0);

	CHECK(id >= 0 && p != (char *)-1 && q != (char *)-1);
	CHECK(shmctl(id, IPC_RMID, NULL) == 0);
	for (size_t i = 0; i < PAGES; i++)
		p[i * PG] = (char)('a' + i);
	reversed(p);
	check(q, "abcdef");
}

/* Several pages at once, and a range over mappings that earlier calls have made. */
CASE(ranges)
{
	char *p = map(temp(), RW);

	CHECK(remap(p, 3 * PG, 0, 2, 0) == 0);
	check(p, "cdedef");
	CHECK(remap(p + PG, 4 * PG, 0, 0, MAP_NONBLOCK) == 0);
	check(p, "cabcdf");
	CHECK(remap(p, PAGES * PG, 0, 0, 0) == 0);
	check(p, "abcdef");
	/* neither the start nor the size need be whole pages */
	CHECK(remap(p + PG + 1, 2 * PG - 1, 0, 5, 0) == 0);
	check(p, "afcdef");
	/* unknown flags do not matter */
	CHECK(remap(p, PG, 0, 1, ~MAP_NONBLOCK) == 0);
	check(p, "bfcdef");
}

/* What lies beyond the file's end can be mapped, not read. */
CASE(beyond_the_end)
{
	char *p = map(temp(), RW);
	int s;

	CHECK(remap(p, PG, 0, PAGES, 0) == 0);
	CHECK(p[PG] == 'b');
	if (fork() == 0)
		_exit(*(volatile char *)p);
	CHECK(wait(&s) > 0 && WIFSIGNALED(s) && WTERMSIG(s) == SIGBUS);
}

CASE(protection_stays)
{
	char *p = map(temp(), RW);
	int s;

	CHECK(mprotect(p, PAGES * PG, PROT_READ) == 0);
	CHECK(remap(p, PG, 0, 3, 0) == 0);
	check(p, "dbcdef");
	if (fork() == 0) {
		*(volatile char *)p = 1;
		_exit(0);
	}
	CHECK(wait(&s) > 0 && WIFSIGNALED(s) && WTERMSIG(s) == SIGSEGV);
	CHECK(mprotect(p, PG, RW) == 0);
	p[0] = 'D';
	CHECK(p[3 * PG] == 'D');
}

CASE(refused)
{
	int fd = temp(), other = temp(), ro;
	char *p = map(fd, RW), *q, name[40];

	CHECK_ERR(remap(p, PG, PROT_READ, 1, 0), EINVAL);
	CHECK_ERR(remap(p, 0, 0, 1, 0), EINVAL);
	CHECK_ERR(remap(p, PG - 1, 0, 1, 0), EINVAL);
	CHECK_ERR(remap(p, -PG, 0, 1, 0), EINVAL);
	CHECK_ERR(remap(p, PG, 0, -1ul, 0), EINVAL);
	CHECK_ERR(remap(p, PG, 0, 1ul << 52, 0), EOVERFLOW);
	check(p, "abcdef");
	/* the range goes on behind the mapping; a hole; other protection; another file */
	CHECK(munmap(p + 5 * PG, PG) == 0);
	CHECK_ERR(remap(p + 4 * PG, 2 * PG, 0, 0, 0), EINVAL);
	CHECK_ERR(remap(p + 5 * PG, PG, 0, 0, 0), EINVAL);
	CHECK(munmap(p + 3 * PG, PG) == 0);
	CHECK_ERR(remap(p + 2 * PG, 3 * PG, 0, 0, 0), EINVAL);
	CHECK(mprotect(p + PG, PG, PROT_READ) == 0);
	CHECK_ERR(remap(p, 2 * PG, 0, 1, 0), EINVAL);
	CHECK(mmap(p + PG, PG, RW, MAP_SHARED | MAP_FIXED, other, PG) == p + PG);
	CHECK_ERR(remap(p, 2 * PG, 0, 1, 0), EINVAL);
	CHECK(p[0] == 'a' && p[PG] == 'b' && p[2 * PG] == 'c' && p[4 * PG] == 'e');
	/* not shared, or of a file that is not open for writing */
	q = mmap(NULL, PG, RW, MAP_PRIVATE, fd, 0);
	CHECK(q != MAP_FAILED);
	CHECK_ERR(remap(q, PG, 0, 1, 0), EINVAL);
	q = mmap(NULL, PG, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK_ERR(remap(q, PG, 0, 0, 0), EINVAL);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	ro = open(name, O_RDONLY);
	CHECK(ro >= 0);
	q = map(ro, PROT_READ);
	CHECK_ERR(remap(q, PG, 0, 1, 0), EINVAL);
	check(q, "abcdef");
}

/* A page that is locked stays so, and what takes its place counts before the old one goes. */
CASE(locked)
{
	char *p = map(temp(), RW);
	struct rlimit rl = { 2 * PG, 2 * PG };

	if (geteuid() == 0)
		CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK(setrlimit(RLIMIT_MEMLOCK, &rl) == 0);
	CHECK(mlock(p, PG) == 0);
	CHECK(remap(p, PG, 0, 2, 0) == 0);
	check(p, "cbcdef");
	CHECK(mlock(p, 2 * PG) == 0);
	CHECK_ERR(remap(p, PG, 0, 3, 0), EAGAIN);
	check(p, "cbcdef");
}

int main(void) { return run_cases(); }
