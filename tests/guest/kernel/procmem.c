/* /proc/PID/mem. */
#include "../test.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>

#define PAGE 4096

/* Two pages, the second unmapped again. */
static char *page_and_hole(void)
{
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED && munmap(p + PAGE, PAGE) == 0);
	return p;
}

static off_t at(const void *p) { return (off_t)(uintptr_t)p; }

CASE(own_memory)
{
	char *ro = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *p = page_and_hole(), b[100];
	void *volatile nowhere = (void *)8;
	int fd = open("/proc/self/mem", O_RDWR);

	CHECK(fd >= 0 && ro != MAP_FAILED);
	strcpy(p + PAGE - 6, "hello");
	CHECK(pread(fd, b, 5, at(p + PAGE - 6)) == 5 && !memcmp(b, "hello", 5));
	CHECK(pread(fd, b, 100, at(p + PAGE - 6)) == 6); /* as far as there is any */
	CHECK_ERR(pread(fd, b, 100, at(p + PAGE)), EIO);
	CHECK_ERR(pread(fd, b, 1, 0), EIO);
	CHECK(pread(fd, b, 0, 0) == 0);
	CHECK(pwrite(fd, "HE", 2, at(p + PAGE - 6)) == 2 && !strcmp(p + PAGE - 6, "HEllo"));
	CHECK(pwrite(fd, "RO", 2, at(ro)) == 2 && !strcmp(ro, "RO")); /* by force, as a debugger does */
	CHECK_ERR(pread(fd, nowhere, 10, at(p)), EFAULT);
	CHECK_ERR(pwrite(fd, nowhere, 10, at(p)), EFAULT);
}

CASE(position)
{
	char *p = page_and_hole(), b[10];
	int fd = open("/proc/self/mem", O_RDWR);

	CHECK(lseek(fd, at(p), SEEK_SET) == at(p) && read(fd, b, 10) == 10);
	CHECK(lseek(fd, 0, SEEK_CUR) == at(p) + 10 && lseek(fd, -5, SEEK_CUR) == at(p) + 5);
	CHECK_ERR(lseek(fd, 0, SEEK_END), EINVAL);
}

/* More than a buffer's worth, of a child that has its own copy. */
CASE(another_process)
{
	size_t size = 300 * 1024 + 17;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *b = malloc(size), path[40];
	int fd, ready[2], st;
	pid_t child;

	CHECK(p != MAP_FAILED && b && pipe(ready) == 0);
	child = fork();
	if (!child) {
		for (size_t i = 0; i < size; i++)
			p[i] = (char)(i * 7);
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		while (!((volatile char *)p)[size - 1] || ((volatile char *)p)[size - 1] != 'x')
			usleep(1000);
		_exit(memcmp(p, "parent", 6) ? 2 : 0);
	}
	CHECK(read(ready[0], path, 1) == 1);
	snprintf(path, sizeof(path), "/proc/%d/mem", child);
	fd = open(path, O_RDWR);
	CHECK(fd >= 0 && pread(fd, b, size, at(p)) == (ssize_t)size);
	for (size_t i = 0; i < size; i++)
		CHECK(b[i] == (char)(i * 7));
	CHECK(!p[1]);
	CHECK(pwrite(fd, "parent", 6, at(p)) == 6 && pwrite(fd, "x", 1, at(p + size - 1)) == 1);
	CHECK(waitpid(child, &st, 0) == child && st == 0);
	CHECK(pread(fd, b, 1, at(p)) == 0); /* it has ended */
}

/* Another user's is not opened. */
CASE(strangers)
{
	char path[40];
	int st;

	snprintf(path, sizeof(path), "/proc/%d/mem", getpid());
	if (!fork()) {
		CHECK(setgid(1) == 0 && setuid(1) == 0);
		CHECK_ERR(open(path, O_RDONLY), EACCES);
		_exit(0);
	}
	CHECK(wait(&st) > 0 && st == 0);
}

int main(void) { return run_cases(); }
