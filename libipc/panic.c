/*
 * panic.c - see panic.h.
 *
 * The handlers block all signals, so that a second fault while a report is written ends the process at
 * once.  A thread that fails while another writes its report waits for the process to end.
 */
#include "libipc/panic.h"

#include "libipc/log.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#define FRAMES 64

extern const char __ehdr_start[] __attribute__((visibility("hidden"))); /* the linker's: where the file's address 0 is */

static struct {
	const char *component;
	int fd;
	void (*others)(void);
	_Atomic uint32_t telling; /* futex: never woken */
} panic = { .fd = -1 };

static _Thread_local bool mine; /* it is this thread that tells */

/* --- lines ------------------------------------------------------------------------ */

void panic_text(struct panic_line *l, const char *s)
{
	while (*s && l->n < sizeof(l->text) - 1)
		l->text[l->n++] = *s++;
}

void panic_number(struct panic_line *l, int64_t v)
{
	char digits[24], *p = digits + sizeof(digits);
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

	*--p = 0;
	do
		*--p = (char)('0' + u % 10);
	while (u /= 10);
	if (v < 0)
		*--p = '-';
	panic_text(l, p);
}

static void panic_hex(struct panic_line *l, uint64_t v)
{
	char digits[20], *p = digits + sizeof(digits);

	*--p = 0;
	do
		*--p = "0123456789abcdef"[v & 15];
	while (v >>= 4);
	panic_text(l, "0x");
	panic_text(l, p);
}

void panic_begin(struct panic_line *l)
{
	char when[LOG_TIME_MAX];

	l->n = 0;
	log_time(when);
	panic_text(l, when);
	panic_text(l, " ");
	panic_text(l, panic.component);
	panic_text(l, " panic: ");
}

void panic_end(struct panic_line *l)
{
	ssize_t r;

	l->text[l->n++] = '\n';
	do
		r = write(panic.fd, l->text, l->n);
	while (r < 0 && errno == EINTR);
}

static uint64_t file_address(uint64_t address)
{
	return address - (uint64_t)(uintptr_t)__ehdr_start;
}

void panic_frames(const uint64_t *frames, unsigned n)
{
	struct panic_line l;

	for (unsigned i = 0; i < n; i++) {
		panic_begin(&l);
		panic_text(&l, "    ");
		panic_hex(&l, frames[i]);
		panic_end(&l);
	}
}

/* --- what is told -------------------------------------------------------------------- */

struct chain {
	uint64_t from; /* 0: all that follows; else to be found first */
	uint64_t frames[FRAMES];
	unsigned n;
};

static _Unwind_Reason_Code on_frame(struct _Unwind_Context *c, void *arg)
{
	struct chain *chain = arg;
	uint64_t ip = _Unwind_GetIP(c);

	if (chain->from && ip != chain->from)
		return _URC_NO_REASON;
	chain->from = 0;
	if (!ip || chain->n == FRAMES)
		return _URC_END_OF_STACK;
	chain->frames[chain->n++] = file_address(ip);
	return _URC_NO_REASON;
}

static void tell_reason(int signo, const siginfo_t *info, const greg_t *g)
{
	struct panic_line l;

	panic_begin(&l);
	panic_text(&l, "signal ");
	panic_number(&l, signo);
	panic_text(&l, signo == SIGABRT ? " (a check failed)" : signo == SIGSEGV ? " (segmentation fault)" : signo == SIGBUS ? " (bus error)" : "");
	if (info->si_code <= 0 && info->si_code != SI_TKILL) {
		panic_text(&l, ", sent by a process");
	} else if (signo != SIGABRT) {
		panic_text(&l, ", address ");
		panic_hex(&l, (uint64_t)(uintptr_t)info->si_addr);
	}
	panic_text(&l, ", at ");
	panic_hex(&l, file_address((uint64_t)g[REG_RIP]));
	panic_text(&l, "; the file's address 0 is at ");
	panic_hex(&l, (uint64_t)(uintptr_t)__ehdr_start);
	panic_end(&l);
}

static void tell_registers(const greg_t *g)
{
	static const struct {
		const char *name;
		int reg;
	} all[] = { { "rax", REG_RAX }, { "rbx", REG_RBX }, { "rcx", REG_RCX }, { "rdx", REG_RDX }, { "rsi", REG_RSI }, { "rdi", REG_RDI },
		{ "rbp", REG_RBP }, { "rsp", REG_RSP }, { "r8", REG_R8 }, { "r9", REG_R9 }, { "r10", REG_R10 }, { "r11", REG_R11 }, { "r12", REG_R12 },
		{ "r13", REG_R13 }, { "r14", REG_R14 }, { "r15", REG_R15 } };
	struct panic_line l;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (i % 8 == 0)
			panic_begin(&l);
		panic_text(&l, i % 8 ? " " : "");
		panic_text(&l, all[i].name);
		panic_text(&l, " ");
		panic_hex(&l, (uint64_t)g[all[i].reg]);
		if (i % 8 == 7)
			panic_end(&l);
	}
}

static void tell_chain(uint64_t from)
{
	struct chain c = { .from = from };

	_Unwind_Backtrace(on_frame, &c);
	panic_frames(c.frames, c.n);
}

void panic_signal(int signo, siginfo_t *info, void *context)
{
	const greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;

	if (panic.fd < 0 || mine)
		return;
	mine = true;
	while (atomic_exchange(&panic.telling, 1))
		syscall(SYS_futex, &panic.telling, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0);
	tell_reason(signo, info, g);
	tell_registers(g);
	tell_chain((uint64_t)g[REG_RIP]);
	if (panic.others)
		panic.others();
}

void panic_note(const char *what, const char *how)
{
	struct panic_line l;

	if (panic.fd < 0)
		return;
	panic_begin(&l);
	panic_text(&l, "the ");
	panic_text(&l, what);
	panic_text(&l, " ");
	panic_text(&l, how);
	panic_end(&l);
}

/* --- the handlers ---------------------------------------------------------------------- */

/* The same signal, which is blocked in our handler, ends the process by its default
 * action, without calls that a policy might not have. */
__attribute__((no_sanitize("undefined", "address"))) void panic_die(int signo)
{
	volatile int zero = 0;

	if (signo == SIGILL)
		__builtin_trap();
	if (signo == SIGFPE)
		zero = 1 / zero;
	*(volatile int *)(uintptr_t)zero = 0;
}

static void on_signal(int signo, siginfo_t *info, void *context)
{
	panic_signal(signo, info, context);
	if (signo == SIGABRT && info->si_code == SI_TKILL)
		return; /* abort goes on */
	panic_die(signo);
}

void panic_init(const char *component, int fd, void (*others)(void))
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	struct chain c = { 0 };

	if (fd < 0)
		return;
	panic.component = component;
	panic.fd = fd;
	panic.others = others;
	_Unwind_Backtrace(on_frame, &c); /* the unwinder sets itself up when it is first used: not in a handler */
	sigfillset(&sa.sa_mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &sa, NULL);
}
