/*
 * stand_in.h - a host process that represents a program inside a sandbox.
 *
 * Engines know a program by a host pid: they wait for it as its subreaper, take its exit status for the
 * program's, and send signals to it.  For a sandbox's first program that process is the sentry; every
 * other program gets a stand-in.  It forwards every signal that can be caught, ends as the program
 * ends, and when it is killed by SIGKILL the program is killed too (controld sees its connection close).
 */
#ifndef REDOUBT_LAUNCHER_STAND_IN_H
#define REDOUBT_LAUNCHER_STAND_IN_H

#include "attach.h"
#include "cgroup.h"

/* Returns once it is there and waits for ao->pid; title is what `ps` on the host
 * shows (cut to the room there is).  Of the caller's descriptors it keeps those of
 * ao->dir and the log's (-1: none).  cgroup: that of its own into which it will be put, or NULL. */
struct err *stand_in_start(const struct attach_options *ao, const char *title, int log_fd, const struct cgroup *cgroup, pid_t *pid) ERR_MUST_USE;

#endif
