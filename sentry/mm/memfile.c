/*
 * memfile.c - the memory file's page allocator.
 *
 * Any thread.  Free ranges are found by ranges.c, and read as zero; what becomes of
 * freed pages before they are free is memfile_freed.c's.  Reference counts are an array,
 * committed by the host as touched.
 *
 * Locks: mu (RANK_MEMFILE) guards the trees.  Counts are atomic: a page with a
 * reference cannot vanish under its holder.
 */
#include "libipc/hostcall.h"
#include "mm/memfile_internal.h"

#include "mm/huge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

struct err *memfile_new(int fd, uint64_t size, uint64_t limit, struct memfile **out)
{
	struct memfile *m = calloc(1, sizeof(*m));
	struct range *all = calloc(1, sizeof(*all));
	uint64_t pages = size >> PAGE_SHIFT;
	void *refs;

	if (!m || !all)
		goto no_memory;
	m->fd = fd >= 0 ? fd : memfd_create("redoubt-memory", MFD_CLOEXEC);
	if (m->fd < 0 || ftruncate(m->fd, (off_t)size) < 0)
		goto no_memory;
	m->base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, m->fd, 0);
	refs = mmap(NULL, pages * sizeof(*m->refs), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (m->base == MAP_FAILED || refs == MAP_FAILED)
		goto no_memory;
	m->refs = refs;
	m->size = size;
	m->huge = huge_view(m->fd, size);
	m->limit = m->hard = limit;
	mutex_init(&m->mu, RANK_MEMFILE);
	ranges_init(&m->free);
	memfile_freed_init(m);
	/* Offset 0 is never handed out: a hint of 0 means none. */
	all->off = PAGE_SIZE;
	all->len = size - PAGE_SIZE;
	ranges_add(&m->free, all);
	*out = m;
	return NULL;
no_memory:; /* at boot: the process ends, nothing to undo */
	struct err *e = err_new(errno, "memory file of %llu MiB", (unsigned long long)(size >> 20));

	free(m);
	free(all);
	return e;
}

int memfile_fd(const struct memfile *m)
{
	return m->fd;
}

void *memfile_ptr(const struct memfile *m, uint64_t off)
{
	return m->base + off;
}

/* The limit is about host memory.  Offsets are handed out in large steps of
 * which programs touch a part: only when they come to more than the limit is
 * the host asked what they really hold. */
static bool over_limit(const struct memfile *m, uint64_t len)
{
	uint64_t committed;

	if (m->allocated + len <= m->limit)
		return false;
	committed = memfile_committed(m);
	if (m->told)
		m->told(m->told_arg, committed + len > m->limit);
	return len > m->hard || committed > m->hard - len;
}

void memfile_set_limit(struct memfile *m, uint64_t limit, uint64_t hard, memfile_told_fn *told, void *arg)
{
	mutex_lock(&m->mu);
	m->limit = limit;
	m->hard = hard;
	m->told = told;
	m->told_arg = arg;
	mutex_unlock(&m->mu);
}

struct charges *memfile_charges(struct memfile *m)
{
	struct charges *c;

	mutex_lock(&m->mu);
	if (!(c = atomic_load(&m->charges)))
		atomic_store(&m->charges, c = charges_new(m->size >> PAGE_SHIFT));
	mutex_unlock(&m->mu);
	return c;
}

uint64_t memfile_reach(struct memfile *m)
{
	uint64_t n;

	mutex_lock(&m->mu);
	n = m->allocated + m->dirty_bytes;
	mutex_unlock(&m->mu);
	return n;
}

static int alloc_locked(struct memfile *m, uint64_t len, uint64_t align, uint64_t hint, uint64_t *off)
{
	struct range *r;

	if (over_limit(m, len))
		return -ENOMEM;
	r = ranges_find(&m->free, len, align, hint, off);
	return r ? ranges_take(&m->free, r, *off, len) : -ENOMEM;
}

void memfile_first_reference(struct memfile *m, uint64_t off, uint64_t len)
{
	struct charges *c = atomic_load(&m->charges);

	for (uint64_t p = off >> PAGE_SHIFT, n = p + (len >> PAGE_SHIFT); p < n; p++)
		atomic_store_explicit(&m->refs[p], 1, memory_order_relaxed);
	if (c)
		charge_take(c, off >> PAGE_SHIFT, len >> PAGE_SHIFT);
}

static bool refused(const struct memfile *m)
{
	const struct charges *c = atomic_load_explicit(&m->charges, memory_order_relaxed);

	return c && charge_refused(c);
}

bool memfile_refuses_locked(const struct memfile *m, uint64_t len)
{
	return refused(m) || over_limit(m, len);
}

