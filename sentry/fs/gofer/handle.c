/*
 * handle.c - the gofer's handles of a node: one a name of the file, newest first; given back
 * in batches.
 */
#include "fs/gofer/internal.h"

#include <string.h>

static void send_release(struct gofer_super *s, uint64_t *handles, unsigned n)
{
	struct gofer_release req = { .nodes = handles, .n_nodes = n };

	if (n)
		(void)!rpc_client_call_errno(s->client, gofer_release_id, &gofer_release_desc, &req, NULL, NULL, NULL);
}

void gofer_flush_releases(struct gofer_super *s)
{
	uint64_t batch[RELEASE_BATCH];
	unsigned n;

	mutex_lock(&s->mu);
	n = s->n_release;
	memcpy(batch, s->release, n * sizeof(batch[0]));
	s->n_release = 0;
	mutex_unlock(&s->mu);
	send_release(s, batch, n);
}

void gofer_release(struct gofer_super *s, uint64_t handle)
{
	bool full;

	if (!handle)
		return;
	for (;;) {
		mutex_lock(&s->mu);
		full = s->n_release == RELEASE_BATCH;
		if (!full)
			s->release[s->n_release++] = handle;
		mutex_unlock(&s->mu);
		if (!full)
			return;
		gofer_flush_releases(s);
	}
}

uint64_t gnode_handle(struct gnode *n)
{
	struct gofer_super *s = gsuper(n->sb);
	uint64_t h;

	mutex_lock(&s->mu);
	h = n->handles[0];
	mutex_unlock(&s->mu);
	return gofer_handle_is_old(s, h) ? gnode_find_again(n) : h;
}

bool gnode_drop_handle(struct gnode *n, uint64_t handle)
{
	struct gofer_super *s = gsuper(n->sb);
	bool more;

	mutex_lock(&s->mu);
	more = n->handles[1];
	if (more && n->handles[0] == handle) {
		memmove(n->handles, n->handles + 1, sizeof(n->handles) - sizeof(n->handles[0]));
		n->handles[NODE_HANDLES - 1] = 0;
	} else if (more) {
		handle = 0; /* somebody else did */
	}
	mutex_unlock(&s->mu);
	if (more)
		gofer_release(s, handle);
	return more;
}

uint64_t gnode_push_handle(struct gnode *n, uint64_t handle)
{
	uint64_t old = n->handles[NODE_HANDLES - 1];

	for (unsigned i = 0; i < NODE_HANDLES; i++)
		if (n->handles[i] == handle)
			return 0;
	memmove(n->handles + 1, n->handles, sizeof(n->handles) - sizeof(n->handles[0]));
	n->handles[0] = handle;
	return old;
}
