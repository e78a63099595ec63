/*
 * network.c - boot.network: gives the sandbox the interfaces that lead out of it, before its
 * first container is made.  Event thread.
 */
#include "boot/boot.h"

#include "control/interfaces.h"
#include "libipc/protocols.h"
#include "libipc/rpc.h"

#include <errno.h>

void boot_do_network(struct rpc_call *call, void *request)
{
	struct boot_network *q = request;
	struct kernel *k = rpc_call_arg(call);
	const struct boot_network_reply reply;
	struct err *e = k->containers ? err_new(EBUSY, "network: the sandbox is set up already") :
		interfaces_add(k, q->links, q->n_links, q->sockets, q->n_sockets, &q->name_server, &q->requests);

	if (e)
		rpc_fail(call, e);
	else
		rpc_reply(call, &reply);
}
