/*
 * audit_filter.c - a thread's seccomp filters as the kernel holds them, walked
 * for every call number.  The thread is stopped for as long as they are copied.
 */
#include "audit.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#define PROGRAM_MAX 4096 /* BPF_MAXINSNS */
#define X32_BIT 0x40000000u
#define FOREIGN_CALLS 512

/* Where an instruction is reached, what the accumulator may hold there. */
struct holds {
	bool anything, nr, arch;
};

struct program {
	struct sock_filter f[PROGRAM_MAX];
	size_t n;
	struct holds at[PROGRAM_MAX];
};

static void reach(struct program *p, size_t at, struct holds h)
{
	if (at >= p->n)
		return;
	p->at[at].anything |= h.anything;
	p->at[at].nr |= h.nr;
	p->at[at].arch |= h.arch;
}

static bool jumps(const struct sock_filter *f, uint32_t value)
{
	switch (BPF_OP(f->code)) {
	case BPF_JEQ: return value == f->k;
	case BPF_JGT: return value > f->k;
	case BPF_JGE: return value >= f->k;
	default: return value & f->k; /* BPF_JSET */
	}
}

static void follow_jump(struct program *p, size_t i, const struct holds h, uint32_t nr, uint32_t arch)
{
	const struct sock_filter *f = &p->f[i];

	if (BPF_OP(f->code) == BPF_JA) {
		reach(p, i + 1 + f->k, h);
		return;
	}
	if (h.anything) {
		reach(p, i + 1 + f->jt, (struct holds){ .anything = true });
		reach(p, i + 1 + f->jf, (struct holds){ .anything = true });
	}
	if (h.nr)
		reach(p, i + 1 + (jumps(f, nr) ? f->jt : f->jf), (struct holds){ .nr = true });
	if (h.arch)
		reach(p, i + 1 + (jumps(f, arch) ? f->jt : f->jf), (struct holds){ .arch = true });
}

/* Whether the program may answer "allow", whatever arguments and instruction
 * pointer are.  All jumps lead forward, so that one pass sees every path. */
static bool may_allow(struct program *p, uint32_t nr, uint32_t arch)
{
	memset(p->at, 0, p->n * sizeof(p->at[0]));
	p->at[0].anything = true;
	for (size_t i = 0; i < p->n; i++) {
		const struct sock_filter *f = &p->f[i];
		const struct holds h = p->at[i];

		if (!h.anything && !h.nr && !h.arch)
			continue;
		switch (BPF_CLASS(f->code)) {
		case BPF_RET:
			if (BPF_RVAL(f->code) != BPF_K || (f->k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ALLOW)
				return true;
			break;
		case BPF_JMP:
			follow_jump(p, i, h, nr, arch);
			break;
		case BPF_LD:
			if (f->code == (BPF_LD | BPF_W | BPF_ABS) && f->k == offsetof(struct seccomp_data, nr))
				reach(p, i + 1, (struct holds){ .nr = true });
			else if (f->code == (BPF_LD | BPF_W | BPF_ABS) && f->k == offsetof(struct seccomp_data, arch))
				reach(p, i + 1, (struct holds){ .arch = true });
			else
				reach(p, i + 1, (struct holds){ .anything = true });
			break;
		case BPF_ALU:
		case BPF_MISC:
			reach(p, i + 1, (struct holds){ .anything = true });
			break;
		default: /* stores, and loads of X: the accumulator stays */
			reach(p, i + 1, h);
		}
	}
	return false;
}

/* A call is allowed when every filter allows it. */
static void narrow(struct program *p, bool allowed[AUDIT_CALLS], bool foreign[2 * FOREIGN_CALLS])
{
	for (uint32_t nr = 0; nr < AUDIT_CALLS; nr++)
		allowed[nr] = allowed[nr] && may_allow(p, nr, AUDIT_ARCH_X86_64);
	for (uint32_t nr = 0; nr < FOREIGN_CALLS; nr++) {
		foreign[nr] = foreign[nr] && may_allow(p, nr, AUDIT_ARCH_I386);
		foreign[FOREIGN_CALLS + nr] = foreign[FOREIGN_CALLS + nr] && may_allow(p, nr | X32_BIT, AUDIT_ARCH_X86_64);
	}
}

/* 1 fetched, 0 there is no such filter, or -errno. */
static int fetch(pid_t tid, unsigned long index, struct program *p)
{
	long n = ptrace(PTRACE_SECCOMP_GET_FILTER, tid, (void *)index, NULL);

	if (n < 0)
		return errno == ENOENT ? 0 : -errno;
	if (n > PROGRAM_MAX)
		return -E2BIG;
	p->n = (size_t)n;
	return ptrace(PTRACE_SECCOMP_GET_FILTER, tid, (void *)index, p->f) == n ? 1 : -EIO;
}

static int walk_all(pid_t tid, bool allowed[AUDIT_CALLS], bool *foreign)
{
	bool others[2 * FOREIGN_CALLS];
	struct program *p = calloc(1, sizeof(*p));
	int r = p ? 1 : -ENOMEM;

	memset(allowed, true, AUDIT_CALLS * sizeof(allowed[0]));
	memset(others, true, sizeof(others));
	for (unsigned long i = 0; r > 0 && (r = fetch(tid, i, p)) > 0; i++)
		narrow(p, allowed, others);
	free(p);
	*foreign = false;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		*foreign |= others[i];
	return r;
}

int audit_filter(pid_t tid, bool allowed[AUDIT_CALLS], bool *foreign)
{
	int status = 0, signo = 0, r;

	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL))
		return -errno;
	if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) || waitpid(tid, &status, __WALL) != tid)
		r = -errno;
	else
		r = walk_all(tid, allowed, foreign);
	if (WIFSTOPPED(status) && status >> 16 != PTRACE_EVENT_STOP)
		signo = WSTOPSIG(status); /* one that was on its way: it must not be lost */
	ptrace(PTRACE_DETACH, tid, NULL, (void *)(intptr_t)signo);
	return r;
}

const char *audit_call_name(unsigned nr, struct pool *p)
{
	char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, (int)nr);
	const char *copy = name ? pool_strdup(p, name) : pool_printf(p, "%u", nr);

	free(name);
	return copy;
}

int audit_call_number(const char *name)
{
	int nr = seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, name);

	return nr >= 0 && nr < AUDIT_CALLS ? nr : -1;
}
