/*
 * fault.c - makes pages present: first touches, growing stacks, and program
 * faults.  Called with mm->mu held but for mm_fault.
 */
#include "mm/mm_internal.h"
#include "mm/usercopy.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define max_u64(a, b) ((a) > (b) ? (a) : (b))
#define min_u64(a, b) ((a) < (b) ? (a) : (b))
#define PREMAP_ANON ANON_STEP /* what a program asks for in larger pieces it may not touch */
#define TOUCHED_LEAST (UINT64_C(256) << 10)
#define PREMAP_COPY (UINT64_C(64) << 10)
#define AGAIN_MOST (4 * PAGE_SIZE)
#define ARENA_LEAST (UINT64_C(64) << 10)

/* A program access that the stub's mapping permits already: another thread was
 * faster, or the host refuses the page (beyond a host file's end, no memory). */
#define SPURIOUS_MAX 500

/* Narrows [*lo, *hi) around addr to the area and to where no record is. */
static void clip_to_gap(struct mm *mm, const struct vma *v, uint64_t addr, uint64_t *lo, uint64_t *hi)
{
	struct pma *next = pma_first(mm, addr);
	struct pma *prev = next ? RB_PREV(pma_tree, &mm->pmas, next) : RB_MAX(pma_tree, &mm->pmas);

	*lo = max_u64(*lo, v->start);
	*hi = min_u64(*hi, v->end);
	if (prev)
		*lo = max_u64(*lo, prev->end);
	if (next)
		*hi = min_u64(*hi, next->start);
}

uint64_t contiguous_hint(struct mm *mm, uint64_t lo, uint64_t hi)
{
	struct pma *next = pma_first(mm, lo);
	struct pma *prev = next ? RB_PREV(pma_tree, &mm->pmas, next) : RB_MAX(pma_tree, &mm->pmas);

	if (prev && prev->end == lo && prev->owned)
		return prev->off + pma_len(prev);
	if (next && next->start == hi && next->owned && next->off > hi - lo)
		return next->off - (hi - lo);
	return 0;
}

/* Memory for the record, near hint; a whole block lies where a huge page fits.  What will be
 * touched, most likely, and a few pages that continue nothing, are such pages as other
 * programs have left, and are there already. */
static int alloc_block(struct mm *mm, struct pma *p, uint64_t hint)
{
	struct memfile *mf = mm->env->mf;

	if ((mm->eager || (!hint && pma_len(p) <= AGAIN_MOST)) && !memfile_alloc_again(mf, pma_len(p), &p->off)) {
		p->present = true;
		return 0;
	}
	if (memfile_has_huge(mf) && pma_len(p) == ANON_STEP && !memfile_alloc(mf, ANON_STEP, ANON_STEP, hint, &p->off))
		return 0;
	return memfile_alloc(mf, pma_len(p), PAGE_SIZE, hint, &p->off);
}

/* The memory below lo has been touched to the last page: what comes will be too, most likely. */
static bool touched_below(struct mm *mm, uint64_t lo)
{
	const struct pma *p = pma_first(mm, lo - 1);
	uint64_t end, n, a, b;

	if (!p || p->end != lo || !p->owned || p->cow)
		return false;
	n = min_u64(pma_len(p), ANON_STEP);
	end = p->off + pma_len(p);
	return n >= TOUCHED_LEAST && memfile_next_data(mm->env->mf, end - n, end, &a, &b) && a == end - n && b == end;
}

/* Takes a new block from the host at once if all of it will be used; did it? */
static bool commit_block(struct mm *mm, const struct vma *v, const struct pma *p)
{
	const bool asked = v->flags & VMA_HUGEPAGE, refused = v->flags & VMA_NOHUGEPAGE;
	struct memfile *mf = mm->env->mf;

	if (asked && memfile_commit_huge(mf, p->off))
		return true;
	if (!touched_below(mm, p->start))
		return false;
	if (refused || asked || !memfile_commit_huge(mf, p->off))
		memfile_commit_new(mf, p->off, ANON_STEP);
	return true;
}

static int anon_fill(struct mm *mm, struct vma *v, uint64_t addr, struct pma **out)
{
	struct pma p = { .start = addr & ~(ANON_STEP - 1), .fd = -1, .prot = (uint8_t)v->prot, .owned = true };
	int e;

	p.end = p.start + ANON_STEP;
	clip_to_gap(mm, v, addr, &p.start, &p.end);
	e = alloc_block(mm, &p, contiguous_hint(mm, p.start, p.end));
	if (e && pma_len(&p) > PAGE_SIZE) {
		p.start = PAGE_DOWN(addr);
		p.end = p.start + PAGE_SIZE;
		e = memfile_alloc(mm->env->mf, PAGE_SIZE, PAGE_SIZE, 0, &p.off);
	}
	if (e)
		return e;
	if (pma_len(&p) == ANON_STEP)
		p.present = commit_block(mm, v, &p);
	*out = pma_insert(mm, &p);
	if (!*out) {
		memfile_put(mm->env->mf, p.off, pma_len(&p));
		return -ENOMEM;
	}
	*out = pma_join(mm, *out);
	return 0;
}

