/*
 * rpc_wire.h - the frames that carry no message of a protocol: errors.
 */
#ifndef REDOUBT_LIBIPC_RPC_WIRE_H
#define REDOUBT_LIBIPC_RPC_WIRE_H

#include "frame.h"

/* Fills an error frame's body; frees nothing. */
struct err *rpc_error_encode(struct frame *f, int errnum, const char *text) ERR_MUST_USE;

/* The error that a FRAME_ERROR tells.  *protocol is set when the frame itself
 * is broken (then the error says so).  Never NULL. */
struct err *rpc_error_decode(struct frame *f, bool *protocol) ERR_MUST_USE;

#endif
