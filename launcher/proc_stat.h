/*
 * proc_stat.h - what /proc/PID/stat says of a process of the host, and whose
 * children there are.
 */
#ifndef REDOUBT_LAUNCHER_PROC_STAT_H
#define REDOUBT_LAUNCHER_PROC_STAT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct proc_stat {
	char state; /* R, S, D, T, Z, X ... */
	pid_t parent;
	uint64_t start; /* clock ticks since boot */
};

/* False: there is no such process (any more). */
bool proc_stat(pid_t pid, struct proc_stat *out);
/* As many as fit; all there are is answered. */
size_t proc_children(pid_t parent, pid_t *out, size_t max);

#endif
