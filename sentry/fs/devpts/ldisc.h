/*
 * ldisc.h - the line discipline: input editing, echo, signals, output processing (Linux's n_tty, as
 * termios(3) describes it).
 *
 * Pure functions on a tty whose mu the caller holds: no task, no file, no waiting.
 */
#ifndef SENTRY_FS_DEVPTS_LDISC_H
#define SENTRY_FS_DEVPTS_LDISC_H

#include "fs/devpts/tty.h"

void ldisc_init(struct tty *t); /* a new terminal's settings */
/* Typed bytes. Those taken are returned: fewer than n when the buffer is full. Signals for the
 * foreground group are or'ed into *signals as SIGBIT()s. */
size_t ldisc_input(struct tty *t, const uint8_t *b, size_t n, uint64_t *signals);
size_t ldisc_output(struct tty *t, const uint8_t *b, size_t n); /* written bytes: how many were taken */
bool ldisc_readable(const struct tty *t);
size_t ldisc_read(struct tty *t, uint8_t *b, size_t n, bool *eof); /* *eof: a ^D at the beginning of a line */
size_t ldisc_available(const struct tty *t); /* FIONREAD */
void ldisc_flush_input(struct tty *t);
void ldisc_set_termios(struct tty *t, const struct linux_termios *new);

#endif
