/*
 * network_record.c - what was taken from a network namespace, given back.  See network.h.
 *
 * The record is a file in the container's directory: a head, the namespace's path, then the addresses
 * and routes as the messages in which the kernel told them, which it takes as requests too.
 */
#include "network.h"

#include "libipc/fd.h"
#include "libipc/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME STATE_NETWORK

struct head {
	uint64_t dev, ino; /* of the namespace: its path may have come to lead to another */
	uint32_t path_len, requests_len;
};

/* A record that has been read. */
struct record {
	struct head head;
	char *path;
	uint8_t *requests;
};

static bool put(int fd, const void *p, size_t n) { return write(fd, p, n) == (ssize_t)n; }

struct err *network_record(const struct state_dir *d, int there, const char *path, const struct msg_bytes *requests)
{
	_cleanup_close_ int fd = openat(d->fd, NAME, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct head h = { .path_len = (uint32_t)strlen(path), .requests_len = requests->len };
	struct stat st;

	if (fd < 0)
		return err_new(errno, "%s/" NAME, d->path);
	if (fstat(there, &st) < 0)
		return err_new(errno, "network namespace %.255s", path);
	h.dev = st.st_dev;
	h.ino = st.st_ino;
	errno = ENOSPC; /* if one is short */
	return put(fd, &h, sizeof(h)) && put(fd, path, h.path_len) && put(fd, requests->p, h.requests_len) ? NULL : err_new(errno, "writing %s/" NAME, d->path);
}

/* Of all that can be given back; the first failure is returned.  ESTALE: it is another namespace by now. */
static struct err *give_all(int there, int nl, void *arg)
{
	const struct record *r = arg;
	struct err *first = NULL;
	struct stat st;

	if (fstat(there, &st) < 0 || st.st_dev != r->head.dev || st.st_ino != r->head.ino)
		return err_new(ESTALE, "network namespace %s", r->path);
	for (size_t at = 0; at + sizeof(struct nlmsghdr) <= r->head.requests_len;) {
		struct nlmsghdr *h = (void *)(r->requests + at);
		struct err *e;

		if (h->nlmsg_len < sizeof(*h) || h->nlmsg_len > r->head.requests_len - at)
			return first ? first : err_new(EPROTO, "%s", NAME);
		h->nlmsg_flags |= NLM_F_ACK;
		e = network_ask(nl, h, EEXIST);
		if (first)
			err_free(e);
		else
			first = e;
		at += NLMSG_ALIGN(h->nlmsg_len);
	}
	return first;
}

static struct err *read_record(int fd, struct record *r)
{
	const ssize_t n = read(fd, &r->head, sizeof(r->head));

	if (n != sizeof(r->head) || r->head.path_len >= PATH_MAX || r->head.requests_len > NETWORK_REQUESTS_MAX)
		return err_new(n < 0 ? errno : EPROTO, "its head");
	r->path = calloc(1, r->head.path_len + 1);
	r->requests = malloc(r->head.requests_len + 1);
	if (!r->path || !r->requests)
		return err_new(ENOMEM, "it");
	if (read(fd, r->path, r->head.path_len) != (ssize_t)r->head.path_len || read(fd, r->requests, r->head.requests_len) != (ssize_t)r->head.requests_len)
		return err_new(EPROTO, "it is too short");
	return NULL;
}

void network_give_back(const struct state_dir *d)
{
	_cleanup_close_ int fd = openat(d->fd, NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct record r = { 0 };
	struct err *e;

	if (fd < 0) {
		if (errno != ENOENT)
			log_warning("%s/" NAME ": %s", d->path, strerror(errno));
		return;
	}
	if ((e = read_record(fd, &r)))
		e = err_wrap(e, "%s/" NAME, d->path);
	else if ((e = network_inside(r.path, give_all, &r)) && err_errno(e) != ENOENT && err_errno(e) != ESTALE)
		e = err_wrap(e, "giving back addresses and routes");
	if (e)
		log_at(err_errno(e) == ENOENT || err_errno(e) == ESTALE ? LOG_DEBUG : LOG_WARNING, "%s", err_text(e));
	err_free(e);
	free(r.path);
	free(r.requests);
	if (unlinkat(d->fd, NAME, 0) < 0)
		log_warning("%s/" NAME ": %s", d->path, strerror(errno));
}
