/*
 * call.c - /proc/PID/{syscall,timers}: the system call that a thread waits in, and the timers that the process has made.
 */
#include "fs/proc/internal.h"

#include "kernel/posix_timer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

/* The registers of a thread that waits; false: it runs. */
static bool registers(struct pctx *c, struct regs *out)
{
	uint64_t program;
	bool waits;

	if (c->t == task_current()) {
		task_complete_regs(c->t);
		*out = c->t->regs;
		return true;
	}
	tasks_lock(c->k); /* its context stays */
	program = atomic_load(&c->t->cpu.program);
	waits = c->t->ctx && c->t->state != 'R' && !task_cpu_in_program(program);
	if (waits) {
		*out = c->t->regs;
		if (c->t->regs_partial)
			platform_look(c->t->ctx, out);
		atomic_thread_fence(memory_order_acquire);
		waits = c->t->state != 'R' && atomic_load(&c->t->cpu.program) == program; /* still in the same call */
	}
	tasks_unlock(c->k);
	return waits;
}

SHOW(show_syscall)
{
	struct regs r;

	if (!c->t || !registers(c, &r)) {
		pprintf(b, "running\n");
		return 0;
	}
	pprintf(b, "%" PRId64, (int64_t)regs_syscall_nr(&r));
	if ((int64_t)regs_syscall_nr(&r) >= 0)
		pprintf(b, " 0x%" PRIx64 " 0x%" PRIx64 " 0x%" PRIx64 " 0x%" PRIx64 " 0x%" PRIx64 " 0x%" PRIx64, r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9);
	pprintf(b, " 0x%" PRIx64 " 0x%" PRIx64 "\n", r.rsp, r.rip);
	return 0;
}

SHOW(show_timers)
{
	static const char *const how[] = { [LINUX_SIGEV_SIGNAL] = "signal", [LINUX_SIGEV_NONE] = "none", [LINUX_SIGEV_THREAD] = "thread" };
	struct posix_timer_seen *all;
	int n = posix_timers_seen(c->tg, c->ns, &all);

	if (n < 0)
		return n;
	for (int i = 0; i < n; i++) {
		const struct posix_timer_seen *s = &all[i];

		pprintf(b, "ID: %d\nsignal: %d/%016" PRIx64 "\nnotify: %s/%s.%d\nClockID: %d\n", s->id, s->signo, s->value,
			how[s->notify & ~LINUX_SIGEV_THREAD_ID], s->notify & LINUX_SIGEV_THREAD_ID ? "tid" : "pid", s->target, s->clock);
	}
	free(all);
	return 0;
}
