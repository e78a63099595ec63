/*
 * fd.c - /proc/PID/fd and fdinfo.
 */
#include "fs/proc/internal.h"

#include "abi/fcntl.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

const struct pentry proc_fd_link = { .name = "FD", .kind = P_MAGIC, .mode = 0700, .follow = fd_follow, .flags = PE_PTRACE };
const struct pentry proc_fdinfo_file = { .name = "FDINFO", .kind = P_FILE, .mode = 0444, .show = show_fdinfo, .flags = PE_PTRACE };

static struct file *file_of(struct pctx *c, int fd)
{
	struct fdtable *files = c->t ? task_get_files(c->t) : NULL;
	struct file *f;

	if (!files)
		return NULL;
	f = fd_get(files, fd);
	fdtable_put_table(files);
	return f;
}

/* What the link's permission bits tell: how the file is open. */
static uint32_t link_mode(const struct file *f)
{
	return (f->mode & FILE_READ ? 0500u : 0) | (f->mode & FILE_WRITE ? 0300u : 0);
}

static int lookup(struct pctx *c, const struct qstr *name, struct pnode *out, const struct pentry *e)
{
	struct file *f;
	int fd;

	if (!parse_number(name, &fd) || !(f = file_of(c, fd)))
		return -ENOENT;
	out->mode = e->kind == P_MAGIC ? link_mode(f) : 0;
	file_put(f);
	out->e = e;
	out->fd = fd;
	return 0;
}

static bool next(struct pctx *c, int64_t *pos, char name[32], struct pnode *out, const struct pentry *e)
{
	struct fdtable *files = c->t ? task_get_files(c->t) : NULL;
	int fd;

	if (!files)
		return false;
	fd = *pos > INT32_MAX ? -1 : fdtable_next(files, (int)*pos);
	fdtable_put_table(files);
	if (fd < 0)
		return false;
	out->e = e;
	out->fd = fd;
	snprintf(name, 32, "%d", fd);
	*pos = (int64_t)fd + 1;
	return true;
}

int fd_lookup(struct pctx *c, const struct qstr *name, struct pnode *out)
{
	return lookup(c, name, out, &proc_fd_link);
}

bool fd_next(struct pctx *c, int64_t *pos, char name[32], struct pnode *out)
{
	return next(c, pos, name, out, &proc_fd_link);
}

int fdinfo_lookup(struct pctx *c, const struct qstr *name, struct pnode *out)
{
	return lookup(c, name, out, &proc_fdinfo_file);
}

bool fdinfo_next(struct pctx *c, int64_t *pos, char name[32], struct pnode *out)
{
	return next(c, pos, name, out, &proc_fdinfo_file);
}

int fd_follow(struct pctx *c, struct mount **mnt, struct dentry **d)
{
	struct file *f = file_of(c, c->node->fd);
	struct path p;

	if (!f)
		return -ENOENT;
	p = f->path;
	path_get(&p);
	file_put(f);
	*mnt = p.mnt;
	*d = p.dentry;
	return 0;
}

SHOW(show_fdinfo)
{
	struct fdtable *files = c->t ? task_get_files(c->t) : NULL;
	struct file *f = files ? fd_get(files, c->node->fd) : NULL;
	char extra[1024];
	int64_t pos;
	int n = 0;

	if (!f) {
		if (files)
			fdtable_put_table(files);
		return -ENOENT;
	}
	pos = window_position(&c->t->told.window, f);
	pprintf(b, "pos:\t%" PRId64 "\nflags:\t0%o\nmnt_id:\t%d\nino:\t%" PRIu64 "\n", pos,
		f->flags | (fd_get_cloexec(files, c->node->fd) > 0 ? LINUX_O_CLOEXEC : 0), 1, f->inode ? f->inode->ino : 0);
	if (f->ops->show_fdinfo)
		n = f->ops->show_fdinfo(f, extra, sizeof(extra));
	if (n > 0)
		pappend(b, extra, (size_t)n < sizeof(extra) ? (size_t)n : sizeof(extra) - 1);
	file_put(f);
	fdtable_put_table(files);
	return 0;
}
