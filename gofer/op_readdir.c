/*
 * op_readdir.c - readdir, list.  Each directory node keeps its stream open (within a
 * bound), so that going on where the last answer ended costs no lseek.
 */
#include "resolve.h"
#include "server.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* getdents64 gives up where the next entry does not fit; so much surely does */
#define LONGEST_ENTRY 288

static int stream_at(struct conn *c, struct node *n, uint64_t cookie)
{
	struct fd_slot *s = &n->stream;
	bool fresh = s->fd < 0;
	int fd;

	if (fresh) {
		fd = node_real_fd(&c->nodes, n, O_RDONLY);
		if (fd < 0)
			return fd;
		fd_lru_put(&c->nodes.fds->streams, s, fd);
		n->stream_at = 0;
	}
	fd_slot_touch(s);
	/* rewinding even at 0: entries made since are wanted */
	if (n->stream_at != cookie || (!cookie && !fresh)) {
		if (cookie > INT64_MAX || lseek(s->fd, (off_t)cookie, SEEK_SET) < 0)
			return -EINVAL;
		n->stream_at = cookie;
	}
	return s->fd;
}

static bool is_dot(const char *name)
{
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

/* Entries that are being collected. */
struct entries {
	struct gofer_dirent *v;
	uint32_t n;
	bool end;
	char *buf; /* where names lie */
	size_t used, size;
};

/* Adds the entries in buf[len]; answers the last cookie. */
static uint64_t take_entries(struct entries *r, char *buf, size_t len, uint64_t cookie)
{
	for (size_t at = 0; at < len;) {
		const struct dirent64 *d = (const void *)(buf + at);

		cookie = (uint64_t)d->d_off;
		at += d->d_reclen;
		if (is_dot(d->d_name))
			continue;
		r->v[r->n++] = (struct gofer_dirent){
			.ino = d->d_ino,
			.type = d->d_type,
			.cookie = cookie,
			.name = msg_str(d->d_name),
		};
	}
	return cookie;
}

/* Reads on as long as there is room. */
static int collect(struct conn *c, struct node *n, uint64_t cookie, struct entries *e)
{
	int fd = stream_at(c, n, cookie);

	if (fd < 0)
		return fd;
	while (!e->end && e->used + LONGEST_ENTRY <= e->size) {
		ssize_t got = getdents64(fd, e->buf + e->used, e->size - e->used);

		if (got < 0 && e->n)
			break; /* told at the next request */
		if (got < 0)
			return -errno;
		e->end = got == 0;
		n->stream_at = take_entries(e, e->buf + e->used, (size_t)got, n->stream_at);
		e->used += (size_t)got;
	}
	return 0;
}

int op_readdir(struct conn *c, const struct gofer_readdir *q, struct gofer_readdir_reply *r)
{
	struct entries e = { .v = c->server->scratch.entries, .buf = c->server->scratch.bytes, .size = READDIR_BYTES };
	struct node *n;
	int rc = conn_dir(c, q->dir, &n);

	if (!rc)
		rc = collect(c, n, q->cookie, &e);
	if (rc)
		return rc;
	r->entries = e.v;
	r->n_entries = e.n;
	r->end = e.end;
	return 0;
}

/* --- list -------------------------------------------------------------------------- */

/* An answer of entries (at most 26/24 of their bytes here), nodes looked up (some
 * 150 bytes each) and targets fits in a frame. */
#define LIST_BYTES (32u * 1024)
#define LIST_TARGETS (12u * 1024)
#define LIST_ROOM 4096u /* with less left no further directory is begun */
_Static_assert(LIST_BYTES + LIST_TARGETS <= VALUE_BYTES, "both lie in scratch.bytes");
_Static_assert(LIST_BYTES / 24 * 26 + LISTED_MAX * 170 + LIST_TARGETS + 1024 < FRAME_MAX, "an answer fits in a frame");
_Static_assert(LIST_BYTES / 24 <= READDIR_ENTRIES, "entries lie in scratch.entries");

enum { LOOK_UP_NONE, LOOK_UP_DIRECTORIES, LOOK_UP_ALL };

/* What is left for the directories to come. */
struct list {
	const struct gofer_list *q;
	struct gofer_dirent *entries;
	char *buf;
	size_t left;
	uint32_t n_listed;
	struct targets targets;
};

static bool is_wanted(const struct list *l, const struct gofer_dirent *e)
{
	return l->q->lookup == LOOK_UP_ALL || (l->q->lookup == LOOK_UP_DIRECTORIES && e->type == DT_DIR);
}

/* All of them, and there is room for all that are to be looked up.  (What is not all there is asked
 * for name by name: so such a directory had better be the first of the next request.) */
static bool is_whole(const struct list *l, const struct entries *e)
{
	uint32_t wanted = 0;

	for (uint32_t i = 0; i < e->n; i++)
		wanted += is_wanted(l, &e->v[i]);
	return e->end && wanted <= LISTED_MAX - l->n_listed;
}

static void look_up(struct conn *c, struct node *dir, struct list *l, struct gofer_listing *out)
{
	int fd = node_path_fd(&c->nodes, dir);

	out->found = c->server->scratch.listed + l->n_listed;
	for (uint32_t i = 0; fd >= 0 && i < out->n_entries && l->n_listed < LISTED_MAX; i++) {
		const struct gofer_dirent *e = &out->entries[i];
		struct gofer_listed *to = &c->server->scratch.listed[l->n_listed];

		if (!is_wanted(l, e))
			continue;
		to->entry = i;
		find_name(c, dir, fd, e->name.p, !l->q->open ? FIND : e->type == DT_REG ? FIND_OPEN_FILE : FIND_OPEN, &l->targets, &to->found);
		out->n_found++;
		l->n_listed++;
	}
}

/* 1: no more fit, and this one is not answered. */
static int list_one(struct conn *c, uint64_t handle, bool first, struct list *l, struct gofer_listing *out)
{
	struct entries e = { .v = l->entries, .buf = l->buf, .size = l->left };
	struct node *n;
	int rc = conn_dir(c, handle, &n);

	*out = (struct gofer_listing){};
	if (!rc)
		rc = collect(c, n, 0, &e);
	if (rc)
		return rc;
	if (!first && !is_whole(l, &e))
		return 1;
	out->entries = e.v;
	out->n_entries = e.n;
	out->end = e.end;
	l->entries += e.n;
	l->buf += e.used;
	l->left -= e.used;
	if (l->q->lookup != LOOK_UP_NONE)
		look_up(c, n, l, out);
	return 0;
}

int op_list(struct conn *c, const struct gofer_list *q, struct gofer_list_reply *r)
{
	struct scratch *s = &c->server->scratch;
	struct list l = { .q = q, .entries = s->entries, .buf = s->bytes, .left = LIST_BYTES,
		.targets = { .buf = s->bytes + LIST_BYTES, .max = LIST_TARGETS } };

	r->listings = s->listings;
	for (uint32_t i = 0; i < q->n_dirs && (!i || l.left >= LIST_ROOM); i++) {
		struct gofer_listing *out = &r->listings[i];
		int rc = list_one(c, q->dirs[i], !i, &l, out);

		if (rc > 0)
			break;
		if (rc)
			out->error = (uint64_t)-rc;
		r->n_listings++;
	}
	return 0;
}
