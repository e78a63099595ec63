/*
 * rpc.h - requests, replies and events over a SEQPACKET socket.
 *
 * Two faces of the same frames:
 *  - struct rpc: on a libevent loop, both ways at once (gofer, controld, the
 *    sentry's control side, ipcctl).  All calls from the loop's thread.
 *  - struct rpc_client: blocking calls from any number of threads (the sentry's
 *    tasks to the gofer; the launcher).  The waiting thread that holds the
 *    receive role reads for all; no thread of its own.
 *
 * Every request gets exactly one answer, cancelled or not (cancelling only
 * tells the server that nobody waits).  A request whose body does not decode,
 * or of an unknown method is answered with an error; a peer
 * that breaks the protocol otherwise (envelope, events, answers) loses its
 * connection.  An error reply carries errno and a text.
 *
 * System calls besides libevent's own: sendmsg, recvmsg, close, fcntl
 * (F_DUPFD_CLOEXEC: descriptors of frames that must be queued); the blocking
 * client: sendmsg, recvmsg, poll, futex, close.
 */
#ifndef REDOUBT_LIBIPC_RPC_H
#define REDOUBT_LIBIPC_RPC_H

#include "msg.h"

#include <event2/event.h>

struct rpc;
struct rpc_call; /* a request being served; ends with rpc_reply or rpc_fail */

/* A served method.  fn may answer later; request lives until the call ends.
 * Descriptors it wants to keep are taken from *request (set to -1).  An
 * event's call ends when fn returns; rpc_reply on it does nothing and rpc_fail
 * only frees the error. */
struct rpc_method {
	uint32_t id;
	const struct msg_desc *request, *reply; /* reply NULL: an event */
	void (*fn)(struct rpc_call *call, void *request);
	const char *name;
};
#define RPC_METHOD(P, M, FN) { P##_##M##_id, &P##_##M##_desc, &P##_##M##_reply_desc, FN, #M }
#define RPC_EVENT(P, M, FN) { P##_##M##_id, &P##_##M##_desc, NULL, FN, #M }

/* Takes the socket.  methods[n] is borrowed (const table).  closed: called once
 * when the peer has gone (why NULL) or broke the protocol (why, borrowed);
 * the owner then frees the rpc (from there or later). */
struct err *rpc_new(struct event_base *base, int sock, const struct rpc_method *methods, size_t n,
		    void (*closed)(struct rpc *r, const struct err *why, void *arg), void *arg, struct rpc **out) ERR_MUST_USE;
void rpc_free(struct rpc *r); /* cancels calls under way; served calls become orphans whose answers are dropped */
/* Serves a connection that is its loop's only event, until it ends: blocks in recvmsg
 * instead of epoll_wait, which saves two system calls a frame and a wake-up by
 * way of the loop.  Frames that must be queued still go by the loop.  idle, if any, is called
 * when none has come for the socket's receive timeout; the next one is waited for in the loop. */
void rpc_run(struct rpc *r, void (*idle)(void));
void *rpc_arg(struct rpc *r);

/* Serving. */
void *rpc_call_arg(struct rpc_call *c); /* the rpc's arg, also after it is gone */
void rpc_on_cancel(struct rpc_call *c, void (*fn)(struct rpc_call *c, void *arg), void *arg);
void rpc_reply(struct rpc_call *c, const void *reply); /* borrows reply and its descriptors; ends the call */
void rpc_fail(struct rpc_call *c, struct err *e); /* takes e; ends the call */

/* Asking.  done is called exactly once: with a reply (owned by rpc, valid in
 * the callback; take descriptors out) or an error (owned by the callee).
 * deadline_ms 0: none. Returns a handle for rpc_cancel (0 on send failure,
 * after done was called). */
uint64_t rpc_ask(struct rpc *r, uint32_t method, const struct msg_desc *request, const void *body, const struct msg_desc *reply,
		 unsigned deadline_ms, void (*done)(void *arg, void *reply, struct err *e), void *arg);
#define RPC_ASK(r, P, M, body, ms, done, arg) rpc_ask(r, P##_##M##_id, &P##_##M##_desc, body, &P##_##M##_reply_desc, ms, done, arg)
void rpc_cancel(struct rpc *r, uint64_t handle);
struct err *rpc_event(struct rpc *r, uint32_t method, const struct msg_desc *d, const void *body) ERR_MUST_USE;

/* Blocking client. */
struct rpc_client;
struct err *rpc_client_new(int sock, struct rpc_client **out) ERR_MUST_USE; /* takes the socket */
void rpc_client_free(struct rpc_client *c);
int rpc_client_fd(const struct rpc_client *c);
/* The server may be replaced on the same connection by another, which begins with an event
 * `method`.  Calls under way then end with ERESTART: whether they were carried out is
 * not known.  fn is called before any does; with a lock held: it must not wait, and
 * returns false for an event that is none.  Set before the first call. */
void rpc_client_on_restart(struct rpc_client *c, uint32_t method, bool (*fn)(void *arg, struct frame *f), void *arg);
/* out is filled and *a holds its memory (msg_free it).  deadline_ms 0: none.
 * On an error reply returns an error with the peer's errno and text. Waits
 * are not interrupted by signals. */
struct err *rpc_client_call(struct rpc_client *c, uint32_t method, const struct msg_desc *request, const void *body,
			    const struct msg_desc *reply, void *out, struct msg_arena *a, unsigned deadline_ms) ERR_MUST_USE;
#define RPC_CALL(c, P, M, body, out, a, ms) rpc_client_call(c, P##_##M##_id, &P##_##M##_desc, body, &P##_##M##_reply_desc, out, a, ms)
/* For both: reply NULL sends an event and does not wait (out and a unused). */
/* The same for hot paths: returns 0 or -errno (the peer's), no text made. */
int rpc_client_call_errno(struct rpc_client *c, uint32_t method, const struct msg_desc *request, const void *body,
			  const struct msg_desc *reply, void *out, struct msg_arena *a);
/* A call in two halves: the request is sent now, its answer taken later, by any one thread.
 * What was not taken yet keeps memory (a frame, with its descriptors) but nobody waiting.
 * NULL: it was not sent. */
struct rpc_ahead *rpc_client_send(struct rpc_client *c, uint32_t method, const struct msg_desc *request, const void *body);
/* Waits for the answer: 0 or -errno as of a whole call.  Ends p. */
int rpc_client_take(struct rpc_client *c, struct rpc_ahead *p, const struct msg_desc *reply, void *out, struct msg_arena *a);

#endif
