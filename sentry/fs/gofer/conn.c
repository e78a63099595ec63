/*
 * conn.c - connections to gofers, counted.  Any thread; holding the far end and
 * letting go of it: the event thread.
 *
 * A gofer is two processes, of which one replaces the other (restart.c).  So that
 * the connection outlives both, the gofer's own end of it is held here: the
 * launcher takes it from here (pidfd_getfd) for another gofer, and calls wait
 * meanwhile.  Nothing is ever read from it or written to it.  Once nobody will
 * come for it, it is let go of: then a gofer that is killed is seen to be gone.
 */
#include "fs/gofer/internal.h"

#include "libipc/err.h"
#include "libipc/fd.h"

#include <stdlib.h>
#include <unistd.h>

#define TRIES 16u /* a gofer that is killed again and again */

struct err *gofer_conn_new(int sock, struct gofer_conn **out)
{
	struct gofer_conn *c = calloc(1, sizeof(*c));
	struct err *e;

	if (!c) {
		close(sock);
		return err_new(ENOMEM, "gofer connection");
	}
	ref_init(&c->ref);
	c->far = -1;
	if ((e = rpc_client_new(sock, &c->client))) {
		close(sock);
		free(c);
		return e;
	}
	rpc_client_on_restart(c->client, gofer_restarted_id, gofer_on_restart, c);
	*out = c;
	return NULL;
}

void gofer_conn_get(struct gofer_conn *c)
{
	ref_get(&c->ref);
}

void gofer_conn_put(struct gofer_conn *c)
{
	if (!c || !ref_put(&c->ref))
		return;
	gofer_conn_let_go(c);
	rpc_client_free(c->client);
	free(c);
}

bool gofer_conn_shared(const struct gofer_conn *c)
{
	return ref_count(&c->ref) > 1;
}

void gofer_conn_hold(struct gofer_conn *c)
{
	static const struct gofer_own_end req;
	struct gofer_own_end_reply rep;
	struct msg_arena a = { NULL };
	unsigned tries = 0;
	int r;

	do
		r = rpc_client_call_errno(c->client, gofer_own_end_id, &gofer_own_end_desc, &req, &gofer_own_end_reply_desc, &rep, &a);
	while (r == -ERESTART && tries++ < TRIES);
	if (r) /* -EOPNOTSUPP: started by hand, without a keeper */
		return;
	c->far = TAKE_FD(rep.fd);
	msg_free(&gofer_own_end_reply_desc, &rep, &a);
}

void gofer_conn_let_go(struct gofer_conn *c) { fd_close(&c->far); }
