/*
 * conn.c - connections to gofers, counted.  Any thread.
 */
#include "fs/gofer/internal.h"

#include "libipc/err.h"

#include <stdlib.h>
#include <unistd.h>

struct err *gofer_conn_new(int sock, struct gofer_conn **out)
{
	struct gofer_conn *c = calloc(1, sizeof(*c));
	struct err *e;

	if (!c) {
		close(sock);
		return err_new(ENOMEM, "gofer connection");
	}
	ref_init(&c->ref);
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
	rpc_client_free(c->client);
	free(c);
}

bool gofer_conn_shared(const struct gofer_conn *c)
{
	return ref_count(&c->ref) > 1;
}
