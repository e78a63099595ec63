/*
 * move.c - instructions that set a register from another one, or to a constant.  Pure.
 */
#include "arch/x86_64/arch.h"

#include <string.h>

#define REX 0x40
#define REX_W 8
#define REX_R 4
#define REX_X 2
#define REX_B 1
#define RAX 0
#define RSP 4

/* Register `to` becomes what register `from` has, or `constant`. */
struct move {
	uint8_t op, len, from, to;
	bool wide;
	uint32_t constant;
};

static bool decode(const uint8_t *p, unsigned n, struct move *m)
{
	uint8_t rex = n && (p[0] & 0xf0) == REX ? p[0] : 0, modrm;
	unsigned at = rex ? 1 : 0;

	if (n < at + 2 || rex & REX_X)
		return false;
	modrm = p[at + 1];
	*m = (struct move){ .op = p[at], .wide = rex & REX_W };
	if ((m->op & 0xf8) == 0xb8) { /* mov $constant, %reg */
		if (m->wide || n < at + 5)
			return false;
		m->to = (uint8_t)((m->op & 7) + (rex & REX_B ? 8 : 0));
		m->op = 0xb8;
		m->len = (uint8_t)(at + 5);
		memcpy(&m->constant, p + at + 1, sizeof(m->constant));
		return true;
	}
	m->len = (uint8_t)(at + 2);
	m->from = (uint8_t)((modrm >> 3 & 7) + (rex & REX_R ? 8 : 0));
	m->to = (uint8_t)((modrm & 7) + (rex & REX_B ? 8 : 0));
	if (m->op == 0x8b || m->op == 0x33 || m->op == 0x63) { /* the other way round */
		uint8_t reg = m->from;

		m->from = m->to;
		m->to = reg;
	}
	return modrm >> 6 == 3 && (m->op == 0x89 || m->op == 0x8b || m->op == 0x31 || m->op == 0x33 || (m->op == 0x63 && m->wide));
}

static bool usual(unsigned reg)
{
	return reg != RAX && reg != RSP;
}

unsigned move_length(const uint8_t *p, unsigned n)
{
	struct move m;

	return decode(p, n, &m) && usual(m.to) && (m.op == 0xb8 || usual(m.from)) ? m.len : 0;
}

uint64_t flags_compared(uint64_t a, int64_t b)
{
	uint64_t ax;

	__asm__("cmp %2, %1\n\tlahf\n\tseto %%al" : "=&a"(ax) : "r"(a), "r"(b) : "cc");
	return (ax >> 8 & 0xd5) | (ax & 1) << 11;
}

void move_do(const uint8_t *p, struct regs *r)
{
	struct move m;
	uint64_t v;

	if (!decode(p, MOVE_MAX, &m))
		return;
	v = m.op == 0xb8 ? m.constant : *regs_numbered(r, m.from);
	if (m.op == 0x63)
		v = (uint64_t)(int32_t)v;
	if (m.op == 0x31 || m.op == 0x33) {
		v ^= *regs_numbered(r, m.to);
		r->eflags = (r->eflags & ~FLAGS_ARITHMETIC) | flags_compared(m.wide ? v : (uint64_t)(int32_t)v, 0);
	}
	*regs_numbered(r, m.to) = m.wide ? v : (uint32_t)v;
}
