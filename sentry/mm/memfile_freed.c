/*
 * memfile_freed.c - freed pages of the memory file, which hold host memory still.
 *
 * They wait in a tree of "dirty" ranges: whoever overwrites them all may have them,
 * which costs a fraction of what the host takes for giving back a page and a new one.
 * Beyond some number, the lowest are given back: holes are punched, and they become free.
 *
 * That number is small, but where processes end (memfile_hold_more): those that begin
 * need about as much as these have left.  Then somebody looks every now and then
 * (memfile_rest) how much of it nobody has needed meanwhile, and that is given back.
 *
 * Any thread; all under m->mu, but for what the pages hold.
 */
#include "mm/memfile_internal.h"

#include "mm/usercopy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

#define DIRTY_LEAST (UINT64_C(256) << 10)
#define DIRTY_MOST (UINT64_C(16) << 20)
#define DIRTY_PART 64 /* of the limit: no more than that */
#define LOOKS_MOST 128u /* ranges that are looked at for a large enough one */
#define REST_STEP (UINT64_C(1) << 20) /* given back with the lock held */

void memfile_freed_init(struct memfile *m)
{
	RB_INIT(&m->dirty);
	m->dirty_most = DIRTY_LEAST;
}

static void less_locked(struct memfile *m, uint64_t len)
{
	m->dirty_bytes -= len;
	if (m->dirty_bytes < m->dirty_spare)
		m->dirty_spare = m->dirty_bytes;
}

/* --- to the host ------------------------------------------------------------------- */

static void punch(const struct memfile *m, uint64_t off, uint64_t len)
{
	/* Fails only for want of host memory; then the pages stay. A free range
	 * must read as zero: wipe it. */
	if (fallocate(m->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)off, (off_t)len) < 0)
		__builtin_memset(m->base + off, 0, len);
}

void memfile_decommit(struct memfile *m, uint64_t off, uint64_t len)
{
	punch(m, off, len);
}

/* Takes the first `len` bytes of r, or all of it, from what is dirty. */
static struct range *cut_dirty_locked(struct memfile *m, struct range *r, uint64_t len)
{
	struct range *part = r->len > len ? malloc(sizeof(*part)) : NULL;

	if (!part) {
		RB_REMOVE(range_tree, &m->dirty, r);
		less_locked(m, r->len);
		return r;
	}
	part->off = r->off;
	part->len = len;
	r->off += len; /* stays in order */
	r->len -= len;
	less_locked(m, len);
	return part;
}

bool memfile_flush_locked(struct memfile *m, uint64_t keep)
{
	const bool more = m->dirty_bytes > keep;
	struct range *r;

	while (m->dirty_bytes > keep && (r = RB_MIN(range_tree, &m->dirty))) {
		r = cut_dirty_locked(m, r, m->dirty_bytes - keep);
		punch(m, r->off, r->len);
		ranges_add(&m->free, r);
	}
	return more;
}

void memfile_trim(struct memfile *m)
{
	mutex_lock(&m->mu);
	memfile_flush_locked(m, 0);
	mutex_unlock(&m->mu);
}

void memfile_freed(struct memfile *m, uint64_t off, uint64_t len)
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
	if (m->dirty_bytes > m->dirty_most)
		memfile_flush_locked(m, m->dirty_most / 2);
	mutex_unlock(&m->mu);
}

/* --- how much is held back ----------------------------------------------------------- */

void memfile_hold_more(struct memfile *m)
{
	uint64_t part;

	mutex_lock(&m->mu);
	part = m->limit / DIRTY_PART;
	m->dirty_most = part < DIRTY_LEAST ? DIRTY_LEAST : part > DIRTY_MOST ? DIRTY_MOST : part;
	mutex_unlock(&m->mu);
}

bool memfile_rest(struct memfile *m)
{
	uint64_t keep;
	bool more;

	mutex_lock(&m->mu);
	keep = m->dirty_bytes - m->dirty_spare;
	if (keep < DIRTY_LEAST)
		keep = DIRTY_LEAST;
	while (memfile_flush_locked(m, m->dirty_bytes > keep + REST_STEP ? m->dirty_bytes - REST_STEP : keep)) {
		mutex_unlock(&m->mu);
		mutex_lock(&m->mu);
	}
	m->dirty_spare = m->dirty_bytes;
	more = m->dirty_bytes > DIRTY_LEAST;
	if (!more)
		m->dirty_most = DIRTY_LEAST;
	mutex_unlock(&m->mu);
	return more;
}

/* --- to those who need some ------------------------------------------------------------ */

int memfile_alloc_used(struct memfile *m, uint64_t len, uint64_t *off)
{
	unsigned looks = LOOKS_MOST;
	struct range *r;

	mutex_lock(&m->mu);
	RB_FOREACH(r, range_tree, &m->dirty)
		if (r->len >= len || !--looks)
			break;
	if (!r || r->len < len || memfile_refuses_locked(m, len)) {
		mutex_unlock(&m->mu);
		return -ENOMEM;
	}
	*off = r->off;
	r->off += len; /* stays in order */
	r->len -= len;
	less_locked(m, len);
	m->allocated += len;
	if (!r->len) {
		RB_REMOVE(range_tree, &m->dirty, r);
		free(r);
	}
	mutex_unlock(&m->mu);
	memfile_first_reference(m, *off, len);
	return 0;
}

/* For a read the host maps all pages around that it holds; for a write, that one. */
void memfile_look_at(const struct memfile *m, uint64_t off, uint64_t len)
{
	uint8_t byte;

	for (uint64_t at = 0; at < len; at += PAGE_SIZE)
		(void)safe_copy(&byte, m->base + off + at, 1);
}

static bool write_zeros(uint8_t *to, uint64_t len)
{
	static const uint8_t zero[PAGE_SIZE];

	for (uint64_t at = 0; at < len; at += PAGE_SIZE)
		if (safe_copy(to + at, zero, PAGE_SIZE) != PAGE_SIZE)
			return false;
	return true;
}

int memfile_alloc_again(struct memfile *m, uint64_t len, uint64_t *off)
{
	int e = memfile_alloc_used(m, len, off);

	if (e)
		return e;
	memfile_look_at(m, *off, len);
	if (!write_zeros(m->base + *off, len))
		punch(m, *off, len);
	return 0;
}
