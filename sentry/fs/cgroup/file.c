/*
 * file.c - open files of a control group: text made at each read, and what is written, whole.
 * Tasks' own threads; no locks held but the file's position.
 */
#include "fs/cgroup/cgroup.h"

#include "kernel/ns.h"
#include "kernel/task_table.h"
#include "mm/usercopy.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WRITE_MAX 4096

static bool is_gone(struct cgroup *g)
{
	bool r;

	tasks_lock(g->k);
	r = g->removed;
	tasks_unlock(g->k);
	return r;
}

/* Its reader knows it as it is now. */
static void seen(struct file *f, const struct cgroup_node *n)
{
	if (n->file->polled)
		__atomic_store_n(&f->priv, (void *)(uintptr_t)atomic_load(&n->g->changes[n->file->told]), __ATOMIC_RELAXED);
}

static ssize_t file_text(struct file *f, struct uio *u, int64_t *pos)
{
	const struct cgroup_node *n = cgroup_node(f->inode);
	char *text = NULL;
	size_t len = 0;
	ssize_t r;
	FILE *out;

	if (n->file->blind)
		return -EINVAL;
	seen(f, n);
	if (is_gone(n->g))
		return -ENODEV;
	if (!n->file->show)
		return uio_copy_text(n->file->text, strlen(n->file->text), u, pos);
	out = open_memstream(&text, &len);
	if (!out)
		return -ENOMEM;
	n->file->show(out, task_current(), n->g);
	r = fclose(out) ? -ENOMEM : uio_copy_text(text, len, u, pos);
	free(text);
	return r;
}

static char *strip(char *s)
{
	char *end;

	while (isspace((unsigned char)*s))
		s++;
	end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		*--end = 0;
	return s;
}

/* The limits of the group that is the root of what the writer sees are not his. */
static bool is_delegated(const struct cgroup_node *n)
{
	const struct cgroup_ns *ns = task_current()->ns->cgroup;

	return n->file->delegated || (n->g->parent && !(ns && ns->root == n->g));
}

static ssize_t file_change(struct file *f, struct uio *u, int64_t *pos)
{
	const struct cgroup_node *n = cgroup_node(f->inode);
	size_t len = u->resid;
	ssize_t got;
	char *text;
	int r;

	if (!n->file->store)
		return -EINVAL;
	if (len > WRITE_MAX)
		return -E2BIG;
	text = malloc(len + 1);
	if (!text)
		return -ENOMEM;
	got = uio_copy_in(u, text, len);
	if (got >= 0) {
		text[got] = 0;
		r = is_gone(n->g) ? -ENODEV : is_delegated(n) ? n->file->store(f, task_current(), n->g, strip(text)) : -EPERM;
		got = r ? r : got;
	}
	if (got > 0)
		*pos += got;
	free(text);
	return got;
}

static uint32_t file_ready(struct file *f)
{
	const struct cgroup_node *n = cgroup_node(f->inode);
	uint32_t ready = EVENT_READABLE | EVENT_WRITABLE;
	unsigned known = (unsigned)(uintptr_t)__atomic_load_n(&f->priv, __ATOMIC_RELAXED);

	return known == atomic_load(&n->g->changes[n->file->told]) && !is_gone(n->g) ? ready : ready | EVENT_ERR | EVENT_PRI;
}

static const struct file_ops text_ops = { .read = file_text, .write = file_change };
static const struct file_ops polled_ops = { .read = file_text, .write = file_change, .poll = file_ready };

int cgroup_open(struct inode *i, struct file *f)
{
	const struct cgroup_node *n = cgroup_node(i);

	if (is_gone(n->g))
		return -ENODEV;
	f->ops = n->file->polled ? &polled_ops : &text_ops;
	if (n->file->polled)
		f->wq = &n->g->wq;
	seen(f, n);
	return 0;
}
