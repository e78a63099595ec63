/*
 * pages.c - a tmpfs file's pages: offsets in the memory file, those of the first few pages in the node
 * (most files have no more), the others in a three-level table.
 * The node's mu (RANK_MEMOBJ) guards it; user memory is never touched under it: data
 * is copied with the pages pinned instead.
 */
#include "fs/tmpfs/internal.h"

#include "mm/usercopy.h"

#include <stdlib.h>
#include <string.h>

#define AROUND 512u /* pages answered on each side of a fault */
#define FILL 16u /* pages made at once where a fault finds a hole */
#define DROP_BATCH 256u

static struct memfile *memfile_of(struct tmpfs_node *n) { return tmpfs_sb(n->sb)->mf; }

static uint64_t *slot(struct tmpfs_node *n, uint64_t idx)
{
	uint64_t m = idx / (LEAF_PAGES * MID_LEAVES);
	struct tmpfs_leaf *l;

	if (idx < FEW_PAGES)
		return &n->few[idx];
	if (m >= n->n_mids || !n->mids[m])
		return NULL;
	l = n->mids[m]->leaf[idx / LEAF_PAGES % MID_LEAVES];
	return l ? &l->page[idx % LEAF_PAGES] : NULL;
}

static int make_slot(struct tmpfs_node *n, uint64_t idx, uint64_t **out)
{
	uint64_t m = idx / (LEAF_PAGES * MID_LEAVES);
	struct tmpfs_leaf **l;

	if (idx < FEW_PAGES) {
		*out = &n->few[idx];
		return 0;
	}
	if (m >= MIDS_MAX)
		return -EFBIG;
	if (m >= n->n_mids) {
		struct tmpfs_mid **mids = reallocarray(n->mids, m + 1, sizeof(*mids));

		if (!mids)
			return -ENOMEM;
		memset(mids + n->n_mids, 0, (m + 1 - n->n_mids) * sizeof(*mids));
		n->mids = mids;
		n->n_mids = (uint32_t)m + 1;
	}
	if (!n->mids[m] && !(n->mids[m] = calloc(1, sizeof(struct tmpfs_mid))))
		return -ENOMEM;
	l = &n->mids[m]->leaf[idx / LEAF_PAGES % MID_LEAVES];
	if (!*l && !(*l = calloc(1, sizeof(**l))))
		return -ENOMEM;
	*out = &(*l)->page[idx % LEAF_PAGES];
	return 0;
}

static uint64_t page_at(struct tmpfs_node *n, uint64_t idx)
{
	uint64_t *s = slot(n, idx);

	return s ? *s : 0;
}

/* Of all tmpfs. */
static _Atomic uint64_t all_pages;

uint64_t tmpfs_bytes(void)
{
	return atomic_load(&all_pages) * PAGE_SIZE;
}

uint64_t tmpfs_room(struct tmpfs_node *n)
{
	const struct tmpfs_super *s = tmpfs_sb(n->sb);
	uint64_t used = atomic_load(&s->pages), room = memfile_room(memfile_of(n)) / PAGE_SIZE;

	if (s->max_pages && s->max_pages < used + room)
		room = s->max_pages > used ? s->max_pages - used : 0;
	mutex_lock(&n->mu);
	room += n->n_pages;
	mutex_unlock(&n->mu);
	return room;
}

static void uncharge(struct tmpfs_node *n, uint64_t pages)
{
	atomic_fetch_sub(&tmpfs_sb(n->sb)->pages, pages);
	atomic_fetch_sub(&all_pages, pages);
}

static int charge(struct tmpfs_node *n, uint64_t pages)
{
	struct tmpfs_super *s = tmpfs_sb(n->sb);

	atomic_fetch_add(&all_pages, pages);
	if (atomic_fetch_add(&s->pages, pages) + pages <= s->max_pages || !s->max_pages)
		return 0;
	uncharge(n, pages);
	return -ENOSPC;
}

/* Fills the hole at idx, and up to max - 1 pages of hole after it, with one piece of the memory file. */
static int fill(struct tmpfs_node *n, uint64_t idx, uint64_t max)
{
	uint64_t k = 1, off, hint = 0, *s;
	int r;

	while (k < max && !page_at(n, idx + k))
		k++;
	for (uint64_t i = 0; i < k; i++)
		if ((r = make_slot(n, idx + i, &s)))
			return r;
	r = charge(n, k);
	if (r && k > 1) {
		k = 1;
		r = charge(n, k);
	}
	if (r)
		return r;
	if (idx && (off = page_at(n, idx - 1)))
		hint = (off & ~UINT64_C(1)) + PAGE_SIZE;
	r = memfile_alloc(memfile_of(n), k * PAGE_SIZE, PAGE_SIZE, hint, &off);
	if (r) {
		uncharge(n, k);
		return r;
	}
	for (uint64_t i = 0; i < k; i++)
		*slot(n, idx + i) = (off + i * PAGE_SIZE) | 1;
	n->n_pages += k;
	return 0;
}

int64_t tmpfs_run(struct tmpfs_node *n, uint64_t idx, uint64_t max, bool make, uint64_t *off)
{
	uint64_t first, k = 1;
	int r = 0;

	mutex_lock(&n->mu);
	first = page_at(n, idx);
	if (!first && make) {
		r = fill(n, idx, max);
		first = r ? 0 : page_at(n, idx);
	}
	if (!r && !first) {
		while (k < max && !page_at(n, idx + k))
			k++;
		*off = TMPFS_HOLE;
	} else if (!r) {
		while (k < max && page_at(n, idx + k) == first + k * PAGE_SIZE)
			k++;
		*off = first & ~UINT64_C(1);
		memfile_get(memfile_of(n), *off, k * PAGE_SIZE);
	}
	mutex_unlock(&n->mu);
	return r ? r : (int64_t)k;
}

