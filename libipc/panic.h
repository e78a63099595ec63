/*
 * panic.h - crash reports: when a component crashes (a fault, or abort() by a failed check), the reason,
 * registers and call chain are written to a descriptor that was opened in advance (--panic-fd).
 * Addresses are offsets in the executable file: addr2line -ife FILE ADDRESS names them.
 *
 * All of it runs in a signal handler of a broken process: only vDSO clocks and write(2) are used, no
 * memory is allocated and no lock taken.  A process that the seccomp filter kills can write no report:
 * its parent describes the end (ending.h).
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
