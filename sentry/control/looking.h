/*
 * looking.h - requests to look at the sentry and its programs (stacks, profiles, /proc) whose answers are
 * too large for a frame: they are written to a memory file of the client's.  Event thread.
 */
#ifndef SENTRY_CONTROL_LOOKING_H
#define SENTRY_CONTROL_LOOKING_H

#include "libipc/rpc.h"

struct container;
struct control_profile;
struct kernel;

/* stacks.c: a control_threads */
struct err *stacks_write(int out, uint64_t *length) ERR_MUST_USE;

/* profile.c: answers call when the time is over. */
void profile_begin(struct kernel *k, struct rpc_call *call, struct control_profile *request);

/* procfs.c: a control_procfs_data */
struct err *procfs_write(struct container *c, int out, uint64_t *length) ERR_MUST_USE;

/* metrics.c */
void metrics_answer(struct container *c, struct rpc_call *call);
/* links.c */
void links_answer(const struct container *c, struct rpc_call *call);

#endif
