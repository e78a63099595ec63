/*
 * msg_nofields.h - the field macros, saying nothing: for passes over a
 * *.msg.h file that look at messages only.  No include guard, see msg_structs.h.
 */
#define F_U64(S, name, max, doc)
#define F_I64(S, name, min, max, doc)
#define F_BOOL(S, name, doc)
#define F_STR(S, name, maxlen, doc)
#define F_BYTES(S, name, maxlen, doc)
#define F_FD(S, name, doc)
#define F_OPT_FD(S, name, doc)
#define F_STRUCT(S, name, T, doc)
#define F_LIST(S, name, T, max, doc)
#define F_STRS(S, name, max, maxlen, doc)
#define F_U64S(S, name, max, doc)
#define F_FDS(S, name, max, doc)
