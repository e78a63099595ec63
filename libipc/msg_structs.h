/*
 * msg_structs.h - one pass over MSG_FILE for the C structs, one for the id
 * constants and descriptor declarations.  Included by protocols.h only, once
 * for each protocol; hence no include guard.
 */

/* --- struct definitions ---------------------------------------------------- */
#define PROTOCOL(P, version, doc)
#define STRUCT(S, doc) struct S {
#define REQUEST(P, M, id, doc) struct P##_##M {
#define REPLY(P, M, doc) struct P##_##M##_reply {
#define EVENT(P, M, id, doc) struct P##_##M {
#define END(S) };
#define F_U64(S, name, max, doc) uint64_t name;
#define F_I64(S, name, min, max, doc) int64_t name;
#define F_BOOL(S, name, doc) bool name;
#define F_STR(S, name, maxlen, doc) struct msg_str name;
#define F_BYTES(S, name, maxlen, doc) struct msg_bytes name;
#define F_FD(S, name, doc) int name;
#define F_OPT_FD(S, name, doc) int name;
#define F_STRUCT(S, name, T, doc) struct T name;
#define F_LIST(S, name, T, max, doc) struct T *name; uint32_t n_##name;
#define F_STRS(S, name, max, maxlen, doc) struct msg_str *name; uint32_t n_##name;
#define F_U64S(S, name, max, doc) uint64_t *name; uint32_t n_##name;
#define F_FDS(S, name, max, doc) int *name; uint32_t n_##name;
#include MSG_FILE
#include "msg_undef.h"

/* --- ids and descriptors --------------------------------------------------- */
#define PROTOCOL(P, version, doc) extern const struct msg_proto P##_proto;
#define STRUCT(S, doc)
#define REQUEST(P, M, id, doc) enum { P##_##M##_id = id };
#define REPLY(P, M, doc)
#define EVENT(P, M, id, doc) enum { P##_##M##_id = id };
#define END(S) extern const struct msg_desc S##_desc;
#include "msg_nofields.h"
#include MSG_FILE
#include "msg_undef.h"
