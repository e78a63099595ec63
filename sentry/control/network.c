/*
 * network.c - control.netlink: shows and changes a container's interfaces, addresses and routes.  Event
 * thread.  A request is checked like a program's.
 */
#include "control/network.h"

#include "abi/capability.h"
#include "control/methods.h"
#include "kernel/ns.h"
#include "net/rtnetlink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ANSWERS_MAX 32768

int network_request(struct net_stack *n, const struct linux_nlmsghdr *h, struct nlbuf *answer)
{
	struct cred *operator = cred_new();
	struct rt_news news = { 0 };
	struct rt_request q = { .h = h, .net = n, .cred = operator, .answer = answer, .news = &news };
	int r;

	if (!operator)
		return -ENOMEM;
	operator->cap_effective = UINT64_C(1) << LINUX_CAP_NET_ADMIN;
	answer->seq = h->seq;
	r = rtnetlink_request(&q);
	news_send(&news);
	cred_put(operator);
	return r ? r : answer->failed ? -ENOMEM : 0;
}

int network_ask(const struct container *c, const struct linux_nlmsghdr *h, struct nlbuf *answer)
{
	return network_request(c->proxy->net, h, answer);
}

/* One request, whole, in memory of its own; NULL: it is none. */
static struct linux_nlmsghdr *take(const struct msg_bytes *in)
{
	struct linux_nlmsghdr *h = in->len >= sizeof(*h) ? malloc(in->len) : NULL;

	if (!h)
		return NULL;
	memcpy(h, in->p, in->len);
	if (h->len >= sizeof(*h) && h->len <= in->len && h->flags & LINUX_NLM_F_REQUEST && h->type >= LINUX_NLMSG_MIN_TYPE)
		return h;
	free(h);
	return NULL;
}

void control_do_netlink(struct rpc_call *call, void *request)
{
	struct control_netlink *q = request;
	struct container *c = control_find(call, q->id);
	struct linux_nlmsghdr *h = c ? take(&q->request) : NULL;
	struct nlbuf answer = { 0 };
	int r;

	if (!c)
		return;
	r = h ? network_ask(c, h, &answer) : -EINVAL;
	if (!r && answer.len > ANSWERS_MAX)
		r = -EMSGSIZE;
	if (r)
		rpc_fail(call, err_new(-r, "network of container %s", c->id));
	else
		rpc_reply(call, &(struct control_netlink_reply){ { answer.p ? answer.p : (const uint8_t *)"", (uint32_t)answer.len } });
	free(answer.p);
	free(h);
}
