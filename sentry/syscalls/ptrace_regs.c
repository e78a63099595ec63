/*
 * ptrace_regs.c - ptrace(2): a tracee's registers, one by one and in sets.  The
 * general ones lie in its task while it stands in a stop; the floating-point
 * state its own thread fetches and loads.
 */
#include "abi/prctl.h"
#include "kernel/ptrace.h"
#include "kernel/task_table.h"
#include "syscalls/ptrace_util.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FXSAVE_SIZE 512u
#define WORD 8u

/* --- general registers ------------------------------------------------------------ */

static bool is_debugreg(uint64_t offset)
{
	return offset >= LINUX_USER_DEBUGREG && offset < LINUX_USER_DEBUGREG + LINUX_USER_N_DEBUGREG * WORD;
}

static bool in_user(uint64_t offset)
{
	return !(offset % WORD) && offset < LINUX_USER_SIZE;
}

int64_t ptrace_peekusr(struct task *t, struct task *c, const uint64_t a[6])
{
	uint64_t v = 0;
	int r;

	if (!in_user(a[2]))
		return -EIO;
	r = trace_begin(t, c);
	if (r)
		return r;
	if (a[2] < sizeof(struct regs))
		v = regs_get(&c->regs, a[2]);
	else if (is_debugreg(a[2]))
		v = watch_get_locked(c, (unsigned)(a[2] - LINUX_USER_DEBUGREG) / WORD);
	trace_end(t);
	return copy_to_user(t->mm, UADDR(a[3]), &v, sizeof(v));
}

int64_t ptrace_pokeusr(struct task *t, struct task *c, const uint64_t a[6])
{
	int r;

	if (!in_user(a[2]))
		return -EIO;
	r = trace_begin(t, c);
	if (r)
		return r;
	if (a[2] < sizeof(struct regs))
		r = regs_put(&c->regs, a[2], a[3]);
	else
		r = is_debugreg(a[2]) ? watch_set_locked(c, (unsigned)(a[2] - LINUX_USER_DEBUGREG) / WORD, a[3]) : -EIO;
	trace_end(t);
	return r;
}

static int64_t get_general(struct task *t, struct task *c, uaddr to, size_t len)
{
	struct regs regs;
	int r = trace_begin(t, c);

	if (r)
		return r;
	regs = c->regs;
	trace_end(t);
	return copy_to_user(t->mm, to, &regs, len);
}

static int64_t set_general(struct task *t, struct task *c, uaddr from, size_t len)
{
	struct regs regs;
	int r;

	if (copy_from_user(t->mm, &regs, from, len))
		return -EFAULT;
	r = trace_begin(t, c);
	if (r)
		return r;
	for (size_t off = 0; off < len && !r; off += WORD)
		r = regs_put(&c->regs, off, regs_get(&regs, off));
	trace_end(t);
	return r;
}

int64_t ptrace_getregs(struct task *t, struct task *c, const uint64_t a[6])
{
	return get_general(t, c, UADDR(a[3]), sizeof(struct regs));
}

int64_t ptrace_setregs(struct task *t, struct task *c, const uint64_t a[6])
{
	return set_general(t, c, UADDR(a[3]), sizeof(struct regs));
}

int64_t ptrace_arch_prctl(struct task *t, struct task *c, const uint64_t a[6])
{
	bool fs = a[3] == LINUX_ARCH_SET_FS || a[3] == LINUX_ARCH_GET_FS, set = a[3] == LINUX_ARCH_SET_FS || a[3] == LINUX_ARCH_SET_GS;
	uint64_t v;
	int r;

	if (!set && a[3] != LINUX_ARCH_GET_FS && a[3] != LINUX_ARCH_GET_GS)
		return -EINVAL;
	if (set && a[2] >= TASK_SIZE)
		return -EPERM;
	r = trace_begin(t, c);
	if (r)
		return r;
	if (set)
		*(fs ? &c->regs.fs_base : &c->regs.gs_base) = a[2];
	v = fs ? c->regs.fs_base : c->regs.gs_base;
	trace_end(t);
	return set ? 0 : copy_to_user(t->mm, UADDR(a[2]), &v, sizeof(v));
}

