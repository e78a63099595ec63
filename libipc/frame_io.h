/*
 * frame_io.h - frames without an error text, for libipc's own hot paths.
 */
#ifndef REDOUBT_LIBIPC_FRAME_IO_H
#define REDOUBT_LIBIPC_FRAME_IO_H

#include "frame.h"

/* array head (1) + version (1) + kind (1) + sequence (9) + method (5), rounded up */
#define FRAME_ENVELOPE_MAX 20

/* As frame_send / frame_recv, with sendmsg's or recvmsg's flags; 0 or a
 * positive errno (EAGAIN: nothing happened).  After an EPROTO *why says what
 * is wrong with the frame (a constant).  On any but success f owns nothing. */
int frame_send_flags(int sock, const struct frame *f, int flags);
int frame_recv_flags(int sock, struct frame *f, int flags, bool *eof, const char **why);

/* What comes before f's body; its length. */
size_t frame_envelope(uint8_t p[FRAME_ENVELOPE_MAX], const struct frame *f);

/* Checks the envelope in f->buf and fills the rest of f; NULL or what is
 * wrong.  Touches neither socket nor descriptors (the fuzzer calls it). */
const char *frame_parse(struct frame *f);

#endif
