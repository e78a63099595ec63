/*
 * confine_bpf.c - policy rows to a seccomp program.
 *
 * A pure function of constant tables, quick enough to be run at every start: one
 * pass over the sorted calls.  The program is a binary search for the call's number;
 * at its place stand that call's rows, in the policy's order: the first row all
 * of whose checks hold decides.  Whatever is not found kills the process, and so
 * does a call by another architecture's entry (i386, x32).  tests/unit/libipc/test_bpf.c
 * holds the programs of all policies against what libseccomp makes of the same rows.
 */
#include "libipc/confine_internal.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define X32_BIT 0x40000000u
#define ROWS_MAX 256

/* A row and the number of its call. */
struct numbered {
	unsigned nr;
	unsigned order;
	const struct policy_rule *rule;
};

struct program {
	struct sock_filter *v;
	size_t n, max;
	bool overflow;
};

static void emit(struct program *g, uint16_t code, uint32_t k, size_t jt, size_t jf)
{
	if (g->n == g->max || jt > 255 || jf > 255)
		g->overflow = true;
	else
		g->v[g->n++] = (struct sock_filter){ code, (uint8_t)jt, (uint8_t)jf, k };
}

#define LOAD (BPF_LD | BPF_W | BPF_ABS)
#define JUMP(test) (BPF_JMP | (test) | BPF_K)
#define AND (BPF_ALU | BPF_AND | BPF_K)
#define RETURN (BPF_RET | BPF_K)

/* --- one row ---------------------------------------------------------------------- */

static uint32_t arg_low(const struct policy_check *c)
{
	return (uint32_t)(offsetof(struct seccomp_data, args) + sizeof(uint64_t) * c->arg);
}

/* `fail` instructions after its own last one lies where to go if it does not hold. */
static void half_equals(struct program *g, uint32_t offset, uint32_t mask, uint32_t value, size_t fail)
{
	emit(g, LOAD, offset, 0, 0);
	if (mask != ~0u)
		emit(g, AND, mask, 0, 0);
	emit(g, JUMP(BPF_JEQ), value, 0, fail);
}

static size_t half_length(uint32_t mask)
{
	return mask != ~0u ? 3 : 2;
}

static size_t check_length(const struct policy_check *c)
{
	if (c->op == POLICY_MASKED_EQ)
		return half_length((uint32_t)(c->mask >> 32)) + half_length((uint32_t)c->mask);
	return c->op == POLICY_LE ? 5 : 4;
}

/* The argument's high half, then its low half (little endian). */
static void emit_check(struct program *g, const struct policy_check *c, size_t fail)
{
	uint32_t low = arg_low(c), high = low + 4, vh = (uint32_t)(c->value >> 32), vl = (uint32_t)c->value;
	uint32_t ml = (uint32_t)c->mask;

	switch (c->op) {
	case POLICY_EQ:
		half_equals(g, high, ~0u, vh, fail + 2);
		half_equals(g, low, ~0u, vl, fail);
		break;
	case POLICY_MASKED_EQ:
		half_equals(g, high, (uint32_t)(c->mask >> 32), vh, fail + half_length(ml));
		half_equals(g, low, ml, vl, fail);
		break;
	case POLICY_NE:
		emit(g, LOAD, high, 0, 0);
		emit(g, JUMP(BPF_JEQ), vh, 0, 2);
		emit(g, LOAD, low, 0, 0);
		emit(g, JUMP(BPF_JEQ), vl, fail, 0);
		break;
	case POLICY_LE:
		emit(g, LOAD, high, 0, 0);
		emit(g, JUMP(BPF_JGT), vh, fail + 3, 0);
		emit(g, JUMP(BPF_JEQ), vh, 0, 2); /* less: holds */
		emit(g, LOAD, low, 0, 0);
		emit(g, JUMP(BPF_JGT), vl, fail, 0);
		break;
	case POLICY_END:
		break;
	}
}

static unsigned check_count(const struct policy_rule *r)
{
	unsigned n = 0;

	while (n < 4 && r->checks[n].op != POLICY_END)
		n++;
	return n;
}

static void emit_row(struct program *g, const struct policy_rule *r)
{
	unsigned n = check_count(r);
	size_t rest = 1; /* the return */

	for (unsigned i = 0; i < n; i++)
		rest += check_length(&r->checks[i]);
	for (unsigned i = 0; i < n; i++) {
		rest -= check_length(&r->checks[i]);
		emit_check(g, &r->checks[i], rest);
	}
	emit(g, RETURN, r->refuse ? SECCOMP_RET_ERRNO | (r->refuse & SECCOMP_RET_DATA) : SECCOMP_RET_ALLOW, 0, 0);
}

