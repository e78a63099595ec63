/*
 * rpc_wire.c - error frames: [errno, text].  Pure functions, any thread.
 */
#include "libipc/rpc_wire.h"
#include "libipc/msg_desc.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define TEXT_MAX 4096

struct rpc_error {
	uint64_t errnum;
	struct msg_str text;
};

static const struct msg_field rpc_error_fields[] = {
	{ .name = "errno", .kind = MSG_U64, .offset = offsetof(struct rpc_error, errnum), .max = 4095 },
	{ .name = "text", .kind = MSG_STR, .offset = offsetof(struct rpc_error, text), .maxlen = TEXT_MAX },
	{ .name = NULL },
};
static const struct msg_desc rpc_error_desc = { "rpc_error", sizeof(struct rpc_error), 2, rpc_error_fields };

struct err *rpc_error_encode(struct frame *f, int errnum, const char *text)
{
	size_t len = strlen(text);
	struct rpc_error body = {
		.errnum = errnum > 0 && errnum <= 4095 ? (uint64_t)errnum : EIO,
		.text = { text, (uint32_t)(len < TEXT_MAX ? len : TEXT_MAX) },
	};
	f->kind = FRAME_ERROR;
	return msg_encode(&rpc_error_desc, &body, f);
}

struct err *rpc_error_decode(struct frame *f, bool *protocol)
{
	struct msg_arena a = { NULL };
	struct rpc_error body = { 0 };
	*protocol = false;
	struct err *e = msg_decode(&rpc_error_desc, f, &body, &a);
	if (e) {
		*protocol = err_errno(e) == EPROTO;
		return e;
	}
	e = err_with_text(body.errnum ? (int)body.errnum : EIO, "%s", body.text.p);
	msg_arena_free(&a);
	return e;
}
