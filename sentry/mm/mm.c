/*
 * mm.c - address spaces: making, freeing; limits and layout.
 */
#include "mm/mm_internal.h"

#include "arch/x86_64/arch.h"
#include "platform/platform.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct mm *mm_new(struct mm_env *e)
{
	struct mm *mm = calloc(1, sizeof(*mm));

	if (!mm)
		return NULL;
	ref_init(&mm->users);
	ref_init(&mm->count);
	mm->env = e;
	mutex_init(&mm->mu, RANK_MM);
	RB_INIT(&mm->vmas);
	RB_INIT(&mm->pmas);
	mm->mmap_base = mm->mmap_hint = PAGE_DOWN(TASK_SIZE - (UINT64_C(256) << 20));
	mm->lim_as = mm->lim_data = UINT64_MAX;
	mm->lim_stack = UINT64_C(8) << 20;
	mm->lim_memlock = UINT64_C(8) << 20;
	mm->dumpable = true;
	mm->core_filter = MM_CORE_DEFAULT;
	return mm;
}

void mm_unlock(struct mm *mm)
{
	struct vma *dead = mm->dead;

	mm->dead = NULL;
	mutex_unlock(&mm->mu);
	if (__builtin_expect(dead != NULL, 0))
		vma_free_list(dead);
}

void mm_get(struct mm *mm)
{
	ref_get(&mm->users);
}

bool mm_is_shared(const struct mm *mm)
{
	return ref_count(&mm->users) > 1;
}

void mm_grab(struct mm *mm)
{
	ref_get(&mm->count);
}

void mm_drop(struct mm *mm)
{
	if (!ref_put(&mm->count))
		return;
	mutex_destroy(&mm->mu);
	free(mm);
}

/* Nobody runs in it any more; an invalidation may still hold the struct. */
static void teardown(struct mm *mm)
{
	struct platform_as *as;
	struct vma *v;
	struct pma *p;
	struct file *exe;
	struct memobj *peeked;

	mm_lock(mm);
	peeked = peek_end(mm);
	as = mm->as;
	mm->as = NULL;
	exe = mm->layout.exe;
	mm->layout.exe = NULL;
	if (as)
		platform_as_free(as); /* kills the stub: pages can go without orders to it */
	stub_forget(mm);
	RB_FOREACH(p, pma_tree, &mm->pmas)
		p->stub = 0;
	pmas_drop(mm, 0, TASK_SIZE); /* cuts nothing: cannot fail */
	text_free(mm);
	while ((v = RB_ROOT(&mm->vmas)))
		vma_unlink(mm, v);
	mm_unlock(mm);
	if (peeked)
		memobj_put(peeked);
	if (exe)
		mm->env->hooks.put(exe);
	if (mm->user_ns)
		mm->env->hooks.ns_put(mm->user_ns);
	mm->user_ns = NULL;
}

void mm_bury(struct mm *mm)
{
	teardown(mm);
	mm_drop(mm);
}

static bool put_user(struct mm *mm)
{
	if (!ref_put(&mm->users))
		return false;
	if (mm->companion)
		mm->companion->gone(mm->companion);
	return true;
}

void mm_put(struct mm *mm)
{
	if (put_user(mm))
		mm_bury(mm);
}

/* The stub maps pages of the memory file that an object may free. */
static bool has_objects_pages(struct mm *mm)
{
	struct pma *p;

	RB_FOREACH(p, pma_tree, &mm->pmas)
		if (p->fd < 0 && !p->owned && !(vma_at(mm, p->start)->flags & VMA_SPECIAL))
			return true;
	return false;
}

/* Its areas of files go, whose host files the stub holds itself. */
static void let_go_of_files(struct mm *mm)
{
	struct vma *v, *next;

	for (v = RB_MIN(vma_tree, &mm->vmas); v; v = next) {
		next = RB_NEXT(vma_tree, &mm->vmas, v);
		if (v->obj && !(v->flags & VMA_SPECIAL))
			vma_unlink(mm, v);
	}
}

