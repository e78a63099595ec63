/*
 * ctl_json.h - ipcctl's JSON beyond the messages themselves: descriptors to
 * donate, and answers.
 */
#ifndef REDOUBT_LIBIPC_CTL_JSON_H
#define REDOUBT_LIBIPC_CTL_JSON_H

#include "err.h"
#include "frame.h"
#include "msg.h"

#include <jansson.h>

/* Replaces, in the JSON of a message d, each descriptor field's value by the
 * number of a new descriptor (the message's, which is closed with it):
 *   7                                      a copy of descriptor 7
 *   {"open": "path", "flags": "r"}         r, w (created, emptied), a, rw, dir, path (O_PATH)
 *   {"text": "..."}                        a memory file with that content
 *   {"message": "boot_process", "value": {...}}   a sealed memory file with that message
 * Surplus or missing fields are left for msg_from_json to refuse. */
struct err *ctl_open_fds(const struct msg_desc *d, json_t *in) ERR_MUST_USE;

/* Closes them again, when the message was refused. */
void ctl_close_fds(const struct msg_desc *d, json_t *in);

/* {"error": {"errno": "ENOENT", "text": "..."}} */
json_t *ctl_error_json(int errnum, const char *text);

/* A received frame of unknown protocol, for --raw: its envelope, and the error
 * it tells or its body as hex. */
json_t *ctl_frame_json(struct frame *f);

/* "!cat 7", "!write 7 JSON-STRING", "!stat 7", "!close 7": on one of our own
 * descriptors (keep is not closed); *out is the answer. */
struct err *ctl_local(const char *command, int keep, json_t **out) ERR_MUST_USE;

#endif
