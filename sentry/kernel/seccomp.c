/*
 * seccomp.c - runs and installs system call filters (see seccomp.h).  Running is on
 * the task's own thread; installing for all threads of a process is under the
 * task list lock.
 */
#include "kernel/seccomp.h"

#include "kernel/ptrace.h"
#include "kernel/seccomp_notify.h"
#include "kernel/task_table.h"
#include "lib/bpf.h"
#include "libipc/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CACHED 512u /* calls with a lower number are looked up before the filters are run */
#define CHAIN_MAX 32768u /* instructions, each filter counting for 4 more (Linux's MAX_INSNS_PER_PATH) */

struct seccomp_filter {
	struct ref ref;
	struct seccomp_filter *prev; /* [I] owned reference, or NULL */
	struct listener *listener; /* [I once attached] owned reference, or NULL */
	unsigned n, depth, total; /* [I] of this one; filters and instructions of the chain */
	uint64_t allowed[CACHED / 64]; /* [I once attached] calls that the whole chain allows with any arguments */
	struct linux_sock_filter prog[]; /* [I] */
};

void seccomp_put(struct seccomp_filter *f)
{
	while (f && ref_put(&f->ref)) {
		struct seccomp_filter *prev = f->prev;

		if (f->listener)
			listener_orphan(f->listener);
		listener_put(f->listener);
		free(f);
		f = prev;
	}
}

void seccomp_leave(struct task *t)
{
	struct seccomp_filter *f;

	tasks_lock(t->k);
	f = atomic_exchange(&t->seccomp, NULL);
	tasks_unlock(t->k);
	seccomp_put(f);
}

void seccomp_inherit_locked(struct task *parent, struct task *child)
{
	struct seccomp_filter *f = atomic_load(&parent->seccomp);

	if (f)
		ref_get(&f->ref);
	atomic_store(&child->seccomp, f);
	atomic_store(&child->seccomp_mode, atomic_load(&parent->seccomp_mode));
	child->no_new_privs = parent->no_new_privs;
}

unsigned seccomp_count(struct task *t)
{
	const struct seccomp_filter *f = atomic_load(&t->seccomp);

	return f ? f->depth : 0;
}

/* --- running -------------------------------------------------------------------------- */

static void end_with(struct task *t, int signo, bool thread_only)
{
	tasks_lock(t->k);
	if (thread_only && t->tg->n_live > 1) {
		t->leaving = true;
		task_kick_locked(t);
		tasks_unlock(t->k);
		return;
	}
	tasks_unlock(t->k);
	task_exit_group(t, signo);
}

static bool strict_permits(struct task *t, uint64_t nr)
{
	static const uint16_t permitted[] = { 0 /* read */, 1 /* write */, 15 /* rt_sigreturn */, 60 /* exit */ };

	for (size_t i = 0; i < sizeof(permitted) / sizeof(permitted[0]); i++)
		if (permitted[i] == nr)
			return true;
	end_with(t, LINUX_SIGKILL, true);
	return false;
}

/* The strictest answer of all filters; of equal ones the newest filter's. */
static uint32_t ask(const struct seccomp_filter *f, const struct linux_seccomp_data *d, struct listener **listener)
{
	uint32_t r = LINUX_SECCOMP_RET_ALLOW;

	for (; f; f = f->prev) {
		uint32_t v = bpf_run(f->prog, d);

		if ((int32_t)(v & LINUX_SECCOMP_RET_ACTION_FULL) < (int32_t)(r & LINUX_SECCOMP_RET_ACTION_FULL)) {
			r = v;
			*listener = f->listener;
		}
	}
	return r;
}

static void trap(struct task *t, const struct linux_seccomp_data *d, uint32_t data)
{
	struct linux_siginfo info = { .signo = LINUX_SIGSYS, .err = (int32_t)data, .code = LINUX_SYS_SECCOMP };

	info.sys.call_addr = d->ip;
	info.sys.nr = d->nr;
	info.sys.arch = d->arch;
	signal_force(t, LINUX_SIGSYS, &info);
}

