/*
 * links.c - control.links: the network interfaces there are, and the routes.  Event thread.
 */
#include "control/looking.h"

#include "libipc/protocols.h"
#include "net/device.h"

void links_answer(struct rpc_call *call)
{
	struct msg_str addresses[] = { msg_str("127.0.0.1/8"), msg_str("::1/128") };
	struct msg_str routes[] = { msg_str("local 127.0.0.0/8 dev " "lo"), msg_str("local ::1 dev " "lo") };
	struct control_link lo = {
		.index = LO_INDEX,
		.name = msg_str("lo"),
		.flags = LINUX_IFF_UP | LINUX_IFF_LOOPBACK | LINUX_IFF_RUNNING,
		.mtu = 65536,
		.addresses = addresses,
		.n_addresses = sizeof(addresses) / sizeof(addresses[0]),
	};

	rpc_reply(call, &(struct control_links_reply){ .links = &lo, .n_links = 1, .routes = routes, .n_routes = sizeof(routes) / sizeof(routes[0]) });
}
