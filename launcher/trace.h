/*
 * trace.h - trace sessions: their configuration, which has runsc's format, and their output.
 *
 * 	trace.c		reads a configuration, opens its sink, starts the session
 * 	trace_show.c	prints what a sink has received, as JSON
 * 	debug_trace.c	prints it as a timeline
 * 	cmd_trace.c	the command
 */
#ifndef REDOUBT_LAUNCHER_TRACE_H
#define REDOUBT_LAUNCHER_TRACE_H

#include "client.h"
#include "command.h"

/* A JSON file { "trace_session": { ... } }; force: a session of its name is ended before. */
struct err *trace_create(struct rpc_client *rpc, const char *id, const char *config, bool force, struct pool *p) ERR_MUST_USE;

/* --pod-init-config: before the sandbox's first program may start. */
struct err *trace_init(struct context *c, const struct state_dir *d) ERR_MUST_USE;

/* The events in a file that was a sink, a line each. */
struct err *trace_show(const char *path) ERR_MUST_USE;
/* Makes a socket to be a sink's endpoint, and shows what the first that connects tells, to its end. */
struct err *trace_listen(const char *path) ERR_MUST_USE;

/* Passes the event in a frame that a sink got to fn, which may not keep any of it.  EPROTO: it
 * is none, or not as the protocol has it. */
typedef void trace_event_fn(void *arg, const struct msg_desc *d, const void *event);
struct err *trace_event(struct frame *f, trace_event_fn *fn, void *arg) ERR_MUST_USE;

#endif
