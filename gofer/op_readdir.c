/*
 * op_readdir.c - readdir.  Each directory node keeps its stream open (within a
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
	int fd;

	if (s->fd < 0) {
		fd = node_real_fd(&c->nodes, n, O_RDONLY);
		if (fd < 0)
			return fd;
		fd_lru_put(&c->nodes.fds->streams, s, fd);
		n->stream_at = 0;
	}
	fd_slot_touch(s);
	/* rewinding even at 0: entries made since are wanted */
	if (n->stream_at != cookie || !cookie) {
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

/* Adds the entries in buf[len]; answers the last cookie. */
static uint64_t take_entries(struct gofer_readdir_reply *r, char *buf, size_t len, uint64_t cookie)
{
	for (size_t at = 0; at < len;) {
		const struct dirent64 *d = (const void *)(buf + at);

		cookie = (uint64_t)d->d_off;
		at += d->d_reclen;
		if (is_dot(d->d_name))
			continue;
		r->entries[r->n_entries++] = (struct gofer_dirent){
			.ino = d->d_ino,
			.type = d->d_type,
			.cookie = cookie,
			.name = msg_str(d->d_name),
		};
	}
	return cookie;
}

int op_readdir(struct conn *c, const struct gofer_readdir *q, struct gofer_readdir_reply *r)
{
	char *buf = c->server->scratch.bytes;
	size_t used = 0;
	struct node *n;
	int rc = conn_dir(c, q->dir, &n), fd;

	if (rc)
		return rc;
	fd = stream_at(c, n, q->cookie);
	if (fd < 0)
		return fd;
	r->entries = c->server->scratch.entries;
	while (!r->end && used + LONGEST_ENTRY <= READDIR_BYTES) {
		ssize_t got = getdents64(fd, buf + used, READDIR_BYTES - used);

		if (got < 0 && used)
			break; /* told at the next request */
		if (got < 0)
			return -errno;
		r->end = got == 0;
		n->stream_at = take_entries(r, buf + used, (size_t)got, n->stream_at);
		used += (size_t)got;
	}
	return 0;
}
