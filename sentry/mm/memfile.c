/*
 * memfile.c - the memory file's page allocator.
 *
 * Any thread.  Free ranges are found by ranges.c.  Freed pages still hold host
 * memory: they wait in a tree of "dirty" ranges until enough came together, then
 * holes are punched and they become free.  So a free range reads as zero; a dirty
 * one may be had by who overwrites it.  Reference counts are an array, committed by
 * the host as touched.
 *
 * Locks: mu (RANK_MEMFILE) guards the trees.  Counts are atomic: a page with a
 * reference cannot vanish under its holder.
 */
#include "libipc/hostcall.h"
#include "mm/memfile.h"

#include "lib/lock.h"
#include "mm/charge.h"
#include "mm/huge.h"
#include "mm/ranges.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* Host memory that freed pages may hold back before holes are punched. */
#define DIRTY_MAX (UINT64_C(256) << 10)

struct memfile {
	int fd; /* [I] */
	uint8_t *base; /* [I] */
	uint64_t size; /* [I] */
	uint8_t *huge; /* [I] huge.h; NULL: no such pages */
	uint64_t limit, hard; /* [mu] */
	memfile_told_fn *told; /* [mu] */
	void *told_arg; /* [mu] */
	_Atomic uint32_t *refs; /* [I] the array; [a] its elements */
	struct mutex mu; /* RANK_MEMFILE */
	struct ranges free; /* [mu] */
	struct range_tree dirty; /* [mu] */
	uint64_t dirty_bytes; /* [mu] */
	_Atomic uint64_t allocated; /* [mu to write] */
	_Atomic(struct charges *) charges; /* set once [mu]; NULL: nobody asks whose pages are */
};

struct err *memfile_new(uint64_t size, uint64_t limit, struct memfile **out)
{
	struct memfile *m = calloc(1, sizeof(*m));
	struct range *all = calloc(1, sizeof(*all));
	uint64_t pages = size >> PAGE_SHIFT;
	void *refs;

	if (!m || !all)
		goto no_memory;
	m->fd = memfd_create("redoubt-memory", MFD_CLOEXEC);
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
	RB_INIT(&m->dirty);
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

static void punch(const struct memfile *m, uint64_t off, uint64_t len)
{
	/* Fails only for want of host memory; then the pages stay. A free range
	 * must read as zero: wipe it. */
	if (fallocate(m->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)off, (off_t)len) < 0)
		__builtin_memset(m->base + off, 0, len);
}

/* Takes the first `len` bytes of r, or all of it, from what is dirty. */
static struct range *cut_dirty_locked(struct memfile *m, struct range *r, uint64_t len)
{
	struct range *part = r->len > len ? malloc(sizeof(*part)) : NULL;

	if (!part) {
		RB_REMOVE(range_tree, &m->dirty, r);
		m->dirty_bytes -= r->len;
		return r;
	}
	part->off = r->off;
	part->len = len;
	r->off += len; /* stays in order */
	r->len -= len;
	m->dirty_bytes -= len;
	return part;
}

