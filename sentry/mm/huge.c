/* huge.c - see huge.h.  Any thread. */
#include "mm/huge.h"

#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

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

uint8_t *huge_view(int fd, uint64_t size)
{
	uint8_t *view = map_aligned(fd, size);

	if (view == MAP_FAILED)
		return NULL;
	if (!madvise(view, size, MADV_HUGEPAGE))
		return view;
	munmap(view, size);
	return NULL;
}

/* A page is touched: does the host commit all of the block? */
static bool commit(int fd, uint8_t *view, uint64_t off)
{
	return !madvise(view + off, 1, MADV_POPULATE_WRITE) && lseek(fd, (off_t)off, SEEK_HOLE) >= (off_t)(off + HUGE_SIZE);
}

bool huge_commit(int fd, uint8_t *view, uint64_t off)
{
	bool r = commit(fd, view, off);

	madvise(view + off, HUGE_SIZE, MADV_DONTNEED); /* it stays in the file; nobody looks at it here */
	return r;
}
