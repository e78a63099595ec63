/*
 * background.h - turns a child of the launcher into a background process that stays after the command
 * has ended.
 */
#ifndef REDOUBT_LAUNCHER_BACKGROUND_H
#define REDOUBT_LAUNCHER_BACKGROUND_H

#include "libipc/err.h"

#include <stddef.h>

/* Where the arguments lie that `ps` on the host shows; once, by main(). */
void background_argv(int argc, char **argv);

/* In a forked child: a session of its own, and of all descriptors only `keep` (-1: none), with
 * /dev/null for standard input, output and error.  title is what `ps` on the host shows, cut to
 * the room there is. */
struct err *background_enter(const char *title, const int *keep, size_t n) ERR_MUST_USE;

#endif
