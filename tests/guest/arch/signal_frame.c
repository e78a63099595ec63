/*
 * signal_frame.c - what a handler sees and may change: siginfo, ucontext,
 * floating-point state, stacks.
 */
#include "../test.h"

#include <fenv.h>
#include <setjmp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <xmmintrin.h>

static volatile sig_atomic_t hits;
static volatile siginfo_t got; /* volatile: libc's calls are declared not to come back into this file */
static greg_t gregs[NGREG];
static sigset_t uc_mask, in_mask;
static uintptr_t handler_sp;

static void on_signal(int signo, siginfo_t *si, void *ctx)
{
	ucontext_t *uc = ctx;
	int local;

	hits++;
	got = *si;
	memcpy(gregs, uc->uc_mcontext.gregs, sizeof(gregs));
	uc_mask = uc->uc_sigmask;
	sigprocmask(SIG_SETMASK, NULL, &in_mask);
	handler_sp = (uintptr_t)&local;
}

static void handle(int signo, void (*fn)(int, siginfo_t *, void *), int flags)
{
	struct sigaction sa = { .sa_sigaction = fn, .sa_flags = SA_SIGINFO | flags };

	CHECK(!sigaction(signo, &sa, NULL));
}

CASE(kill_siginfo)
{
	handle(SIGUSR1, on_signal, 0);
	CHECK(!kill(getpid(), SIGUSR1));
	CHECK(hits == 1 && got.si_signo == SIGUSR1 && got.si_code == SI_USER);
	CHECK(got.si_pid == getpid() && got.si_uid == getuid());
	CHECK(!syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1));
	CHECK(hits == 2);
	CHECK(got.si_code == SI_TKILL);
	CHECK(!sigqueue(getpid(), SIGUSR1, (union sigval){ .sival_int = 4711 }));
	CHECK(hits == 3 && got.si_code == SI_QUEUE && got.si_value.sival_int == 4711);
}

CASE(mask_in_handler)
{
	sigset_t now;

	handle(SIGUSR1, on_signal, 0);
	raise(SIGUSR1);
	CHECK(sigismember(&in_mask, SIGUSR1) && !sigismember(&uc_mask, SIGUSR1));
	sigprocmask(SIG_SETMASK, NULL, &now);
	CHECK(!sigismember(&now, SIGUSR1));
	handle(SIGUSR1, on_signal, SA_NODEFER);
	raise(SIGUSR1);
	CHECK(!sigismember(&in_mask, SIGUSR1));
}

static void change_registers(int signo, siginfo_t *si, void *ctx)
{
	ucontext_t *uc = ctx;

	uc->uc_mcontext.gregs[REG_RBX] = 0x1234567890abcdef;
	uc->uc_mcontext.gregs[REG_RIP] += 2; /* over ud2 */
	sigaddset(&uc->uc_sigmask, SIGUSR2);
}

CASE(ucontext_edits)
{
	uint64_t rbx = 1;
	sigset_t now;

	handle(SIGILL, change_registers, 0);
	__asm__ volatile("ud2" : "+b"(rbx));
	CHECK(rbx == 0x1234567890abcdef);
	sigprocmask(SIG_SETMASK, NULL, &now);
	CHECK(sigismember(&now, SIGUSR2));
}

static void clobber_fp(int signo, siginfo_t *si, void *ctx)
{
	__asm__ volatile("pxor %%xmm0, %%xmm0\n\tpxor %%xmm7, %%xmm7\n\tpxor %%xmm15, %%xmm15" : : : "xmm0", "xmm7", "xmm15");
	_mm_setcsr(0x1f80 | 0x6000);
	hits++;
}

CASE(fp_preserved)
{
	uint64_t in = 0xa5a5a5a55a5a5a5a, out0 = 0, out7 = 0, out15 = 0;
	long pid = getpid(), r;

	handle(SIGUSR1, clobber_fp, 0);
	_mm_setcsr(0x1f80 | 0x2000);
	__asm__ volatile("movq %[in], %%xmm0\n\tmovq %[in], %%xmm7\n\tmovq %[in], %%xmm15\n\t"
			 "syscall\n\t"
			 "movq %%xmm0, %[o0]\n\tmovq %%xmm7, %[o7]\n\tmovq %%xmm15, %[o15]"
			 : [o0] "=&r"(out0), [o7] "=&r"(out7), [o15] "=&r"(out15), "=a"(r)
			 : [in] "r"(in), "3"((long)SYS_kill), "D"(pid), "S"((long)SIGUSR1)
			 : "rcx", "r11", "memory", "xmm0", "xmm7", "xmm15");
	CHECK(r == 0 && hits == 1);
	CHECK(out0 == in && out7 == in && out15 == in);
	CHECK((_mm_getcsr() & 0x6000) == 0x2000);
	_mm_setcsr(0x1f80);
}

static void change_fp(int signo, siginfo_t *si, void *ctx)
{
	ucontext_t *uc = ctx;
	uint64_t v = 0x1122334455667788;

	memcpy(&uc->uc_mcontext.fpregs->_xmm[3], &v, 8);
	CHECK(uc->uc_mcontext.fpregs->mxcsr == 0x1f80);
}

