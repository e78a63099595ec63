/*
 * view.c - see view.h and view_impl.h.  Here: the life of views, and looking.
 */
#include "view.h"

#include "view_impl.h"

#include "libipc/rest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fuse.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* In /proc: no text is longer, no list goes on for ever. */
#define TEXT_MAX (16u << 20)
#define LIST_MAX (1u << 23)
#define SECOND 1000000000

static view_ask_fn view_list;

/* --- answers of the sentry ------------------------------------------------------------- */

static bool in_proc(const struct view *v)
{
	return !v->tree[0];
}

/* The errno that a joiner gets for what went wrong. */
static int told(struct err *e)
{
	int n = err_errno(e);

	log_debug("a container's files: %s", err_text(e));
	err_free(e);
	if (n == ECANCELED)
		return EINTR;
	return n > 0 && n < 256 && n != ENOSYS ? n : EIO;
}

struct view *view_of(struct fuse_call *c, struct err *e)
{
	struct view *v = fuse_call_arg(c);

	if (e)
		fuse_fail(c, told(e));
	else if (!v)
		fuse_fail(c, EIO);
	return e ? NULL : v;
}

static bool may_show(uint64_t mode)
{
	return S_ISDIR(mode) || S_ISREG(mode) || S_ISLNK(mode) || S_ISFIFO(mode) || S_ISSOCK(mode);
}

static void set_time(int64_t ns, uint64_t *seconds, uint32_t *rest)
{
	int64_t below = ns % SECOND;

	*seconds = (uint64_t)(ns / SECOND - (below < 0));
	*rest = (uint32_t)(below < 0 ? below + SECOND : below);
}

static bool to_attr(const struct view *v, const struct control_file_look_reply *r, struct fuse_attr *out)
{
	if (!may_show(r->mode))
		return false;
	*out = (struct fuse_attr){
		.ino = r->inode,
		.size = r->size,
		.blocks = r->blocks,
		.mode = (uint32_t)r->mode & (S_IFMT | (in_proc(v) ? 0777 : 07777)),
		.nlink = (uint32_t)r->links,
		.uid = ids_to_host(&v->uids, r->uid),
		.gid = ids_to_host(&v->gids, r->gid),
		.blksize = in_proc(v) ? 1024 : 4096,
	};
	set_time(r->atime, &out->atime, &out->atimensec);
	set_time(r->mtime, &out->mtime, &out->mtimensec);
	set_time(r->ctime, &out->ctime, &out->ctimensec);
	return true;
}

static void on_looked_up(void *arg, void *reply, struct err *e)
{
	struct fuse_call *c = arg;
	struct view *v = view_of(c, e);
	struct fuse_entry_out out = { 0 };

	if (!v)
		return;
	if (!to_attr(v, reply, &out.attr))
		fuse_fail(c, ENOENT);
	else if (!(out.nodeid = nodes_tell(&v->nodes, c->path)))
		fuse_fail(c, ENOMEM);
	else
		fuse_reply(c, &out, sizeof(out));
}

static void on_attr(void *arg, void *reply, struct err *e)
{
	struct fuse_call *c = arg;
	struct view *v = view_of(c, e);
	struct fuse_attr_out out = { 0 };

	if (!v)
		return;
	if (to_attr(v, reply, &out.attr))
		fuse_reply(c, &out, sizeof(out));
	else
		fuse_fail(c, EIO);
}

static void on_content(void *arg, void *reply, struct err *e)
{
	struct fuse_call *c = arg;
	const struct control_file_read_reply *r = reply;

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
	const struct control_file_read_reply *r = reply;

	if (!view_of(c, e))
		return;
	if (!r->content.len || r->content.len >= PATH_MAX || memchr(r->content.p, 0, r->content.len))
		fuse_fail(c, EIO);
	else
		fuse_reply(c, r->content.p, r->content.len);
}

/* One more entry for the kernel, at buf[len]; the length then, or as it was: there is no room. */
static size_t add_entry(uint8_t *buf, size_t len, size_t size, const struct control_file_entry *r)
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