/* Asks v's object for addr and makes a record of the answer. */
static int object_fill(struct mm *mm, struct vma *v, uint64_t addr, bool write, struct pma **out)
{
	uint64_t page = PAGE_DOWN(addr), off = v->off + (page - v->start), skip;
	bool shared = v->flags & VMA_SHARED;
	struct backing b = { 0 };
	struct pma p;
	int e;

	e = v->obj->ops->translate(v->obj, off, min_u64(FILE_STEP, v->end - page), write && shared ? ACCESS_WRITE : ACCESS_READ, &b);
	if (e)
		return e;
	if (b.start > off || b.len < PAGE_SIZE || off - b.start > b.len - PAGE_SIZE)
		return -EIO; /* the answer lacks the page */
	p = (struct pma){ .fd = b.in_memfile ? -1 : b.host_fd, .prot = (uint8_t)v->prot, .cow = !shared, .ro = shared && b.read_only };
	/* The answer begins (off - b.start) before the page; as much of it as fits. */
	skip = off - b.start;
	p.start = page - v->start > skip ? page - skip : v->start;
	p.end = v->end - page > b.len - skip ? page + (b.len - skip) : v->end;
	clip_to_gap(mm, v, addr, &p.start, &p.end);
	p.off = b.off + skip - (page - p.start);
	*out = pma_insert(mm, &p);
	if (!*out)
		return -ENOMEM;
	*out = pma_join(mm, *out);
	return 0;
}

int page_get(struct mm *mm, struct vma *v, uint64_t addr, bool write, struct pma **out)
{
	struct pma *p = pma_at(mm, addr);
	int e;

	if (p && write && p->ro) {
		e = pmas_drop(mm, PAGE_DOWN(addr), PAGE_DOWN(addr) + PAGE_SIZE);
		if (e)
			return e;
		p = NULL;
	}
	if (!p) {
		e = v->obj ? object_fill(mm, v, addr, write, &p) : anon_fill(mm, v, addr, &p);
		if (e)
			return e;
		if (write && p->ro)
			return -EIO;
	}
	if (write && p->cow) {
		e = break_cow(mm, &p, addr);
		if (e)
			return e;
	}
	*out = p;
	return 0;
}

/* The growing of a stack downwards to addr: v lies above it. */
static bool grow_down(struct mm *mm, struct vma *v, uint64_t addr)
{
	struct vma *prev = RB_PREV(vma_tree, &mm->vmas, v);
	uint64_t start = PAGE_DOWN(addr), grow = v->start - start;

	if (start < MMAP_MIN_ADDR || v->end - start > mm->lim_stack || !may_expand(mm, grow, false))
		return false;
	if (prev && !(prev->flags & VMA_GROWSDOWN) && prev->prot != LINUX_PROT_NONE && start - prev->end < STACK_GUARD)
		return false;
	if (prev && start < prev->end)
		return false;
	if ((v->flags & VMA_LOCKED) && mm->locked + grow > mm->lim_memlock)
		return false;
	vma_account(mm, v, -1);
	v->start = start; /* stays in order: nothing lies between */
	v->off -= grow;
	vma_account(mm, v, 1);
	return true;
}

struct vma *vma_for_access(struct mm *mm, uint64_t addr)
{
	struct vma *v = addr < TASK_SIZE ? vma_first(mm, addr) : NULL;

	if (!v)
		return NULL;
	if (v->start <= addr)
		return v;
	return (v->flags & VMA_GROWSDOWN) && grow_down(mm, v, addr) ? v : NULL;
}

/* What a fault that is permitted already means: 0 go on, or an error when it comes again and again. */
static int spurious(struct mm *mm, uint64_t addr)
{
	if (mm->spurious_addr != addr) {
		mm->spurious_addr = addr;
		mm->spurious = 0;
	}
	if (++mm->spurious < SPURIOUS_MAX)
		return 0;
	mm->spurious = 0;
	return -EIO;
}

/* A private writable area is mostly written when it is small (a program's data):
 * copying at once saves the second fault.  A platform may call an access a read
 * that is a write. */
static bool write_soon(const struct vma *v, unsigned access)
{
	return !(access & ~ACCESS_READ) && v->obj && !(v->flags & VMA_SHARED) && (v->prot & LINUX_PROT_WRITE) && v->end - v->start <= UINT64_C(256) << 10;
}

static int map_now(struct mm *mm, struct pma *p)
{
	stub_map(mm, p);
	if (!stub_flush(mm))
		return 0;
	stub_map(mm, p); /* everything else is unmapped now */
	return stub_flush(mm);
}

