/*
 * panic.h - the last words of a process that a fault of its own ends, or a failed
 * check (abort): reason, registers, call chain, to a descriptor that was opened in
 * advance (--panic-fd).  Addresses are as the executable file counts them:
 * addr2line -ife FILE ADDRESS names them.
 *
 * All of it runs in a signal handler, on a process that is broken: only vDSO clocks
 * and write(2), no memory is allocated, no lock taken.  What the seccomp filter
 * kills has no last words: who reaps it tells (ending.h).
 */
#ifndef REDOUBT_LIBIPC_PANIC_H
#define REDOUBT_LIBIPC_PANIC_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

/* fd -1: nothing is said.  others (NULL: there are none) tells of the other threads, by
 * the functions below.  Once, before threads and before the filter. */
void panic_init(const char *component, int fd, void (*others)(void));
/* Another process's end, for the same log.  In no handler. */
void panic_note(const char *what, const char *how);
/* What the handlers do; for a component with a SIGSEGV handler of its own.  The process must not
 * go on after it. */
void panic_signal(int signo, siginfo_t *info, void *context);
/* By a fault, whose action is the default one or that is blocked; no host call is made. */
void panic_die(int signo);

/* A line of it. */
struct panic_line {
	size_t n;
	char text[400]; /* cut */
};
void panic_begin(struct panic_line *l);
void panic_text(struct panic_line *l, const char *s);
void panic_number(struct panic_line *l, int64_t v);
void panic_end(struct panic_line *l); /* writes it */
/* A call chain, an address a line. */
void panic_frames(const uint64_t *frames, unsigned n);

#endif
