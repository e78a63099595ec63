/*
 * test_sigframe.c - signal frames in a flat piece of "program memory", against
 * the host's own ucontext_t and siginfo_t; registers made safe.
 *
 * links: sentry/arch/x86_64/sigframe.c sentry/arch/x86_64/fpstate.c sentry/arch/x86_64/regs.c
 */
#include "abi/signal.h"
#include "arch/x86_64/arch.h"
#include "mm/usercopy.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define BASE 0x100000ul
#define SIZE 0x10000ul
static uint8_t stack[SIZE];

static bool in_range(uint64_t a, size_t n)
{
	return a >= BASE && a < BASE + SIZE && n <= BASE + SIZE - a;
}

int copy_from_user(struct mm *mm, void *dst, uaddr src, size_t n)
{
	if (!in_range(src.v, n))
		return -EFAULT;
	memcpy(dst, stack + (src.v - BASE), n);
	return 0;
}

int copy_to_user(struct mm *mm, uaddr dst, const void *src, size_t n)
{
	if (!in_range(dst.v, n))
		return -EFAULT;
	memcpy(stack + (dst.v - BASE), src, n);
	return 0;
}

static struct fpstate fp, fp2;
static struct regs regs;
static const struct linux_sigaction sa = { .handler = 0x400000, .flags = LINUX_SA_SIGINFO | LINUX_SA_RESTORER, .restorer = 0x400100 };
static const struct linux_stack ss = { .ss_sp = 0x1234, .ss_size = 0x8000 };
static const struct linux_siginfo info = { .signo = SIGSEGV, .code = SEGV_ACCERR, .fault = { .addr = 0xdead000 } };

static void fill(void)
{
	memset(stack, 0, sizeof(stack));
	regs_exec(&regs, 0x401234, BASE + SIZE - 128);
	regs.rax = 1;
	regs.rbx = 2;
	regs.r15 = 15;
	regs.eflags |= 0x400; /* DF */
	regs.fs_base = 0x7000;
	fpstate_init(&fp);
	memset(fp.area + 160, 0x5a, 64);
	fp.area[512] = 0; /* not in use: may be so when all registers are 0 */
}

static ucontext_t *frame_uc(void)
{
	return (ucontext_t *)(void *)(stack + (regs.rdx - BASE));
}

START_TEST(layout)
{
	siginfo_t *si;
	ucontext_t *uc;
	uint64_t ret, fx;
	uint32_t magic[2];

	fill();
	ck_assert_int_eq(sigframe_push(NULL, &regs, &fp, regs.rsp, SIGSEGV, &info, &sa, 0x55, &ss), 0);
	ck_assert_uint_eq(regs.rip, 0x400000);
	ck_assert_uint_eq(regs.rdi, SIGSEGV);
	ck_assert_uint_eq(regs.rsp % 16, 8);
	ck_assert_uint_eq(regs.rax, 0);
	ck_assert_uint_eq(regs.eflags & 0x400, 0);
	memcpy(&ret, stack + (regs.rsp - BASE), 8);
	ck_assert_uint_eq(ret, 0x400100);
	si = (siginfo_t *)(void *)(stack + (regs.rsi - BASE));
	ck_assert_ptr_eq(si->si_addr, (void *)0xdead000);
	uc = frame_uc();
	ck_assert_uint_eq(uc->uc_flags, 7);
	ck_assert_int_eq(uc->uc_mcontext.gregs[REG_RIP], 0x401234);
	ck_assert_int_eq(uc->uc_mcontext.gregs[REG_RBX], 2);
	ck_assert_int_eq(uc->uc_mcontext.gregs[REG_CR2], 0xdead000);
	ck_assert_int_eq(uc->uc_mcontext.gregs[REG_TRAPNO], 14);
	ck_assert_ptr_eq(uc->uc_stack.ss_sp, (void *)0x1234);
	ck_assert_uint_eq(uc->uc_sigmask.__val[0], 0x55);
	fx = (uint64_t)uc->uc_mcontext.fpregs;
	ck_assert_uint_eq(fx % 64, 0);
	memcpy(magic, stack + (fx - BASE) + 464, 8);
	ck_assert_uint_eq(magic[0], 0x46505853);
	ck_assert_uint_eq(magic[1], fpstate_size() + 4);
	ck_assert_uint_eq(stack[fx - BASE + 512] & 3, 3);
	memcpy(magic, stack + (fx - BASE) + fpstate_size(), 4);
	ck_assert_uint_eq(magic[0], 0x46505845);
}
END_TEST

