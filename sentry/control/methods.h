/*
 * methods.h - the handlers of the control protocol's methods, and what they share.  server.c has the table
 * of them.
 */
#ifndef SENTRY_CONTROL_METHODS_H
#define SENTRY_CONTROL_METHODS_H

#include "control/container.h"

/* The named container, or NULL after the call has been answered. */
struct container *control_find(struct rpc_call *call, struct msg_str id);

#define SPEC_MAX (16u << 20) /* bytes of a specification in a memfd */

/* methods_container.c */
void control_do_create(struct rpc_call *call, void *request);
void control_do_start(struct rpc_call *call, void *request);
void control_do_state(struct rpc_call *call, void *request);
void control_do_pause(struct rpc_call *call, void *request);
void control_do_resume(struct rpc_call *call, void *request);
void control_do_limit(struct rpc_call *call, void *request);
void control_do_mount(struct rpc_call *call, void *request);
void control_do_port_forward(struct rpc_call *call, void *request);
void control_do_destroy(struct rpc_call *call, void *request);

/* methods_process.c */
void control_do_exec(struct rpc_call *call, void *request);
void control_do_wait(struct rpc_call *call, void *request);
void control_do_signal(struct rpc_call *call, void *request);
void control_do_processes(struct rpc_call *call, void *request);
void control_do_resize(struct rpc_call *call, void *request);

/* methods_look.c: what only looks, or changes what is logged */
void control_do_logging(struct rpc_call *call, void *request);
void control_do_usage(struct rpc_call *call, void *request);
void control_do_usage_file(struct rpc_call *call, void *request);
void control_do_stacks(struct rpc_call *call, void *request);
void control_do_profile(struct rpc_call *call, void *request);
void control_do_procfs(struct rpc_call *call, void *request);
void control_do_metrics(struct rpc_call *call, void *request);
void control_do_links(struct rpc_call *call, void *request);

/* trace.c */
void control_do_trace_create(struct rpc_call *call, void *request);
void control_do_trace_delete(struct rpc_call *call, void *request);
void control_do_trace_list(struct rpc_call *call, void *request);

/* cgroup.c, network.c, interfaces.c */
void control_do_cgroup_read(struct rpc_call *call, void *request);
void control_do_cgroup_write(struct rpc_call *call, void *request);
void control_do_netlink(struct rpc_call *call, void *request);
void control_do_interfaces(struct rpc_call *call, void *request);

/* files.c, files_change.c: what only the sentry has, for processes of the host */
void control_do_file_look(struct rpc_call *call, void *request);
void control_do_file_list(struct rpc_call *call, void *request);
void control_do_file_read(struct rpc_call *call, void *request);
void control_do_file_write(struct rpc_call *call, void *request);
void control_do_file_make(struct rpc_call *call, void *request);
void control_do_file_remove(struct rpc_call *call, void *request);
void control_do_file_rename(struct rpc_call *call, void *request);
void control_do_file_link(struct rpc_call *call, void *request);
void control_do_file_change(struct rpc_call *call, void *request);

#endif
