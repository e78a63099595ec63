/*
 * ns.c - the life of network namespaces (struct net_stack).  One is kept by tasks,
 * sockets and files; its interfaces go with its last user.  Any thread.
 */
#include "net/stack.h"

#include "vfs/user_ns.h"

#include <stdlib.h>

static struct net_world *world_new(struct vfs *v)
{
	struct net_world *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->vfs = v;
	mutex_init(&w->mu, RANK_LEAF);
	mutex_init(&w->gc_mu, RANK_FILE);
	TAILQ_INIT(&w->inflight);
	return w;
}

/* With a loopback that is down. */
static struct net_stack *stack_new(struct net_world *w, uint64_t ino, struct user_ns *owner)
{
	struct net_stack *n = calloc(1, sizeof(*n));
	struct net_device *lo;
	int r;

	if (!n)
		return NULL;
	ref_init(&n->ref);
	n->world = w;
	n->ino = ino;
	user_ns_get(n->owner = owner);
	n->port_range = 32768 | 60999u << 16;
	n->port_unprivileged = 1024;
	n->backlog_max = LINUX_SOMAXCONN;
	n->ping_groups = 1; /* from 1 to 0: nobody */
	mutex_init(&n->mu, RANK_LEAF);
	TAILQ_INIT(&n->devices);
	TAILQ_INIT(&n->routes);
	for (unsigned i = 0; i < NAME_BUCKETS; i++) {
		LIST_INIT(&n->abstract[i]);
		LIST_INIT(&n->ports[i]);
	}
	mutex_lock(&w->mu);
	r = device_new_locked(n, DEVICE_LO, "lo", LO_INDEX, &lo);
	mutex_unlock(&w->mu);
	if (!r)
		return n;
	net_stack_put(n);
	return NULL;
}

struct net_stack *net_stack_new(struct vfs *v, uint64_t ino)
{
	struct net_world *w = world_new(v);
	struct net_stack *n = w ? stack_new(w, ino, NULL) : NULL;

	if (!n) {
		free(w);
		return NULL;
	}
	mutex_lock(&w->mu);
	device_set_up_locked(device_find_locked(n, LO_INDEX), true);
	mutex_unlock(&w->mu);
	return n;
}

struct net_stack *net_stack_new_in(struct net_stack *first, uint64_t ino, struct user_ns *owner)
{
	return stack_new(first->world, ino, owner);
}

void net_stack_get(struct net_stack *n)
{
	ref_get(&n->ref);
}

void net_stack_put(struct net_stack *n)
{
	if (!n || !ref_put(&n->ref))
		return;
	mutex_lock(&n->world->mu);
	devices_drop_locked(n);
	mutex_unlock(&n->world->mu);
	user_ns_put(n->owner);
	mutex_destroy(&n->mu);
	free(n);
}

uint64_t net_stack_ino(const struct net_stack *n)
{
	return n->ino;
}

struct user_ns *net_stack_owner(const struct net_stack *n)
{
	return n->owner;
}

void net_stack_set_caller(struct net_stack *n, void (*fn)(struct sock_caller *out))
{
	n->world->caller = fn;
}

void net_stack_set_show(struct net_stack *n, void (*fn)(const struct sock_id *id, struct linux_ucred *out))
{
	n->world->show = fn;
}

void net_stack_set_finders(struct net_stack *n, net_ns_finder *by_fd, net_ns_finder *by_pid)
{
	n->world->by_fd = by_fd;
	n->world->by_pid = by_pid;
}
