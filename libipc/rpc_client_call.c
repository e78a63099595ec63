/*
 * rpc_client_call.c - calls of a blocking client: messages encoded, exchanged (rpc_client.c), and
 * decoded; whole, or in two halves.  Any thread; no locks of its own.
 */
#include "libipc/msg_desc.h"
#include "libipc/rpc_client_internal.h"
#include "libipc/rpc_wire.h"

#include <errno.h>
#include <stdlib.h>

/* Decodes what came for w, and frees it. */
static struct err *decode_answer(struct rpc_client *c, struct rpc_wait *w, const struct msg_desc *reply, void *out, struct msg_arena *a)
{
	bool protocol = false;
	struct err *e;
	if (w->frame.kind == FRAME_ERROR)
		e = rpc_error_decode(&w->frame, &protocol);
	else
		e = msg_decode(reply, &w->frame, out, a);
	if (e && w->frame.kind == FRAME_REPLY)
		protocol = err_errno(e) == EPROTO;
	frame_free(&w->frame);
	if (protocol)
		rpc_client_break(c, EPROTO, "an answer did not decode");
	return e;
}

/* Sends f and waits for the answer. */
static int exchange(struct rpc_client *c, struct frame *f, struct rpc_wait *w, unsigned deadline_ms)
{
	struct timespec t, *deadline = NULL;
	if (deadline_ms) {
		t = rpc_deadline_after(deadline_ms);
		deadline = &t;
	}
	int errnum = rpc_client_begin(c, f, w, deadline);
	return errnum ? errnum : rpc_client_finish(c, w, deadline);
}

/* The whole of a call.  Returns 0 or a positive errno; *text (may be NULL, then
 * none is made) is then an error to hand on, or NULL when the errno says it all. */
static int call(struct rpc_client *c, uint32_t method, const struct msg_desc *request, const void *body, const struct msg_desc *reply,
	void *out, struct msg_arena *a, unsigned deadline_ms, struct err **text)
{
	struct frame f = { .kind = reply ? FRAME_REQUEST : FRAME_EVENT, .method = method };
	struct rpc_wait w = { .method = method };
	int errnum;
	struct err *e = msg_encode(request, body, &f);
	if (!e && !reply) {
		struct timespec t = rpc_deadline_after(deadline_ms);
		errnum = rpc_client_transmit(c, &f, deadline_ms ? &t : NULL);
		frame_free(&f);
		return errnum;
	}
	if (!e) {
		errnum = exchange(c, &f, &w, deadline_ms);
		frame_free(&f);
		if (errnum)
			return errnum;
		e = decode_answer(c, &w, reply, out, a);
	}
	if (!e)
		return 0;
	errnum = err_errno(e);
	if (text)
		*text = e;
	else
		err_free(e);
	return errnum;
}

struct err *rpc_client_call(struct rpc_client *c, uint32_t method, const struct msg_desc *request, const void *body,
	const struct msg_desc *reply, void *out, struct msg_arena *a, unsigned deadline_ms)
{
	struct err *text = NULL;
	int errnum = call(c, method, request, body, reply, out, a, deadline_ms, &text);
	if (!errnum)
		return NULL;
	if (text)
		return text;
	if (errnum == ETIMEDOUT)
		return err_new(ETIMEDOUT, "%s: no answer within %u ms", msg_desc_short(request), deadline_ms);
	const char *why = rpc_client_why(c);
	if (why)
		return err_with_text(errnum, "%s: %s", msg_desc_short(request), why);
	return err_new(errnum, "%s", msg_desc_short(request));
}

int rpc_client_call_errno(struct rpc_client *c, uint32_t method, const struct msg_desc *request, const void *body,
	const struct msg_desc *reply, void *out, struct msg_arena *a)
{
	return -call(c, method, request, body, reply, out, a, 0, NULL);
}

/* --- in two halves ------------------------------------------------------------------ */

struct rpc_ahead {
	struct rpc_wait w;
};

struct rpc_ahead *rpc_client_send(struct rpc_client *c, uint32_t method, const struct msg_desc *request, const void *body)
{
	struct frame f = { .kind = FRAME_REQUEST, .method = method };
	struct rpc_ahead *p = calloc(1, sizeof *p);
	struct err *e = p ? msg_encode(request, body, &f) : NULL;
	if (!p || e) {
		err_free(e);
		free(p);
		return NULL;
	}
	p->w.method = method;
	p->w.nobody = true;
	int errnum = rpc_client_begin(c, &f, &p->w, NULL);
	frame_free(&f);
	if (!errnum)
		return p;
	free(p);
	return NULL;
}

int rpc_client_take(struct rpc_client *c, struct rpc_ahead *p, const struct msg_desc *reply, void *out, struct msg_arena *a)
{
	int errnum = rpc_client_finish(c, &p->w, NULL);
	if (!errnum) {
		struct err *e = decode_answer(c, &p->w, reply, out, a);
		errnum = e ? err_errno(e) : 0;
		err_free(e);
	}
	free(p);
	return -errnum;
}