static int pop(uint64_t *mask, struct linux_stack *out)
{
	regs.rsp += 8; /* the handler's ret */
	return sigframe_pop(NULL, &regs, &fp2, mask, out);
}

START_TEST(round_trip)
{
	struct linux_stack out;
	struct regs before;
	uint64_t mask;

	fill();
	before = regs;
	fp.area[512] = 3;
	sigframe_push(NULL, &regs, &fp, regs.rsp, SIGUSR1, &info, &sa, 0x55, &ss);
	ck_assert_int_eq(pop(&mask, &out), 0);
	ck_assert_uint_eq(mask, 0x55);
	ck_assert_uint_eq(out.ss_sp, 0x1234);
	ck_assert_mem_eq(&regs, &before, sizeof(regs));
	ck_assert_mem_eq(fp.area + 160, fp2.area + 160, 256);
}
END_TEST

START_TEST(hostile)
{
	struct linux_stack out;
	uint64_t mask, fx;
	ucontext_t *uc;

	fill();
	sigframe_push(NULL, &regs, &fp, regs.rsp, SIGUSR1, &info, &sa, 0, &ss);
	uc = frame_uc();
	uc->uc_mcontext.gregs[REG_EFL] = -1;
	uc->uc_mcontext.gregs[REG_RIP] = (greg_t)0x8000000000000000;
	uc->uc_mcontext.gregs[REG_CSGSFS] = 0;
	fx = (uint64_t)uc->uc_mcontext.fpregs;
	memset(stack + (fx - BASE) + 24, 0xff, 8); /* mxcsr */
	memset(stack + (fx - BASE) + 512, 0xff, 64); /* header */
	ck_assert_int_eq(pop(&mask, &out), 0);
	ck_assert_uint_eq(regs.cs, 0x33);
	ck_assert_uint_eq(regs.ss, 0x2b);
	ck_assert_uint_eq(regs.eflags & 0x3200, 0x200); /* IOPL 0, IF */
	ck_assert_uint_lt(regs.rip, 1ul << 47);
	memcpy(&mask, fp2.area + 512, 8);
	ck_assert_uint_eq(mask & ~fpstate_features(), 0);
	for (int i = 520; i < 576; i++)
		ck_assert_uint_eq(fp2.area[i], 0);
	memcpy(&mask, fp2.area + 24, 8);
	ck_assert_uint_lt((uint32_t)mask, 0x10000 * 4);
}
END_TEST

START_TEST(bad_memory)
{
	struct linux_sigaction none = sa;
	struct linux_stack out;
	uint64_t mask;

	fill();
	none.flags = 0;
	ck_assert_int_eq(sigframe_push(NULL, &regs, &fp, regs.rsp, 1, &info, &none, 0, &ss), -EFAULT);
	ck_assert_int_eq(sigframe_push(NULL, &regs, &fp, BASE + 100, 1, &info, &sa, 0, &ss), -EFAULT);
	ck_assert_int_eq(sigframe_push(NULL, &regs, &fp, 100, 1, &info, &sa, 0, &ss), -EFAULT);
	ck_assert_int_eq(sigframe_push(NULL, &regs, &fp, UINT64_MAX, 1, &info, &sa, 0, &ss), -EFAULT);
	regs.rsp = 64;
	ck_assert_int_eq(sigframe_pop(NULL, &regs, &fp2, &mask, &out), -EFAULT);
	/* a good frame with a bad pointer to its floating-point part */
	fill();
	sigframe_push(NULL, &regs, &fp, regs.rsp, SIGUSR1, &info, &sa, 0, &ss);
	frame_uc()->uc_mcontext.fpregs = (void *)0x10;
	ck_assert_int_eq(pop(&mask, &out), -EFAULT);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sigframe");
	TCase *tc = tcase_create("sigframe");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, layout);
	tcase_add_test(tc, round_trip);
	tcase_add_test(tc, hostile);
	tcase_add_test(tc, bad_memory);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
