/*
 * forward.h - requests that go on to the sentry, in the same protocol (internal to methods.c and
 * forward.c).
 */
#ifndef REDOUBT_CONTROLD_FORWARD_H
#define REDOUBT_CONTROLD_FORWARD_H

#include "sandbox.h"

/*
 * Each that needs nothing but the checks below: its name, which phase the container must be in, and
 * what controld does when the sentry has answered that it succeeded.
 */
#define FORWARDED(X) \
	X(start, must_be_created, after_start) \
	X(signal, in_any_phase, after_signal) \
	X(processes, in_any_phase, after_processes) \
	X(pause, must_run, after_pause) \
	X(resume, must_be_paused, after_resume) \
	X(port_forward, must_run, NULL) \
	X(resize, in_any_phase, NULL) \
	X(usage, in_any_phase, NULL) \
	X(limit, in_any_phase, NULL) \
	X(stacks, in_any_phase, NULL) \
	X(profile, in_any_phase, NULL) \
	X(procfs, in_any_phase, NULL) \
	X(metrics, in_any_phase, NULL) \
	X(usage_file, in_any_phase, NULL) \
	X(mount, in_any_phase, NULL) \
	X(links, in_any_phase, NULL) \
	X(trace_create, in_any_phase, NULL) \
	X(trace_delete, in_any_phase, NULL) \
	X(trace_list, in_any_phase, NULL) \
	X(cgroup_read, in_any_phase, NULL) \
	X(cgroup_write, in_any_phase, NULL) \
	X(netlink, in_any_phase, NULL) \
	X(interfaces, must_be_created, NULL) \
	X(file_look, in_any_phase, NULL) \
	X(file_list, in_any_phase, NULL) \
	X(file_read, in_any_phase, NULL) \
	X(file_write, in_any_phase, NULL) \
	X(file_make, in_any_phase, NULL) \
	X(file_remove, in_any_phase, NULL) \
	X(file_rename, in_any_phase, NULL) \
	X(file_link, in_any_phase, NULL) \
	X(file_change, in_any_phase, NULL)

#define FORWARD_HANDLER(NAME, PHASE, AFTER) void forward_##NAME(struct rpc_call *call, void *request);
FORWARDED(FORWARD_HANDLER)
#undef FORWARD_HANDLER

/* The container of that id; NULL: there is none, and the call has been answered. */
struct container *request_container(struct rpc_call *call, const struct msg_str *id);
/* The same, if it has not stopped and there is a sentry to ask. */
struct container *request_running(struct rpc_call *call, const struct msg_str *id);

/* NULL, or what is done after a success. */
typedef void forward_after(struct container *c, void *reply);
void forward(struct rpc_call *call, struct container *c, uint32_t id, const struct msg_desc *request, const void *body,
	const struct msg_desc *reply, forward_after *after);
#define FORWARD(CALL, C, NAME, BODY, AFTER) \
	forward(CALL, C, control_##NAME##_id, &control_##NAME##_desc, BODY, &control_##NAME##_reply_desc, AFTER)

/* Is it in that phase?  false: the call has been answered. */
bool must_be_created(struct rpc_call *call, const struct container *c);
bool must_run(struct rpc_call *call, const struct container *c);

#endif
