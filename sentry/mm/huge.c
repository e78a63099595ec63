/* huge.c - see huge.h.  Any thread. */
#include "mm/huge.h"

#include "libipc/hostcall.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>

/* The file, mapped so that its blocks lie on multiples of their size.  MAP_FAILED: it cannot be. */
static uint8_t *map_aligned(int fd, uint64_t size)
{
	uint8_t *at = mmap(NULL, size + HUGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0), *view;
	uint64_t skip;

	if (at == MAP_FAILED)
		return at;
	skip = -(uintptr_t)at % HUGE_SIZE;
	view = at + skip;
	if (skip)
		munmap(at, skip);
	munmap(view + size, HUGE_SIZE - skip);
	if (mmap(view, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_NORESERVE, fd, 0) == MAP_FAILED) {
		munmap(view, size);
		return MAP_FAILED;
	}
	return view;
}

/* One byte is touched: how much does the host commit? */
static bool works(int fd, uint8_t *view)
{
	struct stat st;
	bool r = !madvise(view + HUGE_SIZE, 1, MADV_POPULATE_WRITE) && !host_fstat(fd, &st) && (uint64_t)st.st_blocks * 512 >= HUGE_SIZE;

	return !fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 2 * HUGE_SIZE) && r;
}

uint8_t *huge_view(int fd, uint64_t size)
{
	uint8_t *view = map_aligned(fd, size);

	if (view == MAP_FAILED)
		return NULL;
	if (!madvise(view, size, MADV_HUGEPAGE) && works(fd, view))
		return view;
	munmap(view, size);
	return NULL;
}

bool huge_commit(uint8_t *view, uint64_t off)
{
	if (madvise(view + off, HUGE_SIZE, MADV_POPULATE_WRITE))
		return false;
	madvise(view + off, HUGE_SIZE, MADV_DONTNEED); /* it stays in the file; nobody looks at it here */
	return true;
}
