/*
 * ptrace.c - ptrace(2): its requests, in a table; beginning, letting a tracee go
 * on, its memory.  Runs on the tracer's thread.
 */
#include "kernel/ptrace.h"
#include "kernel/task_table.h"
#include "syscalls/ptrace_util.h"
#include "syscalls/syscall.h"

#include <errno.h>

int trace_begin(struct task *t, struct task *c)
{
	int r;

	tasks_lock(t->k);
	r = ptrace_check_locked(t, c, false);
	if (r)
		tasks_unlock(t->k);
	return r;
}

void trace_end(struct task *t)
{
	tasks_unlock(t->k);
}

/* --- memory ---------------------------------------------------------------------- */

static ssize_t copy_word(struct task *c, uint64_t addr, uint64_t *word, bool write)
{
	struct mm *mm = task_get_mm(c);
	ssize_t n = mm ? copy_remote(mm, addr, word, sizeof(*word), write) : -1;

	if (mm)
		mm_put(mm);
	return n == sizeof(*word) ? 0 : -EIO;
}

static int64_t peek(struct task *t, struct task *c, const uint64_t a[6])
{
	uint64_t word;
	int64_t r = copy_word(c, a[2], &word, false);

	return r ? r : copy_to_user(t->mm, UADDR(a[3]), &word, sizeof(word));
}

static int64_t poke(struct task *t, struct task *c, const uint64_t a[6])
{
	uint64_t word = a[3];

	return copy_word(c, a[2], &word, true);
}

/* --- going on --------------------------------------------------------------------- */

static int64_t resume(struct task *t, struct task *c, uint64_t signo, enum trace_mode mode)
{
	struct tracing *p = c->tracing;
	int r;

	if (signo > LINUX_NSIG)
		return -EIO;
	r = trace_begin(t, c);
	if (r)
		return r;
	p->mode = mode;
	p->signo = (int)signo;
	p->code = 0;
	p->stopped = false;
	sleeper_wake(&c->sleeper);
	trace_end(t);
	return 0;
}

#define RESUME(name, mode)                                                                                                                           \
	static int64_t name(struct task *t, struct task *c, const uint64_t a[6])                                                                     \
	{                                                                                                                                            \
		return resume(t, c, a[3], mode);                                                                                                     \
	}
RESUME(go_on, TRACE_CONT)
RESUME(to_call, TRACE_SYSCALL)
RESUME(step, TRACE_STEP)
RESUME(emulate, TRACE_EMULATE)
RESUME(emulate_step, TRACE_EMULATE_STEP)

static int64_t detach(struct task *t, struct task *c, const uint64_t a[6])
{
	int r;

	if (a[3] > LINUX_NSIG)
		return -EIO;
	r = trace_begin(t, c);
	if (r)
		return r;
	ptrace_detach_locked(c, (int)a[3]);
	trace_end(t);
	return 0;
}

static int64_t kill_it(struct task *t, struct task *c, const uint64_t a[6])
{
	tasks_lock(t->k);
	if (!c->exited)
		signal_send_locked(c->tg, c, LINUX_SIGKILL, NULL, SEND_FORCED);
	tasks_unlock(t->k);
	return 0;
}

static int64_t interrupt(struct task *t, struct task *c, const uint64_t a[6])
{
	int64_t r = -EIO;

	tasks_lock(t->k);
	if (!ptrace_check_locked(t, c, true) && c->tracing->seized) {
		c->tracing->trap_stop = true;
		if (c->tracing->listening) {
			c->tracing->trap_notify = true;
			sleeper_wake(&c->sleeper);
		} else {
			task_kick_locked(c);
		}
		r = 0;
	}
	tasks_unlock(t->k);
	return r;
}

/* As a group stop of an untraced process: it sleeps on, and tells when that ends. */
static int64_t listen_to(struct task *t, struct task *c, const uint64_t a[6])
{
	struct tracing *p = c->tracing;
	int64_t r = trace_begin(t, c);

	if (r)
		return r;
	if (!p->seized || !p->has_info || p->info.code >> 8 != LINUX_PTRACE_EVENT_STOP) {
		r = -EIO;
	} else {
		p->listening = true;
		sleeper_wake(&c->sleeper); /* it may have been told of something already */
	}
	trace_end(t);
	return r;
}

static int64_t set_options(struct task *t, struct task *c, const uint64_t a[6])
{
	int r;

	if (a[3] & ~(uint64_t)LINUX_PTRACE_O_MASK)
		return -EINVAL;
	r = trace_begin(t, c);
	if (r)
		return r;
	c->tracing->options = (uint32_t)a[3];
	trace_end(t);
	return 0;
}