static struct linux_seccomp_data data_of(const struct task *t)
{
	const struct regs *r = &t->regs;

	return (struct linux_seccomp_data){
		.nr = (int32_t)regs_syscall_nr(r),
		.arch = LINUX_AUDIT_ARCH_X86_64,
		.ip = r->rip,
		.args = { r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9 },
	};
}

static bool permits_after_stop(struct task *t, int64_t *ret);

static bool act(struct task *t, uint32_t verdict, struct listener *listener, const struct linux_seccomp_data *d, int64_t *ret)
{
	uint32_t data = verdict & LINUX_SECCOMP_RET_DATA;

	switch (verdict & LINUX_SECCOMP_RET_ACTION_FULL) {
	case LINUX_SECCOMP_RET_ALLOW:
		return true;
	case LINUX_SECCOMP_RET_LOG:
		log_info("seccomp: task %d (%s) calls %d", t->tid, t->comm, d->nr);
		return true;
	case LINUX_SECCOMP_RET_ERRNO:
		*ret = data > 4095 ? -4095 : -(int64_t)data;
		return false;
	case LINUX_SECCOMP_RET_TRAP:
		*ret = d->nr; /* the handler finds the registers as they were before the call */
		trap(t, d, data);
		return false;
	case LINUX_SECCOMP_RET_TRACE:
		*ret = -ENOSYS;
		return ptrace_seccomp(t, (uint16_t)data) && permits_after_stop(t, ret);
	case LINUX_SECCOMP_RET_USER_NOTIF:
		if (listener)
			return listener_ask(listener, t, d, ret);
		*ret = -ENOSYS;
		return false;
	default:
		*ret = -ENOSYS;
		log_info("seccomp: task %d (%s) is killed for calling %d", t->tid, t->comm, d->nr);
		end_with(t, LINUX_SIGSYS, (verdict & LINUX_SECCOMP_RET_ACTION_FULL) == LINUX_SECCOMP_RET_KILL_THREAD);
		return false;
	}
}

/* The tracer, whom the filter wanted to be told, may have made another call of it. */
static bool permits_after_stop(struct task *t, int64_t *ret)
{
	const struct linux_seccomp_data d = data_of(t);
	struct listener *listener = NULL;
	uint32_t verdict;

	if (d.nr == -1) {
		*ret = (int64_t)t->regs.rax;
		return false;
	}
	verdict = ask(atomic_load(&t->seccomp), &d, &listener);
	return (verdict & LINUX_SECCOMP_RET_ACTION_FULL) == LINUX_SECCOMP_RET_TRACE || act(t, verdict, listener, &d, ret);
}

bool seccomp_permits(struct task *t, int64_t *ret)
{
	const struct seccomp_filter *f = atomic_load(&t->seccomp);
	struct listener *listener = NULL;
	struct linux_seccomp_data d;
	uint32_t verdict;
	uint64_t nr;

	task_complete_regs(t);
	nr = regs_syscall_nr(&t->regs);
	if (atomic_load(&t->seccomp_mode) == LINUX_SECCOMP_MODE_STRICT) {
		*ret = -ENOSYS;
		return strict_permits(t, nr);
	}
	if (nr < CACHED && f->allowed[nr / 64] >> nr % 64 & 1)
		return true;
	d = data_of(t);
	verdict = ask(f, &d, &listener);
	return act(t, verdict, listener, &d, ret);
}

/* --- installing -------------------------------------------------------------------------- */

int seccomp_set_strict(struct task *t)
{
	int r = 0;

	tasks_lock(t->k);
	if (atomic_load(&t->seccomp_mode) == LINUX_SECCOMP_MODE_FILTER)
		r = -EINVAL;
	else
		atomic_store(&t->seccomp_mode, LINUX_SECCOMP_MODE_STRICT);
	atomic_store(&t->work, true);
	tasks_unlock(t->k);
	return r;
}

static bool is_ancestor(const struct seccomp_filter *old, const struct seccomp_filter *f)
{
	while (f && f != old)
		f = f->prev;
	return !old || f;
}

