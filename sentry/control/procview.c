/*
 * procview.c - control.proc_look, proc_list and proc_read: a container's /proc by
 * path, for processes of the host.  Event thread.
 *
 * Nothing is kept between requests.  An answer is a frame at most; a longer text
 * is asked for piece by piece and made anew for each.
 */
#include "control/container.h"
#include "control/methods.h"
#include "fs/proc/proc.h"
#include "kernel/ns.h"
#include "vfs/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX 128 /* of an answer */
#define NAME_ROOM 256

static void refuse(struct rpc_call *call, int r, struct msg_str path)
{
	rpc_fail(call, err_new(-r, "/proc/%s", path.p));
}

void control_do_proc_look(struct rpc_call *call, void *request)
{
	struct control_proc_look *q = request;
	struct container *c = control_find(call, q->id);
	struct proc_attr a;
	int r = c ? proc_look(c->k, c->proxy->pid_for_children, q->path.p, &a) : 0;

	if (r)
		refuse(call, r, q->path);
	else if (c)
		rpc_reply(call, &(struct control_proc_look_reply){ .mode = a.mode, .inode = a.ino, .links = a.nlink, .uid = a.uid, .gid = a.gid });
}

/* Entries that are gathered for an answer. */
struct gathering {
	struct dirent_sink sink; /* first */
	struct control_proc_entry rows[ENTRIES_MAX];
	char names[ENTRIES_MAX][NAME_ROOM];
	uint32_t n;
};

static int add(struct dirent_sink *s, const char *name, size_t len, uint64_t ino, unsigned type, int64_t next)
{
	struct gathering *g = (struct gathering *)s;
	char *copy = g->n < ENTRIES_MAX ? g->names[g->n] : NULL;

	if (!copy || len >= NAME_ROOM)
		return -ENOSPC;
	memcpy(copy, name, len);
	copy[len] = 0;
	g->rows[g->n++] = (struct control_proc_entry){ .name = { copy, (uint32_t)len }, .inode = ino, .type = type, .next = (uint64_t)next };
	return 0;
}

void control_do_proc_list(struct rpc_call *call, void *request)
{
	struct control_proc_list *q = request;
	struct container *c = control_find(call, q->id);
	struct gathering *g = c ? calloc(1, sizeof(*g)) : NULL;
	int64_t pos = (int64_t)q->from;
	int r;

	if (!c)
		return;
	if (g)
		g->sink.add = add;
	r = g ? proc_list(c->k, c->proxy->pid_for_children, q->path.p, &pos, &g->sink) : -ENOMEM;
	if (r)
		refuse(call, r, q->path);
	else
		rpc_reply(call, &(struct control_proc_list_reply){ .entries = g->rows, .n_entries = g->n });
	free(g);
}

static int text_of(struct container *c, const char *path, char **text, size_t *len)
{
	struct path root;
	int r;

	mutex_lock(&c->fs->mu);
	root = c->fs->root;
	path_get(&root);
	mutex_unlock(&c->fs->mu);
	r = proc_text(c->k, c->proxy->pid_for_children, &root, path, text, len);
	path_put(&root);
	return r;
}

void control_do_proc_read(struct rpc_call *call, void *request)
{
	struct control_proc_read *q = request;
	struct container *c = control_find(call, q->id);
	struct control_proc_read_reply reply = { .content = { (const uint8_t *)"", 0 } };
	char *text = NULL;
	size_t len = 0;
	int r = c ? text_of(c, q->path.p, &text, &len) : 0;

	if (!c)
		return;
	if (text && q->offset < len) {
		len -= q->offset;
		reply.content = (struct msg_bytes){ (const uint8_t *)text + q->offset, (uint32_t)(len < q->size ? len : q->size) };
	}
	if (r)
		refuse(call, r, q->path);
	else
		rpc_reply(call, &reply);
	free(text);
}