/* --- floating-point state ----------------------------------------------------------- */

static void fetch(struct task *c, void *arg)
{
	platform_fpstate_get(c->ctx, arg);
}

static void load(struct task *c, void *arg)
{
	platform_fpstate_set(c->ctx, arg);
}

static int ask_fp(struct task *t, struct task *c, void (*fn)(struct task *c, void *fp), struct fpstate *fp)
{
	int r = trace_begin(t, c);

	if (r)
		return r;
	r = ptrace_ask_locked(c, fn, fp);
	trace_end(t);
	return r;
}

static int64_t get_fp(struct task *t, struct task *c, uaddr to, size_t len)
{
	struct fpstate *fp = task_fp(t);
	int r = fp ? ask_fp(t, c, fetch, fp) : -ENOMEM;

	if (r)
		return r;
	fpstate_show(fp);
	return copy_to_user(t->mm, to, fp->area, len);
}

/* The whole set, or with legacy set what FXSAVE knows. */
static int64_t set_fp(struct task *t, struct task *c, uaddr from, size_t len, bool legacy)
{
	struct fpstate *fp = task_fp(t);
	uint8_t *area;
	int r = 0;

	if (legacy ? len != FXSAVE_SIZE : len != fpstate_size())
		return legacy ? -EINVAL : -EFAULT;
	area = malloc(len);
	if (!fp || !area)
		r = -ENOMEM;
	else if (copy_from_user(t->mm, area, from, len))
		r = -EFAULT;
	r = r ? r : ask_fp(t, c, fetch, fp);
	if (!r)
		r = legacy ? fpstate_put_legacy(fp, area) : fpstate_put(fp, area, len);
	r = r ? r : ask_fp(t, c, load, fp);
	free(area);
	return r;
}

int64_t ptrace_getfpregs(struct task *t, struct task *c, const uint64_t a[6])
{
	return get_fp(t, c, UADDR(a[3]), FXSAVE_SIZE);
}

int64_t ptrace_setfpregs(struct task *t, struct task *c, const uint64_t a[6])
{
	return set_fp(t, c, UADDR(a[3]), FXSAVE_SIZE, true);
}

/* --- sets, by their names in core files --------------------------------------------- */

struct user_iovec {
	uint64_t base, len;
};

static size_t set_size(uint64_t type)
{
	switch (type) {
	case LINUX_NT_PRSTATUS:
		return sizeof(struct regs);
	case LINUX_NT_PRFPREG:
		return FXSAVE_SIZE;
	case LINUX_NT_X86_XSTATE:
		return fpstate_size();
	default:
		return 0;
	}
}

static int64_t regset(struct task *t, struct task *c, const uint64_t a[6], bool set)
{
	size_t size = set_size(a[2]);
	struct user_iovec iov;
	int64_t r;

	if (copy_from_user(t->mm, &iov, UADDR(a[3]), sizeof(iov)))
		return -EFAULT;
	if (!size || iov.len % WORD)
		return -EINVAL;
	if (iov.len > size)
		iov.len = size;
	if (a[2] == LINUX_NT_PRSTATUS)
		r = (set ? set_general : get_general)(t, c, UADDR(iov.base), iov.len);
	else if (set)
		r = set_fp(t, c, UADDR(iov.base), iov.len, a[2] == LINUX_NT_PRFPREG);
	else
		r = get_fp(t, c, UADDR(iov.base), iov.len);
	return r ? r : copy_to_user(t->mm, UADDR(a[3]), &iov, sizeof(iov));
}

int64_t ptrace_getregset(struct task *t, struct task *c, const uint64_t a[6])
{
	return regset(t, c, a, false);
}

int64_t ptrace_setregset(struct task *t, struct task *c, const uint64_t a[6])
{
	return regset(t, c, a, true);
}
