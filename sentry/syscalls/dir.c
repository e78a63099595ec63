/*
 * dir.c - getdents64, getdents.  Entries are laid out in a kernel buffer first: the file
 * system may hold locks while it lists.
 */
#include "syscalls/fs_util.h"
#include "syscalls/told.h"
#include "vfs/notify.h"

#include <stdlib.h>
#include <string.h>

#define BUFFER_MAX (64u << 10)

struct filler {
	struct dirent_sink sink;
	uint8_t *buf;
	size_t used, size;
	bool old_format;
	bool full; /* an entry did not fit */
};

static int add_entry(struct dirent_sink *s, const char *name, size_t len, uint64_t ino, unsigned type, int64_t next)
{
	struct filler *f = (struct filler *)s;
	size_t head = f->old_format ? offsetof(struct linux_dirent, name) : offsetof(struct linux_dirent64, name);
	size_t rec = (head + len + (f->old_format ? 2 : 1) + 7) & ~(size_t)7;
	uint8_t *p = f->buf + f->used;

	if (rec > f->size - f->used) {
		f->full = true;
		return 1;
	}
	memset(p, 0, rec);
	if (f->old_format) {
		struct linux_dirent *d = (struct linux_dirent *)p;

		d->ino = ino;
		d->off = next;
		d->reclen = (uint16_t)rec;
		p[rec - 1] = (uint8_t)type;
	} else {
		struct linux_dirent64 *d = (struct linux_dirent64 *)p;

		d->ino = ino;
		d->off = next;
		d->reclen = (uint16_t)rec;
		d->type = (uint8_t)type;
	}
	memcpy(p + head, name, len);
	f->used += rec;
	return 0;
}

static int64_t list(struct task *t, struct file *f, uint64_t to, unsigned count, bool old_format)
{
	struct filler fl = { .sink = { .add = add_entry }, .size = count < BUFFER_MAX ? count : BUFFER_MAX, .old_format = old_format };
	bool all;
	int64_t pos, r;

	if (!f->ops->readdir)
		return -ENOTDIR;
	fl.buf = malloc(fl.size ? fl.size : 1);
	if (!fl.buf)
		return -ENOMEM;
	mutex_lock(&f->pos_mu);
	pos = f->pos;
	r = f->ops->readdir(f, &fl.sink);
	all = !r && !fl.full;
	if (fl.used) {
		r = (int64_t)fl.used;
		if (copy_to_user(t->mm, UADDR(to), fl.buf, fl.used)) {
			f->pos = pos;
			r = -EFAULT;
		}
	} else if (r >= 0) {
		r = fl.full ? -EINVAL : 0;
	}
	mutex_unlock(&f->pos_mu);
	if (r >= 0)
		notify_dentry(f->path.dentry, NOTIFY_ACCESS);
	tell_listed(t, f, r >= 0 && all);
	free(fl.buf);
	return r;
}

static int64_t getdents(struct task *t, const uint64_t a[6], bool old_format)
{
	struct file *f = fd_get_io(t->files, (int)a[0]);
	int64_t r;

	if (!f)
		return -EBADF;
	r = list(t, f, a[1], (unsigned)a[2], old_format);
	file_put(f);
	return r;
}

int64_t sys_getdents64(struct task *t, const uint64_t a[6]) { return getdents(t, a, false); }
int64_t sys_getdents(struct task *t, const uint64_t a[6]) { return getdents(t, a, true); }
