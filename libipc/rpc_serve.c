/*
 * rpc_serve.c - calls from the peer (rpc.h, "Serving").
 *
 * The method is looked up, and the body decoded whole, before the handler runs.  A call is an
 * allocation of its own: it outlives its connection when the handler answers later, and its
 * answer is then dropped.  One thread, the loop's.
 */
#include "libipc/msg_desc.h"
#include "libipc/rpc_internal.h"
#include "libipc/rpc_wire.h"

#include <errno.h>
#include <stdlib.h>

static const struct rpc_method *find_method(const struct rpc *r, uint32_t id)
{
	for (size_t i = 0; i < r->n_methods; i++)
		if (r->methods[i].id == id)
			return &r->methods[i];
	return NULL;
}

static struct rpc_call *find_call(struct rpc *r, uint64_t sequence)
{
	struct rpc_call *c;
	LIST_FOREACH (c, &r->calls[sequence % RPC_BUCKETS], entry)
		if (c->sequence == sequence)
			return c;
	return NULL;
}

/* --- answering ---------------------------------------------------------------- */

/* Sends an error answer; when even that is impossible the connection cannot
 * keep its promise of one answer a request, but only memory is short then. */
static void send_error(struct rpc *r, uint64_t sequence, uint32_t method, int errnum, const char *text)
{
	struct frame f = { .sequence = sequence, .method = method };
	struct err *e = rpc_error_encode(&f, errnum, text);
	if (!e)
		rpc_transmit(r, &f);
	err_free(e);
}

static void end_call(struct rpc_call *c)
{
	if (c->r) {
		LIST_REMOVE(c, entry);
		c->r->n_calls--;
	}
	msg_free(c->method->request, c->request, &c->arena);
	free(c);
}

void rpc_reply(struct rpc_call *c, const void *reply)
{
	if (!c->method->reply)
		return; /* an event: its call ends with the handler */
	if (c->r) {
		struct frame f = { .kind = FRAME_REPLY, .sequence = c->sequence, .method = c->method->id };
		struct err *e = msg_encode(c->method->reply, reply, &f);
		int errnum = e ? 0 : rpc_transmit(c->r, &f);
		if (errnum)
			e = err_new(errnum, "%s: sending the answer", c->method->name);
		if (e)
			send_error(c->r, c->sequence, c->method->id, err_errno(e), err_text(e));
		err_free(e);
	}
	end_call(c);
}

void rpc_fail(struct rpc_call *c, struct err *e)
{
	if (c->method->reply) {
		if (c->r)
			send_error(c->r, c->sequence, c->method->id, err_errno(e), err_text(e));
		end_call(c);
	}
	err_free(e);
}

/* --- receiving ------------------------------------------------------------------ */

/* NULL, or why this request is refused. */
static struct err *admit(struct rpc *r, const struct frame *f, const struct rpc_method *m)
{
	if (!m)
		return err_with_text(ENOSYS, "unknown method %u", f->method);
	if (f->kind == FRAME_REQUEST && !m->reply)
		return err_with_text(EPROTO, "%s: an event sent as a request", m->name);
	if (f->kind == FRAME_EVENT && m->reply)
		return err_with_text(EPROTO, "%s: a request sent as an event", m->name);
	if (m->reply && r->n_calls >= RPC_CALLS_MAX)
		return err_with_text(EAGAIN, "%s: %d calls are under way already", m->name, RPC_CALLS_MAX);
	return NULL;
}

static struct err *start_call(struct rpc *r, struct frame *f, const struct rpc_method *m)
{
	struct rpc_call *c = calloc(1, sizeof *c + msg_desc_size(m->request));
	if (!c)
		return err_new(ENOMEM, "%s", m->name);
	struct err *e = msg_decode(m->request, f, c->request, &c->arena);
	if (e) {
		free(c);
		return e;
	}
	c->r = r;
	c->rpc_arg = r->arg;
	c->sequence = f->sequence;
	c->method = m;
	LIST_INSERT_HEAD(&r->calls[c->sequence % RPC_BUCKETS], c, entry);
	r->n_calls++;
	m->fn(c, c->request);
	/* r may be gone by now, c too unless it is an event's */
	if (!m->reply)
		end_call(c);
	return NULL;
}

static void cancel(struct rpc_call *c)
{
	if (c->cancelled)
		return;
	c->cancelled = true;
	if (c->on_cancel)
		c->on_cancel(c, c->cancel_arg);
}

struct err *rpc_serve_frame(struct rpc *r, struct frame *f)
{
	if (f->kind == FRAME_CANCEL) {
		/* none: its answer is on the way already */
		struct rpc_call *c = find_call(r, f->sequence);
		if (c && c->method->reply)
			cancel(c);
		return NULL;
	}
	if (f->kind == FRAME_REQUEST && find_call(r, f->sequence))
		return err_with_text(EPROTO, "sequence %llu is under way already", (unsigned long long)f->sequence);
	const struct rpc_method *m = find_method(r, f->method);
	struct err *e = admit(r, f, m);
	if (!e)
		e = start_call(r, f, m);
	if (!e)
		return NULL;
	/* an event cannot be answered; being short of something here is not its sender's fault */
	if (f->kind == FRAME_EVENT && err_errno(e) != ENOMEM && err_errno(e) != EMFILE)
		return e;
	if (f->kind == FRAME_REQUEST)
		send_error(r, f->sequence, f->method, err_errno(e), err_text(e));
	err_free(e);
	return NULL;
}

void rpc_serve_stop(struct rpc *r)
{
	for (unsigned i = 0; i < RPC_BUCKETS; i++) {
		struct rpc_call *c;
		while ((c = LIST_FIRST(&r->calls[i]))) {
			LIST_REMOVE(c, entry);
			r->n_calls--;
			c->r = NULL;
			cancel(c); /* may end c */
		}
	}
}

/* --- what a handler asks ----------------------------------------------------------- */

void *rpc_call_arg(struct rpc_call *c)
{
	return c->rpc_arg;
}

void rpc_on_cancel(struct rpc_call *c, void (*fn)(struct rpc_call *c, void *arg), void *arg)
{
	c->on_cancel = fn;
	c->cancel_arg = arg;
}
