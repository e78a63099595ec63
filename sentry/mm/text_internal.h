/*
 * text_internal.h - what text.c, text_event.c and text_known.c share.  [mm->mu], but for what is said.
 */
#ifndef SENTRY_MM_TEXT_INTERNAL_H
#define SENTRY_MM_TEXT_INTERNAL_H

#include "mm/mm_internal.h"
#include "mm/text.h"

#define TEXT_ROWS 16u
#define TEXT_ROW 4u
#define TEXT_PAGES 64u
#define TEXT_MAX_OVERLAYS 256u
#define TEXT_TABLE_PAGES 32u

struct overlay {
	uint64_t addr;
	struct text_page *page; /* and one reference to its memory */
};

struct text {
	_Atomic uint64_t counters[TEXT_ROWS][TEXT_ROW]; /* address << 8 | traps there, NEVER: it cannot be patched */
	_Atomic uint64_t pages[TEXT_PAGES]; /* the same of whole pages: text_known.c */
	struct overlay overlays[TEXT_MAX_OVERLAYS]; /* by address */
	unsigned n;
	uint64_t table[TEXT_TABLE_PAGES]; /* offset in the memory file; 0: none yet (the first page is the vDSO's) */
	bool mapped[TEXT_TABLE_PAGES];
};

static inline const struct platform_patching *text_patching(const struct mm *mm)
{
	return mm->env->texts ? texts_patching(mm->env->texts) : NULL;
}

/* --- text.c --- */
struct text *text_of(struct mm *mm); /* made if there is none; NULL: no memory. No locks held */
unsigned first_overlay(const struct text *t, uint64_t addr); /* the first that ends above addr */
/* The page is patched elsewhere in the process too: an entry leads back to one place only. */
bool text_mapped_twice(const struct text *t, const struct memobj *obj, uint64_t off, uint64_t addr);
bool text_may_patch(const struct vma *v, const struct pma *p); /* either may be NULL */
bool text_claim(struct memobj *o); /* before its bytes are read; false: somebody may write it without our noticing */
bool text_read_page(struct mm *mm, const struct pma *p, uint64_t addr, uint8_t to[PAGE_SIZE]); /* what the file has there */
bool text_use(struct mm *mm, struct text_page *page, uint64_t addr); /* from the next orders on; the reference is taken over */

/* --- text_known.c --- */
bool text_look_up(struct text *t, uint64_t rip); /* a call has trapped: is it time for this? Any thread, no locks */
void text_take_known(struct mm *mm, uint64_t rip);

#endif
