/*
 * op_lookup.c - lookup: several names of one directory in one request, the
 * files opened on the way where the peer expects to open them.
 *
 * Each name is a step of its own with its own answer; what cannot be opened or
 * read is left out, and the peer asks for it in its turn to hear why.
 */
#include "attr.h"
#include "name.h"
#include "resolve.h"
#include "server.h"

#include "libipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define TARGET_MAX 4095u
#define TARGETS_BYTES (32u * 1024) /* of all links in an answer: it must fit in a frame */
_Static_assert(TARGETS_BYTES <= VALUE_BYTES, "targets lie in scratch.bytes");

void target_read(int dir, const char *name, struct targets *t, struct msg_str *out)
{
	size_t room = t->max - t->used < TARGET_MAX + 1 ? t->max - t->used : TARGET_MAX + 1;
	ssize_t n = room ? readlinkat(dir, name, t->buf + t->used, room) : -1;

	if (n < 0 || (size_t)n == room) /* perhaps cut */
		return;
	*out = (struct msg_str){ t->buf + t->used, (uint32_t)n };
	t->used += (uint32_t)n;
}

/* Where it can be: a look by name less. */
static bool find_opened(struct conn *c, struct node *dir, int fd, const char *name, struct gofer_found *out)
{
	struct statx sx;
	_cleanup_close_ int file = open_listed(fd, name, &sx);

	if (file < 0 || conn_give(c, dir, name, &sx, &out->node))
		return false;
	if (!handle_get(&c->handles, out->node.node)->foreign)
		out->fd = TAKE_FD(file);
	return true;
}

static int find(struct conn *c, struct node *dir, int fd, const char *name, enum find how, struct targets *t, struct gofer_found *out)
{
	struct statx sx;
	struct node *n;
	int rc;

	if (how == FIND_OPEN_FILE && find_opened(c, dir, fd, name, out))
		return 0;
	rc = stat_name(fd, name, &sx);
	if (!rc)
		rc = conn_give(c, dir, name, &sx, &out->node);
	if (rc)
		return rc;
	n = handle_get(&c->handles, out->node.node);
	if (n->foreign)
		return 0;
	if (n->id.type == S_IFLNK) {
		target_read(fd, name, t, &out->target);
	} else if (how != FIND && n->id.type == S_IFREG) {
		int got = node_real_fd(&c->nodes, n, O_RDONLY);

		if (got >= 0)
			out->fd = got;
	}
	return 0;
}

void find_name(struct conn *c, struct node *dir, int fd, const char *name, enum find how, struct targets *t, struct gofer_found *out)
{
	int rc;

	*out = (struct gofer_found){ .target.p = "", .fd = -1 };
	rc = find(c, dir, fd, name, how, t, out);
	if (rc)
		*out = (struct gofer_found){ .error = (uint64_t)-rc, .target.p = "", .fd = -1 };
}

int op_lookup(struct conn *c, const struct gofer_lookup *q, struct gofer_lookup_reply *r)
{
	struct targets t = { .buf = c->server->scratch.bytes, .max = TARGETS_BYTES };
	struct node *dir;
	int rc = conn_dir(c, q->dir, &dir), fd = -1;

	for (uint32_t i = 0; !rc && i < q->n_names; i++)
		rc = name_check(&q->names[i]);
	if (!rc)
		rc = fd = node_path_fd(&c->nodes, dir);
	if (rc < 0)
		return rc;
	r->found = c->server->scratch.found;
	for (; r->n_found < q->n_names; r->n_found++)
		find_name(c, dir, fd, q->names[r->n_found].p, q->open ? FIND_OPEN : FIND, &t, &r->found[r->n_found]);
	return 0;
}
