/*
 * trace.h - what the tests of ptrace(2) share: a tracee to begin with, and waiting
 * for its stops.
 */
#ifndef TESTS_GUEST_PTRACE_TRACE_H
#define TESTS_GUEST_PTRACE_TRACE_H

#include "../test.h"

#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>

/* The next thing that p tells: a wait status. */
static inline int told(pid_t p)
{
	int st;

	CHECK(waitpid(p, &st, __WALL) == p);
	return st;
}

static inline int stopped_by(int st, int sig) { return WIFSTOPPED(st) && WSTOPSIG(st) == sig && st >> 16 == 0; }
static inline int event(int st, int e) { return WIFSTOPPED(st) && WSTOPSIG(st) == SIGTRAP && st >> 16 == e; }
static inline int exited(int st, int code) { return WIFEXITED(st) && WEXITSTATUS(st) == code; }
static inline long ask(int request, pid_t p, uintptr_t addr, uintptr_t data) { return syscall(SYS_ptrace, request, p, addr, data); }

/* A child that traces itself, and stands in its first stop; in the child fn runs, whose result is its status. */
static inline pid_t tracee(int (*fn)(void), uintptr_t options)
{
	pid_t p = fork();

	if (!p) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0))
			_exit(100);
		raise(SIGSTOP);
		_exit(fn());
	}
	CHECK(p > 0 && stopped_by(told(p), SIGSTOP));
	CHECK(ask(PTRACE_SETOPTIONS, p, 0, options | PTRACE_O_EXITKILL) == 0);
	return p;
}

static inline struct user_regs_struct regs_of(pid_t p)
{
	struct user_regs_struct r;

	CHECK(ask(PTRACE_GETREGS, p, 0, (uintptr_t)&r) == 0);
	return r;
}

static inline long word_at(pid_t p, uintptr_t addr)
{
	long v = 0;

	CHECK(ask(PTRACE_PEEKDATA, p, addr, (uintptr_t)&v) == 0);
	return v;
}

/* Lets it go on, and what it tells then. */
static inline int after(int request, pid_t p, int sig)
{
	CHECK(ask(request, p, 0, (uintptr_t)sig) == 0);
	return told(p);
}

#endif
