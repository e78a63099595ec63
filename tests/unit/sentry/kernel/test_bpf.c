/*
 * test_bpf.c - the checker refuses what could run wild, the interpreter computes.
 * links: sentry/lib/bpf.c
 */
#include "lib/bpf.h"

#include "tests/unit/libipc/check_main.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define STMT(c, v) { .code = (c), .k = (v) }
#define JUMP(c, v, t, f) { .code = (c), .jt = (t), .jf = (f), .k = (v) }
#define N(p) (sizeof(p) / sizeof(p[0]))
#define K(op) (LINUX_BPF_ALU | (op))
#define X(op) (LINUX_BPF_ALU | (op) | LINUX_BPF_X)

static uint32_t alu(uint16_t op, uint32_t a, uint32_t v, bool by_x)
{
	const struct linux_sock_filter p[] = { STMT(LINUX_BPF_LD_IMM, a), STMT(LINUX_BPF_LDX_IMM, v), STMT(by_x ? X(op) : K(op), v), STMT(LINUX_BPF_RET_A, 0) };

	ck_assert_int_eq(bpf_check(p, N(p)), 0);
	return bpf_run(p, &(struct linux_seccomp_data){ 0 });
}

START_TEST(packets)
{
	const struct linux_sock_filter good[] = { STMT(LINUX_BPF_LD_H_ABS, 5), STMT(LINUX_BPF_LDX_B_MSH, 14), STMT(LINUX_BPF_LD_B_IND, 1),
		STMT(LINUX_BPF_LD_W_ABS, LINUX_SKF_AD_OFF + 8), STMT(K(LINUX_BPF_MOD), 3), STMT(LINUX_BPF_RET_A, 0) };
	struct linux_sock_filter bad[] = { STMT(LINUX_BPF_LD_W_ABS, 0), STMT(LINUX_BPF_RET_A, 0) };

	ck_assert_int_eq(bpf_check_packets(good, N(good)), 0);
	ck_assert_int_eq(bpf_check(good, N(good)), -EINVAL);
	bad[0].k = LINUX_SKF_AD_OFF + LINUX_SKF_AD_MAX;
	ck_assert_int_eq(bpf_check_packets(bad, N(bad)), -EINVAL);
	bad[0] = (struct linux_sock_filter)STMT(K(LINUX_BPF_MOD), 0);
	ck_assert_int_eq(bpf_check_packets(bad, N(bad)), -EINVAL);
}
END_TEST

START_TEST(arithmetic)
{
	for (int x = 0; x < 2; x++) {
		ck_assert_uint_eq(alu(LINUX_BPF_ADD, UINT32_MAX, 2, x), 1);
		ck_assert_uint_eq(alu(LINUX_BPF_SUB, 1, 2, x), UINT32_MAX);
		ck_assert_uint_eq(alu(LINUX_BPF_MUL, 1u << 31, 3, x), 1u << 31);
		ck_assert_uint_eq(alu(LINUX_BPF_DIV, 100, 7, x), 14);
		ck_assert_uint_eq(alu(LINUX_BPF_OR, 5, 10, x), 15);
		ck_assert_uint_eq(alu(LINUX_BPF_AND, 13, 7, x), 5);
		ck_assert_uint_eq(alu(LINUX_BPF_XOR, 13, 7, x), 10);
		ck_assert_uint_eq(alu(LINUX_BPF_LSH, 3, 31, x), 1u << 31);
		ck_assert_uint_eq(alu(LINUX_BPF_RSH, 1u << 31, 31, x), 1);
	}
	ck_assert_uint_eq(alu(LINUX_BPF_NEG, 1, 0, false), UINT32_MAX);
	ck_assert_uint_eq(alu(LINUX_BPF_DIV, 100, 0, true), 0);
	ck_assert_uint_eq(alu(LINUX_BPF_LSH, 1, 33, true), 2); /* no more than 31 counts */
}
END_TEST

START_TEST(loads)
{
	struct linux_seccomp_data d = { .nr = 7, .arch = 8, .ip = UINT64_C(0x900000001), .args = { [5] = UINT64_C(0xb0000000a) } };
	static const uint32_t expected[][2] = { { 0, 7 }, { 4, 8 }, { 8, 1 }, { 12, 9 }, { 56, 10 }, { 60, 11 } };

	for (size_t i = 0; i < N(expected); i++) {
		const struct linux_sock_filter p[] = { STMT(LINUX_BPF_LD_W_ABS, expected[i][0]), STMT(LINUX_BPF_RET_A, 0) };

		ck_assert_int_eq(bpf_check(p, N(p)), 0);
		ck_assert_uint_eq(bpf_run(p, &d), expected[i][1]);
	}
}
END_TEST

START_TEST(scratch)
{
	const struct linux_sock_filter ok[] = { STMT(LINUX_BPF_LD_IMM, 5), STMT(LINUX_BPF_ST, 15), STMT(LINUX_BPF_LDX_MEM, 15), STMT(LINUX_BPF_TXA, 0),
		STMT(LINUX_BPF_RET_A, 0) };
	/* written on one way only */
	const struct linux_sock_filter bad[] = { JUMP(LINUX_BPF_JMP | LINUX_BPF_JEQ, 0, 0, 1), STMT(LINUX_BPF_ST, 1), STMT(LINUX_BPF_LD_MEM, 1),
		STMT(LINUX_BPF_RET_A, 0) };

	ck_assert_int_eq(bpf_check(ok, N(ok)), 0);
	ck_assert_uint_eq(bpf_run(ok, &(struct linux_seccomp_data){ 0 }), 5);
	ck_assert_int_eq(bpf_check(bad, N(bad)), -EINVAL);
}
END_TEST

