/*
 * names.h - names of capabilities, resource limits and signals, as Linux
 * numbers them for x86_64.
 */
#ifndef REDOUBT_LAUNCHER_NAMES_H
#define REDOUBT_LAUNCHER_NAMES_H

#include <stdbool.h>

#define CAPABILITY_COUNT 41
#define CAPABILITY_ALL ((1ull << CAPABILITY_COUNT) - 1)

/* "CAP_CHOWN" or "chown", any case; -1 if unknown. */
int capability_number(const char *name);
const char *capability_name(int n); /* "CHOWN"; 0 .. CAPABILITY_COUNT - 1 */
/* "RLIMIT_NOFILE"; -1 if unknown. */
/* "SCHED_RR"; Linux's number, or -1 (also for SCHED_DEADLINE, which no process of a container can have). */
int sched_policy_number(const char *name);
int rlimit_number(const char *name);
/* "TERM", "SIGTERM", "15", "RTMIN+3", "RTMAX-1", any case; -1 if unknown. */
int signal_number(const char *name);

#endif
