/*
 * network.c - boot.network: gives the sandbox the interfaces that lead out of it, before its
 * first container is made.  Event thread.
 *
 * Addresses and routes come as the netlink messages in which the host's kernel told them to the
 * launcher; each is checked as a program's request is.
 */
#include "boot/boot.h"

#include "control/network.h"
#include "libipc/fd.h"
#include "libipc/log.h"
#include "libipc/protocols.h"
#include "libipc/rpc.h"
#include "net/outside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct err *add_link(struct kernel *k, const struct boot_link *b, int *fd)
{
	struct outside_link l = { .index = (int)b->index, .mtu = (uint32_t)b->mtu, .up = b->up, .fd = *fd };
	int r = -EINVAL;

	if (b->mac.len == sizeof(l.mac) && b->name.len < sizeof(l.name)) {
		memcpy(l.mac, b->mac.p, sizeof(l.mac));
		memcpy(l.name, b->name.p, b->name.len);
		r = outside_add_link(k->net, k->loop, &l);
	}
	if (r)
		return err_new(-r, "interface '%.15s'", b->name.p);
	(void)TAKE_FD(*fd);
	return NULL;
}

/* One request, in memory of its own. */
static int apply(struct kernel *k, const uint8_t *p, size_t n)
{
	struct linux_nlmsghdr *h = malloc(n);
	struct nlbuf answer = { 0 };
	int r = -ENOMEM;

	if (h) {
		memcpy(h, p, n);
		r = h->type == LINUX_RTM_NEWADDR || h->type == LINUX_RTM_NEWROUTE ? network_request(k->net, h, &answer) : -EINVAL;
	}
	free(answer.p);
	free(h);
	return r;
}

/* A route of a kind that is not known here is told of and left out. */
static struct err *apply_all(struct kernel *k, const struct msg_bytes *b)
{
	for (size_t at = 0; at < b->len;) {
		struct linux_nlmsghdr h;
		int r;

		if (b->len - at < sizeof(h))
			return err_new(EINVAL, "addresses and routes");
		memcpy(&h, b->p + at, sizeof(h));
		if (h.len < sizeof(h) || h.len > b->len - at)
			return err_new(EINVAL, "addresses and routes");
		r = apply(k, b->p + at, h.len);
		if (r && h.type == LINUX_RTM_NEWADDR)
			return err_new(-r, "an address");
		if (r)
			log_warning("network: a route is left out: %s", strerror(-r));
		at += h.len;
	}
	return NULL;
}

void boot_do_network(struct rpc_call *call, void *request)
{
	struct boot_network *q = request;
	struct kernel *k = rpc_call_arg(call);
	struct boot_network_reply reply;
	struct err *e = NULL;

	if (k->containers)
		e = err_new(EBUSY, "the sandbox is set up already");
	else if (q->n_links != q->n_sockets)
		e = err_new(EINVAL, "%u interfaces, %u sockets", q->n_links, q->n_sockets);
	for (unsigned i = 0; !e && i < q->n_links; i++)
		e = add_link(k, &q->links[i], &q->sockets[i]);
	if (!e)
		e = apply_all(k, &q->requests);
	if (e)
		rpc_fail(call, err_wrap(e, "network"));
	else
		rpc_reply(call, &reply);
}
