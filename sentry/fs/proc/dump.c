/*
 * dump.c - a process's directory in /proc for the sentry's own use (control.procfs).  Any thread.  Not for
 * programs: no permission is checked.
 */
#include "fs/proc/internal.h"
#include "fs/proc/proc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PATH_ROOM 8192

static const struct pentry *find(const char *name)
{
	const struct pentry *e = proc_pid_table;

	while (e->name && strcmp(e->name, name))
		e++;
	return e->name ? e : NULL;
}

static void begin(struct pctx *c, struct thread_group *tg, struct pid_ns *ns)
{
	*c = (struct pctx){ .k = tg->k, .ns = ns, .tg = tg, .t = tg_any_task(tg) };
}

static void end(struct pctx *c)
{
	if (c->t)
		task_put(c->t);
}

int pctx_link_text(struct pctx *c, const struct pentry *e, const struct path *root, char **text)
{
	struct path p;
	char *room, *name;
	int r = e->follow(c, &p.mnt, &p.dentry);

	if (r)
		return r;
	room = malloc(PATH_ROOM);
	name = room ? vfs_path_name(&p, root, room, PATH_ROOM) : NULL;
	*text = name ? strdup(name) : NULL;
	free(room);
	path_put(&p);
	return *text ? 0 : -ENOMEM;
}

int proc_dump(struct thread_group *tg, struct pid_ns *ns, const struct path *root, const char *name, char **text, size_t *len)
{
	const struct pentry *e = find(name);
	struct pbuf b = { 0 };
	struct pctx c;
	int r = -ENOENT;

	*text = NULL;
	begin(&c, tg, ns);
	if (e && e->kind == P_MAGIC && !(r = pctx_link_text(&c, e, root, text)))
		*len = strlen(*text);
	if (e && e->show && !(r = e->show(&c, &b))) {
		r = b.failed ? -ENOMEM : 0;
		*text = r ? NULL : b.p;
		*len = b.len;
	}
	if (r || !*text)
		free(b.p);
	end(&c);
	return r;
}

int proc_dump_fd(struct thread_group *tg, struct pid_ns *ns, const struct path *root, int *fd, uint32_t *mode, char **text)
{
	struct pnode node = { .fd = -1 };
	int64_t pos = *fd;
	struct pctx c;
	char name[32];
	int r = -ENOENT;

	begin(&c, tg, ns);
	c.node = &node;
	while (r && fd_next(&c, &pos, name, &node)) {
		const struct qstr q = { name, (uint32_t)strlen(name) };

		if (!fd_lookup(&c, &q, &node))
			r = pctx_link_text(&c, &proc_fd_link, root, text);
		*fd = node.fd;
		*mode = node.mode;
	}
	end(&c);
	return r;
}