static bool is_device(uint64_t type) { return type == DT_CHR || type == DT_BLK; }

static bool good_entry(const struct view *v, const struct control_file_entry *r, uint64_t before)
{
	return r->name.len && !memchr(r->name.p, '/', r->name.len) && !memchr(r->name.p, 0, r->name.len) && r->next > before &&
		(!in_proc(v) || r->next <= LIST_MAX);
}

/* The entries as the kernel wants them, at most size bytes; their length, or -1: one is no entry.
 * *at: behind the last one, shown or not. */
static ssize_t to_dirents(const struct view *v, const struct control_file_list_reply *r, uint8_t *buf, size_t size, uint64_t *at)
{
	size_t len = 0, before;

	for (uint32_t i = 0; i < r->n_entries; i++) {
		if (!good_entry(v, &r->entries[i], *at))
			return -1;
		before = len;
		if (!is_device(r->entries[i].type) && (len = add_entry(buf, len, size, &r->entries[i])) == before)
			break;
		*at = r->entries[i].next;
	}
	return (ssize_t)len;
}

static void on_list(void *arg, void *reply, struct err *e)
{
	struct fuse_call *c = arg;
	struct view *v = view_of(c, e);
	uint64_t at = c->offset;
	uint8_t *buf;
	ssize_t len;

	if (!v)
		return;
	buf = malloc(c->size ? c->size : 1);
	len = buf ? to_dirents(v, reply, buf, c->size, &at) : 0;
	if (!buf) {
		fuse_fail(c, ENOMEM);
	} else if (len < 0) {
		fuse_fail(c, EIO);
	} else if (!len && at != c->offset && v->container->sandbox->rpc) {
		c->offset = at; /* none of these is shown, but there may be more */
		view_list(v, c);
	} else {
		fuse_reply(c, buf, (size_t)len);
	}
	free(buf);
}

/* --- what the sentry is asked ------------------------------------------------------------ */

void view_look(struct view *v, struct fuse_call *c)
{
	const struct control_file_look q = { VIEW_FILE(v, c) };

	VIEW_ASK(v, c, file_look, &q, c->opcode == FUSE_GETATTR || c->opcode == FUSE_SETATTR ? on_attr : on_looked_up);
}

static void read_link(struct view *v, struct fuse_call *c)
{
	const struct control_file_read q = { VIEW_FILE(v, c), .size = PATH_MAX };

	VIEW_ASK(v, c, file_read, &q, on_target);
}

static void read_file(struct view *v, struct fuse_call *c)
{
	const struct control_file_read q = { VIEW_FILE(v, c), .offset = c->offset, .size = c->size };

	if (c->offset >= (in_proc(v) ? TEXT_MAX : INT64_MAX))
		fuse_reply(c, NULL, 0);
	else
		VIEW_ASK(v, c, file_read, &q, on_content);
}

static void view_list(struct view *v, struct fuse_call *c)
{
	const struct control_file_list q = { VIEW_FILE(v, c), .from = c->offset };

	if (c->offset >= (in_proc(v) ? LIST_MAX : INT64_MAX))
		fuse_reply(c, NULL, 0);
	else
		VIEW_ASK(v, c, file_list, &q, on_list);
}

static const struct {
	uint32_t opcode;
	view_ask_fn *fn;
} looks[] = {
	{ FUSE_LOOKUP, view_look }, { FUSE_GETATTR, view_look }, { FUSE_READLINK, read_link }, { FUSE_READ, read_file }, { FUSE_READDIR, view_list },
};

static view_ask_fn *look_of(uint32_t opcode)
{
	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		if (looks[i].opcode == opcode)
			return looks[i].fn;
	}
	return NULL;
}

