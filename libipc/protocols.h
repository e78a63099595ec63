/*
 * protocols.h - the C structs, ids and descriptor names of every protocol,
 * made from the *.msg.h files.
 */
#ifndef REDOUBT_LIBIPC_PROTOCOLS_H
#define REDOUBT_LIBIPC_PROTOCOLS_H

#include "msg.h"

#define MSG_FILE "boot.msg.h"
#include "msg_structs.h"
#undef MSG_FILE
#define MSG_FILE "control.msg.h"
#include "msg_structs.h"
#undef MSG_FILE
#define MSG_FILE "gofer.msg.h"
#include "msg_structs.h"
#undef MSG_FILE
#define MSG_FILE "trace.msg.h"
#include "msg_structs.h"
#undef MSG_FILE

#endif
