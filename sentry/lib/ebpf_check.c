/*
 * ebpf_check.c - see ebpf.h: what a program may not do is found before it runs.
 *
 * Jumps lead forwards only, so one pass in order sees each instruction after all that lead to it; what is known
 * of the registers there is what all of those agree on.
 */
#include "lib/ebpf.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#define REGS 11
#define FRAME 10 /* the register that points to the stack's end, and cannot be changed */

enum kind { NOTHING, NUMBER, GIVEN, STACK };

struct value {
	enum kind kind;
	int32_t off; /* STACK: bytes from its end */
	uint64_t max; /* NUMBER: it is not greater */
};

struct state {
	bool reached;
	struct value r[REGS];
};

struct check {
	const struct linux_bpf_insn *prog;
	unsigned n, at;
	const struct ebpf_given *given;
	struct ebpf_fault *fault;
	struct state *states; /* before each instruction */
};

static int bad(struct check *c, int error, const char *what)
{
	*c->fault = (struct ebpf_fault){ c->at, what };
	return error;
}

static int bad_insn(struct check *c)
{
	return bad(c, -EINVAL, "unknown opcode, or reserved fields are not zero");
}

/* --- values ------------------------------------------------------------------------------ */

static int need_number(struct check *c, const struct value *v)
{
	if (v->kind == NOTHING)
		return bad(c, -EACCES, "a register is read that has no value");
	return v->kind == NUMBER ? 0 : bad(c, -EACCES, "pointer arithmetic, comparison or store is prohibited");
}

/* What holds after either. */
static void join_value(struct value *a, const struct value *b)
{
	if (a->kind != b->kind || (a->kind == STACK && a->off != b->off))
		*a = (struct value){ NOTHING };
	else if (b->max > a->max)
		a->max = b->max;
}

static int flow(struct check *c, const struct state *from, int64_t to)
{
	struct state *s;

	if (to <= c->at)
		return bad(c, -EINVAL, "back-edge");
	if (to >= c->n)
		return bad(c, -EINVAL, "a jump, or the last instruction, leads out of the program");
	s = &c->states[to];
	if (!s->reached)
		*s = *from;
	for (int i = 0; i < REGS; i++)
		join_value(&s->r[i], &from->r[i]);
	s->reached = true;
	return 0;
}

/* --- arithmetic ---------------------------------------------------------------------------- */

static uint64_t max_after(unsigned op, bool wide, uint64_t a, uint64_t b, bool known)
{
	const uint64_t most = wide ? UINT64_MAX : UINT32_MAX;

	a = a < most ? a : most;
	b = b < most ? b : most;
	switch (op) {
	case LINUX_BPF_MOV: return b;
	case LINUX_BPF_AND: return a < b ? a : b;
	case LINUX_BPF_RSH: return known ? a >> b : a;
	default: return most;
	}
}

/* A pointer plus a number in the instruction; Linux takes nothing else of the stack's. */
static int move_pointer(struct check *c, struct value *dst, const struct linux_bpf_insn *i)
{
	int64_t off = (int64_t)dst->off + i->imm;

	if (off < -LINUX_BPF_STACK || off > 0)
		return bad(c, -EACCES, "a pointer beyond the stack");
	dst->off = (int32_t)off;
	return 0;
}

static int check_end(struct check *c, struct value *dst, const struct linux_bpf_insn *i)
{
	int r;

	if (LINUX_BPF_CLASS(i->code) != LINUX_BPF_ALU || i->src || i->off || (i->imm != 16 && i->imm != 32 && i->imm != 64))
		return bad_insn(c);
	if (!(r = need_number(c, dst)))
		dst->max = i->imm == 64 ? UINT64_MAX : (UINT64_C(1) << i->imm) - 1;
	return r;
}

