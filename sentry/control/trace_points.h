/*
 * trace_points.h - the points that a trace session may ask for.
 */
#ifndef SENTRY_CONTROL_TRACE_POINTS_H
#define SENTRY_CONTROL_TRACE_POINTS_H

/* sentry --trace-points: to standard output. */
void trace_points_print(void);

#endif