static int fault_locked(struct mm *mm, uint64_t addr, unsigned access, int *code)
{
	struct vma *v = vma_for_access(mm, addr);
	bool write = access & ACCESS_WRITE;
	struct pma *p;
	int e;

	*code = SEGV_MAPERR;
	if (!v)
		return -EFAULT;
	*code = SEGV_ACCERR;
	p = pma_at(mm, addr);
	if (!access && p && p->stub && !(p->stub & LINUX_PROT_EXEC) && (p->prot & LINUX_PROT_EXEC))
		access = ACCESS_EXEC; /* or a write, which then faults again */
	if (!access && p && p->stub && !(p->stub & LINUX_PROT_WRITE))
		write = true; /* readable already: it cannot have been a read */
	if (v->prot == LINUX_PROT_NONE || (write && !(v->prot & LINUX_PROT_WRITE)) || ((access & ACCESS_EXEC) && !(v->prot & LINUX_PROT_EXEC)))
		return -EFAULT;
	if (p && p->stub && (!write || (p->stub & LINUX_PROT_WRITE)) && (!(access & ACCESS_EXEC) || (p->stub & LINUX_PROT_EXEC))) {
		if (mm->queue.n) { /* what could wait for this fault */
			mm->minor_faults++;
			stub_flush(mm);
			return 0;
		}
		e = spurious(mm, addr);
		/* Unknown access to what cannot be executed: it was a jump there. */
		return e && !access && !(v->prot & LINUX_PROT_EXEC) && p->fd < 0 ? -EFAULT : e;
	}
	mm->minor_faults++;
	e = page_get(mm, v, addr, write || write_soon(v, access), &p);
	if (!e)
		e = map_now(mm, p);
	return e == -EFAULT ? -EIO : e; /* beyond the object: SIGBUS */
}

int mm_fault(struct mm *mm, uint64_t addr, unsigned access, int *code)
{
	int e;

	mm_lock(mm);
	e = fault_locked(mm, addr, access, code);
	mm_unlock(mm);
	return e;
}

/* A loader relocates the data it maps: copied now, that is no fault of each page's. */
static bool worth_copying(const struct vma *v, uint64_t len, bool loading)
{
	return loading && v->obj && (v->prot & LINUX_PROT_WRITE) && len <= PREMAP_COPY;
}

/* A running loader has mapped a file's data, v, and will write there next; it will map
 * zeroed memory in place of what its first mapping of the file has behind the data. */
static void load_data(struct mm *mm, const struct vma *v)
{
	const struct vma *behind = vma_at(mm, v->end);

	if (!mm->as)
		return;
	if (behind && behind->obj == v->obj && !(behind->prot & LINUX_PROT_WRITE))
		stub_unmap(mm, behind->start, behind->end);
	stub_hurry(mm);
}

/* Notes an area and tells where the one of the same length was; 0: none is known. */
static uint64_t replace_arena(struct mm *mm, uint64_t start, uint64_t len)
{
	uint64_t last = 0;
	unsigned i = 0;

	while (i < N_ARENAS && mm->arenas[i].len != len)
		i++;
	if (i < N_ARENAS)
		last = mm->arenas[i].start;
	else
		i = mm->next_arena++ % N_ARENAS;
	mm->arenas[i].start = start;
	mm->arenas[i].len = len;
	return last;
}

/* A heap grows when it is full.  Who has filled an area and asks for another as large will
 * fill that too. */
static bool will_be_filled(struct mm *mm, const struct vma *v, uint64_t start, uint64_t end)
{
	const uint64_t len = end - start;
	uint64_t last;

	if (v->obj || len > PREMAP_ANON)
		return false;
	if (start == PAGE_UP(mm->brk))
		return start > PAGE_UP(mm->brk_start);
	if (len < ARENA_LEAST)
		return false;
	last = replace_arena(mm, start, len);
	return last && pmas_resident(mm, last, last + len, NULL) >= len - len / 8;
}

void premap(struct mm *mm, uint64_t start, uint64_t end, bool loading)
{
	struct vma *v;
	struct pma *p;

	while (start < end && (v = vma_at(mm, start))) {
		uint64_t stop = min_u64(v->end, end);
		bool copy = worth_copying(v, stop - start, loading);

		if ((v->flags & (VMA_SHARED | VMA_NORESERVE)) || v->prot == LINUX_PROT_NONE || (!v->obj && stop - start > PREMAP_ANON)) {
			start = stop;
			continue;
		}
		mm->eager = !loading && will_be_filled(mm, v, start, stop);
		for (; start < stop && !page_get(mm, v, start, copy, &p); start = p->end)
			(loading ? stub_map_later : stub_map)(mm, p);
		mm->eager = false;
		if (copy)
			load_data(mm, v);
		start = max_u64(start, stop);
	}
}

int mm_populate(struct mm *mm, uint64_t start, uint64_t end, bool write)
{
	struct vma *v;
	struct pma *p;
	uint64_t stop;
	int e;

	while (start < end) {
		v = vma_at(mm, start);
		if (!v)
			return -ENOMEM;
		if (v->prot == LINUX_PROT_NONE || (write && !(v->prot & LINUX_PROT_WRITE)))
			return -EFAULT;
		e = page_get(mm, v, start, write, &p);
		if (e)
			return e;
		stub_map(mm, p);
		stop = min_u64(p->end, end);
		if (p->fd < 0 && write)
			memfile_commit(mm->env->mf, p->off + (start - p->start), stop - start);
		start = stop;
	}
	return 0;
}
