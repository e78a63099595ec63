/*
 * stub.c - keeps what the stub process maps within what the page records
 * permit.  Called with mm->mu held; talks to the platform (RANK_PLATFORM).
 *
 * An order that fails must not leave the stub with more than its record says:
 * if in doubt the stub's whole address space is unmapped (it faults back in).
 */
#include "mm/mm_internal.h"
#include "platform/platform.h"

#include <errno.h>
#include <sys/mman.h>

struct platform_as *stub_as(struct mm *mm)
{
	if (!mm->as)
		__atomic_store_n(&mm->as, platform_as_new(mm->env->platform), __ATOMIC_RELEASE);
	return mm->as;
}

/* What the stub may map of p now.  The processor has no write-only or
 * exec-only pages. */
static int permitted(const struct pma *p)
{
	int prot = p->prot;

	if (prot & (PROT_WRITE | PROT_EXEC))
		prot |= PROT_READ;
	return p->cow || p->ro ? prot & ~PROT_WRITE : prot;
}

static void flush_all(struct mm *mm)
{
	struct pma *p;

	platform_as_unmap(mm->as, 0, TASK_SIZE); /* fails only when the stub is dead */
	RB_FOREACH(p, pma_tree, &mm->pmas)
		p->stub = 0;
}

int stub_map(struct mm *mm, struct pma *p)
{
	int want = permitted(p), e, fd = p->fd >= 0 ? p->fd : memfile_fd(mm->env->mf);

	if (p->stub == want)
		return 0;
	if (!want) {
		stub_unmap(mm, p->start, p->end);
		return 0;
	}
	if (!stub_as(mm))
		return -ENOMEM;
	if (p->stub)
		e = platform_as_protect(mm->as, p->start, pma_len(p), want);
	else
		e = platform_as_map(mm->as, p->start, pma_len(p), want, fd, p->off);
	if (e) { /* the host's limit of mappings, most likely: start afresh */
		flush_all(mm);
		e = platform_as_map(mm->as, p->start, pma_len(p), want, fd, p->off);
	}
	if (!e)
		p->stub = (uint8_t)want;
	return e;
}

void stub_unmap(struct mm *mm, uint64_t start, uint64_t end)
{
	uint64_t lo = 0, hi = 0;

	for (struct pma *p = pma_first(mm, start); p && p->start < end; p = RB_NEXT(pma_tree, &mm->pmas, p)) {
		if (!p->stub)
			continue;
		if (!hi)
			lo = p->start;
		hi = p->end;
		p->stub = 0;
	}
	/* One order: what lies between them is unmapped anyway or in the range. */
	if (hi && platform_as_unmap(mm->as, lo, hi - lo))
		flush_all(mm);
}

/* Protects [lo, hi), whose records are mapped without a hole, to want. */
static void protect_run(struct mm *mm, uint64_t lo, uint64_t hi, int want)
{
	int e = want ? platform_as_protect(mm->as, lo, hi - lo, want) : platform_as_unmap(mm->as, lo, hi - lo);

	if (e) {
		flush_all(mm);
		return;
	}
	for (struct pma *p = pma_first(mm, lo); p && p->start < hi; p = RB_NEXT(pma_tree, &mm->pmas, p))
		p->stub = (uint8_t)want;
}

void stub_restrict(struct mm *mm, uint64_t start, uint64_t end)
{
	struct pma *p = pma_first(mm, start);

	while (p && p->start < end) {
		uint64_t lo = p->start, hi = p->end;
		int want = permitted(p);
		bool differs = false;

		if (!p->stub) {
			p = RB_NEXT(pma_tree, &mm->pmas, p);
			continue;
		}
		for (; p && p->start < end && p->stub && permitted(p) == want && (p->start == lo || p->start == hi);
			p = RB_NEXT(pma_tree, &mm->pmas, p)) {
			hi = p->end;
			differs |= p->stub != want;
		}
		if (differs)
			protect_run(mm, lo, hi, want);
	}
}
