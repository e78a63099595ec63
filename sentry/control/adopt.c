/*
 * adopt.c - see adopt.h.  Event thread.
 *
 * The sentry keeps a socket pair and holds both of its ends: it serves one and only keeps the other, so
 * that the connection exists as long as the sentry does.  Whoever may trace this process (root, or its
 * owner) takes the kept end by pidfd_getfd, and sends over it the control connection of another
 * controld (launcher/revive.c).
 */
#include "control/adopt.h"

#include "control/container.h"
#include "libipc/fd.h"
#include "libipc/log.h"

#include <errno.h>
#include <stdlib.h>

static void do_adopt(struct rpc_call *call, void *request)
{
	struct boot_adopt *q = request;
	struct err *e = control_serve(rpc_call_arg(call), TAKE_FD(q->control));

	if (e)
		log_error("another controld: %s", err_text(e));
	else
		log_info("another controld has come");
	err_free(e);
}

static const struct rpc_method methods[] = { RPC_EVENT(boot, adopt, do_adopt) };

static void closed(struct rpc *r, const struct err *why, void *arg)
{
	log_warning("no other controld can come any more: %s", why ? err_text(why) : "the connection has ended");
	rpc_free(r);
}

struct err *adopt_serve(struct kernel *k, int sock)
{
	struct rpc *r;

	return rpc_new(k->loop, sock, methods, sizeof(methods) / sizeof(*methods), closed, k, &r);
}

/* --- what the new one asks -------------------------------------------------------- */

static uint32_t list_processes(const struct container *c, uint64_t *pids, uint32_t max)
{
	struct process *p;
	uint32_t n = 0;

	LIST_FOREACH (p, &c->processes, link) {
		if (n < max && p != c->init)
			pids[n++] = (uint64_t)p->pid;
	}
	return n;
}

void adopt_list(struct kernel *k, struct rpc_call *call)
{
	enum { CONTAINERS = 256, PROCESSES = 4096 };
	struct control_container *v = calloc(CONTAINERS, sizeof(*v));
	uint64_t *pids = calloc(PROCESSES, sizeof(*pids));
	struct control_containers_reply r = { .containers = v };
	uint32_t used = 0;

	/* only this thread changes the list */
	for (struct container *c = k->containers; v && pids && c && r.n_containers < CONTAINERS; c = c->next) {
		struct control_container *row = &v[r.n_containers++];

		*row = (struct control_container){ .id = msg_str(c->id), .first = container_is_first(c), .state = c->state, .processes = pids + used };
		row->n_processes = list_processes(c, pids + used, PROCESSES - used);
		used += row->n_processes;
	}
	if (v && pids)
		rpc_reply(call, &r);
	else
		rpc_fail(call, err_new(ENOMEM, "containers"));
	free(v);
	free(pids);
}
