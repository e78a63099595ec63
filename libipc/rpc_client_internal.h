/*
 * rpc_client_internal.h - between the frames of a blocking client (rpc_client.c) and the messages
 * in them (rpc_client_call.c).
 */
#ifndef LIBIPC_RPC_CLIENT_INTERNAL_H
#define LIBIPC_RPC_CLIENT_INTERNAL_H

#include "libipc/frame.h"
#include "libipc/rpc.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <time.h>

/* A call under way; lives on its caller's stack, or in a struct rpc_ahead. */
struct rpc_wait {
	TAILQ_ENTRY(rpc_wait) entry; /* [mu] */
	uint64_t sequence; /* [I] */
	uint32_t method; /* [I] */
	bool done; /* [mu] the answer is in frame, or errnum says why there is none */
	bool nobody; /* [mu] its answer will be taken later: no thread waits for it yet */
	int errnum; /* [mu] ERESTART: the server was replaced */
	struct frame frame; /* [mu], the caller's once done */
	pthread_cond_t wake;
};

struct timespec rpc_deadline_after(unsigned ms);
/* Sends f, for which nobody waits.  Returns 0 or a positive errno, as all here. deadline NULL: none. */
int rpc_client_transmit(struct rpc_client *c, const struct frame *f, const struct timespec *deadline);
/* Sends f, which w is for; when that fails w is not under way. */
int rpc_client_begin(struct rpc_client *c, struct frame *f, struct rpc_wait *w, const struct timespec *deadline);
/* Waits for w's answer, which is then in w->frame and the caller's. */
int rpc_client_finish(struct rpc_client *c, struct rpc_wait *w, const struct timespec *deadline);
void rpc_client_break(struct rpc_client *c, int errnum, const char *why); /* why: a constant */
const char *rpc_client_why(struct rpc_client *c); /* what says more of a broken connection, or NULL */

#endif
