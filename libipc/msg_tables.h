/*
 * msg_tables.h - the passes over MSG_FILE that make a protocol's tables: each
 * struct's fields, then the methods, the parts and the protocol itself.
 * Included by msg_tables.c only, once for each protocol, with MSG_PROTO the
 * protocol's name; no include guard.
 */

/* --- field tables and struct descriptions ---------------------------------- */
/* clang-format off */
#define PROTOCOL(P, ver, pdoc)
#define STRUCT(S, pdoc) static const struct msg_field S##_fields[] = {
#define REQUEST(P, M, mid, pdoc) static const struct msg_field P##_##M##_fields[] = {
#define REPLY(P, M, pdoc) static const struct msg_field P##_##M##_reply_fields[] = {
#define EVENT(P, M, mid, pdoc) static const struct msg_field P##_##M##_fields[] = {
/* a row without a name ends each table, so that no table is empty */
#define END(S) { .name = NULL } }; \
	const struct msg_desc S##_desc = { #S, sizeof(struct S), sizeof(S##_fields) / sizeof(S##_fields[0]) - 1, S##_fields };

#define FIELD(S, fname, fdoc, k) .name = #fname, .doc = fdoc, .kind = k, .offset = offsetof(struct S, fname)
#define COUNTED(S, fname, fdoc, k) FIELD(S, fname, fdoc, k), .count_offset = offsetof(struct S, n_##fname)
#define F_U64(S, fname, m, fdoc) { FIELD(S, fname, fdoc, MSG_U64), .max = m },
#define F_I64(S, fname, mn, mx, fdoc) { FIELD(S, fname, fdoc, MSG_I64), .imin = mn, .imax = mx },
#define F_BOOL(S, fname, fdoc) { FIELD(S, fname, fdoc, MSG_BOOL) },
#define F_STR(S, fname, len, fdoc) { FIELD(S, fname, fdoc, MSG_STR), .maxlen = len },
#define F_BYTES(S, fname, len, fdoc) { FIELD(S, fname, fdoc, MSG_BYTES), .maxlen = len },
#define F_FD(S, fname, fdoc) { FIELD(S, fname, fdoc, MSG_FD) },
#define F_OPT_FD(S, fname, fdoc) { FIELD(S, fname, fdoc, MSG_OPT_FD) },
#define F_STRUCT(S, fname, T, fdoc) { FIELD(S, fname, fdoc, MSG_STRUCT), .sub = &T##_desc },
#define F_LIST(S, fname, T, m, fdoc) { COUNTED(S, fname, fdoc, MSG_LIST), .max = m, .sub = &T##_desc },
#define F_STRS(S, fname, m, len, fdoc) { COUNTED(S, fname, fdoc, MSG_STRS), .max = m, .maxlen = len },
#define F_U64S(S, fname, m, fdoc) { COUNTED(S, fname, fdoc, MSG_U64S), .max = m },
#define F_FDS(S, fname, m, fdoc) { COUNTED(S, fname, fdoc, MSG_FDS), .max = m },
#include MSG_FILE
#include "msg_undef.h"
#undef FIELD
#undef COUNTED

/* --- methods --------------------------------------------------------------- */
#define MSG_PASTE_(a, b) a##b
#define MSG_PASTE(a, b) MSG_PASTE_(a, b)
static const struct msg_method MSG_PASTE(MSG_PROTO, _methods)[] = {
#define PROTOCOL(P, ver, pdoc)
#define STRUCT(S, pdoc)
#define REQUEST(P, M, mid, pdoc) { mid, #M, pdoc, &P##_##M##_desc, &P##_##M##_reply_desc },
#define REPLY(P, M, pdoc)
#define EVENT(P, M, mid, pdoc) { mid, #M, pdoc, &P##_##M##_desc, NULL },
#define END(S)
#include "msg_nofields.h"
#include MSG_FILE
#include "msg_undef.h"
};

/* --- parts: the STRUCTs, for the documentation ------------------------------ */
static const struct msg_part MSG_PASTE(MSG_PROTO, _parts)[] = {
#define PROTOCOL(P, ver, pdoc)
#define STRUCT(S, pdoc) { &S##_desc, pdoc },
#define REQUEST(P, M, mid, pdoc)
#define REPLY(P, M, pdoc)
#define EVENT(P, M, mid, pdoc)
#define END(S)
#include "msg_nofields.h"
#include MSG_FILE
#include "msg_undef.h"
	{ NULL, NULL }
};

/* --- the protocol ---------------------------------------------------------- */
#define PROTOCOL(P, ver, pdoc) \
	const struct msg_proto P##_proto = { #P, ver, pdoc, P##_methods, sizeof(P##_methods) / sizeof(P##_methods[0]), P##_parts, \
		sizeof(P##_parts) / sizeof(P##_parts[0]) - 1 };
#define STRUCT(S, pdoc)
#define REQUEST(P, M, mid, pdoc)
#define REPLY(P, M, pdoc)
#define EVENT(P, M, mid, pdoc)
#define END(S)
#include "msg_nofields.h"
#include MSG_FILE
#include "msg_undef.h"
#undef MSG_PASTE
#undef MSG_PASTE_
/* clang-format on */
