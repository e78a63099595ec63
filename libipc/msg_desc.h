/*
 * msg_desc.h - the tables that describe messages, as libipc's own code and
 * ipcctl see them.  Made in msg_tables.c; constant.
 */
#ifndef REDOUBT_LIBIPC_MSG_DESC_H
#define REDOUBT_LIBIPC_MSG_DESC_H

#include "msg.h"

enum msg_kind {
	MSG_U64,
	MSG_I64,
	MSG_BOOL,
	MSG_STR,
	MSG_BYTES,
	MSG_FD,
	MSG_OPT_FD,
	MSG_STRUCT,
	/* the kinds from here on have a count beside the pointer */
	MSG_LIST,
	MSG_STRS,
	MSG_U64S,
	MSG_FDS,
};

struct msg_field {
	const char *name;
	const char *doc;
	enum msg_kind kind;
	uint32_t offset; /* of the value in the C struct */
	uint32_t count_offset; /* of n_name, for the kinds with a count */
	uint32_t maxlen; /* bytes of a STR, BYTES or of each of STRS */
	uint64_t max; /* value of U64; elements of LIST, STRS, U64S, FDS */
	int64_t imin, imax; /* I64 */
	const struct msg_desc *sub; /* STRUCT, LIST */
};

struct msg_desc {
	const char *name; /* "gofer_walk_reply" */
	uint32_t size; /* of the C struct */
	uint32_t n_fields;
	const struct msg_field *fields;
};

struct msg_method {
	uint32_t id;
	const char *name; /* "walk" */
	const char *doc;
	const struct msg_desc *request;
	const struct msg_desc *reply; /* NULL: an event */
};

struct msg_part {
	const struct msg_desc *desc;
	const char *doc;
};

struct msg_proto {
	const char *name;
	unsigned version;
	const char *doc;
	const struct msg_method *methods;
	uint32_t n_methods;
	const struct msg_part *parts; /* the STRUCTs */
	uint32_t n_parts;
};

extern const struct msg_proto *const msg_protocols[]; /* NULL-terminated */

/* The name without its protocol: "walk_reply". */
const char *msg_desc_short(const struct msg_desc *d);
/* Whether d or a part of it has a descriptor field. */
bool msg_desc_has_fds(const struct msg_desc *d);

/* Memory from an arena, 8-aligned, not cleared; NULL when there is none. */
void *msg_arena_alloc(struct msg_arena *a, size_t size);
/* Moves all of from's memory into a. */
void msg_arena_join(struct msg_arena *a, struct msg_arena *from);

/* Of a LIST, STRS, U64S, FDS: the size of an element in C, and the least bytes
 * of one on the wire. */
size_t msg_element_size(const struct msg_field *f);
size_t msg_wire_min(const struct msg_field *f);

/* Where in a message we are, innermost part first, for error texts; built on
 * the stack as the walk descends.  Used by the codec and the JSON reader. */
struct msg_path {
	const struct msg_path *up;
	const char *name;
	int64_t index; /* -1: none */
};
/* "walk.names[3]: " + text. */
struct err *msg_path_error(const struct msg_path *at, int errnum, const char *fmt, ...) ERR_PRINTF(3, 4) ERR_MUST_USE;

#endif
