/*
 * kinds.h - what shows one argument of a call: v is its value, l->next its number.
 */
#ifndef SENTRY_SYSCALLS_STRACE_KINDS_H
#define SENTRY_SYSCALLS_STRACE_KINDS_H

#include "syscalls/strace/strace.h"

#define STRACE_ELEMENTS 8 /* of an array that are shown */

typedef void show_fn(struct strace_line *l, uint64_t v);

bool strace_fetch(struct strace_line *l, void *to, uint64_t at, size_t n); /* from the program; false: not there */
show_fn strace_address; /* args.c */
show_fn strace_action, strace_epoll_event, strace_epoll_events, strace_pollfds, strace_rlimits, strace_sigset,
	strace_sockaddr, strace_sockaddr_out, strace_stat, strace_timespec, strace_timeval, strace_two_fds, strace_wait_status; /* structs.c */

#endif