int memfile_alloc(struct memfile *m, uint64_t len, uint64_t align, uint64_t hint, uint64_t *off)
{
	uint64_t o = 0;
	int e;

	if (!len || len > m->size || align > m->size || refused(m))
		return -ENOMEM;
	mutex_lock(&m->mu);
	e = alloc_locked(m, len, align, hint, &o);
	if (e && m->dirty_bytes) {
		memfile_flush_locked(m, 0);
		e = alloc_locked(m, len, align, hint, &o);
	}
	if (!e)
		m->allocated += len;
	mutex_unlock(&m->mu);
	if (e)
		return e;
	memfile_first_reference(m, o, len);
	*off = o;
	return 0;
}

void memfile_get(struct memfile *m, uint64_t off, uint64_t len)
{
	for (uint64_t p = off >> PAGE_SHIFT, n = p + (len >> PAGE_SHIFT); p < n; p++)
		if (atomic_fetch_add_explicit(&m->refs[p], 1, memory_order_relaxed) == 0)
			__builtin_trap(); /* a page nobody holds */
}

void memfile_put(struct memfile *m, uint64_t off, uint64_t len)
{
	uint64_t p = off >> PAGE_SHIFT, n = p + (len >> PAGE_SHIFT), first = p;
	bool run = false;

	for (; p < n; p++) {
		uint32_t old = atomic_fetch_sub_explicit(&m->refs[p], 1, memory_order_acq_rel);

		if (old == 0)
			__builtin_trap();
		if (old == 1 && !run) {
			run = true;
			first = p;
		} else if (old != 1 && run) {
			run = false;
			memfile_freed(m, first << PAGE_SHIFT, (p - first) << PAGE_SHIFT);
		}
	}
	if (run)
		memfile_freed(m, first << PAGE_SHIFT, (n - first) << PAGE_SHIFT);
}

bool memfile_exclusive(struct memfile *m, uint64_t off, uint64_t len)
{
	for (uint64_t p = off >> PAGE_SHIFT, n = p + (len >> PAGE_SHIFT); p < n; p++)
		if (atomic_load_explicit(&m->refs[p], memory_order_acquire) != 1)
			return false;
	return true;
}

uint64_t memfile_allocated(const struct memfile *m)
{
	return m->allocated;
}

uint64_t memfile_committed(const struct memfile *m)
{
	struct stat st;

	return host_fstat(m->fd, &st) < 0 ? 0 : (uint64_t)st.st_blocks * 512;
}

uint64_t memfile_room(struct memfile *m)
{
	uint64_t committed = memfile_committed(m), hard;

	mutex_lock(&m->mu);
	hard = m->hard;
	mutex_unlock(&m->mu);
	return committed < hard ? hard - committed : 0;
}

int memfile_reserve(struct memfile *m, uint64_t off, uint64_t len)
{
	return fallocate(m->fd, FALLOC_FL_KEEP_SIZE, (off_t)off, (off_t)len) < 0 ? -ENOSPC : 0;
}

void memfile_commit(struct memfile *m, uint64_t off, uint64_t len)
{
	madvise(m->base + off, len, MADV_POPULATE_WRITE);
}

/* Zeros are written: no page is cleared first, and none faults. False: not all of them. */
static bool write_zeros(const struct memfile *m, uint64_t off, uint64_t len)
{
	static uint8_t zero[64 << 10];
	struct iovec v[32];
	const uint64_t end = off + len;

	while (off < end) {
		int n = 0;
		ssize_t done;

		for (uint64_t at = off; at < end && n < (int)(sizeof(v) / sizeof(v[0])); at += v[n++].iov_len)
			v[n] = (struct iovec){ zero, end - at < sizeof(zero) ? end - at : sizeof(zero) };
		done = pwritev2(m->fd, v, n, (off_t)off, 0);
		if (done <= 0)
			return false;
		off += (uint64_t)done;
	}
	return true;
}

void memfile_commit_new(struct memfile *m, uint64_t off, uint64_t len)
{
	(void)write_zeros(m, off, len);
}

bool memfile_has_huge(const struct memfile *m)
{
	return m->huge;
}

bool memfile_commit_huge(struct memfile *m, uint64_t off)
{
	return m->huge && !(off % HUGE_SIZE) && huge_commit(m->fd, m->huge, off);
}

bool memfile_next_data(const struct memfile *m, uint64_t off, uint64_t end, uint64_t *start, uint64_t *stop)
{
	off_t d = lseek(m->fd, (off_t)off, SEEK_DATA), h;

	if (d < 0 || (uint64_t)d >= end)
		return false;
	h = lseek(m->fd, d, SEEK_HOLE);
	*start = (uint64_t)d;
	*stop = h < 0 || (uint64_t)h > end ? end : (uint64_t)h;
	return true;
}
