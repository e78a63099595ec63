/*
 * trace.h - trace sessions: what programs do is told to somebody outside, in protocol
 * `trace` (libipc/trace.msg.h).
 *
 *	trace.c		the sessions, their sinks, who wants what
 *	trace_event.c	events: who did it, what is known of it
 *	syscalls/trace_call.c	those of system calls
 *
 * Sessions come and go on the event thread (control/trace.c); events are made by the
 * thread that they are about, which holds no lock then.  Without a session each place
 * that could tell something costs one load.
 */
#ifndef SENTRY_KERNEL_TRACE_H
#define SENTRY_KERNEL_TRACE_H

#include "kernel/kernel.h"

#include <stddef.h>

struct msg_desc;
struct task;
struct trace_context; /* libipc */

#define TRACE_CALLS 512 /* numbers that a call may have */
enum {
	TRACE_CONTAINER_START, TRACE_CLONE, TRACE_EXEC, TRACE_EXIT_NOTIFY, TRACE_TASK_EXIT,
	TRACE_ENTER, /* and the number of the call */
	TRACE_EXIT = TRACE_ENTER + TRACE_CALLS, /* the same */
	TRACE_POINTS = TRACE_EXIT + TRACE_CALLS,
};

/* What a session wants to know, a set of bits a point. */
enum {
	TRACE_WANTED = 1 << 0, /* the point itself */
	/* the context */
	TRACE_TIME = 1 << 1, TRACE_THREAD = 1 << 2, TRACE_THREAD_START = 1 << 3, TRACE_GROUP = 1 << 4, TRACE_GROUP_START = 1 << 5,
	TRACE_CONTAINER = 1 << 6, TRACE_CREDENTIALS = 1 << 7, TRACE_CWD = 1 << 8, TRACE_PROCESS = 1 << 9,
	/* what costs more, of some points */
	TRACE_ENV = 1 << 10, TRACE_FD_PATH = 1 << 11, TRACE_TEXT = 1 << 12,
};

struct tracer; /* of a kernel: all its sessions */
struct tracer *tracer_new(void); /* NULL: no memory */

#define TRACE_NAME_MAX 64
#define TRACE_SESSIONS_MAX 8

struct trace_options {
	const char *name;
	int sink; /* a descriptor, taken over if it works out */
	bool file; /* it is a regular file, not a socket */
	unsigned retries; /* of 1 ms each, for a socket without room */
	uint16_t fields[TRACE_POINTS];
};
/* -EEXIST, -ENOSPC, -ENOMEM */
int trace_session_begin(struct kernel *k, const struct trace_options *o);
int trace_session_end(struct kernel *k, const char *name); /* -ENOENT */

struct trace_info {
	char name[TRACE_NAME_MAX + 1];
	unsigned points;
	uint64_t sent, dropped;
	bool broken;
};
unsigned trace_list(struct kernel *k, struct trace_info out[TRACE_SESSIONS_MAX]);

/* Fields that some session wants of a point; 0: nobody wants it. */
unsigned trace_wanted(const struct kernel *k, unsigned point);

/* An event: body begins with a trace_context that is filled in here; what a session
 * did not ask for is blanked by `blank` in a copy of its own. */
struct trace_event {
	unsigned point;
	uint32_t id;
	const struct msg_desc *desc;
	void *body;
	void (*blank)(void *body, unsigned fields); /* NULL: nothing but the context */
};
/* Tells it, as done by t; t is the caller, or has not started. */
void trace_tell(struct task *t, const struct trace_event *e);
/* Inside: to each session that wants it. */
void trace_send(struct kernel *k, const struct trace_event *e);

/* --- what happens in kernel/ and control/ --- */
void trace_container_start(struct task *t, const char *id, bool terminal);
void trace_cloned(struct task *t, const struct task *child, uint64_t flags);
void trace_execed(struct task *t);
void trace_exiting(struct task *t, unsigned status);
void trace_parent_is_told(struct task *t, unsigned status);

#endif