static int check_operation(struct check *c, const struct linux_bpf_insn *i, bool wide, bool x)
{
	const unsigned op = LINUX_BPF_OP(i->code);

	if (op > LINUX_BPF_END || i->off || (x ? i->imm : i->src) || (op == LINUX_BPF_NEG && (x || i->imm)))
		return bad_insn(c);
	if (x)
		return 0;
	if ((op == LINUX_BPF_DIV || op == LINUX_BPF_MOD) && !i->imm)
		return bad(c, -EINVAL, "div by zero");
	if ((op == LINUX_BPF_LSH || op == LINUX_BPF_RSH || op == LINUX_BPF_ARSH) && (i->imm < 0 || i->imm >= (wide ? 64 : 32)))
		return bad(c, -EINVAL, "invalid shift");
	return 0;
}

static int check_alu(struct check *c, struct state *s, const struct linux_bpf_insn *i)
{
	const bool wide = LINUX_BPF_CLASS(i->code) == LINUX_BPF_ALU64, x = i->code & LINUX_BPF_X;
	const unsigned op = LINUX_BPF_OP(i->code);
	struct value *dst = &s->r[i->dst];
	struct value src = x ? s->r[i->src] : (struct value){ NUMBER, 0, wide ? (uint64_t)(int64_t)i->imm : (uint32_t)i->imm };
	int r;

	if (i->dst == FRAME)
		return bad(c, -EACCES, "frame pointer is read only");
	if (op == LINUX_BPF_END)
		return check_end(c, dst, i);
	if ((r = check_operation(c, i, wide, x)))
		return r;
	if (op == LINUX_BPF_MOV && wide && src.kind != NOTHING) {
		*dst = src;
		return 0;
	}
	if (dst->kind == STACK && wide && !x && op == LINUX_BPF_ADD)
		return move_pointer(c, dst, i);
	if ((r = need_number(c, &src)) || (op != LINUX_BPF_MOV && (r = need_number(c, dst))))
		return r;
	*dst = (struct value){ NUMBER, 0, max_after(op, wide, dst->max, src.max, !x) };
	return 0;
}

/* --- memory ---------------------------------------------------------------------------------- */

static int check_access(struct check *c, const struct value *at, int off, unsigned size, bool write)
{
	const int64_t from = (int64_t)at->off + off;

	if (at->kind == STACK)
		return from >= -LINUX_BPF_STACK && from + size <= 0 ? 0 : bad(c, -EACCES, "invalid access to stack");
	if (at->kind != GIVEN)
		return bad(c, -EACCES, "invalid mem access");
	if (write || off < 0 || (unsigned)off + size > c->given->size || (unsigned)off % size || size > 4 ||
	    (size < 4 && (unsigned)off + size > c->given->parts))
		return bad(c, -EACCES, "invalid bpf_context access");
	return 0;
}

static int check_load(struct check *c, struct state *s, const struct linux_bpf_insn *i)
{
	const unsigned size = ebpf_size(i->code);
	int r;

	if (LINUX_BPF_MODE(i->code) != LINUX_BPF_MEM || i->imm)
		return bad_insn(c);
	if (i->dst == FRAME)
		return bad(c, -EACCES, "frame pointer is read only");
	if ((r = check_access(c, &s->r[i->src], i->off, size, false)))
		return r;
	s->r[i->dst] = (struct value){ NUMBER, 0, size == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * size) - 1 };
	return 0;
}

static int check_store(struct check *c, struct state *s, const struct linux_bpf_insn *i)
{
	const bool x = LINUX_BPF_CLASS(i->code) == LINUX_BPF_STX;
	int r;

	if (LINUX_BPF_MODE(i->code) != LINUX_BPF_MEM || (x ? i->imm : i->src))
		return bad_insn(c);
	if (x && (r = need_number(c, &s->r[i->src])))
		return r;
	return check_access(c, &s->r[i->dst], i->off, ebpf_size(i->code), true);
}