CASE(fp_edits)
{
	uint64_t out;
	long pid = getpid(), r;

	handle(SIGUSR1, change_fp, 0);
	__asm__ volatile("pxor %%xmm3, %%xmm3\n\tsyscall\n\tmovq %%xmm3, %[out]"
			 : [out] "=&r"(out), "=a"(r)
			 : "1"((long)SYS_kill), "D"(pid), "S"((long)SIGUSR1)
			 : "rcx", "r11", "memory", "xmm3");
	CHECK(r == 0 && out == 0x1122334455667788);
}

static volatile uint32_t handler_csr;
static void save_csr(int signo, siginfo_t *si, void *ctx)
{
	handler_csr = _mm_getcsr();
}

CASE(handler_starts_with_clean_fp)
{
	handle(SIGUSR1, save_csr, 0);
	_mm_setcsr(0x1f80 | 0x2000);
	raise(SIGUSR1);
	CHECK(handler_csr == 0x1f80 && (_mm_getcsr() & 0x6000) == 0x2000);
	_mm_setcsr(0x1f80);
}

static void check_magic(int signo, siginfo_t *si, void *ctx)
{
	ucontext_t *uc = ctx;
	uint32_t sw[2], end;

	CHECK(uc->uc_flags == 7);
	CHECK((uintptr_t)uc->uc_mcontext.fpregs % 64 == 0);
	memcpy(sw, (char *)uc->uc_mcontext.fpregs + 464, sizeof(sw));
	CHECK(sw[0] == 0x46505853 && sw[1] > 580);
	memcpy(&end, (char *)uc->uc_mcontext.fpregs + sw[1] - 4, sizeof(end));
	CHECK(end == 0x46505845);
	hits++;
}

CASE(fp_state_has_magic)
{
	handle(SIGUSR1, check_magic, 0);
	raise(SIGUSR1);
	CHECK(hits == 1);
}

CASE(altstack)
{
	size_t size = 65536;
	char *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	stack_t ss = { .ss_sp = stack, .ss_size = size }, old;
	int local;

	CHECK(stack != MAP_FAILED && !sigaltstack(&ss, NULL));
	handle(SIGUSR1, on_signal, SA_ONSTACK);
	raise(SIGUSR1);
	CHECK(handler_sp >= (uintptr_t)stack && handler_sp < (uintptr_t)stack + size);
	handle(SIGUSR2, on_signal, 0);
	raise(SIGUSR2);
	CHECK(handler_sp < (uintptr_t)&local && (uintptr_t)&local - handler_sp < 1 << 20);
	CHECK(!sigaltstack(NULL, &old) && old.ss_sp == stack && old.ss_flags == 0);
}

static sigjmp_buf jump;
static void jump_out(int signo, siginfo_t *si, void *ctx)
{
	got = *si;
	siglongjmp(jump, 1);
}

static int overflow(volatile int n)
{
	volatile char buf[4096];

	buf[0] = (char)n;
	return n ? overflow(n + 1) + buf[0] : 0;
}

CASE(stack_overflow_on_altstack)
{
	static char stack[65536];
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) };

	CHECK(!sigaltstack(&ss, NULL));
	handle(SIGSEGV, jump_out, SA_ONSTACK);
	if (!sigsetjmp(jump, 1)) {
		overflow(1);
		CHECK(0);
	}
	CHECK(got.si_signo == SIGSEGV);
}

CASE(red_zone)
{
	long r, pid = getpid();
	uint64_t out;

	handle(SIGUSR1, on_signal, 0);
	__asm__ volatile("movq $0x5a5a, -120(%%rsp)\n\tsyscall\n\tmovq -120(%%rsp), %[out]"
			 : "=a"(r), [out] "=&r"(out)
			 : "0"((long)SYS_kill), "D"(pid), "S"((long)SIGUSR1)
			 : "rcx", "r11", "memory");
	CHECK(r == 0 && hits == 1 && out == 0x5a5a);
}

CASE(registers_in_frame)
{
	long r, pid = getpid();
	uint64_t r12 = 0xcafe;

	handle(SIGUSR1, on_signal, 0);
	__asm__ volatile("mov %[v], %%r12\n\tsyscall" : "=a"(r) : [v] "r"(r12), "0"((long)SYS_kill), "D"(pid), "S"((long)SIGUSR1) : "rcx", "r11", "r12", "memory");
	CHECK(r == 0 && gregs[REG_R12] == 0xcafe && gregs[REG_RAX] == 0);
	CHECK((gregs[REG_CSGSFS] & 0xffff) == 0x33);
}

static volatile int depth;
static void nest(int signo, siginfo_t *si, void *ctx)
{
	if (++depth < 10)
		raise(SIGUSR1);
	depth += 100;
}

CASE(nested)
{
	handle(SIGUSR1, nest, SA_NODEFER);
	raise(SIGUSR1);
	CHECK(depth == 1010);
}

CASE(direction_flag_clear_in_handler)
{
	long r, pid = getpid();

	handle(SIGUSR1, on_signal, 0);
	__asm__ volatile("std\n\tsyscall\n\tcld" : "=a"(r) : "0"((long)SYS_kill), "D"(pid), "S"((long)SIGUSR1) : "rcx", "r11", "memory");
	CHECK(r == 0 && hits == 1 && (gregs[REG_EFL] & 0x400));
}

int main(void)
{
	return run_cases();
}
