/*
 * adopt.h - lets another controld take the place of one that has gone.
 */
#ifndef SENTRY_CONTROL_ADOPT_H
#define SENTRY_CONTROL_ADOPT_H

#include "kernel/kernel.h"
#include "libipc/rpc.h"

/* Takes the socket, whose far end this process keeps open too. */
struct err *adopt_serve(struct kernel *k, int sock) ERR_MUST_USE;
/* Answers control.containers. */
void adopt_list(struct kernel *k, struct rpc_call *call);

#endif
