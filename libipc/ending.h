/*
 * ending.h - how a process ended, as text for messages.
 */
#ifndef REDOUBT_LIBIPC_ENDING_H
#define REDOUBT_LIBIPC_ENDING_H

#define ENDING_MAX 256

/* A wait status as "ended with status 1", "was killed by signal 9 (Killed)".  A
 * process killed for a call outside its seccomp policy is told as that. Returns buf. */
const char *ending_text(int wait_status, char buf[ENDING_MAX]);

#endif