/* Until at most `keep` bytes are held back. */
static void flush_dirty_locked(struct memfile *m, uint64_t keep)
{
	struct range *r;

	while (m->dirty_bytes > keep && (r = RB_MIN(range_tree, &m->dirty))) {
		r = cut_dirty_locked(m, r, m->dirty_bytes - keep);
		punch(m, r->off, r->len);
		ranges_add(&m->free, r);
	}
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

void memfile_trim(struct memfile *m)
{
	mutex_lock(&m->mu);
	flush_dirty_locked(m, 0);
	mutex_unlock(&m->mu);
}

static int alloc_locked(struct memfile *m, uint64_t len, uint64_t align, uint64_t hint, uint64_t *off)
{
	struct range *r;

	if (over_limit(m, len))
		return -ENOMEM;
	r = ranges_find(&m->free, len, align, hint, off);
	return r ? ranges_take(&m->free, r, *off, len) : -ENOMEM;
}

static void first_reference(struct memfile *m, uint64_t off, uint64_t len)
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

int memfile_alloc(struct memfile *m, uint64_t len, uint64_t align, uint64_t hint, uint64_t *off)
{
	uint64_t o = 0;
	int e;

	if (!len || len > m->size || align > m->size || refused(m))
		return -ENOMEM;
	mutex_lock(&m->mu);
	e = alloc_locked(m, len, align, hint, &o);
	if (e && m->dirty_bytes) {
		flush_dirty_locked(m, 0);
		e = alloc_locked(m, len, align, hint, &o);
	}
	if (!e)
		m->allocated += len;
	mutex_unlock(&m->mu);
	if (e)
		return e;
	first_reference(m, o, len);
	*off = o;
	return 0;
}

int memfile_alloc_used(struct memfile *m, uint64_t len, uint64_t *off)
{
	struct range *r;

	mutex_lock(&m->mu);
	RB_FOREACH(r, range_tree, &m->dirty)
		if (r->len >= len)
			break;
	if (!r || refused(m) || over_limit(m, len)) {
		mutex_unlock(&m->mu);
		return -ENOMEM;
	}
	*off = r->off;
	r->off += len; /* stays in order */
	r->len -= len;
	m->dirty_bytes -= len;
	m->allocated += len;
	if (!r->len) {
		RB_REMOVE(range_tree, &m->dirty, r);
		free(r);
	}
	mutex_unlock(&m->mu);
	first_reference(m, *off, len);
	return 0;
}

void memfile_get(struct memfile *m, uint64_t off, uint64_t len)
{
	for (uint64_t p = off >> PAGE_SHIFT, n = p + (len >> PAGE_SHIFT); p < n; p++)
		if (atomic_fetch_add_explicit(&m->refs[p], 1, memory_order_relaxed) == 0)
			__builtin_trap(); /* a page nobody holds */
}

/* Pages [off, off+len) have no reference any more. */
static void release(struct memfile *m, uint64_t off, uint64_t len)
{
	struct range *r = malloc(sizeof(*r)), *prev, *next;
	struct charges *c = atomic_load(&m->charges);

	if (c)
		charge_drop(c, off >> PAGE_SHIFT, len >> PAGE_SHIFT);
	mutex_lock(&m->mu);
	m->allocated -= len;
	if (!r) { /* no node: the offsets are lost, their host memory is not */
		punch(m, off, len);
		mutex_unlock(&m->mu);
		return;
	}
	r->off = off;
	r->len = len;
	next = RB_NFIND(range_tree, &m->dirty, r);
	prev = next ? RB_PREV(range_tree, &m->dirty, next) : RB_MAX(range_tree, &m->dirty);
	if (prev && prev->off + prev->len == off) {
		prev->len += len;
		free(r);
		r = prev;
	} else {
		RB_INSERT(range_tree, &m->dirty, r);
	}
	if (next && r->off + r->len == next->off) { /* one hole costs less than two */
		r->len += next->len;
		RB_REMOVE(range_tree, &m->dirty, next);
		free(next);
	}
	m->dirty_bytes += len;
	if (m->dirty_bytes > DIRTY_MAX)
		flush_dirty_locked(m, len > DIRTY_MAX ? 0 : DIRTY_MAX / 2);
	mutex_unlock(&m->mu);
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
			release(m, first << PAGE_SHIFT, (p - first) << PAGE_SHIFT);
		}
	}
	if (run)
		release(m, first << PAGE_SHIFT, (n - first) << PAGE_SHIFT);
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

int memfile_alloc_again(struct memfile *m, uint64_t len, uint64_t *off)
{
	int e = memfile_alloc_used(m, len, off);

	if (!e && !write_zeros(m, *off, len))
		punch(m, *off, len);
	return e;
}

bool memfile_has_huge(const struct memfile *m)
{
	return m->huge;
}

bool memfile_commit_huge(struct memfile *m, uint64_t off)
{
	return m->huge && !(off % HUGE_SIZE) && huge_commit(m->huge, off);
}

void memfile_decommit(struct memfile *m, uint64_t off, uint64_t len)
{
	punch(m, off, len);
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
