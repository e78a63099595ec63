/*
 * lea.c - one instruction: lea with a base, or relative to rip, and a displacement of
 * four bytes.  Pure functions.
 */
#include "arch/x86_64/arch.h"

#include <stddef.h>
#include <string.h>

#define REX_W 0x48
#define REX_R 4
#define REX_B 1

static const uint8_t places[] = {
	offsetof(struct regs, rax),
	offsetof(struct regs, rcx),
	offsetof(struct regs, rdx),
	offsetof(struct regs, rbx),
	offsetof(struct regs, rsp),
	offsetof(struct regs, rbp),
	offsetof(struct regs, rsi),
	offsetof(struct regs, rdi),
	offsetof(struct regs, r8),
	offsetof(struct regs, r9),
	offsetof(struct regs, r10),
	offsetof(struct regs, r11),
	offsetof(struct regs, r12),
	offsetof(struct regs, r13),
	offsetof(struct regs, r14),
	offsetof(struct regs, r15),
};

uint64_t *regs_numbered(struct regs *r, unsigned n)
{
	return (uint64_t *)(void *)((char *)r + places[n]);
}

bool lea_decode(const uint8_t code[LEA_LEN], struct lea *l)
{
	uint8_t rex = code[0], mod = code[2] >> 6, reg = code[2] >> 3 & 7, rm = code[2] & 7;

	if ((rex & ~(REX_R | REX_B)) != REX_W || code[1] != 0x8d)
		return false;
	if (!(mod == 0 && rm == 5) && !(mod == 2 && rm != 4)) /* rip; a base, and no index */
		return false;
	l->dest = reg + (rex & REX_R ? 8 : 0);
	l->base = mod == 0 ? LEA_RIP : rm + (rex & REX_B ? 8 : 0);
	memcpy(&l->disp, code + 3, sizeof(l->disp));
	return true;
}

uint64_t lea_value(const struct lea *l, const struct regs *r, uint64_t next)
{
	struct regs copy = *r;

	return (l->base == LEA_RIP ? next : *regs_numbered(&copy, l->base)) + (uint64_t)(int64_t)l->disp;
}
