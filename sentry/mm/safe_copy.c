/*
 * safe_copy.c - the SIGSEGV and SIGBUS handlers that let the accesses of
 * safe_code.S fail softly.  Any other fault of the sentry is a bug: the default
 * action (the process dies, and all stubs with it).
 */
#include "mm/safe_copy.h"

#include "libipc/err.h"
#include "libipc/panic.h"
#include "mm/usercopy.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

extern const char safe_code_start[], safe_code_end[], safe_code_fixup[], safe_copy_string[];

static void on_fault(int signo, siginfo_t *info, void *uc)
{
	greg_t *g = ((ucontext_t *)uc)->uc_mcontext.gregs;
	uintptr_t rip = (uintptr_t)g[REG_RIP];
	struct sigaction dfl = { .sa_handler = SIG_DFL };

	if (rip < (uintptr_t)safe_code_start || rip >= (uintptr_t)safe_code_end) {
		panic_signal(signo, info, uc);
		sigaction(signo, &dfl, NULL); /* the instruction faults again, for good */
		if (info->si_code <= 0) /* one that was sent: nothing faults */
			panic_die(signo);
		return;
	}
	if (rip == (uintptr_t)safe_copy_string)
		g[REG_RDX] = g[REG_RCX];
	g[REG_RCX] = rip < (uintptr_t)safe_load32;
	g[REG_RIP] = (greg_t)(uintptr_t)safe_code_fixup;
}

struct err *safe_copy_init(void)
{
	struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER };

	sigemptyset(&sa.sa_mask);
	if (sigaction(SIGSEGV, &sa, NULL) < 0 || sigaction(SIGBUS, &sa, NULL) < 0)
		return err_new(errno, "installing the fault handlers");
	return NULL;
}
