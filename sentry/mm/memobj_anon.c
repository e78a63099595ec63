/*
 * memobj_anon.c - shared anonymous memory as an object: MAP_SHARED|MAP_ANONYMOUS,
 * SysV shared memory, the vDSO's pages.  Its pages lie in the memory file, in
 * aligned blocks that are allocated when first touched and stay for its life.
 */
#include "mm/mm_internal.h"

#include <errno.h>
#include <stdlib.h>

struct block {
	uint64_t off, len; /* in the memory file; len 0: not yet there */
};

struct anon {
	struct memobj obj;
	struct memfile *mf; /* [I] */
	uint64_t size; /* [I] page multiple */
	struct mutex mu; /* RANK_MEMOBJ */
	size_t n; /* [I] */
	struct block *blocks; /* [mu] one an ANON_STEP */
};

static int anon_translate(struct memobj *o, uint64_t off, uint64_t len, unsigned access, struct backing *out)
{
	struct anon *a = (struct anon *)o;
	size_t i = off / ANON_STEP;
	struct block *b;
	int e = 0;

	if (off >= a->size)
		return -EFAULT;
	b = &a->blocks[i];
	mutex_lock(&a->mu);
	if (!b->len) {
		uint64_t want = a->size - i * ANON_STEP;

		if (want > ANON_STEP)
			want = ANON_STEP;
		e = memfile_alloc(a->mf, want, PAGE_SIZE, i && a->blocks[i - 1].len ? a->blocks[i - 1].off + ANON_STEP : 0, &b->off);
		if (!e)
			b->len = want;
	}
	if (!e)
		*out = (struct backing){ .in_memfile = true, .host_fd = -1, .off = b->off, .start = i * ANON_STEP, .len = b->len };
	mutex_unlock(&a->mu);
	return e;
}

static void anon_release(struct memobj *o)
{
	struct anon *a = (struct anon *)o;

	for (size_t i = 0; i < a->n; i++)
		if (a->blocks[i].len)
			memfile_put(a->mf, a->blocks[i].off, a->blocks[i].len);
	memobj_destroy(o);
	mutex_destroy(&a->mu);
	free(a->blocks);
	free(a);
}

/* The pages stay, their bytes become zero: nothing to invalidate. */
static int anon_punch(struct memobj *o, uint64_t off, uint64_t len)
{
	struct anon *a = (struct anon *)o;
	uint64_t end = off + len < a->size ? off + len : a->size;

	mutex_lock(&a->mu);
	while (off < end) {
		struct block *b = &a->blocks[off / ANON_STEP];
		uint64_t in = off % ANON_STEP, n = ANON_STEP - in < end - off ? ANON_STEP - in : end - off;

		if (b->len)
			memfile_decommit(a->mf, b->off + in, n);
		off += n;
	}
	mutex_unlock(&a->mu);
	return 0;
}

static const struct memobj_ops anon_ops = {
	.translate = anon_translate,
	.release = anon_release,
	.punch = anon_punch,
};

struct memobj *memobj_anon_new(struct mm_env *e, uint64_t size)
{
	struct anon *a;

	if (!size || size > TASK_SIZE)
		return NULL;
	a = calloc(1, sizeof(*a));
	if (!a)
		return NULL;
	a->mf = e->mf;
	a->size = PAGE_UP(size);
	a->n = (a->size + ANON_STEP - 1) / ANON_STEP;
	a->blocks = calloc(a->n, sizeof(*a->blocks));
	if (!a->blocks) {
		free(a);
		return NULL;
	}
	mutex_init(&a->mu, RANK_MEMOBJ);
	memobj_init(&a->obj, &anon_ops);
	return &a->obj;
}