/* Takes pages out of the table into batch[]; where it stopped. */
static uint64_t take_pages(struct tmpfs_node *n, uint64_t first, uint64_t end, uint64_t *batch, unsigned *count)
{
	uint64_t idx = first, limit = (uint64_t)n->n_mids * LEAF_PAGES * MID_LEAVES;

	if (limit < FEW_PAGES)
		limit = FEW_PAGES;
	if (end > limit)
		end = limit;
	while (idx < end && *count < DROP_BATCH) {
		uint64_t m = idx / (LEAF_PAGES * MID_LEAVES), *s = slot(n, idx);

		if (!s && !n->mids[m]) {
			idx = (m + 1) * LEAF_PAGES * MID_LEAVES;
			continue;
		}
		if (!s) {
			idx = (idx / LEAF_PAGES + 1) * LEAF_PAGES;
			continue;
		}
		if (*s)
			batch[(*count)++] = *s & ~UINT64_C(1);
		*s = 0;
		idx++;
	}
	return idx < end ? idx : UINT64_MAX;
}

/* Those that lie behind one another in the memory file are put at once. */
static void put_pages(struct memfile *mf, const uint64_t *off, unsigned count)
{
	for (unsigned i = 0, run; i < count; i += run) {
		run = 1;
		while (i + run < count && off[i + run] == off[i] + run * PAGE_SIZE)
			run++;
		memfile_put(mf, off[i], run * PAGE_SIZE);
	}
}

void tmpfs_drop(struct tmpfs_node *n, uint64_t first, uint64_t end)
{
	uint64_t batch[DROP_BATCH];

	while (first < end) {
		unsigned k = 0;
		uint64_t next;

		mutex_lock(&n->mu);
		next = take_pages(n, first, end, batch, &k);
		n->n_pages -= k;
		mutex_unlock(&n->mu);
		if (k) /* nobody can map them any more, and those who have lose them */
			mm_object_invalidate(&n->obj, first * PAGE_SIZE, ((next < end ? next : end) - first) * PAGE_SIZE, false);
		put_pages(memfile_of(n), batch, k);
		uncharge(n, k);
		first = next;
	}
}

void tmpfs_zero(struct tmpfs_node *n, uint64_t from, uint64_t to)
{
	static const uint8_t zeros[PAGE_SIZE];
	uint64_t p;

	mutex_lock(&n->mu);
	p = page_at(n, from / PAGE_SIZE);
	if (p)
		safe_copy((char *)memfile_ptr(memfile_of(n), p & ~UINT64_C(1)) + from % PAGE_SIZE, zeros, to - from);
	mutex_unlock(&n->mu);
}

void tmpfs_set_size(struct tmpfs_node *n, uint64_t size)
{
	mutex_lock(&n->mu);
	n->size = size;
	mutex_unlock(&n->mu);
}

uint64_t tmpfs_seek(struct tmpfs_node *n, uint64_t idx, uint64_t end, bool data)
{
	mutex_lock(&n->mu);
	while (idx < end) {
		uint64_t *s = slot(n, idx);

		if (!s) {
			if (!data)
				break;
			idx = (idx / LEAF_PAGES + 1) * LEAF_PAGES;
			continue;
		}
		if ((*s != 0) == data)
			break;
		idx++;
	}
	mutex_unlock(&n->mu);
	return idx < end ? idx : end;
}

/* --- mappings ------------------------------------------------------------------------ */

static int translate(struct memobj *o, uint64_t off, uint64_t len, unsigned access, struct backing *out)
{
	struct tmpfs_node *n = (struct tmpfs_node *)o; /* obj is its first member */
	uint64_t idx = off / PAGE_SIZE, want = (len + PAGE_SIZE - 1) / PAGE_SIZE, end, first, back = 0, fwd = 1;
	int r = 0;

	mutex_lock(&n->mu);
	end = (n->size + PAGE_SIZE - 1) / PAGE_SIZE;
	if (idx >= end) {
		mutex_unlock(&n->mu);
		return -EFAULT;
	}
	if (!page_at(n, idx)) {
		uint64_t k = want < FILL ? FILL : want;

		if (k > end - idx)
			k = end - idx;
		r = fill(n, idx, k < LEAF_PAGES ? k : LEAF_PAGES);
	}
	if (!r) {
		first = page_at(n, idx);
		while (fwd < AROUND + want && idx + fwd < end && page_at(n, idx + fwd) == first + fwd * PAGE_SIZE)
			fwd++;
		while (back < AROUND && back < idx && page_at(n, idx - back - 1) == first - (back + 1) * PAGE_SIZE)
			back++;
		*out = (struct backing){ .in_memfile = true, .host_fd = -1, .off = (first & ~UINT64_C(1)) - back * PAGE_SIZE,
			.start = (idx - back) * PAGE_SIZE, .len = (back + fwd) * PAGE_SIZE };
	}
	mutex_unlock(&n->mu);
	return r == -ENOSPC ? -EIO : r;
}

/* The inode is gone and so is the last mapping. */
static void release(struct memobj *o)
{
	struct tmpfs_node *n = (struct tmpfs_node *)o;

	tmpfs_drop(n, 0, UINT64_MAX);
	for (uint32_t m = 0; m < n->n_mids; m++) {
		for (unsigned l = 0; n->mids[m] && l < MID_LEAVES; l++)
			free(n->mids[m]->leaf[l]);
		free(n->mids[m]);
	}
	free(n->mids);
	memobj_destroy(&n->obj);
	mutex_destroy(&n->mu);
	super_put(n->sb);
	free(n);
}

const struct memobj_ops tmpfs_memobj_ops = { .translate = translate, .release = release };
