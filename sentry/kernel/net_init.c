/*
 * net_init.c - gives the kernel its network stack, and tells the stack who is calling.
 */
#include "kernel/ns.h"
#include "kernel/pid.h"
#include "kernel/task_table.h"
#include "net/net.h"
#include "net/socket.h"

#include <errno.h>

/* Messages carry the real ids. Other threads leave what is there. */
static void current_caller(struct sock_caller *out)
{
	struct task *t = task_current();

	if (t)
		*out = (struct sock_caller){ .cred = t->cred, .fs = t->fs, .id = { t->tg->own_tgid, t->cred->ruid, t->cred->rgid, t->tg->tgid, t->tg->pid_ns->ino } };
}

void sock_id_show(const struct sock_id *id, struct linux_ucred *out)
{
	struct task *t = task_current();
	struct thread_group *tg;

	*out = (struct linux_ucred){ id->pid, id->uid, id->gid };
	if (!t)
		return;
	if (id->uid != ID_NONE)
		out->uid = uid_shown(t->cred->user_ns, id->uid);
	if (id->gid != ID_NONE)
		out->gid = gid_shown(t->cred->user_ns, id->gid);
	if (!id->tgid || id->pid_ns == task_pid_ns(t)->ino)
		return;
	tg = tg_find(t->k->root_pids, id->tgid);
	out->pid = tg ? tg_nr(tg, task_pid_ns(t)) : 0;
	if (tg)
		tg_put(tg);
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
	net_stack_set_show(k->net, sock_id_show);
	net_stack_set_finders(k->net, k->net_by_fd, by_pid);
	return 0;
}
