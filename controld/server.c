/*
 * server.c - clients of the control socket.  See sandbox.h.
 *
 * Who may ask: the socket's file has mode 0600 in a directory of mode 0700, so
 * that only its owner and root can connect; that is the guard.  SO_PEERCRED is
 * checked besides.  It is told in the terms of our own user namespace, where
 * one id only has a name and every other is shown as the overflow id; so the
 * peer's uid is compared with what the kernel shows for the listening socket
 * itself, which remembers its creator's credentials in the same terms.  For a
 * sandbox of an ordinary user that tells the owner from all others; for
 * root's, where the one id is nobody's and nobody's number is the overflow id's
 * too, it cannot, and the modes stand alone.
 */
#include "sandbox.h"

#include "libipc/fd.h"
#include "libipc/rest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CLIENTS_MAX 256

struct client {
	LIST_ENTRY(client) entry;
	struct sandbox *sandbox;
	struct rpc *rpc;
};

static struct err *peer_uid(int sock, uint32_t *uid)
{
	struct ucred c;
	socklen_t len = sizeof(c);

	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &c, &len) < 0)
		return err_new(errno, "SO_PEERCRED");
	*uid = c.uid;
	return NULL;
}

struct sandbox *server_sandbox(struct rpc_call *call)
{
	return ((struct client *)rpc_call_arg(call))->sandbox;
}

bool server_has_clients(const struct sandbox *s)
{
	return s->n_clients > 0;
}

static void forget(struct client *c)
{
	LIST_REMOVE(c, entry);
	c->sandbox->n_clients--;
	rpc_free(c->rpc);
	free(c);
}

static void on_closed(struct rpc *r, const struct err *why, void *arg)
{
	struct client *c = arg;
	struct sandbox *s = c->sandbox;

	if (why)
		log_warning("a client broke the protocol: %s", err_text(why));
	forget(c);
	if (s->ending && !s->n_clients && supervise_all_gone(s))
		event_base_loopexit(s->base, NULL);
}

/* Takes sock. */
static struct err *add_client(struct sandbox *s, int sock)
{
	struct client *c = calloc(1, sizeof(*c));
	struct err *e;

	if (!c) {
		close(sock);
		return err_new(ENOMEM, "client");
	}
	c->sandbox = s;
	if ((e = rpc_new(s->base, sock, methods, n_methods, on_closed, c, &c->rpc))) {
		close(sock);
		free(c);
		return e;
	}
	LIST_INSERT_HEAD(&s->clients, c, entry);
	s->n_clients++;
	return NULL;
}

static void on_connection(evutil_socket_t fd, short what, void *arg)
{
	struct sandbox *s = arg;
	int sock = accept4(s->listen, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct err *e;
	uint32_t uid;

	if (sock < 0)
		return;
	rest_watch(s->base);
	if (s->n_clients >= CLIENTS_MAX)
		e = err_new(EAGAIN, "%d clients are connected already", CLIENTS_MAX);
	else if (!(e = peer_uid(sock, &uid)) && uid != s->owner)
		e = err_new(EPERM, "uid %u is not the sandbox's owner", uid);
	if (e)
		close(sock);
	else
		e = add_client(s, sock);
	if (e) {
		log_warning("refusing a client: %s", err_text(e));
		err_free(e);
	}
}

struct err *server_start(struct sandbox *s, int listen)
{
	struct err *e = peer_uid(listen, &s->owner);

	if (e)
		return e;
	s->listen = listen;
	s->listen_event = event_new(s->base, listen, EV_READ | EV_PERSIST, on_connection, s);
	return s->listen_event && !event_add(s->listen_event, NULL) ? NULL : err_new(ENOMEM, "control socket");
}

void server_stop(struct sandbox *s)
{
	while (LIST_FIRST(&s->clients))
		forget(LIST_FIRST(&s->clients));
	if (s->listen_event)
		event_free(s->listen_event);
	fd_close(&s->listen);
}