/* A thread whose filters are not the beginning of t's: its number, or 0. */
static int first_stranger_locked(struct task *t)
{
	struct task *o;

	TAILQ_FOREACH(o, &t->tg->tasks, tg_link) {
		int mode = atomic_load(&o->seccomp_mode);

		if (o == t || o->exited)
			continue;
		if (mode == LINUX_SECCOMP_MODE_STRICT || !is_ancestor(atomic_load(&o->seccomp), atomic_load(&t->seccomp)))
			return o->own_tid;
	}
	return 0;
}

/* Takes over a reference to f. */
static void assign_locked(struct task *t, struct seccomp_filter *f)
{
	struct seccomp_filter *old = atomic_exchange(&t->seccomp, f);

	atomic_store(&t->seccomp_mode, LINUX_SECCOMP_MODE_FILTER);
	/* From now on it asks for everything; that does not end a call in which it sleeps. */
	atomic_store(&t->work, true);
	if (t != task_current() && t->ctx)
		platform_interrupt(t->ctx);
	if (old) /* f's chain holds it too: never the last one */
		ref_put(&old->ref);
}

static void synchronize_locked(struct task *t, struct seccomp_filter *f)
{
	struct task *o;

	TAILQ_FOREACH(o, &t->tg->tasks, tg_link) {
		if (o == t || o->exited)
			continue;
		ref_get(&f->ref);
		assign_locked(o, f);
		if (t->no_new_privs)
			o->no_new_privs = true;
	}
}

static bool has_listener(const struct seccomp_filter *f)
{
	while (f && !f->listener)
		f = f->prev;
	return f;
}

/* f allows them by itself: narrows that to what the filters before it allow too. */
static void narrow(struct seccomp_filter *f, const struct seccomp_filter *prev)
{
	for (unsigned i = 0; prev && i < CACHED / 64; i++)
		f->allowed[i] &= prev->allowed[i];
}

static int attach_locked(struct task *t, struct seccomp_filter *f, unsigned flags)
{
	struct seccomp_filter *prev = atomic_load(&t->seccomp);
	int stranger = 0;

	if (atomic_load(&t->seccomp_mode) == LINUX_SECCOMP_MODE_STRICT)
		return -EINVAL;
	f->total = f->n + 4 + (prev ? prev->total : 0);
	f->depth = 1 + (prev ? prev->depth : 0);
	if (f->total > CHAIN_MAX)
		return -ENOMEM;
	if (f->listener && has_listener(prev))
		return -EBUSY;
	if (flags & LINUX_SECCOMP_FILTER_FLAG_TSYNC)
		stranger = first_stranger_locked(t);
	if (stranger)
		return flags & LINUX_SECCOMP_FILTER_FLAG_TSYNC_ESRCH ? -ESRCH : stranger;
	f->prev = prev;
	narrow(f, prev);
	if (prev)
		ref_get(&prev->ref);
	assign_locked(t, f);
	if (flags & LINUX_SECCOMP_FILTER_FLAG_TSYNC)
		synchronize_locked(t, f);
	return 0;
}

int seccomp_add(struct task *t, const struct linux_sock_filter *prog, unsigned n, unsigned flags, struct listener *l)
{
	struct seccomp_filter *f;
	int r = bpf_check(prog, n);

	if (r)
		return r;
	f = calloc(1, sizeof(*f) + n * sizeof(prog[0]));
	if (!f)
		return -ENOMEM;
	ref_init(&f->ref);
	f->n = n;
	f->listener = l;
	memcpy(f->prog, prog, n * sizeof(prog[0]));
	for (unsigned nr = 0; nr < CACHED; nr++)
		if (bpf_always_allows(prog, nr))
			f->allowed[nr / 64] |= UINT64_C(1) << nr % 64;
	tasks_lock(t->k);
	r = attach_locked(t, f, flags);
	tasks_unlock(t->k);
	if (r)
		free(f);
	return r;
}
