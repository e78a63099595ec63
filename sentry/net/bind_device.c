/*
 * bind_device.c - SO_BINDTODEVICE and SO_BINDTOIFINDEX: the interface that a socket is bound to.  It is
 * checked, stored and returned; which way data takes follows from the addresses alone (route.c).
 * Source: socket(7); linux/net/core/sock.c sock_setbindtodevice.
 */
#include "net/socket.h"
#include "net/stack.h"

#include <errno.h>
#include <string.h>

int socket_bind_index(struct socket *s, int index, bool privileged)
{
	if (s->bound_index && !privileged)
		return -EPERM;
	if (index < 0)
		return -EINVAL;
	s->bound_index = index;
	return 0;
}

int socket_bind_device(struct socket *s, const void *v, unsigned len, bool privileged)
{
	char name[LINUX_IFNAMSIZ] = "";
	struct net_world *w = s->net->world;
	struct net_device *d;
	int index = 0;

	memcpy(name, v, len < sizeof(name) - 1 ? len : sizeof(name) - 1);
	if (*name) {
		mutex_lock(&w->mu);
		d = device_named_locked(s->net, name);
		index = d ? d->index : 0;
		mutex_unlock(&w->mu);
		if (!index)
			return -ENODEV;
	}
	return socket_bind_index(s, index, privileged);
}

int socket_bound_device(struct socket *s, void *v, unsigned *len)
{
	char name[LINUX_IFNAMSIZ] = "";
	struct net_world *w = s->net->world;
	struct net_device *d;

	if (!s->bound_index) {
		*len = 0;
		return 0;
	}
	if (*len < sizeof(name))
		return -EINVAL;
	mutex_lock(&w->mu);
	d = device_find_locked(s->net, s->bound_index);
	if (d)
		memcpy(name, d->name, sizeof(name));
	mutex_unlock(&w->mu);
	if (!d)
		return -ENODEV;
	*len = (unsigned)strlen(name) + 1;
	memcpy(v, name, *len);
	return 0;
}
