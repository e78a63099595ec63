/*
 * procfs.c - control.procfs: what /proc shows of all processes of a container.
 * Event thread.
 */
#include "control/looking.h"

#include "control/container.h"
#include "fs/proc/proc.h"
#include "kernel/ns.h"
#include "kernel/task_table.h"
#include "libipc/protocols.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_ROOM 16 /* "fd/1073741815" */

struct dump {
	struct control_process_files *rows;
	size_t n;
};

/* A process's files; texts and names are allocated one by one. */
struct files {
	struct control_text *v;
	size_t n, cap;
};

static bool add(struct files *f, const char *name, uint32_t mode, char *text, size_t len)
{
	char *copy = strdup(name);

	if (f->n == f->cap) {
		size_t cap = f->cap ? 2 * f->cap : 32;
		struct control_text *grown = reallocarray(f->v, cap, sizeof(*grown));

		if (grown) {
			f->v = grown;
			f->cap = cap;
		}
	}
	if (!copy || f->n == f->cap) {
		free(copy);
		free(text);
		return false;
	}
	f->v[f->n++] = (struct control_text){ msg_str(copy), mode, { (const uint8_t *)text, (uint32_t)len } };
	return true;
}

/* The message's own types are const. */
static void free_text(const void *p)
{
	free((void *)(uintptr_t)p);
}

static void row_free(struct control_process_files *r)
{
	for (uint32_t i = 0; i < r->n_files; i++) {
		free_text(r->files[i].name.p);
		free_text(r->files[i].content.p);
	}
	free(r->files);
}

static bool gather(struct thread_group *tg, struct container *c, struct files *f)
{
	static const char *const names[] = { "cmdline", "environ", "exe", "cwd", "root", "status", "stat", "limits", "maps", "cgroup" };
	struct pid_ns *ns = c->proxy->pid_for_children;
	char name[NAME_ROOM], *text;
	struct path root;
	uint32_t mode = 0;
	bool ok = true;
	size_t len;

	mutex_lock(&c->fs->mu);
	root = c->fs->root;
	path_get(&root);
	mutex_unlock(&c->fs->mu);
	for (size_t i = 0; ok && i < sizeof(names) / sizeof(names[0]); i++)
		if (!proc_dump(tg, ns, &root, names[i], &text, &len))
			ok = add(f, names[i], 0, text, len);
	for (int fd = 0; ok && !proc_dump_fd(tg, ns, &root, &fd, &mode, &text); fd++) {
		snprintf(name, sizeof(name), "fd/%d", fd);
		ok = add(f, name, mode, text, strlen(text));
	}
	path_put(&root);
	return ok;
}

static bool add_process(struct dump *d, struct thread_group *tg, struct container *c)
{
	struct files f = { 0 };
	struct control_process_files *grown = reallocarray(d->rows, d->n + 1, sizeof(*grown));
	bool ok = grown && gather(tg, c, &f);

	if (grown) {
		d->rows = grown;
		d->rows[d->n++] = (struct control_process_files){
			.pid = (uint64_t)tg_nr(tg, c->proxy->pid_for_children),
			.start = tg->start_realtime,
			.files = f.v,
			.n_files = (uint32_t)f.n,
		};
	}
	return ok;
}

struct err *procfs_write(struct container *c, int out, uint64_t *length)
{
	struct control_procfs_data data;
	struct dump d = { 0 };
	struct thread_group *tg;
	struct err *e = NULL;
	pid_t after = 0;

	while (!e && (tg = tg_next(c->proxy->pid_for_children, after, &after))) {
		if (tg->container == c && !add_process(&d, tg, c))
			e = err_new(ENOMEM, "procfs");
		tg_put(tg);
	}
	data = (struct control_procfs_data){ d.rows, (uint32_t)d.n };
	if (!e)
		e = msg_answer_write(&control_procfs_data_desc, &data, out, length);
	while (d.n)
		row_free(&d.rows[--d.n]);
	free(d.rows);
	return e;
}
