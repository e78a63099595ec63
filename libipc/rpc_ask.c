/*
 * rpc_ask.c - calls to the peer (rpc.h, "Asking").
 *
 * An ask stays in the table until its answer comes or the connection ends,
 * also when it was cancelled or its deadline passed: `done` is then NULL and
 * the answer is dropped when it comes.  So an answer that belongs to nothing
 * is always the peer's fault.  One thread, the loop's.
 */
#include "libipc/msg_desc.h"
#include "libipc/rpc_internal.h"
#include "libipc/rpc_wire.h"

#include <errno.h>
#include <stdlib.h>

static struct rpc_ask *find_ask(struct rpc *r, uint64_t sequence)
{
	struct rpc_ask *a;
	LIST_FOREACH (a, &r->asks[sequence % RPC_BUCKETS], entry)
		if (a->sequence == sequence)
			return a;
	return NULL;
}

static void free_ask(struct rpc_ask *a)
{
	LIST_REMOVE(a, entry);
	a->r->n_asks--;
	if (a->timer)
		event_free(a->timer);
	free(a);
}

/* Nobody waits any more: tells the owner (once) and the peer. */
static void give_up(struct rpc_ask *a, struct err *e)
{
	struct rpc *r = a->r;
	struct frame f = { .kind = FRAME_CANCEL, .sequence = a->sequence, .method = a->method };
	void (*done)(void *, void *, struct err *) = a->done;
	a->done = NULL;
	if (a->timer)
		event_del(a->timer);
	rpc_enter(r);
	rpc_transmit(r, &f);
	done(a->arg, NULL, e);
	rpc_leave(r);
}

static void on_deadline(evutil_socket_t sock, short what, void *arg)
{
	struct rpc_ask *a = arg;
	if (a->done)
		give_up(a, err_new(ETIMEDOUT, "%s: no answer within %u ms", msg_desc_short(a->request), a->deadline_ms));
}

static struct err *set_deadline(struct rpc_ask *a)
{
	struct timeval tv = { a->deadline_ms / 1000, (a->deadline_ms % 1000) * 1000 };
	if (!a->deadline_ms)
		return NULL;
	a->timer = evtimer_new(a->r->base, on_deadline, a);
	if (!a->timer || evtimer_add(a->timer, &tv) < 0)
		return err_new(ENOMEM, "%s: timer", msg_desc_short(a->request));
	return NULL;
}

/* Encodes and sends; *a is in the table on success only. */
static struct err *start(struct rpc *r, struct rpc_ask *a, const void *body)
{
	struct frame f = { .kind = FRAME_REQUEST, .method = a->method };
	if (r->gone || r->send_errnum)
		return err_new(ECONNRESET, "%s", msg_desc_short(a->request));
	if (r->n_asks >= RPC_ASKS_MAX)
		return err_with_text(EAGAIN, "%s: %d calls are under way already", msg_desc_short(a->request), RPC_ASKS_MAX);
	struct err *e = msg_encode(a->request, body, &f);
	if (e)
		return e;
	e = set_deadline(a);
	if (e) {
		frame_free(&f);
		return e;
	}
	f.sequence = a->sequence = ++r->sequence;
	int errnum = rpc_transmit(r, &f);
	if (errnum)
		return err_new(errnum, "%s: sending", msg_desc_short(a->request));
	LIST_INSERT_HEAD(&r->asks[a->sequence % RPC_BUCKETS], a, entry);
	r->n_asks++;
	return NULL;
}

uint64_t rpc_ask(struct rpc *r, uint32_t method, const struct msg_desc *request, const void *body, const struct msg_desc *reply,
	unsigned deadline_ms, void (*done)(void *arg, void *reply, struct err *e), void *arg)
{
	struct rpc_ask *a = calloc(1, sizeof *a);
	struct err *e;
	if (a) {
		*a = (struct rpc_ask){
			.r = r,
			.method = method,
			.deadline_ms = deadline_ms,
			.request = request,
			.reply = reply,
			.done = done,
			.arg = arg,
		};
		e = start(r, a, body);
		if (!e)
			return a->sequence;
		if (a->timer)
			event_free(a->timer);
		free(a);
	} else {
		e = err_new(ENOMEM, "%s", msg_desc_short(request));
	}
	done(arg, NULL, e);
	return 0;
}

void rpc_cancel(struct rpc *r, uint64_t handle)
{
	struct rpc_ask *a = handle ? find_ask(r, handle) : NULL;
	if (a && a->done)
		give_up(a, err_new(ECANCELED, "%s", msg_desc_short(a->request)));
}

struct err *rpc_event(struct rpc *r, uint32_t method, const struct msg_desc *d, const void *body)
{
	struct frame f = { .kind = FRAME_EVENT, .method = method };
	if (r->gone || r->send_errnum)
		return err_new(ECONNRESET, "%s", msg_desc_short(d));
	struct err *e = msg_encode(d, body, &f);
	if (e)
		return e;
	int errnum = rpc_transmit(r, &f);
	return errnum ? err_new(errnum, "%s: sending", msg_desc_short(d)) : NULL;
}

/* --- answers ----------------------------------------------------------------------- */

/* Hands a good answer to its owner; a broken one ends the connection. */
static struct err *answer(struct rpc_ask *a, struct frame *f)
{
	void (*done)(void *, void *, struct err *) = a->done;
	void *arg = a->arg;
	const struct msg_desc *reply = a->reply;
	bool protocol;
	if (f->kind == FRAME_ERROR) {
		struct err *e = rpc_error_decode(f, &protocol);
		if (protocol)
			return e;
		free_ask(a);
		done(arg, NULL, e);
		return NULL;
	}
	struct msg_arena arena = { NULL };
	void *msg = calloc(1, msg_desc_size(reply) + 1);
	struct err *e = msg ? msg_decode(reply, f, msg, &arena) : err_new(ENOMEM, "%s", msg_desc_short(reply));
	if (e && err_errno(e) == EPROTO) {
		free(msg);
		return e; /* the ask is told when the connection ends */
	}
	free_ask(a);
	done(arg, e ? NULL : msg, e);
	if (!e)
		msg_free(reply, msg, &arena);
	free(msg);
	return NULL;
}

struct err *rpc_ask_frame(struct rpc *r, struct frame *f)
{
	struct rpc_ask *a = find_ask(r, f->sequence);
	if (!a || a->method != f->method)
		return err_with_text(EPROTO, "an answer (sequence %llu, method %u) to no request", (unsigned long long)f->sequence,
			f->method);
	if (a->done)
		return answer(a, f);
	free_ask(a);
	return NULL;
}

void rpc_ask_stop(struct rpc *r, int errnum, const char *why)
{
	for (unsigned i = 0; i < RPC_BUCKETS; i++) {
		struct rpc_ask *a;
		while ((a = LIST_FIRST(&r->asks[i]))) {
			void (*done)(void *, void *, struct err *) = a->done;
			void *arg = a->arg;
			const char *name = msg_desc_short(a->request);
			free_ask(a);
			if (done)
				done(arg, NULL, err_with_text(errnum, "%s: %s", name, why));
		}
	}
}
