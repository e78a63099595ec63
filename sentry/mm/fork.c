/*
 * fork.c - the copy-on-write copy of an address space.  Runs on the forking
 * task's thread, with both spaces' locks held.
 *
 * Small private memory that is written to is copied at once, which costs less
 * than the faults of both sides; the rest is shared, not to be written in place.
 * The child's stub will map all that there are records of with one batch of
 * orders, as a child runs on with what its parent had.
 */
#include "mm/mm_internal.h"

#include <errno.h>

#define COPY_ONE (UINT64_C(128) << 10) /* of one record */
#define COPY_ALL (UINT64_C(384) << 10) /* of all but stacks */
#define MAP_FIRST 128 /* records mapped in the child's stub before it runs */

struct fork {
	struct mm *parent, *child;
	uint64_t copied;
	unsigned mapped;
};

/* How many bytes the host holds of the record, at most limit + 1. */
static uint64_t held(const struct memfile *mf, const struct pma *p, uint64_t limit)
{
	uint64_t end = p->off + pma_len(p), a, b, n = 0;

	for (uint64_t off = p->off; off < end && n <= limit && memfile_next_data(mf, off, end, &a, &b); off = b)
		n += b - a;
	return n;
}

static bool worth_copying(struct fork *f, const struct vma *v, const struct pma *p)
{
	uint64_t n;

	if (!(p->prot & LINUX_PROT_WRITE))
		return false;
	n = held(f->parent->env->mf, p, COPY_ONE);
	if (n > COPY_ONE || (!(v->flags & VMA_GROWSDOWN) && f->copied + n > COPY_ALL))
		return false;
	f->copied += n;
	return true;
}

/* The child's record: the part of p within v. */
static int fork_record(struct fork *f, const struct vma *v, struct pma *p)
{
	struct pma c = *p, *n;
	uint64_t copy;
	bool whole;

	c.stub = 0;
	/* a record may reach over the border of two areas that differ in nothing it knows */
	if (c.start < v->start) {
		c.off += v->start - c.start;
		c.start = v->start;
	}
	if (c.end > v->end)
		c.end = v->end;
	if (c.owned && worth_copying(f, v, &c) && !copy_pages(f->parent, &c, 0, &copy, &whole)) {
		c.off = copy;
		c.cow = false;
	} else if (c.owned) {
		p->cow = c.cow = true;
		memfile_get(f->parent->env->mf, c.off, pma_len(&c));
	}
	n = pma_insert(f->child, &c);
	if (!n) {
		if (c.owned)
			memfile_put(f->parent->env->mf, c.off, pma_len(&c));
		return -ENOMEM;
	}
	if (f->mapped++ < MAP_FIRST)
		stub_map(f->child, n);
	return 0;
}

static int fork_records(struct fork *f, const struct vma *v, bool objects)
{
	struct mm *parent = f->parent;
	int e = 0;

	for (struct pma *p = pma_first(parent, v->start); !e && p && p->start < v->end; p = RB_NEXT(pma_tree, &parent->pmas, p))
		if (p->owned || objects) /* else asked of the object again when needed */
			e = fork_record(f, v, p);
	return e;
}

static int fork_areas(struct fork *f)
{
	struct vma *v, *c;
	int e = 0;

	RB_FOREACH(v, vma_tree, &f->parent->vmas) {
		bool stable;

		if (v->flags & VMA_DONTFORK)
			continue;
		c = vma_new(f->child, v);
		if (!c)
			return -ENOMEM;
		c->flags &= ~VMA_LOCKED; /* locks are not inherited */
		stable = vma_link(f->child, c);
		if (!(v->flags & (VMA_WIPEONFORK | VMA_SHARED)))
			e = fork_records(f, v, stable);
		if (e)
			return e;
	}
	return 0;
}

static void copy_settings(struct mm *parent, struct mm *child)
{
	child->mmap_base = parent->mmap_base;
	child->mmap_hint = parent->mmap_hint;
	child->hint_len = parent->hint_len;
	child->brk_start = parent->brk_start;
	child->brk = parent->brk;
	child->dumpable = parent->dumpable;
	child->core_filter = mm_core_filter(parent);
	child->barriers = mm_barriers(parent);
	child->user_ns = parent->user_ns;
	if (child->user_ns)
		child->env->hooks.ns_get(child->user_ns);
	child->lim_as = parent->lim_as;
	child->lim_data = parent->lim_data;
	child->lim_stack = parent->lim_stack;
	child->lim_memlock = parent->lim_memlock;
	child->layout = parent->layout;
	if (child->layout.exe)
		child->env->hooks.get(child->layout.exe);
}

struct mm *mm_fork(struct mm *parent)
{
	struct fork f = { .parent = parent, .child = mm_new(parent->env) };
	int e;

	if (!f.child)
		return NULL;
	mm_lock(parent);
	mutex_lock_nested(&f.child->mu);
	e = fork_areas(&f);
	copy_settings(parent, f.child);
	stub_restrict(parent, 0, TASK_SIZE);
	stub_flush(parent); /* before another of its threads can write again */
	mm_unlock(f.child);
	mm_unlock(parent);
	if (e) {
		mm_put(f.child);
		return NULL;
	}
	return f.child;
}
