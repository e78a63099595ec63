/*
 * net_init.c - gives the kernel its network stack.
 */
#include "kernel/kernel.h"
#include "net/net.h"
#include "net/socket.h"

#include <errno.h>

int net_init(struct kernel *k)
{
	k->net = net_stack_new(k->vfs);
	return k->net ? 0 : -ENOMEM;
}
