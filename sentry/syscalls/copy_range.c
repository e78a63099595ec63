/*
 * copy_range.c - copy_file_range: between two host files the host copies; else data goes
 * through a kernel buffer, also from one file system that stores to another.  (sendfile: splice.c)
 */
#include "kernel/task_table.h"
#include "syscalls/fs_util.h"
#include "vfs/notify.h"

#include <stdlib.h>
#include <unistd.h>

#define CHUNK (128u << 10)

static ssize_t write_all(struct file *out, const void *buf, size_t n, int64_t *pos)
{
	union {
		const void *c;
		void *v;
	} p = { .c = buf };
	struct uio u;
	ssize_t r;

	uio_kernel(&u, p.v, n);
	r = pos ? file_pwrite(out, &u, *pos) : file_write(out, &u);
	if (r > 0 && pos)
		*pos += r;
	return r;
}

static ssize_t read_some(struct file *in, void *buf, size_t n, int64_t *pos)
{
	struct uio u;

	uio_kernel(&u, buf, n);
	return file_pread(in, &u, *pos);
}

/* Most files are smaller than a chunk, and a small buffer costs no mapping. */
static size_t buffer_size(const struct file *in, int64_t pos, uint64_t len)
{
	uint64_t size = inode_size(in->inode), left = (uint64_t)pos < size ? size - (uint64_t)pos : 0;

	if (left < PAGE_SIZE)
		left = PAGE_SIZE;
	if (left > CHUNK)
		left = CHUNK;
	return len < left ? len : left;
}

/* Moves at most len bytes; what the output does not take is not consumed. */
static int64_t copy_through(struct task *t, struct file *in, int64_t *in_pos, struct file *out, int64_t *out_pos, uint64_t len)
{
	size_t size = buffer_size(in, *in_pos, len);
	uint8_t *buf = malloc(size);
	int64_t done = 0, r = buf ? 0 : -ENOMEM;

	while (!r && (uint64_t)done < len) {
		ssize_t n = read_some(in, buf, len - (uint64_t)done < size ? len - (uint64_t)done : size, in_pos), w;

		if (n <= 0) {
			r = n;
			break;
		}
		file_remove_privs(out, t->cred);
		w = write_all(out, buf, (size_t)n, out_pos);
		if (w < 0) {
			r = w;
			break;
		}
		*in_pos += w;
		done += w;
		if (w < n || task_interrupted(t))
			break;
	}
	free(buf);
	return done ? done : r;
}

/* A descriptor argument with an optional offset in program memory. */
static int load_offset(struct task *t, uint64_t at, struct file *f, int64_t *pos)
{
	if (!at) {
		*pos = file_llseek(f, 0, LINUX_SEEK_CUR); /* a donated file's position is the host's */
		return *pos < 0 ? (int)*pos : 0;
	}
	if (copy_from_user(t->mm, pos, UADDR(at), sizeof(*pos)))
		return -EFAULT;
	return *pos < 0 ? -EINVAL : 0;
}

static int store_offset(struct task *t, uint64_t at, struct file *f, int64_t pos)
{
	if (at)
		return copy_to_user(t->mm, UADDR(at), &pos, sizeof(pos));
	(void)!file_llseek(f, pos, LINUX_SEEK_SET);
	return 0;
}

static int check_files(const struct file *in, const struct file *out)
{
	if (!LINUX_S_ISREG(in->inode->mode) || !LINUX_S_ISREG(out->inode->mode))
		return LINUX_S_ISDIR(in->inode->mode) || LINUX_S_ISDIR(out->inode->mode) ? -EISDIR : -EINVAL;
	if (!(in->mode & FILE_READ) || !(out->mode & FILE_WRITE) || out->flags & LINUX_O_APPEND)
		return -EBADF;
	return 0;
}

