/*
 * far.c - positions in files at the end of what there is.
 */
#include "../test.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define FAR INT64_MAX

static char buf[16];

/* The call itself: the C library takes a negative answer for an error. */
static int64_t seek_to(int fd, int64_t off, int whence)
{
	int64_t r;

	__asm__ volatile("syscall" : "=a"(r) : "a"(SYS_lseek), "D"(fd), "S"(off), "d"(whence) : "rcx", "r11", "memory");
	return r;
}

static void sums_are_positions(int fd)
{
	CHECK(seek_to(fd, FAR, SEEK_SET) == FAR);
	CHECK(seek_to(fd, 1, SEEK_CUR) == -EINVAL);
	CHECK(seek_to(fd, FAR, SEEK_CUR) == -EINVAL);
	CHECK(seek_to(fd, -5, SEEK_SET) == -EINVAL);
	CHECK(seek_to(fd, INT64_MIN, SEEK_CUR) == -EINVAL);
	CHECK(seek_to(fd, 0, SEEK_CUR) == FAR); /* where it was */
	CHECK_ERR(read(fd, buf, 8), EINVAL);
	CHECK(seek_to(fd, -8, SEEK_CUR) == FAR - 8);
	CHECK_ERR(read(fd, buf, 9), EINVAL);
	CHECK(read(fd, buf, 8) == 0);
	CHECK_ERR(pread(fd, buf, 8, FAR), EINVAL);
	CHECK_ERR(pread(fd, buf, 8, -1), EINVAL);
	CHECK(pread(fd, buf, 8, FAR - 8) == 0);
}

CASE(memory_file)
{
	int fd = memfd_create("far", 0);

	CHECK(fd >= 0 && write(fd, "hello", 5) == 5);
	sums_are_positions(fd);
	CHECK(seek_to(fd, FAR, SEEK_END) == -EINVAL);
	CHECK(seek_to(fd, 2, SEEK_SET) == 2 && read(fd, buf, 8) == 3);
	CHECK(seek_to(fd, FAR, SEEK_SET) == FAR);
	CHECK_ERR(write(fd, buf, 8), EINVAL);
	CHECK_ERR(pwrite(fd, buf, 8, FAR - 7), EINVAL);
	CHECK(seek_to(fd, 0, SEEK_END) == 5); /* as long as before */
}

CASE(made_as_read)
{
	int fd = open("/proc/self/maps", O_RDONLY);

	CHECK(fd >= 0);
	sums_are_positions(fd);
}

/* Positions are addresses, of memory: all 64 bits; or come from such. */
CASE(addresses)
{
	static const char *const names[] = { "/proc/self/mem", "/proc/self/pagemap" };
	static const int past_end[] = { EOVERFLOW, EINVAL }, near_end[] = { EIO, EINVAL };

	for (unsigned i = 0; i < 2; i++) {
		int fd = open(names[i], O_RDONLY);

		CHECK(fd >= 0);
		CHECK(seek_to(fd, FAR, SEEK_SET) == FAR);
		CHECK(seek_to(fd, 1, SEEK_CUR) == INT64_MIN);
		CHECK(seek_to(fd, -8, SEEK_SET) == -8);
		CHECK_ERR(read(fd, buf, 8), past_end[i]);
		CHECK(seek_to(fd, -16, SEEK_SET) == -16);
		CHECK_ERR(read(fd, buf, 8), near_end[i]);
		CHECK(seek_to(fd, 0, SEEK_END) == -EINVAL);
		CHECK_ERR(pread(fd, buf, 8, -16), EINVAL);
	}
}

int main(void)
{
	return run_cases();
}
