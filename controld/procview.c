/*
 * procview.c - see procview.h.
 *
 * Neither side is believed: what the kernel passes on comes from any process that
 * has joined, and the sentry may have fallen.  So a joiner is shown directories,
 * regular files and links only, of bounded size, in a time that is bounded too;
 * what a text says is the sentry's word.
 */
#include "procview.h"

#include "fuse.h"
#include "nodes.h"
#include "sandbox.h"

#include "libipc/rest.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fuse.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define DEADLINE_MS 3000
#define FILE_MAX (16u << 20) /* no text is longer, no list goes on for ever */
#define LIST_MAX (1u << 23)

struct procview {
	struct container *container; /* it holds us */
	struct fuse_conn *conn;
	struct nodes nodes;
};

/* --- answers of the sentry ------------------------------------------------------------- */

/* The errno that a joiner gets for what went wrong. */
static int told(struct err *e)
{
	int n = err_errno(e);

	log_debug("a container's /proc: %s", err_text(e));
	err_free(e);
	if (n == ECANCELED)
		return EINTR;
	return n > 0 && n < 256 && n != ENOSYS ? n : EIO;
}

static bool to_attr(const struct control_proc_look_reply *r, struct fuse_attr *out)
{
	uint64_t now = (uint64_t)time(NULL);

	if (!S_ISDIR(r->mode) && !S_ISREG(r->mode) && !S_ISLNK(r->mode))
		return false;
	*out = (struct fuse_attr){
		.ino = r->inode,
		.atime = now,
		.mtime = now,
		.ctime = now,
		.mode = (uint32_t)r->mode & (S_IFMT | 0777),
		.nlink = (uint32_t)r->links,
		.uid = (uint32_t)r->uid,
		.gid = (uint32_t)r->gid,
		.blksize = 1024,
	};
	return true;
}

/* Ends the call when there is nothing to go on with. */
static struct procview *view_of(struct fuse_call *c, struct err *e)
{
	struct procview *v = fuse_call_arg(c);

	if (e)
		fuse_fail(c, told(e));
	else if (!v)
		fuse_fail(c, EIO);
	return e ? NULL : v;
}

static void on_looked_up(void *arg, void *reply, struct err *e)
{
	struct fuse_call *c = arg;
	struct procview *v = view_of(c, e);
	struct fuse_entry_out out = { 0 };
	char path[NODES_PATH_MAX + 1];

	if (!v)
		return;
	if (!to_attr(reply, &out.attr))
		fuse_fail(c, EIO);
	else if (!nodes_join(&v->nodes, c->node, c->name, path))
		fuse_fail(c, ESTALE);
	else if (!(out.nodeid = nodes_tell(&v->nodes, path)))
		fuse_fail(c, ENOMEM);
	else
		fuse_reply(c, &out, sizeof(out));
}

static void on_attr(void *arg, void *reply, struct err *e)
{
	struct fuse_call *c = arg;
	struct fuse_attr_out out = { 0 };

	if (!view_of(c, e))
		return;
	if (to_attr(reply, &out.attr))
		fuse_reply(c, &out, sizeof(out));
	else
		fuse_fail(c, EIO);
}

static void on_content(void *arg, void *reply, struct err *e)
{
	struct fuse_call *c = arg;
	const struct control_proc_read_reply *r = reply;

	if (!view_of(c, e))
		return;
	if (r->content.len > c->size)
		fuse_fail(c, EIO);
	else
		fuse_reply(c, r->content.p, r->content.len);
}

static void on_target(void *arg, void *reply, struct err *e)
{
	struct fuse_call *c = arg;
	const struct control_proc_read_reply *r = reply;

	if (!view_of(c, e))
		return;
	if (!r->content.len || r->content.len >= PATH_MAX || memchr(r->content.p, 0, r->content.len))
		fuse_fail(c, EIO);
	else
		fuse_reply(c, r->content.p, r->content.len);
}

/* One more entry for the kernel, at buf[len]; the length then, or as it was: there is no room. */
static size_t add_entry(uint8_t *buf, size_t len, size_t size, const struct control_proc_entry *r)
{
	const struct fuse_dirent d = { .ino = r->inode ? r->inode : 1, .off = r->next, .namelen = r->name.len, .type = (uint32_t)r->type };
	size_t need = FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + r->name.len);

	if (need > size - len)
		return len;
	memset(buf + len, 0, need);
	memcpy(buf + len, &d, FUSE_NAME_OFFSET);
	memcpy(buf + len + FUSE_NAME_OFFSET, r->name.p, r->name.len);
	return len + need;
}

static bool good_entry(const struct control_proc_entry *r, uint64_t before)
{
	return r->name.len && !memchr(r->name.p, '/', r->name.len) && !memchr(r->name.p, 0, r->name.len) && r->next > before && r->next <= LIST_MAX;
}

