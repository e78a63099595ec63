/*
 * network_start.c - what an engine has put into a sandbox's new network namespace between create and
 * start (podman for a user namespace, Docker from 25 on).  See network.h.
 */
#include "network.h"

#include "client.h"

#include "libipc/fd.h"

#include <string.h>

#define START_MS 60000

static struct err *hand_over(const struct state_dir *d, struct network *n)
{
	const struct control_interfaces request = { .id = msg_str(d->id), .links = n->links, .n_links = n->n,
		.requests = n->requests, .sockets = n->fds, .n_sockets = n->n_fds, .name_server = n->name_server };
	struct control_interfaces_reply reply;
	struct msg_arena a = { 0 };
	struct rpc_client *c;
	struct err *e = client_connect(d, &c);

	if (e)
		return e;
	if (!(e = RPC_CALL(c, control, interfaces, &request, &reply, &a, START_MS)))
		msg_free(&control_interfaces_reply_desc, &reply, &a);
	rpc_client_free(c);
	return e;
}

struct err *network_at_start(const struct state_dir *d, const struct state *s)
{
	_cleanup_pool_ struct pool p = { 0 };
	_cleanup_close_ int alive = s->network ? proc_open(s->sentry) : -1; /* its number is its own as long as this is held */
	struct network n;
	struct err *e;

	if (alive < 0) /* none is wanted; or it has ended, as start will tell */
		return NULL;
	if ((e = network_take_of(s->sentry->pid, !strcmp(s->network, NETWORK_ASKED), &p, &n)))
		return e;
	if (n.n)
		e = hand_over(d, &n);
	network_close(&n);
	return e;
}
