/*
 * regs.c - general registers: their state after exec, and making values from the
 * program safe.  Pure functions.
 */
#include "arch/x86_64/arch.h"

#include <string.h>

#define USER_CS 0x33
#define USER_CS32 0x23
#define USER_DS 0x2b
#define USER_MAX 0x7ffffffff000ul /* the end of what the host lets a process use */

#define EFLAGS_FIXED 0x2ul
#define EFLAGS_IF 0x200ul
/* What sigreturn may change (FIX_EFLAGS of Linux): AC OF DF TF SF ZF AF PF CF RF. */
#define EFLAGS_USER (0x40000ul | 0x800 | 0x400 | 0x100 | 0x80 | 0x40 | 0x10 | 0x4 | 0x1 | 0x10000)
#define EFLAGS_ID 0x200000ul
#define EFLAGS_NT 0x4000ul

void regs_exec(struct regs *r, uint64_t entry, uint64_t sp)
{
	memset(r, 0, sizeof(*r));
	r->rip = entry;
	r->rsp = sp;
	r->cs = USER_CS;
	r->ss = USER_DS;
	r->eflags = EFLAGS_IF | EFLAGS_FIXED;
	r->orig_rax = UINT64_MAX;
}

/* A selector that the host's table has for programs: null, data, TLS. */
static uint64_t data_selector(uint64_t sel)
{
	sel &= 0xffff;
	return sel == USER_DS || sel <= 3 ? sel : 0;
}

void regs_sanitize(struct regs *r)
{
	if (r->cs != USER_CS32)
		r->cs = USER_CS;
	r->ss = USER_DS;
	r->ds = data_selector(r->ds);
	r->es = data_selector(r->es);
	r->fs = data_selector(r->fs);
	r->gs = data_selector(r->gs);
	r->eflags = (r->eflags & (EFLAGS_USER | EFLAGS_ID | EFLAGS_NT)) | EFLAGS_IF | EFLAGS_FIXED;
	if (r->fs_base >= USER_MAX)
		r->fs_base = 0;
	if (r->gs_base >= USER_MAX)
		r->gs_base = 0;
	/* Not canonical: Linux would fault on the way out. This address is never mapped. */
	if (r->rip >= USER_MAX)
		r->rip = USER_MAX;
}

/* FLAG_MASK of Linux: as sigreturn, and NT. */
void regs_put_flags(struct regs *r, uint64_t eflags)
{
	const uint64_t may = EFLAGS_USER | EFLAGS_NT;

	r->eflags = (r->eflags & ~may) | (eflags & may);
}