/* Within one file *len ends where the file does: only what is there can overlap, and what is copied is not copied again. */
static int check_range(struct task *t, struct file *in, struct file *out, int64_t ip, int64_t op, uint64_t *len)
{
	int64_t size = (int64_t)inode_size(in->inode);
	int r;

	if (ip > INT64_MAX - (int64_t)*len || op > INT64_MAX - (int64_t)*len)
		return -EOVERFLOW;
	r = rw_limit_len(t, op, len); /* also of a copy of nothing */
	if (r || in->inode != out->inode)
		return r;
	if (ip >= size)
		*len = 0;
	else if (*len > (uint64_t)(size - ip))
		*len = (uint64_t)(size - ip);
	return ip < op + (int64_t)*len && op < ip + (int64_t)*len ? -EINVAL : 0;
}

/* The host took the set-id bits, as it takes us for the writer: those that the
 * program's write leaves are put back. */
static void keep_set_id(struct inode *i, const struct cred *c)
{
	struct iattr a = { .valid = ATTR_MODE, .mode = i->mode & 07777 & ~inode_set_id_lost_to_write(i, c) };

	mutex_lock(&i->mu);
	(void)!i->ops->setattr(i, &a);
	mutex_unlock(&i->mu);
}

static int64_t host_copy(struct task *t, struct file *in, int64_t *ip, struct file *out, int64_t *op, uint64_t len)
{
	int from = in->ops->host_fd ? in->ops->host_fd(in) : -1, to = out->ops->host_fd ? out->ops->host_fd(out) : -1;
	off_t i = *ip, o = *op;
	ssize_t n;

	if (from < 0 || to < 0)
		return -EXDEV;
	n = copy_file_range(from, &i, to, &o, len, 0);
	if (n < 0)
		return -errno;
	*ip = i;
	*op = o;
	if (n && out->inode->mode & (LINUX_S_ISUID | LINUX_S_ISGID))
		keep_set_id(out->inode, t->cred);
	if (n)
		notify_dentry(out->path.dentry, NOTIFY_MODIFY);
	return n;
}

/* Its file system stores what is written to it, and a file's size says how much there is (not so in /proc). */
static bool stores(const struct file *f) { return f->ops->fallocate; }

/*
 * From one file system to another, Linux leaves copying to the program (EXDEV), unless a file
 * system knows how: ours do, as long as they store.
 */
static bool may_copy_through(const struct file *in, const struct file *out)
{
	return in->inode->sb == out->inode->sb || (stores(in) && stores(out));
}

static int64_t do_copy_range(struct task *t, struct file *in, uint64_t in_at, struct file *out, uint64_t out_at, uint64_t len)
{
	int64_t ip, op, r = check_files(in, out);

	if (!r)
		r = load_offset(t, in_at, in, &ip);
	if (!r)
		r = load_offset(t, out_at, out, &op);
	if (len > MAX_RW_COUNT)
		len = MAX_RW_COUNT;
	if (!r)
		r = check_range(t, in, out, ip, op, &len);
	if (r || !len)
		return r;
	r = host_copy(t, in, &ip, out, &op, len);
	if (r == -EXDEV && !may_copy_through(in, out))
		return r;
	if (r == -EXDEV || r == -EOPNOTSUPP || r == -EINVAL || r == -ENOSYS)
		r = copy_through(t, in, &ip, out, &op, len);
	task_count_io(t, false, r);
	task_count_io(t, true, r);
	if (r > 0 && (store_offset(t, in_at, in, ip) || store_offset(t, out_at, out, op)))
		return -EFAULT;
	return r;
}

int64_t sys_copy_file_range(struct task *t, const uint64_t a[6])
{
	struct file *in = fd_get_io(t->files, (int)a[0]), *out = fd_get_io(t->files, (int)a[2]);
	int64_t r;

	if (!in || !out)
		r = -EBADF;
	else
		r = a[5] ? -EINVAL : do_copy_range(t, in, a[1], out, a[3], a[4]);
	if (in)
		file_put(in);
	if (out)
		file_put(out);
	return r;
}
