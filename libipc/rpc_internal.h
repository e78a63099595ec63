/*
 * rpc_internal.h - what rpc.c (the connection), rpc_serve.c (calls from the
 * peer) and rpc_ask.c (calls to the peer) share.  One thread: the loop's.
 */
#ifndef REDOUBT_LIBIPC_RPC_INTERNAL_H
#define REDOUBT_LIBIPC_RPC_INTERNAL_H

#include "rpc.h"

#include <sys/queue.h>

#define RPC_CALLS_MAX 1024 /* served at once; more are refused with EAGAIN */
#define RPC_ASKS_MAX 4096 /* under way at once, given up ones included */
#define RPC_QUEUE_MAX 1024 /* frames waiting to be sent; beyond it nothing is read */
#define RPC_QUEUE_BYTES (4u << 20)
#define RPC_BUCKETS 64
#define RPC_FRAMES_A_TURN 32

struct rpc_ask {
	LIST_ENTRY(rpc_ask) entry;
	struct rpc *r;
	uint64_t sequence;
	uint32_t method;
	unsigned deadline_ms;
	const struct msg_desc *request, *reply;
	struct event *timer; /* NULL: no deadline */
	void (*done)(void *arg, void *reply, struct err *e); /* NULL: given up, its answer is dropped */
	void *arg;
};

struct rpc_call {
	LIST_ENTRY(rpc_call) entry; /* while r is there */
	struct rpc *r; /* NULL once the peer is gone */
	void *rpc_arg;
	uint64_t sequence;
	const struct rpc_method *method;
	bool cancelled;
	void (*on_cancel)(struct rpc_call *c, void *arg);
	void *cancel_arg;
	struct msg_arena arena;
	uint8_t request[] __attribute__((aligned(16)));
};

struct rpc_queued {
	STAILQ_ENTRY(rpc_queued) entry;
	struct frame frame; /* owns its descriptors */
};

struct rpc {
	struct event_base *base;
	int sock;
	const struct rpc_method *methods;
	size_t n_methods;
	void (*closed)(struct rpc *r, const struct err *why, void *arg);
	void *arg;
	struct event *readable, *writable;
	STAILQ_HEAD(, rpc_queued) queue;
	unsigned n_queue;
	size_t queue_bytes;
	bool paused; /* not reading until the queue is shorter */
	int send_errnum; /* sending failed for good; the next turn of the loop tells */
	bool gone; /* the peer is gone; closed has been or is being called */
	bool freed; /* rpc_free was called within one of our callbacks */
	unsigned depth; /* callbacks of ours that are on the stack */
	LIST_HEAD(, rpc_ask) asks[RPC_BUCKETS];
	unsigned n_asks;
	uint64_t sequence; /* last one given */
	LIST_HEAD(, rpc_call) calls[RPC_BUCKETS];
	unsigned n_calls;
};

/* Callbacks run between enter and leave; leave may free r. */
static inline void rpc_enter(struct rpc *r) { r->depth++; }
void rpc_leave(struct rpc *r);

/* Sends or queues a frame; 0 or the errno for which it cannot be sent at all
 * (its descriptors, its size).  A dead connection is no error here: the loop
 * tells.  Takes f's memory, duplicates borrowed descriptors where needed. */
int rpc_transmit(struct rpc *r, struct frame *f);

/* A received frame, owned by the caller.  NULL, or why the connection ends. */
struct err *rpc_serve_frame(struct rpc *r, struct frame *f) ERR_MUST_USE;
struct err *rpc_ask_frame(struct rpc *r, struct frame *f) ERR_MUST_USE;

/* Ends everything under way. */
void rpc_serve_stop(struct rpc *r);
void rpc_ask_stop(struct rpc *r, int errnum, const char *why);

#endif