static void on_list(void *arg, void *reply, struct err *e)
{
	struct fuse_call *c = arg;
	const struct control_proc_list_reply *r = reply;
	uint64_t at = c->offset;
	size_t len = 0, before;
	uint8_t *buf;

	if (!view_of(c, e))
		return;
	buf = malloc(c->size ? c->size : 1);
	for (uint32_t i = 0; buf && i < r->n_entries; i++) {
		if (!good_entry(&r->entries[i], at)) {
			free(buf);
			fuse_fail(c, EIO);
			return;
		}
		at = r->entries[i].next;
		before = len;
		if ((len = add_entry(buf, len, c->size, &r->entries[i])) == before)
			break;
	}
	if (buf)
		fuse_reply(c, buf, len);
	else
		fuse_fail(c, ENOMEM);
	free(buf);
}

/* --- what the sentry is asked ------------------------------------------------------------ */

/* An ask that fails at once has ended the call. */
#define ASK(V, C, M, Q, DONE)                                                                                       \
	do {                                                                                                        \
		uint64_t ask = RPC_ASK((V)->container->sandbox->rpc, control, M, Q, DEADLINE_MS, DONE, C);          \
                                                                                                                    \
		if (ask)                                                                                            \
			(C)->ask = ask;                                                                             \
	} while (0)

static void look(struct procview *v, struct fuse_call *c, const char *path)
{
	const struct control_proc_look q = { .id = msg_str(v->container->id), .path = msg_str(path) };

	ASK(v, c, proc_look, &q, c->opcode == FUSE_LOOKUP ? on_looked_up : on_attr);
}

static void read_link(struct procview *v, struct fuse_call *c, const char *path)
{
	const struct control_proc_read q = { .id = msg_str(v->container->id), .path = msg_str(path), .size = PATH_MAX };

	ASK(v, c, proc_read, &q, on_target);
}

static void read_file(struct procview *v, struct fuse_call *c, const char *path)
{
	const struct control_proc_read q = { .id = msg_str(v->container->id), .path = msg_str(path), .offset = c->offset, .size = c->size };

	if (c->offset >= FILE_MAX)
		fuse_reply(c, NULL, 0);
	else
		ASK(v, c, proc_read, &q, on_content);
}

static void list(struct procview *v, struct fuse_call *c, const char *path)
{
	const struct control_proc_list q = { .id = msg_str(v->container->id), .path = msg_str(path), .from = c->offset };

	if (c->offset >= LIST_MAX)
		fuse_reply(c, NULL, 0);
	else
		ASK(v, c, proc_list, &q, on_list);
}

static const struct {
	uint32_t opcode;
	void (*fn)(struct procview *v, struct fuse_call *c, const char *path);
} asks[] = {
	{ FUSE_LOOKUP, look }, { FUSE_GETATTR, look }, { FUSE_READLINK, read_link }, { FUSE_READ, read_file }, { FUSE_READDIR, list },
};

static void on_call(void *arg, struct fuse_call *c)
{
	struct procview *v = arg;
	const char *path = nodes_path(&v->nodes, c->node);
	char joined[NODES_PATH_MAX + 1];
	size_t i = 0;

	rest_watch(v->container->sandbox->base);
	if (path && c->opcode == FUSE_LOOKUP)
		path = nodes_join(&v->nodes, c->node, c->name, joined) ? joined : NULL;
	while (asks[i].opcode != c->opcode)
		i++;
	if (!path)
		fuse_fail(c, ESTALE);
	else if (!v->container->sandbox->rpc)
		fuse_fail(c, EIO); /* the sandbox has ended */
	else
		asks[i].fn(v, c, path);
}

static void on_interrupt(void *arg, struct fuse_call *c)
{
	struct procview *v = arg;

	if (v->container->sandbox->rpc)
		rpc_cancel(v->container->sandbox->rpc, c->ask);
}

static void on_forget(void *arg, uint64_t node, uint64_t times)
{
	struct procview *v = arg;

	nodes_forget(&v->nodes, node, times);
}

/* --- its life ------------------------------------------------------------------------- */

static void on_gone(void *arg, const char *why)
{
	struct procview *v = arg;

	if (why)
		log_warning("container '%s': its /proc is no longer shown to processes of the host: %s", v->container->id, why);
	procview_close(v->container);
}

static const struct fuse_ops ops = { .call = on_call, .interrupt = on_interrupt, .forget = on_forget, .gone = on_gone };

struct err *procview_serve(struct container *c, int *fuse)
{
	struct procview *v;
	int flags = fcntl(*fuse, F_GETFL);
	struct err *e;

	if (flags < 0 || !(flags & O_NONBLOCK))
		return err_new(EINVAL, "proc_serve: a read of this descriptor could keep us waiting");
	if (!(v = calloc(1, sizeof(*v))))
		return err_new(ENOMEM, "proc_serve");
	v->container = c;
	nodes_init(&v->nodes);
	if ((e = fuse_open(c->sandbox->base, *fuse, &ops, v, &v->conn))) {
		free(v);
		return e;
	}
	*fuse = -1;
	procview_close(c);
	c->procview = v;
	return NULL;
}

void procview_close(struct container *c)
{
	struct procview *v = c->procview;

	c->procview = NULL;
	if (!v)
		return;
	fuse_close(v->conn);
	nodes_free(&v->nodes);
	free(v);
}
