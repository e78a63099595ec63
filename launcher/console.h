/*
 * console.h - terminals: the host pty that carries a guest terminal's bytes,
 * and the user's own terminal.
 *
 * The guest's terminal with its line discipline lives in the sentry; the pty
 * made here is only a transport, so its slave is raw.
 */
#ifndef REDOUBT_LAUNCHER_CONSOLE_H
#define REDOUBT_LAUNCHER_CONSOLE_H

#include "libipc/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>

/* A new pty of the given size (0: 24x80). */
struct err *console_make(const struct winsize *size, int *master, int *slave) ERR_MUST_USE;
/* Sends the master over a UNIX stream socket, as runc's --console-socket wants it. */
struct err *console_send(const char *socket_path, int master) ERR_MUST_USE;

/* Puts the user's terminal in raw mode; restored by console_restore(), which
 * may be called any number of times and is also done at exit(). */
struct err *console_raw(int tty) ERR_MUST_USE;
void console_restore(void);

#endif
