/*
 * net_init.c - gives the kernel its network stack, and tells the stack who is calling.
 */
#include "kernel/task.h"
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

int net_init(struct kernel *k)
{
	k->net = net_stack_new(k->vfs);
	if (!k->net)
		return -ENOMEM;
	net_stack_set_caller(k->net, current_caller);
	return 0;
}