bool mm_put_begin(struct mm *mm)
{
	struct file *exe = NULL;
	struct memobj *peeked = NULL;
	bool later;

	if (!put_user(mm))
		return false;
	mm_lock(mm);
	later = !has_objects_pages(mm);
	if (later) {
		let_go_of_files(mm);
		peeked = peek_end(mm);
		exe = mm->layout.exe;
		mm->layout.exe = NULL;
	}
	mm_unlock(mm);
	if (peeked)
		memobj_put(peeked);
	if (exe)
		mm->env->hooks.put(exe);
	if (!later)
		mm_bury(mm);
	return later;
}

struct platform_as *mm_as_new(struct mm *mm)
{
	struct platform_as *as;

	mm_lock(mm);
	as = stub_as(mm);
	mm_unlock(mm);
	return as;
}

struct platform_as *mm_as(struct mm *mm)
{
	/* Asked before every switch; once made it stays for the life of mm. */
	struct platform_as *as = __atomic_load_n(&mm->as, __ATOMIC_ACQUIRE);

	if (as && !__atomic_load_n(&mm->queue.due, __ATOMIC_ACQUIRE) && !__atomic_load_n(&mm->queue.out, __ATOMIC_ACQUIRE))
		return as;
	mm_lock(mm);
	as = stub_as(mm);
	if (as)
		stub_flush_near(mm); /* on an error, faults tell it */
	mm_unlock(mm);
	return as;
}

struct mm_companion *mm_companion(struct mm *mm)
{
	return __atomic_load_n(&mm->companion, __ATOMIC_ACQUIRE);
}

struct mm_companion *mm_companion_set(struct mm *mm, struct mm_companion *c)
{
	struct mm_companion *was = NULL;

	return __atomic_compare_exchange_n(&mm->companion, &was, c, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) ? c : was;
}

struct mm_env *mm_env(struct mm *mm)
{
	return mm->env;
}

void mm_set_limits(struct mm *mm, uint64_t as, uint64_t data, uint64_t stack, uint64_t memlock)
{
	mm_lock(mm);
	mm->lim_as = as;
	mm->lim_data = data;
	mm->lim_stack = stack;
	mm->lim_memlock = memlock;
	mm_unlock(mm);
}

void mm_get_layout(struct mm *mm, struct mm_layout *out)
{
	mm_lock(mm);
	*out = mm->layout;
	out->start_brk = mm->brk_start;
	out->brk = mm->brk;
	if (out->exe)
		mm->env->hooks.get(out->exe);
	mm_unlock(mm);
}

void mm_set_layout(struct mm *mm, const struct mm_layout *in)
{
	struct file *old;

	mm_lock(mm);
	old = mm->layout.exe;
	mm->layout = *in;
	mm_unlock(mm);
	if (old)
		mm->env->hooks.put(old);
}

bool mm_dumpable(struct mm *mm)
{
	return __atomic_load_n(&mm->dumpable, __ATOMIC_RELAXED);
}

void mm_set_dumpable(struct mm *mm, bool d)
{
	__atomic_store_n(&mm->dumpable, d, __ATOMIC_RELAXED);
}

uint32_t mm_core_filter(struct mm *mm) { return atomic_load(&mm->core_filter); }

void mm_set_core_filter(struct mm *mm, uint32_t bits) { atomic_store(&mm->core_filter, bits & MM_CORE_ALL); }

struct user_ns *mm_user_ns(struct mm *mm)
{
	return mm->user_ns;
}

void mm_set_user_ns(struct mm *mm, struct user_ns *ns)
{
	mm->user_ns = ns;
}

bool mm_barriers(struct mm *mm)
{
	return __atomic_load_n(&mm->barriers, __ATOMIC_RELAXED);
}

void mm_set_barriers(struct mm *mm)
{
	__atomic_store_n(&mm->barriers, true, __ATOMIC_RELAXED);
}