/* As a kernel without checkpoint and restore. */
static int64_t no_filters(struct task *t, struct task *c, const uint64_t a[6])
{
	return -EINVAL;
}

/* --- the table ---------------------------------------------------------------------- */

static const struct request {
	unsigned nr;
	ptrace_fn *fn;
	bool running; /* the tracee need not stand in a stop */
} requests[] = {
	{ LINUX_PTRACE_PEEKTEXT, peek },
	{ LINUX_PTRACE_PEEKDATA, peek },
	{ LINUX_PTRACE_PEEKUSR, ptrace_peekusr },
	{ LINUX_PTRACE_POKETEXT, poke },
	{ LINUX_PTRACE_POKEDATA, poke },
	{ LINUX_PTRACE_POKEUSR, ptrace_pokeusr },
	{ LINUX_PTRACE_CONT, go_on },
	{ LINUX_PTRACE_KILL, kill_it, true },
	{ LINUX_PTRACE_SINGLESTEP, step },
	{ LINUX_PTRACE_GETREGS, ptrace_getregs },
	{ LINUX_PTRACE_SETREGS, ptrace_setregs },
	{ LINUX_PTRACE_GETFPREGS, ptrace_getfpregs },
	{ LINUX_PTRACE_SETFPREGS, ptrace_setfpregs },
	{ LINUX_PTRACE_DETACH, detach },
	{ LINUX_PTRACE_SYSCALL, to_call },
	{ LINUX_PTRACE_ARCH_PRCTL, ptrace_arch_prctl },
	{ LINUX_PTRACE_SYSEMU, emulate },
	{ LINUX_PTRACE_SYSEMU_SINGLESTEP, emulate_step },
	{ LINUX_PTRACE_SETOPTIONS, set_options },
	{ LINUX_PTRACE_GETEVENTMSG, ptrace_geteventmsg },
	{ LINUX_PTRACE_GETSIGINFO, ptrace_getsiginfo },
	{ LINUX_PTRACE_SETSIGINFO, ptrace_setsiginfo },
	{ LINUX_PTRACE_GETREGSET, ptrace_getregset },
	{ LINUX_PTRACE_SETREGSET, ptrace_setregset },
	{ LINUX_PTRACE_INTERRUPT, interrupt, true },
	{ LINUX_PTRACE_LISTEN, listen_to },
	{ LINUX_PTRACE_PEEKSIGINFO, ptrace_peeksiginfo },
	{ LINUX_PTRACE_GETSIGMASK, ptrace_getsigmask },
	{ LINUX_PTRACE_SETSIGMASK, ptrace_setsigmask },
	{ LINUX_PTRACE_SECCOMP_GET_FILTER, no_filters },
	{ LINUX_PTRACE_SECCOMP_GET_METADATA, no_filters },
	{ LINUX_PTRACE_GET_SYSCALL_INFO, ptrace_get_syscall_info },
	{ LINUX_PTRACE_GET_RSEQ_CONFIGURATION, ptrace_get_rseq },
};

static const struct request *request_of(uint64_t nr)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (requests[i].nr == nr)
			return &requests[i];
	return NULL;
}

static int64_t seize(struct task *t, struct task *c, const uint64_t a[6])
{
	if (a[2] || a[3] & ~(uint64_t)LINUX_PTRACE_O_MASK)
		return -EIO;
	return ptrace_attach(t, c, true, (uint32_t)a[3]);
}

/* Of one that is traced by t already. */
static int64_t ask(struct task *t, struct task *c, const uint64_t a[6])
{
	const struct request *q = request_of(a[0]);
	int64_t r;

	tasks_lock(t->k);
	r = ptrace_check_locked(t, c, q && q->running);
	tasks_unlock(t->k);
	if (r)
		return r;
	return q ? q->fn(t, c, a) : -EIO;
}

int64_t sys_ptrace(struct task *t, const uint64_t a[6])
{
	struct task *c;
	int64_t r;

	if (a[0] == LINUX_PTRACE_TRACEME)
		return ptrace_traceme(t);
	c = task_find(task_pid_ns(t), (pid_t)a[1]);
	if (!c)
		return -ESRCH;
	if (a[0] == LINUX_PTRACE_ATTACH)
		r = ptrace_attach(t, c, false, 0);
	else if (a[0] == LINUX_PTRACE_SEIZE)
		r = seize(t, c, a);
	else
		r = ask(t, c, a);
	task_put(c);
	return r;
}