START_TEST(refused)
{
	const struct linux_sock_filter bad[] = { STMT(0x28 /* half word */, 0), STMT(LINUX_BPF_LD_W_ABS, 64), STMT(LINUX_BPF_LD_W_ABS, UINT32_MAX - 3),
		STMT(LINUX_BPF_ST, 16), STMT(LINUX_BPF_LD_MEM, UINT32_MAX), STMT(K(LINUX_BPF_DIV), 0), STMT(K(LINUX_BPF_LSH), 32),
		STMT(K(0x90) /* remainder */, 3), STMT(0x100 | LINUX_BPF_RET_K, 0), STMT(LINUX_BPF_JMP | LINUX_BPF_JA, 1),
		STMT(LINUX_BPF_JMP | LINUX_BPF_JA, UINT32_MAX), JUMP(LINUX_BPF_JMP | LINUX_BPF_JGT, 0, 1, 0), JUMP(LINUX_BPF_JMP | LINUX_BPF_JGT, 0, 0, 255) };

	for (size_t i = 0; i < N(bad); i++) {
		const struct linux_sock_filter p[] = { bad[i], STMT(LINUX_BPF_RET_K, 0) };

		ck_assert_msg(bpf_check(p, 2) == -EINVAL, "program %zu", i);
		ck_assert_int_eq(bpf_check(&bad[i], 1), -EINVAL);
	}
	ck_assert_int_eq(bpf_check(bad, 0), -EINVAL);
}
END_TEST

START_TEST(always_allowed)
{
	/* 1 is refused, 2 depends on an argument, others are fine; on another machine nothing is */
	const struct linux_sock_filter p[] = { STMT(LINUX_BPF_LD_W_ABS, 4), JUMP(LINUX_BPF_JMP | LINUX_BPF_JEQ, LINUX_AUDIT_ARCH_X86_64, 1, 0),
		STMT(LINUX_BPF_RET_K, 0), STMT(LINUX_BPF_LD_W_ABS, 0), JUMP(LINUX_BPF_JMP | LINUX_BPF_JEQ, 1, 2, 0),
		JUMP(LINUX_BPF_JMP | LINUX_BPF_JEQ, 2, 2, 0), STMT(LINUX_BPF_RET_K, LINUX_SECCOMP_RET_ALLOW),
		STMT(LINUX_BPF_RET_K, LINUX_SECCOMP_RET_ERRNO | 1), STMT(LINUX_BPF_LD_W_ABS, 16), STMT(LINUX_BPF_RET_K, LINUX_SECCOMP_RET_ALLOW) };

	ck_assert_int_eq(bpf_check(p, N(p)), 0);
	ck_assert(bpf_always_allows(p, 0));
	ck_assert(!bpf_always_allows(p, 1));
	ck_assert(!bpf_always_allows(p, 2));
	ck_assert(bpf_always_allows(p, 3));
}
END_TEST

/* Whatever the checker accepts ends, and reads nothing that it should not (run under a sanitizer). */
START_TEST(random_programs)
{
	static const uint16_t codes[] = { 0x20, 0x80, 0x81, 0x00, 0x01, 0x60, 0x61, 0x02, 0x03, 0x04, 0x0c, 0x14, 0x24, 0x34, 0x3c, 0x44, 0x54, 0x64, 0x6c, 0x74,
		0x84, 0xa4, 0x05, 0x15, 0x1d, 0x25, 0x35, 0x45, 0x06, 0x16, 0x07, 0x87 };
	unsigned accepted = 0;

	srandom(1);
	for (int round = 0; round < 200000; round++) {
		unsigned n = 1 + (unsigned)random() % 12;
		struct linux_sock_filter *p = calloc(n, sizeof(*p));
		struct linux_seccomp_data d = { .nr = (int32_t)random() };

		for (unsigned i = 0; i < n; i++)
			p[i] = (struct linux_sock_filter){ .code = codes[(size_t)random() % N(codes)], .jt = random() & 3, .jf = random() & 3,
				.k = random() % 8 == 0 ? LINUX_SECCOMP_RET_ALLOW : random() & 1 ? (uint32_t)random() % 70 : (uint32_t)random() };
		if (random() % 4)
			p[n - 1].code = LINUX_BPF_RET_A;
		if (!bpf_check(p, n)) {
			accepted++;
			uint32_t v;

			d.arch = LINUX_AUDIT_ARCH_X86_64;
			v = bpf_run(p, &d);
			if (bpf_always_allows(p, (uint32_t)d.nr))
				ck_assert_uint_eq(v, LINUX_SECCOMP_RET_ALLOW);
		}
		free(p);
	}
	ck_assert_uint_gt(accepted, 1000);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { packets, arithmetic, loads, scratch, refused, always_allowed, random_programs, NULL };

	return check_main("bpf", tests);
}
