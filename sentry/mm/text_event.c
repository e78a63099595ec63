/*
 * text_event.c - threads at instructions that have been patched away, or in an entry
 * that took their place.
 *
 * Where a thread can no longer be at an instruction because it was patched, it
 * faults, and mm_text_event does what the instruction would have done, as told by
 * the records.
 */
#include "mm/text_internal.h"
#include "mm/usercopy.h"

#include <signal.h>
#include <stdatomic.h>

static bool in_table(const struct mm *mm, uint64_t addr)
{
	const struct platform_patching *p = text_patching(mm);

	return p && addr >= p->table && addr < p->table_end;
}

/* A fault that a patched site may have raised. */
static bool may_be_ours(const struct mm *mm, enum platform_event ev, const struct platform_trap *trap)
{
	if (ev == PLATFORM_FAULT)
		return in_table(mm, trap->addr);
	return trap->signo == SIGILL || (trap->signo == SIGSEGV && trap->code == SI_KERNEL);
}

static void rewind_entry(struct mm *mm, struct regs *r)
{
	const struct platform_patching *p = text_patching(mm);
	uint64_t at = r->rip - p->table;
	unsigned n = (unsigned)(at / PAGE_SIZE);

	mm_lock(mm);
	if (mm->text && n < TEXT_TABLE_PAGES && mm->text->table[n])
		p->rewind((uint8_t *)memfile_ptr(mm->env->mf, mm->text->table[n]) + at % PAGE_SIZE / p->entry_size * p->entry_size, r);
	mm_unlock(mm);
}

enum platform_event mm_text_event(struct mm *mm, enum platform_event ev, const struct platform_trap *trap, struct regs *r)
{
	enum platform_event e;
	uint8_t code[TEXT_SITE_LEN] = { 0 };

	if (in_table(mm, r->rip))
		rewind_entry(mm, r);
	if ((ev != PLATFORM_TRAP && ev != PLATFORM_FAULT) || !mm->env->texts || !may_be_ours(mm, ev, trap))
		return ev;
	if (!__atomic_load_n(&mm->text, __ATOMIC_ACQUIRE) || copy_from_user_partial(mm, code, UADDR(r->rip), sizeof(code)) < 2)
		return ev;
	if (text_stores(code) && !copy_to_user(mm, UADDR(r->rsp + 8), &r->r11, sizeof(r->r11))) {
		r->rip += TEXT_STORE_LEN;
		return PLATFORM_INTERRUPTED;
	}
	e = text_emulate(r, code);
	return e == PLATFORM_TRAP ? ev : e;
}