/* Which file it is about: the node's, or a name in it; false: the call has ended. */
static bool find_path(struct view *v, struct fuse_call *c)
{
	char joined[NODES_PATH_MAX + 1];
	const char *path = nodes_path(&v->nodes, c->node);

	if (!path) {
		fuse_fail(c, ESTALE);
		return false;
	}
	if (c->names[0])
		path = nodes_join(&v->nodes, c->node, c->names[0], joined) ? joined : NULL;
	if (path && (c->path = strdup(path)))
		return true;
	fuse_fail(c, path ? ENOMEM : ENAMETOOLONG);
	return false;
}

static void on_call(void *arg, struct fuse_call *c)
{
	struct view *v = arg;
	view_ask_fn *fn = look_of(c->opcode);

	rest_watch(v->container->sandbox->base);
	if (!fn && in_proc(v))
		fuse_fail(c, EROFS);
	else if (!v->container->sandbox->rpc)
		fuse_fail(c, EIO); /* the sandbox has ended */
	else if (find_path(v, c))
		(fn ? fn : view_change_of(c->opcode))(v, c);
}

static void on_interrupt(void *arg, struct fuse_call *c)
{
	struct view *v = arg;

	if (v->container->sandbox->rpc)
		rpc_cancel(v->container->sandbox->rpc, c->ask);
}

static void on_forget(void *arg, uint64_t node, uint64_t times)
{
	struct view *v = arg;

	nodes_forget(&v->nodes, node, times);
}

/* --- its life ------------------------------------------------------------------------- */

static void free_view(struct view *v)
{
	nodes_free(&v->nodes);
	ids_free(&v->uids);
	ids_free(&v->gids);
	free(v);
}

static void close_view(struct view *v)
{
	LIST_REMOVE(v, link);
	v->container->sandbox->n_views--;
	fuse_close(v->conn);
	free_view(v);
}

static void on_gone(void *arg, const char *why)
{
	struct view *v = arg;

	if (why)
		log_warning("container '%s': its %s is no longer shown to processes of the host: %s", v->container->id, in_proc(v) ? "/proc" : v->tree, why);
	close_view(v);
}

static const struct fuse_ops ops = { .call = on_call, .interrupt = on_interrupt, .forget = on_forget, .gone = on_gone };

static struct view *find_view(struct container *c, const char *tree)
{
	struct view *v;

	LIST_FOREACH (v, &c->views, link) {
		if (!strcmp(v->tree, tree))
			break;
	}
	return v;
}

static struct err *new_view(struct container *c, const struct control_files_serve *q, struct view **out)
{
	struct view *v = calloc(1, sizeof(*v) + q->tree.len + 1);

	if (!v)
		return err_new(ENOMEM, "files_serve");
	v->container = c;
	strcpy(v->tree, q->tree.p);
	nodes_init(&v->nodes);
	if (!ids_set(&v->uids, q->uids, q->n_uids) || !ids_set(&v->gids, q->gids, q->n_gids)) {
		free_view(v);
		return err_new(EINVAL, "files_serve: a range of ids");
	}
	*out = v;
	return NULL;
}

struct err *view_serve(struct container *c, struct control_files_serve *q)
{
	struct view *v, *old = find_view(c, q->tree.p);
	int flags = fcntl(q->fuse, F_GETFL);
	struct err *e;

	if (flags < 0 || !(flags & O_NONBLOCK))
		return err_new(EINVAL, "files_serve: a read of this descriptor could keep us waiting");
	if (c->sandbox->n_views >= VIEWS_MAX)
		return err_new(EMFILE, "files_serve: as many are shown as may be");
	if ((e = new_view(c, q, &v)))
		return e;
	if ((e = fuse_open(c->sandbox->base, q->fuse, &ops, v, &v->conn))) {
		free_view(v);
		return e;
	}
	q->fuse = -1;
	if (old)
		close_view(old);
	LIST_INSERT_HEAD(&c->views, v, link);
	c->sandbox->n_views++;
	return NULL;
}

void views_close(struct container *c)
{
	while (!LIST_EMPTY(&c->views))
		close_view(LIST_FIRST(&c->views));
}
