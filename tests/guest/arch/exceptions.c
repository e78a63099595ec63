/*
 * exceptions.c - the processor's exceptions as signals: numbers, codes,
 * addresses; and instructions that must not do on the host what they say.
 */
#include "../test.h"

#include <setjmp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>

static sigjmp_buf jump;
static volatile siginfo_t got;
static volatile greg_t rip, trapno;

static void on_signal(int signo, siginfo_t *si, void *ctx)
{
	ucontext_t *uc = ctx;

	got = *si;
	rip = uc->uc_mcontext.gregs[REG_RIP];
	trapno = uc->uc_mcontext.gregs[REG_TRAPNO];
	siglongjmp(jump, 1);
}

static void expect(void (*fn)(void), int signo, int code)
{
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };

	CHECK(!sigaction(signo, &sa, NULL));
	got = (siginfo_t){ 0 };
	if (!sigsetjmp(jump, 1)) {
		fn();
		CHECK(0);
	}
	CHECK(got.si_signo == signo);
	CHECK(got.si_code == code);
}

static char *page;

static void read_page(void)
{
	(void)*(volatile char *)page;
}

static void write_page(void)
{
	*(volatile char *)page = 1;
}

static void call_page(void)
{
	((void (*)(void))page)();
}

CASE(unmapped)
{
	page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(page, 4096);
	page += 123;
	expect(read_page, SIGSEGV, SEGV_MAPERR);
	CHECK(got.si_addr == page && trapno == 14);
	expect(write_page, SIGSEGV, SEGV_MAPERR);
	expect(call_page, SIGSEGV, SEGV_MAPERR);
	CHECK(got.si_addr == page && rip == (greg_t)page);
}

CASE(null)
{
	page = NULL;
	expect(read_page, SIGSEGV, SEGV_MAPERR);
	CHECK(got.si_addr == NULL);
	expect(write_page, SIGSEGV, SEGV_MAPERR);
}

CASE(read_only)
{
	page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	read_page();
	expect(write_page, SIGSEGV, SEGV_ACCERR);
	CHECK(got.si_addr == page);
	expect(call_page, SIGSEGV, SEGV_ACCERR);
	CHECK(!mprotect(page, 4096, PROT_READ | PROT_WRITE));
	write_page();
	CHECK(!mprotect(page, 4096, PROT_NONE));
	expect(read_page, SIGSEGV, SEGV_ACCERR);
	CHECK(!mprotect(page, 4096, PROT_READ));
	CHECK(*page == 1);
	expect(write_page, SIGSEGV, SEGV_ACCERR);
}

CASE(generated_code)
{
	static const unsigned char code[] = { 0xb8, 0x2a, 0, 0, 0, 0xc3 };

	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(page != MAP_FAILED);
	for (int i = 0; i < 20; i++) {
		memcpy(page, code, sizeof(code));
		page[1] = (char)i;
		CHECK(((int (*)(void))page)() == i);
	}
}

static void non_canonical(void)
{
	(void)*(volatile char *)0x8000000000000000;
}

CASE(general_protection)
{
	expect(non_canonical, SIGSEGV, SI_KERNEL);
	CHECK(got.si_addr == NULL);
}

static void hlt(void)
{
	__asm__ volatile("hlt");
}

static void in_port(void)
{
	__asm__ volatile("inb $0x80, %%al" : : : "al");
}

CASE(privileged)
{
	expect(hlt, SIGSEGV, SI_KERNEL);
	expect(in_port, SIGSEGV, SI_KERNEL);
}

static void above(void)
{
	*(volatile char *)0xffff800000000000 = 1;
}

static void hole_end(void)
{
	(void)*(volatile char *)0x7ffffffff000;
}

CASE(kernel_addresses)
{
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };

	CHECK(!sigaction(SIGSEGV, &sa, NULL));
	if (!sigsetjmp(jump, 1)) {
		above();
		CHECK(0);
	}
	if (!sigsetjmp(jump, 1)) {
		hole_end();
		CHECK(0);
	}
}

static void div_zero(void)
{
	int a = 1, d = 0;

	__asm__ volatile("cltd\n\tidivl %1" : "+a"(a) : "r"(d) : "edx");
}

CASE(divide)
{
	expect(div_zero, SIGFPE, FPE_INTDIV);
	CHECK(got.si_addr == (void *)rip);
}

static void ud2(void)
{
	__asm__ volatile("ud2");
}

CASE(illegal)
{
	expect(ud2, SIGILL, ILL_ILLOPN);
	CHECK(got.si_addr == (void *)rip);
	CHECK(*(uint16_t *)rip == 0x0b0f);
}

static void int3(void)
{
	__asm__ volatile("int3");
}

CASE(breakpoint)
{
	expect(int3, SIGTRAP, SI_KERNEL);
	CHECK(((unsigned char *)rip)[-1] == 0xcc);
}

static void step(void)
{
	__asm__ volatile("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\tnop\n\tnop" : : : "memory", "cc");
}

CASE(trap_flag)
{
	expect(step, SIGTRAP, TRAP_TRACE);
}

CASE(sse_exception)
{
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	unsigned csr = 0x1f80 & ~0x200u; /* divide by zero unmasked */

	CHECK(!sigaction(SIGFPE, &sa, NULL));
	if (!sigsetjmp(jump, 1)) {
		volatile double zero = 0, one = 1;

		__asm__ volatile("ldmxcsr %0" : : "m"(csr));
		one = one / zero;
		CHECK(0);
	}
	CHECK(got.si_code == FPE_FLTDIV);
}

CASE(ignored_fault_kills)
{
	pid_t p = fork();
	int st;

	if (!p) {
		signal(SIGSEGV, SIG_IGN);
		page = NULL;
		read_page();
		_exit(0);
	}
	CHECK(waitpid(p, &st, 0) == p && WIFSIGNALED(st) && WTERMSIG(st) == SIGSEGV);
}

CASE(file_beyond_end)
{
	char name[] = "/tmp/arch-test-XXXXXX";
	int fd = mkstemp(name);

	CHECK(fd >= 0 && !unlink(name) && !ftruncate(fd, 100));
	page = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(page != MAP_FAILED);
	read_page();
	page += 4096;
	expect(read_page, SIGBUS, BUS_ADRERR);
	CHECK(got.si_addr == page);
}

int main(void)
{
	return run_cases();
}
