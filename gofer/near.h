/*
 * near.h - on which processor this process runs: where its peer would have it (request near).
 */
#ifndef REDOUBT_GOFER_NEAR_H
#define REDOUBT_GOFER_NEAR_H

#include <sched.h>

/* Where it may run at all; before it is confined.  Empty: that cannot be had, and it stays where it is put. */
void near_init(cpu_set_t *given);
/* On cpu, or on any but that for now.  Nothing happens where that is not possible. */
void near_run_on(const cpu_set_t *given, unsigned cpu);
void near_leave(const cpu_set_t *given, unsigned cpu);

#endif
