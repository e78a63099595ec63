/*
 * frame.h - one message on the wire: one SEQPACKET datagram, one msgpack array
 * [version, kind, sequence, method, body], at most FRAME_MAX bytes and
 * FRAME_FDS_MAX descriptors (SCM_RIGHTS).
 *
 * A received frame owns its descriptors until they are taken out; frame_free
 * closes the rest.  Decoding of the envelope is strict.
 */
#ifndef REDOUBT_LIBIPC_FRAME_H
#define REDOUBT_LIBIPC_FRAME_H

#include "err.h"

#include <stdbool.h>
#include <stdint.h>

#define FRAME_VERSION 1
#define FRAME_MAX 65536
#define FRAME_FDS_MAX 64

enum frame_kind {
	FRAME_REQUEST = 0,
	FRAME_REPLY = 1,
	FRAME_ERROR = 2, /* body: [errno, text] */
	FRAME_EVENT = 3, /* one way; sequence 0 */
	FRAME_CANCEL = 4, /* the requester gives up on `sequence`; body nil */
};

struct frame {
	enum frame_kind kind;
	uint64_t sequence;
	uint32_t method; /* the message's id in its protocol */
	uint8_t *body; /* msgpack of the message; lies in buf */
	size_t body_len;
	uint8_t *buf; /* owned, malloc'ed */
	size_t buf_len;
	int fds[FRAME_FDS_MAX]; /* owned when received, borrowed when sent */
	unsigned nfds;
	bool owns_fds;
	bool fds_lost; /* received: it brought descriptors that this process had no room for; nfds is 0 */
};

/* Sends / receives one frame on a SEQPACKET socket.  *again (may be NULL) is
 * set when a non-blocking socket would block; then NULL is returned and nothing
 * happened.  frame_recv: *eof is set at the peer's end.  MSG_CTRUNC, MSG_TRUNC
 * and a malformed envelope are EPROTO errors, but a frame whose descriptors
 * did not fit under our own RLIMIT_NOFILE is received with fds_lost: that is no
 * fault of the peer's, and one call's EMFILE. */
struct err *frame_send(int sock, const struct frame *f, bool *again) ERR_MUST_USE;
struct err *frame_recv(int sock, struct frame *f, bool *again, bool *eof) ERR_MUST_USE;
void frame_free(struct frame *f);
#define _cleanup_frame_ __attribute__((cleanup(frame_free)))

#endif