/* A number of 64 bits takes two instructions' room. */
static int check_wide(struct check *c, struct state *s, const struct linux_bpf_insn *i)
{
	const struct linux_bpf_insn *second = i + 1;

	if (i->code != LINUX_BPF_LD_IMM64 || c->at + 1 >= c->n || i->src || i->off || second->code || second->dst || second->src || second->off)
		return bad_insn(c);
	if (i->dst == FRAME)
		return bad(c, -EACCES, "frame pointer is read only");
	if (c->states[c->at + 1].reached)
		return bad(c, -EINVAL, "jump into the middle of ldimm64 insn");
	s->r[i->dst] = (struct value){ NUMBER, 0, (uint32_t)i->imm | (uint64_t)(uint32_t)second->imm << 32 };
	return flow(c, s, (int64_t)c->at + 2);
}

/* --- jumps --------------------------------------------------------------------------------------- */

static int check_exit(struct check *c, const struct state *s, const struct linux_bpf_insn *i)
{
	int r;

	if (i->code != (LINUX_BPF_JMP | LINUX_BPF_EXIT) || i->dst || i->src || i->off || i->imm)
		return bad_insn(c);
	if ((r = need_number(c, &s->r[0])))
		return r;
	return s->r[0].max <= 1 ? 0 : bad(c, -EINVAL, "At program exit the register R0 should have been in (0x0; 0x1)");
}

static int check_jump(struct check *c, const struct state *s, const struct linux_bpf_insn *i)
{
	const bool x = i->code & LINUX_BPF_X, wide = LINUX_BPF_CLASS(i->code) == LINUX_BPF_JMP;
	const int64_t next = (int64_t)c->at + 1;
	int r;

	switch (LINUX_BPF_OP(i->code)) {
	case LINUX_BPF_EXIT: return check_exit(c, s, i);
	case LINUX_BPF_CALL: return bad(c, -EINVAL, "unknown func");
	case LINUX_BPF_JA: return !wide || x || i->dst || i->src || i->imm ? bad_insn(c) : flow(c, s, next + i->off);
	default: break;
	}
	if (LINUX_BPF_OP(i->code) > LINUX_BPF_JSLE || (x ? i->imm : i->src))
		return bad_insn(c);
	if ((x && (r = need_number(c, &s->r[i->src]))) || (r = need_number(c, &s->r[i->dst])) || (r = flow(c, s, next + i->off)))
		return r;
	return flow(c, s, next);
}

/* ------------------------------------------------------------------------------------------------------ */

static int step(struct check *c)
{
	const struct linux_bpf_insn *i = &c->prog[c->at];
	struct state s = c->states[c->at];
	int r;

	if (!s.reached)
		return bad(c, -EINVAL, "unreachable insn");
	if (i->dst >= REGS || i->src >= REGS)
		return bad(c, -EINVAL, "a register that there is not");
	switch (LINUX_BPF_CLASS(i->code)) {
	case LINUX_BPF_LD: return check_wide(c, &s, i);
	case LINUX_BPF_LDX: r = check_load(c, &s, i); break;
	case LINUX_BPF_ST:
	case LINUX_BPF_STX: r = check_store(c, &s, i); break;
	case LINUX_BPF_JMP:
	case LINUX_BPF_JMP32: return check_jump(c, &s, i);
	default: r = check_alu(c, &s, i); break;
	}
	return r ? r : flow(c, &s, (int64_t)c->at + 1);
}

int ebpf_check(const struct linux_bpf_insn *prog, unsigned n, const struct ebpf_given *given, struct ebpf_fault *fault)
{
	struct check c = { prog, n, 0, given, fault, calloc(n, sizeof(struct state)) };
	int r = c.states ? 0 : -ENOMEM;

	if (r)
		return r;
	c.states[0] = (struct state){ true, { [1] = { GIVEN }, [FRAME] = { STACK } } };
	for (; !r && c.at < n; c.at++) {
		r = step(&c);
		if (prog[c.at].code == LINUX_BPF_LD_IMM64)
			c.at++;
	}
	free(c.states);
	return r;
}
