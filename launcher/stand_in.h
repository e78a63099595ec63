/*
 * stand_in.h - a process of ours that stands for a program inside.
 *
 * Engines know a program by a host pid: they wait for it as its subreaper, take
 * its exit status for the program's, and send signals to it.  The container's
 * first program has the sentry for that; any other gets one of these.  It
 * passes on every signal that can be caught, dies by SIGKILL with the program
 * (controld sees its connection go), and ends as the program does.
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
