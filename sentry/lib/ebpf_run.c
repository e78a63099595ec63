/*
 * ebpf_run.c - see ebpf.h: runs a program that was checked.  Its pointers are numbers of its own: what it is given
 * begins at GIVEN_AT, its stack ends at STACK_END.
 */
#include "lib/ebpf.h"

#include <endian.h>
#include <stdbool.h>
#include <string.h>

#define GIVEN_AT UINT64_C(0x100000)
#define STACK_END UINT64_C(0x200000)
#define REGS 16 /* as many as an instruction can name */

struct machine {
	uint64_t r[REGS];
	const uint8_t *given;
	size_t size;
	uint8_t stack[LINUX_BPF_STACK];
};

/* Where n bytes at a program's address are; NULL: not its own. */
static uint8_t *on_stack(struct machine *m, uint64_t at, unsigned n)
{
	const uint64_t off = at - (STACK_END - LINUX_BPF_STACK);

	return off <= LINUX_BPF_STACK - n ? m->stack + off : NULL;
}

static const uint8_t *readable(struct machine *m, uint64_t at, unsigned n)
{
	const uint64_t off = at - GIVEN_AT;

	return m->size >= n && off <= m->size - n ? m->given + off : on_stack(m, at, n);
}

static bool load(struct machine *m, const struct linux_bpf_insn *i)
{
	const unsigned n = ebpf_size(i->code);
	const uint8_t *from = readable(m, m->r[i->src] + (uint64_t)(int64_t)i->off, n);
	uint64_t v = 0; /* little endian */

	if (from)
		memcpy(&v, from, n);
	m->r[i->dst] = v;
	return from;
}

static bool store(struct machine *m, const struct linux_bpf_insn *i)
{
	const unsigned n = ebpf_size(i->code);
	uint8_t *to = on_stack(m, m->r[i->dst] + (uint64_t)(int64_t)i->off, n);
	uint64_t v = LINUX_BPF_CLASS(i->code) == LINUX_BPF_STX ? m->r[i->src] : (uint64_t)(int64_t)i->imm;

	if (to)
		memcpy(to, &v, n);
	return to;
}

static uint64_t to_end(uint64_t v, int bits, bool big)
{
	switch (bits) {
	case 16: return big ? htobe16((uint16_t)v) : (uint16_t)v;
	case 32: return big ? htobe32((uint32_t)v) : (uint32_t)v;
	default: return big ? htobe64(v) : v;
	}
}

/* wide: of 64 bits; else of 32, which a and b have no more than */
static uint64_t operate(unsigned op, bool wide, uint64_t a, uint64_t b)
{
	const unsigned shift = (unsigned)b & (wide ? 63 : 31);

	switch (op) {
	case LINUX_BPF_ADD: return a + b;
	case LINUX_BPF_SUB: return a - b;
	case LINUX_BPF_MUL: return a * b;
	case LINUX_BPF_DIV: return b ? a / b : 0;
	case LINUX_BPF_MOD: return b ? a % b : a;
	case LINUX_BPF_OR: return a | b;
	case LINUX_BPF_AND: return a & b;
	case LINUX_BPF_XOR: return a ^ b;
	case LINUX_BPF_LSH: return a << shift;
	case LINUX_BPF_RSH: return a >> shift;
	case LINUX_BPF_ARSH: return wide ? (uint64_t)((int64_t)a >> shift) : (uint64_t)((int32_t)(uint32_t)a >> shift);
	case LINUX_BPF_NEG: return -a;
	default: return b; /* LINUX_BPF_MOV */
	}
}

static uint64_t source(const struct machine *m, const struct linux_bpf_insn *i)
{
	return i->code & LINUX_BPF_X ? m->r[i->src] : (uint64_t)(int64_t)i->imm;
}

static void compute(struct machine *m, const struct linux_bpf_insn *i)
{
	const bool wide = LINUX_BPF_CLASS(i->code) == LINUX_BPF_ALU64;
	uint64_t a = m->r[i->dst], b = source(m, i);

	if (LINUX_BPF_OP(i->code) == LINUX_BPF_END)
		m->r[i->dst] = to_end(a, i->imm, i->code & LINUX_BPF_X);
	else if (wide)
		m->r[i->dst] = operate(LINUX_BPF_OP(i->code), true, a, b);
	else
		m->r[i->dst] = (uint32_t)operate(LINUX_BPF_OP(i->code), false, (uint32_t)a, (uint32_t)b);
}

static bool holds(const struct machine *m, const struct linux_bpf_insn *i)
{
	const bool wide = LINUX_BPF_CLASS(i->code) == LINUX_BPF_JMP;
	uint64_t a = m->r[i->dst], b = source(m, i);
	int64_t sa = wide ? (int64_t)a : (int32_t)(uint32_t)a, sb = wide ? (int64_t)b : (int32_t)(uint32_t)b;

	if (!wide) {
		a = (uint32_t)a;
		b = (uint32_t)b;
	}
	switch (LINUX_BPF_OP(i->code)) {
	case LINUX_BPF_JEQ: return a == b;
	case LINUX_BPF_JNE: return a != b;
	case LINUX_BPF_JGT: return a > b;
	case LINUX_BPF_JGE: return a >= b;
	case LINUX_BPF_JLT: return a < b;
	case LINUX_BPF_JLE: return a <= b;
	case LINUX_BPF_JSET: return a & b;
	case LINUX_BPF_JSGT: return sa > sb;
	case LINUX_BPF_JSGE: return sa >= sb;
	case LINUX_BPF_JSLT: return sa < sb;
	case LINUX_BPF_JSLE: return sa <= sb;
	default: return true; /* LINUX_BPF_JA */
	}
}

uint64_t ebpf_run(const struct linux_bpf_insn *prog, unsigned n, const void *given, size_t size)
{
	struct machine m = { .r = { [1] = GIVEN_AT, [10] = STACK_END }, .given = given, .size = size };

	/* a jump backwards, which is none of a checked program's, would lead out of it */
	for (unsigned at = 0; at < n; at++) {
		const struct linux_bpf_insn *i = &prog[at];

		switch (LINUX_BPF_CLASS(i->code)) {
		case LINUX_BPF_LD:
			if (++at >= n)
				return 0;
			m.r[i->dst] = (uint32_t)i->imm | (uint64_t)(uint32_t)prog[at].imm << 32;
			break;
		case LINUX_BPF_LDX:
			if (!load(&m, i))
				return 0;
			break;
		case LINUX_BPF_ST:
		case LINUX_BPF_STX:
			if (!store(&m, i))
				return 0;
			break;
		case LINUX_BPF_JMP:
		case LINUX_BPF_JMP32:
			if (LINUX_BPF_OP(i->code) == LINUX_BPF_EXIT)
				return m.r[0];
			if (LINUX_BPF_OP(i->code) == LINUX_BPF_CALL || i->off < 0)
				return 0;
			at += holds(&m, i) ? (unsigned)i->off : 0;
			break;
		default:
			compute(&m, i);
			break;
		}
	}
	return 0;
}
