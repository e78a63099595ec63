/*
 * user_dispatch.c - PR_SET_SYSCALL_USER_DISPATCH: which calls go back to the program.
 */
#include "kernel/user_dispatch.h"

#include "abi/prctl.h"
#include "abi/seccomp.h"
#include "kernel/task.h"
#include "mm/usercopy.h"

void user_dispatch_set(struct task *t, const struct user_dispatch *d)
{
	t->user_dispatch = *d;
	atomic_store(&t->work, true); /* from now on it asks for everything, or need not any more */
}

bool user_dispatch_takes(struct task *t)
{
	const struct user_dispatch *d = &t->user_dispatch;
	struct linux_siginfo info = { .signo = LINUX_SIGSYS, .code = LINUX_SYS_USER_DISPATCH };
	uint8_t state;

	task_complete_regs(t);
	if (t->regs.rip - d->start < d->len)
		return false;
	if (d->selector.v) {
		if (copy_from_user(t->mm, &state, d->selector, sizeof(state))) {
			task_exit_group(t, LINUX_SIGSEGV);
			return true;
		}
		if (state == LINUX_SYSCALL_DISPATCH_FILTER_ALLOW)
			return false;
		if (state != LINUX_SYSCALL_DISPATCH_FILTER_BLOCK) {
			task_exit_group(t, LINUX_SIGSYS);
			return true;
		}
	}
	t->regs.rax = t->regs.orig_rax; /* the handler finds the registers as they were before the call */
	info.sys.call_addr = t->regs.rip;
	info.sys.nr = (int32_t)regs_syscall_nr(&t->regs);
	info.sys.arch = LINUX_AUDIT_ARCH_X86_64;
	signal_force(t, LINUX_SIGSYS, &info);
	return true;
}
