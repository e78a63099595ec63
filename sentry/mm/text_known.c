/*
 * text_known.c - call sites that other processes have found already: a process has
 * the pages with them patched before its own calls have trapped often.
 *
 * Those of the program's loader at once, when it is mapped: every program makes the
 * same calls there, each a few times.  What else is there that can be found without a
 * trap (platform_patching.next) is looked for the first time that a file is a loader.  Other pages when calls in them have trapped
 * KNOWN_TRAPS times: a page costs about as much as three of these.
 *
 * On the task's thread; under mm->mu, but for what is said.
 */
#include "mm/text_internal.h"

#define KNOWN_TRAPS 2u

bool text_look_up(struct text *t, uint64_t rip)
{
	uint64_t page = (rip - 1) >> PAGE_SHIFT;
	_Atomic uint64_t *c = &t->pages[page % TEXT_PAGES];
	uint64_t v = atomic_load_explicit(c, memory_order_relaxed);

	if (v >> 8 != page)
		v = page << 8;
	if ((v & 0xff) == KNOWN_TRAPS)
		return false; /* it was */
	atomic_store_explicit(c, ++v, memory_order_relaxed);
	return (v & 0xff) == KNOWN_TRAPS;
}

/* The page at addr as it is known, if the file still has the same there. */
static void take_page(struct mm *mm, const struct vma *v, const struct pma *p, uint64_t addr)
{
	struct text *t = mm->text;
	uint64_t off = v->off + (addr - v->start);
	unsigned i = first_overlay(t, addr);
	struct text_page *page = NULL;
	uint8_t bytes[PAGE_SIZE];

	if ((i < t->n && t->overlays[i].addr == addr) || t->n == TEXT_MAX_OVERLAYS || text_mapped_twice(t, v->obj, off, addr))
		return;
	if (text_read_page(mm, p, addr, bytes))
		page = text_page_known(mm->env->texts, v->obj, off, bytes);
	if (page)
		text_use(mm, page, addr);
}

void text_take_known(struct mm *mm, uint64_t rip)
{
	uint64_t addr = PAGE_DOWN(rip - 1);
	struct vma *v = vma_at(mm, addr);
	struct pma *p = pma_at(mm, addr);

	if (text_may_patch(v, p) && !atomic_load(&mm->text_held) && atomic_load(&v->obj->patched) && text_claim(v->obj))
		take_page(mm, v, p, addr);
}

/* All pages of the record that are known. */
static void take_record(struct mm *mm, const struct vma *v, const struct pma *p)
{
	uint64_t from = v->off + (p->start - v->start), end = from + pma_len(p);

	for (uint64_t off = from; text_next_known(mm->env->texts, v->obj, &off, end); off += PAGE_SIZE)
		take_page(mm, v, p, p->start + (off - from));
}

/* The sites of its pages that need not trap to be found. */
static void seek_record(struct mm *mm, const struct vma *v, const struct pma *p)
{
	uint8_t bytes[PAGE_SIZE];

	for (uint64_t addr = p->start; addr < p->end; addr += PAGE_SIZE)
		if (text_read_page(mm, p, addr, bytes))
			text_page_seek(mm->env->texts, v->obj, v->off + (addr - v->start), bytes);
}

static bool seeks(const struct mm *mm, const struct memobj *o)
{
	return !atomic_load(&o->sought) && texts_patching(mm->env->texts)->pays();
}

/* The object that has been looked through; NULL: it was before. */
static struct memobj *load_record(struct mm *mm, const struct vma *v, const struct pma *p)
{
	bool seek = seeks(mm, v->obj);

	if ((!seek && !atomic_load(&v->obj->patched)) || !text_claim(v->obj))
		return NULL;
	if (seek)
		seek_record(mm, v, p);
	take_record(mm, v, p);
	return seek ? v->obj : NULL;
}

void mm_text_load(struct mm *mm, uint64_t start, uint64_t end)
{
	struct memobj *sought = NULL, *o;
	struct vma *v;
	struct pma *p;

	if (!mm->env->texts || !text_of(mm))
		return;
	mm_lock(mm);
	for (p = pma_first(mm, start); p && p->start < end; p = RB_NEXT(pma_tree, &mm->pmas, p)) {
		v = vma_at(mm, p->start);
		if (text_may_patch(v, p) && p->end <= v->end)
			sought = (o = load_record(mm, v, p)) ? o : sought;
	}
	if (sought)
		atomic_store(&sought->sought, true);
	if (mm->text->n)
		stub_hurry(mm); /* none of what they lie on is to be unmapped without them */
	mm_unlock(mm);
}
