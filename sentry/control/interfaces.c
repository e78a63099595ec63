/*
 * interfaces.c - gives the sandbox the interfaces that lead out of it, before programs run in it: at boot, or
 * (control.interfaces) between its first container's making and start.  Event thread.
 *
 * Addresses and routes come as the netlink messages in which the host's kernel told them to the
 * launcher; each is checked as a program's request is.
 */
#include "control/interfaces.h"

#include "control/methods.h"
#include "control/network.h"
#include "fs/sys/sys.h"
#include "libipc/fd.h"
#include "libipc/log.h"
#include "net/outside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct err *add_link(struct kernel *k, const struct boot_link *b, int *fd)
{
	struct outside_link l = { .index = (int)b->index, .mtu = (uint32_t)b->mtu, .up = b->up, .plain = b->plain, .fd = *fd };
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

static struct err *add_name_server(struct kernel *k, const struct msg_bytes *ip, int *fd)
{
	int r = ip->len == 4 ? outside_add_name_server(k->net, k->loop, ip->p, *fd) : -EINVAL;

	if (r)
		return err_new(-r, "the name server");
	(void)TAKE_FD(*fd);
	return NULL;
}

struct err *interfaces_add(struct kernel *k, const struct boot_link *links, unsigned n_links, int *sockets, unsigned n_sockets, const struct msg_bytes *name_server,
	const struct msg_bytes *requests)
{
	struct err *e = n_links + !!name_server->len == n_sockets ? NULL : err_new(EINVAL, "%u interfaces, %u sockets", n_links, n_sockets);

	for (unsigned i = 0; !e && i < n_links; i++)
		e = add_link(k, &links[i], &sockets[i]);
	if (!e && name_server->len)
		e = add_name_server(k, name_server, &sockets[n_links]);
	if (!e)
		e = apply_all(k, requests);
	return e ? err_wrap(e, "network") : NULL;
}

/* --- control.interfaces ---------------------------------------------------------------------- */

/* Nothing else may be at work: neither the engine nor /sys expects interfaces to come then. */
static bool is_alone(const struct container *c)
{
	return container_is_first(c) && c->k->containers == c && c->state == CONTAINER_CREATED && c->init &&
	       LIST_FIRST(&c->processes) == c->init && !LIST_NEXT(c->init, link);
}

/* The container's /sys was mounted before they came. */
static struct err *show_in_sys(const struct container *c)
{
	struct cred *operator = cred_new_capable();
	struct walk w = { .fs = c->fs, .cred = operator };
	struct path p = { 0 };
	int r = operator ? 0 : -ENOMEM;

	if (!r && !vfs_walk(&w, "/sys", &p)) {
		r = sys_add_interfaces(c->k, p.dentry);
		path_put(&p);
	}
	if (operator)
		cred_put(operator);
	return r ? err_new(-r, "network: /sys") : NULL;
}

void control_do_interfaces(struct rpc_call *call, void *request)
{
	struct control_interfaces *q = request;
	struct container *c = control_find(call, q->id);
	const struct control_interfaces_reply reply;
	struct err *e;

	if (!c)
		return;
	if (!is_alone(c))
		e = err_new(EBUSY, "network: the container %s is not the sandbox's only one, or something runs in it already", c->id);
	else if (!(e = interfaces_add(c->k, q->links, q->n_links, q->sockets, q->n_sockets, &q->name_server, &q->requests)))
		e = show_in_sys(c);
	if (e)
		rpc_fail(call, e);
	else
		rpc_reply(call, &reply);
}
