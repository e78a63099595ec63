/*
 * msg.h - messages described once, in the *.msg.h files.
 *
 * A protocol file is included several times with the macros below given
 * different meanings (msg_structs.h makes the C structs, msg_tables.h the field
 * tables).  One table-driven encoder, strict decoder, JSON renderer, JSON
 * reader, documentation printer and fuzz grammar work on the tables; there is
 * no second description of a message anywhere.
 *
 * The grammar of a *.msg.h file (P protocol, M message, S struct, each field
 * names its struct first):
 *
 *   PROTOCOL(P, version, "doc")
 *   STRUCT(S, "doc")                  a part used in fields; C type struct S
 *   REQUEST(P, M, id, "doc")          C type struct P_M       fields with S = P_M
 *   REPLY(P, M, "doc")                C type struct P_M_reply fields with S = P_M_reply
 *   EVENT(P, M, id, "doc")            C type struct P_M, one way
 *   END(S)
 *   F_U64(S, name, max, "doc")             uint64_t name
 *   F_I64(S, name, min, max, "doc")        int64_t name
 *   F_BOOL(S, name, "doc")                 bool name
 *   F_STR(S, name, maxlen, "doc")          struct msg_str name: bytes without NUL, NUL-terminated copy
 *   F_BYTES(S, name, maxlen, "doc")        struct msg_bytes name
 *   F_FD(S, name, "doc")                   int name (required)
 *   F_OPT_FD(S, name, "doc")               int name, -1 when absent (nil on the wire)
 *   F_STRUCT(S, name, T, "doc")            struct T name
 *   F_LIST(S, name, T, max, "doc")         struct T *name; uint32_t n_name
 *   F_STRS(S, name, max, maxlen, "doc")    struct msg_str *name; uint32_t n_name
 *   F_U64S(S, name, max, "doc")            uint64_t *name; uint32_t n_name
 *   F_FDS(S, name, max, "doc")             int *name; uint32_t n_name
 *
 * On the wire a message or struct is a msgpack array with exactly one element
 * per field, in order (no names).  STR and BYTES are msgpack bin (names on
 * Linux need not be UTF-8).  A descriptor is the next index into the frame's
 * descriptors, counting from 0, in order.  Every REQUEST must have a REPLY.
 * In JSON: objects with the field names; BYTES and non-UTF-8 STR as
 * {"hex": "..."}; descriptors as numbers; numbers above INT64_MAX as strings of
 * digits.
 */
#ifndef REDOUBT_LIBIPC_MSG_H
#define REDOUBT_LIBIPC_MSG_H

#include "err.h"
#include "frame.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct msg_str {
	const char *p; /* never NULL in a decoded message; NUL-terminated there */
	uint32_t len;
};
struct msg_bytes {
	const uint8_t *p;
	uint32_t len;
};

static inline struct msg_str msg_str(const char *s)
{
	return (struct msg_str){ s, (uint32_t)__builtin_strlen(s) };
}

struct msg_desc; /* a struct's or message's field table */
struct msg_proto; /* a protocol: its messages by id */

/* A decoded message's memory (strings, lists).  Zero-initialise; msg_free
 * closes the descriptors still in the message (those >= 0: set to -1 what you
 * take, see TAKE_FD) and frees the arena. */
struct msg_arena {
	void *blocks;
};
void msg_arena_free(struct msg_arena *a);
/* For a reply without descriptors, of which nothing outlives the function. */
#define _cleanup_arena_ __attribute__((cleanup(msg_arena_free)))

/* Fills f's body and descriptors (borrowed from in) but not kind/sequence.
 * Bounds are checked on the way out too. */
struct err *msg_encode(const struct msg_desc *d, const void *in, struct frame *f) ERR_MUST_USE;
/* Strict; moves descriptors from f to out.  On error out is untouched and f
 * still owns its descriptors (EPROTO: the message is bad; EMFILE, ENOMEM: we
 * are short of something).  The error names the field ("walk.names[3]: 300 bytes, at most 255"). */
struct err *msg_decode(const struct msg_desc *d, struct frame *f, void *out, struct msg_arena *a) ERR_MUST_USE;
void msg_free(const struct msg_desc *d, void *msg, struct msg_arena *a);

/* The same without descriptors, into / from a plain buffer (spec files). */
struct err *msg_encode_buf(const struct msg_desc *d, const void *in, uint8_t **buf, size_t *len) ERR_MUST_USE;
struct err *msg_decode_buf(const struct msg_desc *d, const uint8_t *buf, size_t len, void *out, struct msg_arena *a) ERR_MUST_USE;

/* The same into a sealed memfd, and from one (size limit in bytes; the file is
 * copied to private memory before it is parsed). */
struct err *msg_to_memfd(const struct msg_desc *d, const void *in, int *fd) ERR_MUST_USE;
struct err *msg_from_fd(const struct msg_desc *d, int fd, size_t max, void *out, struct msg_arena *a) ERR_MUST_USE;

/* Answers too large for a frame: the asker makes a memory file of a fixed size (bytes),
 * whoever answers writes a message into it and tells its length, the asker
 * reads that much of it.  EFBIG: it does not fit. */
struct err *msg_answer_file(size_t size, int *fd) ERR_MUST_USE;
struct err *msg_answer_write(const struct msg_desc *d, const void *in, int fd, uint64_t *length) ERR_MUST_USE;
struct err *msg_answer_read(const struct msg_desc *d, int fd, uint64_t length, void *out, struct msg_arena *a) ERR_MUST_USE;

struct err *msg_to_json(const struct msg_desc *d, const void *in, json_t **out) ERR_MUST_USE;
struct err *msg_from_json(const struct msg_desc *d, json_t *in, void *out, struct msg_arena *a) ERR_MUST_USE;

/* The protocol's page of documentation, as markdown. */
void msg_print_schema(const struct msg_proto *p, FILE *f);

const char *msg_desc_name(const struct msg_desc *d);
size_t msg_desc_size(const struct msg_desc *d); /* sizeof of the C struct */
const struct msg_proto *msg_proto_by_name(const char *name); /* "gofer", "control", "boot"; NULL if unknown */
/* By id; false if unknown.  *reply is NULL for events. */
bool msg_proto_method(const struct msg_proto *p, uint32_t id, const struct msg_desc **request, const struct msg_desc **reply);
/* By name ("walk"); NULL if unknown.  Constant; msg_desc.h has the struct. */
const struct msg_method *msg_proto_method_by_name(const struct msg_proto *p, const char *name);

/* Declared by protocols.h for each message and struct M: `extern const struct
 * msg_desc M_desc;` (gofer_walk_desc, gofer_walk_reply_desc, boot_spec_desc),
 * an enum constant GOFER_WALK... is not generated: use P_M_id constants
 * (gofer_walk_id), and per protocol `extern const struct msg_proto P_proto;`. */

#endif
