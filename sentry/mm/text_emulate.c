/*
 * text_emulate.c - what the instructions of patched sites do, for a thread that comes
 * to one which is no longer there.  Pure.
 */
#include "arch/x86_64/arch.h"
#include "mm/text.h"

#include <cpuid.h>
#include <errno.h>
#include <string.h>

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

bool text_stores(const uint8_t code[TEXT_SITE_LEN])
{
	static const uint8_t store[TEXT_SITE_LEN] = { 0x4c, 0x89, 0x5c, 0x24, 0x08, 0x0f, 0x05 };

	return !memcmp(code, store, sizeof(store));
}

enum platform_event text_emulate(struct regs *r, const uint8_t code[TEXT_SITE_LEN])
{
	unsigned len = move_length(code, TEXT_SITE_LEN);
	struct lea l;

	if (len) {
		move_do(code, r);
		r->rip += len;
		return PLATFORM_INTERRUPTED;
	}
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
	if (code[0] == 0xb8) {
		r->rax = (uint32_t)constant(code + 1);
		r->rip += 5;
		return PLATFORM_INTERRUPTED;
	}
	if (code[0] == 0x0f && code[1] == 0x05) {
		r->rip += 2;
		do_call(r);
		return PLATFORM_SYSCALL;
	}
	if (code[0] == 0x48 && code[1] == 0x3d) {
		r->eflags = (r->eflags & ~FLAGS_ARITHMETIC) | flags_compared(r->rax, constant(code + 2));
		r->rip += 6;
		return PLATFORM_INTERRUPTED;
	}
	if (code[0] == 0x0f && code[1] == 0xa2) {
		ask(r);
		r->rip += 2;
		return PLATFORM_INTERRUPTED;
	}
	return PLATFORM_TRAP;
}
