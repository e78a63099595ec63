/*
 * core.h - core dumps: what is left of a process that a signal ends (core(5)).
 *
 * The task that takes such a signal begins the dump as it begins the group's
 * exit.  Each task of the group leaves its registers on its way out; the one that
 * began waits for them and writes the file `core` in its working directory.
 */
#ifndef SENTRY_KERNEL_CORE_H
#define SENTRY_KERNEL_CORE_H

#include "abi/signal.h"
#include "kernel/task.h"

struct mm_area;

struct core_thread {
	pid_t tid;
	uint64_t pending, blocked;
	struct regs regs;
	uint8_t *fp; /* fpstate_size() bytes, owned; NULL: none */
};

struct core {
	struct task *dumper; /* [I] */
	struct linux_siginfo info; /* [I] */
	unsigned left; /* [T] tasks that have not left their registers */
	unsigned n, max; /* [T] threads */
	struct core_thread *threads; /* [T] the dumper's the first */
};

/* Before tg_begin_exit_locked: nothing, if no dump is wanted. */
void core_begin_locked(struct task *t, const struct linux_siginfo *info);
/* Own thread, on its way out, its memory still there. */
void core_leave(struct task *t);

/* core_notes.c: all notes, malloc'ed; NULL: no memory.  names: of the areas' files, NULL where there is none. */
uint8_t *core_notes(const struct core *c, const struct mm_area *areas, char *const *names, size_t n, size_t *len);

#endif
