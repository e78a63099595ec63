/*
 * ldisc_impl.h - what the two halves of the line discipline share.  tty->mu is held everywhere.
 */
#ifndef SENTRY_FS_DEVPTS_LDISC_IMPL_H
#define SENTRY_FS_DEVPTS_LDISC_IMPL_H

#include "fs/devpts/ldisc.h"

#define TTY_MASK (TTY_BUF - 1) /* an index counted without wrapping & TTY_MASK: the place in a ring */

static inline bool flag(uint32_t flags, uint32_t bit)
{
	return flags & bit;
}

/* ldisc_output.c */
bool ldisc_emit(struct tty *t, uint8_t c); /* puts one byte out, by c_oflag; false: the buffer is full */
bool ldisc_is_control(const struct tty *t, uint8_t c); /* shown as ^X where ECHOCTL is set */
void ldisc_echo(struct tty *t, uint8_t c);
void ldisc_echo_typed(struct tty *t, uint8_t c); /* if ECHO (or, for a line's end, ECHONL) is set */

#endif
