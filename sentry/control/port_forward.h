/*
 * port_forward.h - a host's stream socket joined to a port inside.
 */
#ifndef SENTRY_CONTROL_PORT_FORWARD_H
#define SENTRY_CONTROL_PORT_FORWARD_H

#include "libipc/err.h"

#include <stdint.h>

struct container;

/* Takes *stream, also on failure. Event thread. */
struct err *port_forward_begin(struct container *c, uint16_t port, int *stream) ERR_MUST_USE;

#endif
