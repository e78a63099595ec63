/*
 * text_emulate.c - what the instructions of patched sites do, for a thread that comes
 * to one which is no longer there.  Pure.
 */
#include "arch/x86_64/arch.h"
#include "mm/text.h"

#include <cpuid.h>
#include <errno.h>
#include <string.h>

#define FLAGS_CMP 0x8d5ul /* OF SF ZF AF PF CF */

static uint64_t compare_flags(uint64_t a, int64_t b)
{
	uint64_t ax;

	__asm__("cmp %2, %1\n\tlahf\n\tseto %%al" : "=&a"(ax) : "r"(a), "r"(b) : "cc");
	return (ax >> 8 & 0xd5) | (ax & 1) << 11;
}

static void do_call(struct regs *r)
{
	r->rcx = r->rip;
	r->r11 = r->eflags;
	r->orig_rax = r->rax;
	r->rax = (uint64_t)-ENOSYS;
}

static int32_t constant(const uint8_t *p)
{
	int32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static void ask(struct regs *r)
{
	unsigned a, b, c, d;

	__cpuid_count((unsigned)r->rax, (unsigned)r->rcx, a, b, c, d);
	r->rax = a;
	r->rbx = b;
	r->rcx = c;
	r->rdx = d;
}

enum platform_event text_emulate(struct regs *r, const uint8_t code[TEXT_SITE_LEN])
{
	struct lea l;

	if (lea_decode(code, &l)) {
		r->rip += LEA_LEN;
		*regs_numbered(r, l.dest) = lea_value(&l, r, r->rip);
		return PLATFORM_INTERRUPTED;
	}
	if (code[0] == 0xb8 && code[5] == 0x0f && code[6] == 0x05) {
		r->rax = (uint32_t)constant(code + 1);
		r->rip += 7;
		do_call(r);
		return PLATFORM_SYSCALL;
	}
	if (code[0] == 0x0f && code[1] == 0x05) {
		r->rip += 2;
		do_call(r);
		return PLATFORM_SYSCALL;
	}
	if (code[0] == 0x48 && code[1] == 0x3d) {
		r->eflags = (r->eflags & ~FLAGS_CMP) | compare_flags(r->rax, constant(code + 2));
		r->rip += 6;
		return PLATFORM_INTERRUPTED;
	}
	if (code[0] == 0x0f && code[1] == 0xa2) {
		ask(r);
		r->rip += 2;
		return PLATFORM_INTERRUPTED;
	}
	if (code[0] == 0x31 && code[1] == 0xc9) { /* xor %ecx, %ecx */
		r->rcx = 0;
		r->eflags = (r->eflags & ~FLAGS_CMP) | compare_flags(0, 0);
		r->rip += 2;
		return PLATFORM_INTERRUPTED;
	}
	return PLATFORM_TRAP;
}
