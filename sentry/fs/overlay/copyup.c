/*
 * copyup.c - a lower file gets data of its own, in memory: streamed, holes left out.
 */
#include "fs/overlay/internal.h"

#include "fs/tmpfs/tmpfs.h"
#include "mm/usercopy.h"
#include "vfs/told.h"

#include <stdlib.h>

#define CHUNK (256u << 10)

int ovl_open_layer(struct inode *i, struct dentry *d, int flags, struct file **out)
{
	struct path p = { NULL, d };

	return vfs_open_path(&p, flags, osuper(i->sb)->cred, out);
}

int ovl_make_upper(struct onode *o)
{
	struct ovl_super *s = osuper(o->inode->sb);
	struct inode *root = s->upper->root->inode, *i;
	struct dentry *d;
	int r = root->ops->tmpfile(root, LINUX_S_IFREG | 0600, s->cred, &i);

	if (r)
		return r;
	d = dentry_new_anon(s->upper, "#overlay", i);
	if (!d) {
		inode_put(i);
		return -ENOMEM;
	}
	o->upper = d;
	return 0;
}

static int copy_range(struct file *from, struct file *to, int64_t pos, int64_t end, void *buf)
{
	while (pos < end) {
		size_t want = end - pos < (int64_t)CHUNK ? (size_t)(end - pos) : CHUNK;
		ssize_t n = file_read_kernel(from, buf, want, pos), w;
		struct uio u;

		if (n <= 0)
			return (int)n;
		uio_kernel(&u, buf, (uint64_t)n);
		w = file_pwrite(to, &u, pos);
		if (w != n)
			return w < 0 ? (int)w : -ENOSPC;
		pos += n;
	}
	return 0;
}

/* Nobody else has f: no pos_mu (which comes before the inode's mu that is held). */
static int64_t seek(struct file *f, int64_t pos, int whence)
{
	return f->ops->llseek ? f->ops->llseek(f, pos, whence) : llseek_size(f, pos, whence, (int64_t)inode_size(f->inode));
}

int overlay_copy_data(struct file *from, struct file *to, int64_t keep)
{
	void *buf = malloc(CHUNK);
	int64_t pos = 0;
	int r = buf ? 0 : -ENOMEM;

	while (!r && pos < keep) {
		int64_t data = seek(from, pos, LINUX_SEEK_DATA), hole;

		if (data == -ENXIO || data >= keep)
			break;
		hole = data < 0 ? keep : seek(from, data, LINUX_SEEK_HOLE);
		if (data < 0)
			data = pos;
		if (hole < 0 || hole > keep)
			hole = keep;
		r = copy_range(from, to, data, hole, buf);
		pos = hole;
	}
	free(buf);
	return r;
}

static uint64_t size_now(struct inode *i)
{
	struct kstat k;

	return inode_getattr(i, &k) ? 0 : k.size;
}

int ovl_copy_up(struct inode *i, uint64_t keep)
{
	struct onode *o = onode(i), tmp = { .inode = i };
	struct iattr a = { .valid = ATTR_SIZE };
	struct file *from = NULL, *to = NULL;
	int r;

	if (o->upper)
		return 0;
	r = ovl_make_upper(&tmp);
	if (r)
		return r;
	a.size = size_now(i);
	if (keep < a.size)
		a.size = keep;
	if (a.size) {
		struct inode *u = tmp.upper->inode;

		r = ovl_open_layer(i, o->lower, LINUX_O_RDONLY, &from);
		if (!r)
			r = ovl_open_layer(i, tmp.upper, LINUX_O_WRONLY, &to);
		if (!r)
			r = overlay_copy_data(from, to, (int64_t)a.size);
		if (!r)
			r = u->ops->setattr(u, &a); /* a hole at the end; nobody else knows u */
	}
	if (from)
		file_put(from);
	if (to)
		file_put(to);
	if (r) {
		dentry_put(tmp.upper);
		return r;
	}
	ovl_changed(i);
	mutex_lock(&i->a_mu);
	i->size = a.size;
	mutex_unlock(&i->a_mu);
	__atomic_store_n(&o->upper, tmp.upper, __ATOMIC_RELEASE);
	inode_changed(i); /* whoever was told of the lower data */
	return 0;
}
