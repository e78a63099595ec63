/*
 * net_init.c - gives the kernel its network stack, and tells the stack who is calling.
 */
#include "kernel/ns.h"
#include "kernel/task_table.h"
#include "net/net.h"
#include "net/socket.h"

#include <errno.h>

/* Messages carry the real ids. Other threads leave what is there. */
static void current_caller(struct sock_caller *out)
{
	struct task *t = task_current();

	if (t)
		*out = (struct sock_caller){ .cred = t->cred, .fs = t->fs, .id = { t->tg->own_tgid, t->cred->ruid, t->cred->rgid } };
}

/* A process by its number, as the running task has it. */
static struct net_stack *by_pid(int pid)
{
	struct task *me = task_current(), *t = me ? task_find(task_pid_ns(me), pid) : NULL;
	struct nsproxy *ns = t ? task_get_ns(t) : NULL;
	struct net_stack *net = ns ? ns->net : NULL;

	if (net)
		net_stack_get(net);
	nsproxy_put(ns);
	task_put(t);
	return net;
}

int net_init(struct kernel *k)
{
	k->net = net_stack_new(k->vfs, ns_fixed_ino(NS_NET));
	if (!k->net)
		return -ENOMEM;
	net_stack_set_caller(k->net, current_caller);
	net_stack_set_finders(k->net, k->net_by_fd, by_pid);
	return 0;
}
