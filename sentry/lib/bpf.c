/*
 * bpf.c - checks and runs the classic BPF of seccomp filters (see bpf.h).  Source
 * of the rules: linux/net/core/filter.c bpf_check_classic, kernel/seccomp.c
 * seccomp_check_filter; seccomp(2).
 */
#include "lib/bpf.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define CLASS(code) ((code) & 7)
#define OP(code) ((code) & 0xf0)
#define DATA_SIZE ((uint32_t)sizeof(struct linux_seccomp_data))

/* --- checking ----------------------------------------------------------------------- */

static bool alu_ok(const struct linux_sock_filter *i)
{
	bool by_k = !(i->code & LINUX_BPF_X);

	switch (OP(i->code)) {
	case LINUX_BPF_ADD:
	case LINUX_BPF_SUB:
	case LINUX_BPF_MUL:
	case LINUX_BPF_AND:
	case LINUX_BPF_OR:
	case LINUX_BPF_XOR:
		return true;
	case LINUX_BPF_DIV:
		return !by_k || i->k;
	case LINUX_BPF_LSH:
	case LINUX_BPF_RSH:
		return !by_k || i->k < 32;
	case LINUX_BPF_NEG:
		return by_k;
	default:
		return false;
	}
}

/* left: instructions after this one. */
static bool jump_ok(const struct linux_sock_filter *i, unsigned left)
{
	switch (OP(i->code)) {
	case LINUX_BPF_JA:
		return !(i->code & LINUX_BPF_X) && i->k < left;
	case LINUX_BPF_JEQ:
	case LINUX_BPF_JGT:
	case LINUX_BPF_JGE:
	case LINUX_BPF_JSET:
		return i->jt < left && i->jf < left;
	default:
		return false;
	}
}

static bool insn_ok(const struct linux_sock_filter *i, unsigned left)
{
	switch (i->code) {
	case LINUX_BPF_LD_W_ABS:
		return i->k < DATA_SIZE && !(i->k & 3);
	case LINUX_BPF_LD_W_LEN:
	case LINUX_BPF_LDX_W_LEN:
	case LINUX_BPF_LD_IMM:
	case LINUX_BPF_LDX_IMM:
	case LINUX_BPF_RET_K:
	case LINUX_BPF_RET_A:
	case LINUX_BPF_TAX:
	case LINUX_BPF_TXA:
		return true;
	case LINUX_BPF_LD_MEM:
	case LINUX_BPF_LDX_MEM:
	case LINUX_BPF_ST:
	case LINUX_BPF_STX:
		return i->k < LINUX_BPF_MEMWORDS;
	default:
		if (i->code > 0xff)
			return false;
		return CLASS(i->code) == LINUX_BPF_ALU ? alu_ok(i) : CLASS(i->code) == LINUX_BPF_JMP && jump_ok(i, left);
	}
}

/* Every scratch word that is read was written on every way there. valid[n]: all ones at first. */
static bool scratch_ok(const struct linux_sock_filter *f, unsigned n, uint16_t *valid)
{
	uint16_t now = 0;

	for (unsigned i = 0; i < n; i++) {
		now &= valid[i];
		switch (f[i].code) {
		case LINUX_BPF_ST:
		case LINUX_BPF_STX:
			now |= (uint16_t)(1u << f[i].k);
			continue;
		case LINUX_BPF_LD_MEM:
		case LINUX_BPF_LDX_MEM:
			if (!(now >> f[i].k & 1))
				return false;
			continue;
		default:
			break;
		}
		if (CLASS(f[i].code) != LINUX_BPF_JMP)
			continue;
		if (OP(f[i].code) == LINUX_BPF_JA) {
			valid[i + 1 + f[i].k] &= now;
		} else {
			valid[i + 1 + f[i].jt] &= now;
			valid[i + 1 + f[i].jf] &= now;
		}
		now = UINT16_MAX; /* what follows is reached by jumps only */
	}
	return true;
}

static bool packet_insn_ok(const struct linux_sock_filter *i, unsigned left)
{
	switch (i->code) {
	case LINUX_BPF_LD_W_ABS:
	case LINUX_BPF_LD_H_ABS:
	case LINUX_BPF_LD_B_ABS:
		return i->k < LINUX_SKF_AD_OFF || (i->k - LINUX_SKF_AD_OFF < LINUX_SKF_AD_MAX && !(i->k & 3));
	case LINUX_BPF_LD_W_IND:
	case LINUX_BPF_LD_H_IND:
	case LINUX_BPF_LD_B_IND:
	case LINUX_BPF_LDX_B_MSH:
	case LINUX_BPF_ALU | LINUX_BPF_MOD | LINUX_BPF_X:
		return true;
	case LINUX_BPF_ALU | LINUX_BPF_MOD:
		return i->k;
	default:
		return insn_ok(i, left);
	}
}

