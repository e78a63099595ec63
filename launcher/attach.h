/*
 * attach.h - the caller attached to a program in a sandbox: its signals are
 * passed on, the terminal copied both ways, its end waited for.
 */
#ifndef REDOUBT_LAUNCHER_ATTACH_H
#define REDOUBT_LAUNCHER_ATTACH_H

#include "state.h"

/* Blocks the signals that attach() will pass on, so that one that comes while
 * the sandbox is made reaches its program, or ends us once nothing is half
 * done (attach_release). */
void attach_hold_signals(void);
void attach_release_signals(void);

struct attach_options {
	const struct state_dir *dir;
	uint64_t pid; /* guest pid, 0: the container's first process */
	int master; /* the pty's master, -1: no terminal */
	int terminal; /* our controlling terminal, a pty's slave whose size we pass on; 0: none */
	bool stands_in; /* this process stands for the program: should it be killed, the program is */
	bool start; /* send start first */
	void (*started)(const void *arg); /* once the program runs and is waited for; NULL: nothing */
	const void *started_arg;
	bool *for_memory; /* told: programs of its container were killed for want of memory; NULL: not asked */
	const int *home; /* once *home is not -1: the mount namespace that paths are of, where started() has left it */
};

/* Returns when the program has ended; *status as wait(2) gives it. */
struct err *attach(const struct attach_options *o, unsigned *status) ERR_MUST_USE;

/* Copies what the terminal still holds to standard output. */
void attach_drain(int master);

#endif
