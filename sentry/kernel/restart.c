/*
 * restart.c - what becomes of an interrupted system call, as arch/x86's
 * signal.c has it: begun again, continued by restart_syscall, or EINTR.
 */
#include "arch/x86_64/arch.h"
#include "kernel/signal.h"
#include "lib/wait.h"

#include <errno.h>

#define NR_RESTART_SYSCALL 219
#define SYSCALL_INSN_LEN 2

static void again(struct regs *r, uint64_t nr)
{
	r->rax = nr;
	r->rip -= SYSCALL_INSN_LEN;
}

/* Nothing to do unless r stands after a system call (orig_rax >= 0). */
void restart_apply(struct regs *r, enum restart_case c)
{
	if ((int64_t)r->orig_rax < 0)
		return;
	switch (-(int64_t)r->rax) {
	case ERESTART_RESTARTBLOCK:
		if (c == RESTART_NO_HANDLER)
			again(r, NR_RESTART_SYSCALL);
		else
			r->rax = (uint64_t)-EINTR;
		break;
	case ERESTARTNOHAND:
		if (c == RESTART_NO_HANDLER)
			again(r, r->orig_rax);
		else
			r->rax = (uint64_t)-EINTR;
		break;
	case ERESTARTSYS:
		if (c == RESTART_HANDLER)
			r->rax = (uint64_t)-EINTR;
		else
			again(r, r->orig_rax);
		break;
	case ERESTARTNOINTR:
		again(r, r->orig_rax);
		break;
	default:
		break;
	}
	r->orig_rax = UINT64_MAX;
}