static int check(const struct linux_sock_filter *f, unsigned n, bool (*insn)(const struct linux_sock_filter *i, unsigned left))
{
	uint16_t *valid;
	bool ok;

	if (!n || n > LINUX_BPF_MAXINSNS)
		return -EINVAL;
	for (unsigned i = 0; i < n; i++)
		if (!insn(&f[i], n - i - 1))
			return -EINVAL;
	if (f[n - 1].code != LINUX_BPF_RET_K && f[n - 1].code != LINUX_BPF_RET_A)
		return -EINVAL;
	valid = malloc(n * sizeof(*valid));
	if (!valid)
		return -ENOMEM;
	memset(valid, 0xff, n * sizeof(*valid));
	ok = scratch_ok(f, n, valid);
	free(valid);
	return ok ? 0 : -EINVAL;
}

int bpf_check(const struct linux_sock_filter *f, unsigned n)
{
	return check(f, n, insn_ok);
}

int bpf_check_packets(const struct linux_sock_filter *f, unsigned n)
{
	return check(f, n, packet_insn_ok);
}

/* --- running --------------------------------------------------------------------------- */

/* false: division by zero, which ends the program with 0. */
static bool alu(uint16_t code, uint32_t *a, uint32_t v)
{
	switch (OP(code)) {
	case LINUX_BPF_ADD:
		*a += v;
		break;
	case LINUX_BPF_SUB:
		*a -= v;
		break;
	case LINUX_BPF_MUL:
		*a *= v;
		break;
	case LINUX_BPF_DIV:
		if (!v)
			return false;
		*a /= v;
		break;
	case LINUX_BPF_OR:
		*a |= v;
		break;
	case LINUX_BPF_AND:
		*a &= v;
		break;
	case LINUX_BPF_XOR:
		*a ^= v;
		break;
	case LINUX_BPF_LSH:
		*a <<= v & 31;
		break;
	case LINUX_BPF_RSH:
		*a >>= v & 31;
		break;
	default: /* NEG */
		*a = -*a;
		break;
	}
	return true;
}

static bool holds(uint16_t code, uint32_t a, uint32_t v)
{
	switch (OP(code)) {
	case LINUX_BPF_JEQ:
		return a == v;
	case LINUX_BPF_JGT:
		return a > v;
	case LINUX_BPF_JGE:
		return a >= v;
	default: /* JSET */
		return a & v;
	}
}

uint32_t bpf_run(const struct linux_sock_filter *f, const struct linux_seccomp_data *d)
{
	uint32_t a = 0, x = 0, mem[LINUX_BPF_MEMWORDS], v;

	for (const struct linux_sock_filter *i = f;; i++) {
		switch (i->code) {
		case LINUX_BPF_LD_W_ABS:
			memcpy(&a, (const char *)d + i->k, sizeof(a));
			continue;
		case LINUX_BPF_RET_K:
			return i->k;
		case LINUX_BPF_RET_A:
			return a;
		case LINUX_BPF_LD_W_LEN:
			a = DATA_SIZE;
			continue;
		case LINUX_BPF_LDX_W_LEN:
			x = DATA_SIZE;
			continue;
		case LINUX_BPF_LD_IMM:
			a = i->k;
			continue;
		case LINUX_BPF_LDX_IMM:
			x = i->k;
			continue;
		case LINUX_BPF_LD_MEM:
			a = mem[i->k];
			continue;
		case LINUX_BPF_LDX_MEM:
			x = mem[i->k];
			continue;
		case LINUX_BPF_ST:
			mem[i->k] = a;
			continue;
		case LINUX_BPF_STX:
			mem[i->k] = x;
			continue;
		case LINUX_BPF_TAX:
			x = a;
			continue;
		case LINUX_BPF_TXA:
			a = x;
			continue;
		default:
			break;
		}
		v = i->code & LINUX_BPF_X ? x : i->k;
		if (CLASS(i->code) == LINUX_BPF_ALU) {
			if (!alu(i->code, &a, v))
				return 0;
		} else if (OP(i->code) == LINUX_BPF_JA) {
			i += i->k;
		} else {
			i += holds(i->code, a, v) ? i->jt : i->jf;
		}
	}
}

bool bpf_always_allows(const struct linux_sock_filter *f, uint32_t nr)
{
	uint32_t a = 0;

	for (const struct linux_sock_filter *i = f;; i++) {
		switch (i->code) {
		case LINUX_BPF_LD_W_ABS:
			if (i->k == offsetof(struct linux_seccomp_data, nr))
				a = nr;
			else if (i->k == offsetof(struct linux_seccomp_data, arch))
				a = LINUX_AUDIT_ARCH_X86_64;
			else
				return false;
			continue;
		case LINUX_BPF_RET_K:
			return i->k == LINUX_SECCOMP_RET_ALLOW;
		case LINUX_BPF_ALU | LINUX_BPF_AND:
			a &= i->k;
			continue;
		case LINUX_BPF_JMP | LINUX_BPF_JA:
			i += i->k;
			continue;
		default:
			break;
		}
		if (CLASS(i->code) != LINUX_BPF_JMP || i->code & LINUX_BPF_X)
			return false;
		i += holds(i->code, a, i->k) ? i->jt : i->jf;
	}
}