/* --- all calls ---------------------------------------------------------------------- */

/* Makes the `length` instructions just emitted the ones that are run when the test
 * holds; what comes next is run when it does not.  A jump of more than 255 needs
 * one more instruction. */
static void guard(struct program *g, uint16_t test, uint32_t k, size_t start)
{
	size_t length = g->n - start, room = length > 255 ? 2 : 1;

	if (g->n + room > g->max) {
		g->overflow = true;
		return;
	}
	memmove(g->v + start + room, g->v + start, length * sizeof(*g->v));
	g->v[start] = (struct sock_filter){ JUMP(test), 0, room > 1 ? 0 : (uint8_t)length, k };
	if (room > 1) {
		g->v[start].jt = 1;
		g->v[start + 1] = (struct sock_filter){ BPF_JMP | BPF_JA, 0, 0, (uint32_t)length };
	}
	g->n += room;
}

/* Rows of one call: they stand together.  Control does not leave at the end. */
static void emit_call(struct program *g, const struct numbered *rows, size_t n)
{
	size_t start = g->n;

	for (size_t i = 0; i < n; i++)
		emit_row(g, rows[i].rule);
	emit(g, RETURN, SECCOMP_RET_KILL_PROCESS, 0, 0);
	guard(g, BPF_JEQ, rows[0].nr, start);
	emit(g, RETURN, SECCOMP_RET_KILL_PROCESS, 0, 0);
}

/* The upper half of the rows behind a test, the lower half after it. */
static void emit_search(struct program *g, const struct numbered *rows, size_t n)
{
	size_t start = g->n, middle = n / 2;

	while (middle && rows[middle - 1].nr == rows[middle].nr)
		middle--;
	if (!middle) { /* the first call fills the lower half: the next one begins the upper */
		for (middle = n / 2; middle < n && rows[middle].nr == rows[0].nr; middle++)
			;
	}
	if (middle == n) {
		emit_call(g, rows, n);
		return;
	}
	emit_search(g, rows + middle, n - middle);
	guard(g, BPF_JGE, rows[middle].nr, start);
	emit_search(g, rows, middle);
}

static int by_number(const void *a, const void *b)
{
	const struct numbered *x = a, *y = b;

	if (x->nr != y->nr)
		return x->nr < y->nr ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

static struct err *number_rows(const struct policy_rule *const *tables, const size_t *n, size_t n_tables, struct numbered *out, size_t *n_out)
{
	size_t count = 0;

	for (size_t t = 0; t < n_tables; t++) {
		for (size_t i = 0; i < n[t]; i++) {
			int nr = seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, tables[t][i].call);

			if (nr < 0)
				return err_new(EINVAL, "unknown system call %s", tables[t][i].call);
			if (count == ROWS_MAX)
				return err_new(E2BIG, "more than %d rows", ROWS_MAX);
			out[count] = (struct numbered){ (unsigned)nr, (unsigned)count, &tables[t][i] };
			count++;
		}
	}
	qsort(out, count, sizeof(*out), by_number);
	*n_out = count;
	return NULL;
}

struct err *confine_bpf(const struct policy_rule *const *tables, const size_t *n, size_t n_tables, struct sock_filter *v, size_t max, size_t *len)
{
	struct program g = { .v = v, .max = max };
	struct numbered rows[ROWS_MAX];
	size_t n_rows;
	struct err *e = number_rows(tables, n, n_tables, rows, &n_rows);

	if (e)
		return e;
	emit(&g, LOAD, offsetof(struct seccomp_data, arch), 0, 0);
	emit(&g, JUMP(BPF_JEQ), AUDIT_ARCH_X86_64, 1, 0);
	emit(&g, RETURN, SECCOMP_RET_KILL_PROCESS, 0, 0);
	emit(&g, LOAD, offsetof(struct seccomp_data, nr), 0, 0);
	emit(&g, JUMP(BPF_JGE), X32_BIT, 0, 1);
	emit(&g, RETURN, SECCOMP_RET_KILL_PROCESS, 0, 0);
	if (n_rows)
		emit_search(&g, rows, n_rows);
	else
		emit(&g, RETURN, SECCOMP_RET_KILL_PROCESS, 0, 0);
	if (g.overflow)
		return err_new(E2BIG, "a filter of more than %zu instructions", max);
	*len = g.n;
	return NULL;
}
