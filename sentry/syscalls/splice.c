/*
 * splice.c - splice, tee, vmsplice, sendfile, all by copying through a buffer.
 *
 * What was taken out of a pipe and could not be delivered is put back in front;
 * what is read for a pipe always fits (pipe_push).
 */
#include "fs/pipe.h"

#include "abi/fcntl.h"
#include "abi/fs.h"
#include "kernel/task_table.h"
#include "syscalls/fs_util.h"

#include <errno.h>
#include <stdlib.h>

#define SPLICE_F_NONBLOCK_BIT 2u
#define SPLICE_F_ALL_BITS 15u
#define CHUNK 65536u

static ssize_t read_at(struct file *f, void *buf, size_t n, int64_t *pos)
{
	struct uio u;
	ssize_t r;

	uio_kernel(&u, buf, n);
	if (!pos)
		return file_read(f, &u);
	r = file_pread(f, &u, *pos);
	if (r > 0)
		*pos += r;
	return r;
}

static ssize_t write_at(struct file *f, void *buf, size_t n, int64_t *pos)
{
	struct uio u;
	ssize_t r;

	uio_kernel(&u, buf, n);
	r = rw_limit_size(task_current(), f, &u, pos);
	if (r)
		return r;
	file_remove_privs(f, task_current()->cred);
	if (!pos)
		return file_write(f, &u);
	r = file_pwrite(f, &u, *pos);
	if (r > 0)
		*pos += r;
	return r;
}

/* --- one chunk each: bytes moved, 0 at the end, -errno ------------------------------- */

static ssize_t chunk_from_pipe(struct pipe *in, struct file *out, int64_t *pos, void *buf, size_t n, bool nonblock)
{
	ssize_t got = pipe_pull(in, buf, n, nonblock, false), r;

	if (got <= 0)
		return got;
	r = write_at(out, buf, got, pos);
	if (r < got)
		pipe_unpull(in, (char *)buf + (r > 0 ? r : 0), got - (r > 0 ? r : 0));
	return r;
}

static ssize_t chunk_to_pipe(struct file *in, int64_t *pos, struct pipe *out, void *buf, size_t n, bool nonblock)
{
	ssize_t room = pipe_wait_room(out, nonblock), r;

	if (room <= 0)
		return room;
	r = read_at(in, buf, n < (size_t)room ? n : (size_t)room, pos);
	return r > 0 ? pipe_push(out, buf, r) : r;
}

static ssize_t chunk_pipes(struct pipe *in, struct pipe *out, void *buf, size_t n, bool nonblock, bool peek)
{
	ssize_t room = pipe_wait_room(out, nonblock), r;

	if (room <= 0)
		return room;
	r = pipe_pull(in, buf, n < (size_t)room ? n : (size_t)room, nonblock, peek);
	if (r <= 0)
		return r;
	room = pipe_push(out, buf, r);
	if (room < 0 && !peek)
		pipe_unpull(in, buf, r);
	return room;
}

static ssize_t splice_chunk(struct file *in, int64_t *in_pos, struct file *out, int64_t *out_pos, void *buf, size_t n, bool nonblock)
{
	struct pipe *pi = pipe_of(in), *po = pipe_of(out);

	if (pi && po)
		return chunk_pipes(pi, po, buf, n, nonblock || file_nonblock(in) || file_nonblock(out), false);
	if (pi)
		return chunk_from_pipe(pi, out, out_pos, buf, n, nonblock || file_nonblock(in));
	return chunk_to_pipe(in, in_pos, po, buf, n, nonblock || file_nonblock(out));
}

/* Moves up to len; only the first chunk waits. */
static ssize_t splice_files(struct file *in, int64_t *in_pos, struct file *out, int64_t *out_pos, uint64_t len, bool nonblock)
{
	void *buf = malloc(CHUNK);
	ssize_t done = 0, r = 0;

	if (!buf)
		return -ENOMEM;
	while (len) {
		r = splice_chunk(in, in_pos, out, out_pos, buf, len < CHUNK ? len : CHUNK, nonblock || done);
		if (r <= 0)
			break;
		done += r;
		len -= r;
	}
	free(buf);
	return done ? done : r;
}

/* Fetches an offset argument; pipes have none. *pos NULL without one. */
static int get_offset(struct task *t, struct file *f, uaddr at, int64_t *store, int64_t **pos)
{
	*pos = NULL;
	if (!at.v)
		return 0;
	if (pipe_of(f) || f->mode & FILE_STREAM)
		return -ESPIPE;
	if (copy_from_user(t->mm, store, at, sizeof(*store)))
		return -EFAULT;
	*pos = store;
	return *store < 0 ? -EINVAL : 0;
}

static int64_t splice_checked(struct task *t, struct file *in, uaddr in_at, struct file *out, uaddr out_at, uint64_t len, unsigned flags)
{
	int64_t in_off = 0, out_off = 0, *in_pos, *out_pos, r;

	if (!(in->mode & FILE_READ) || !(out->mode & FILE_WRITE))
		return -EBADF;
	r = get_offset(t, in, in_at, &in_off, &in_pos);
	if (!r)
		r = get_offset(t, out, out_at, &out_off, &out_pos);
	if (r)
		return r;
	if ((!pipe_of(in) && !pipe_of(out)) || (pipe_of(in) && pipe_of(in) == pipe_of(out)) || out->flags & LINUX_O_APPEND)
		return -EINVAL;
	if (len > MAX_RW_COUNT)
		len = MAX_RW_COUNT;
	r = splice_files(in, in_pos, out, out_pos, len, flags & SPLICE_F_NONBLOCK_BIT);
	if (r > 0 && ((in_pos && copy_to_user(t->mm, in_at, in_pos, 8)) || (out_pos && copy_to_user(t->mm, out_at, out_pos, 8))))
		r = -EFAULT;
	if (r == -EPIPE)
		signal_send_task(t, LINUX_SIGPIPE, NULL);
	return r;
}

int64_t sys_splice(struct task *t, const uint64_t a[6])
{
	struct file *in, *out;
	int64_t r;

	if (!a[4])
		return 0;
	if (a[5] & ~(uint64_t)SPLICE_F_ALL_BITS)
		return -EINVAL;
	in = fd_get_io(t->files, (int)a[0]);
	out = fd_get_io(t->files, (int)a[2]);
	r = in && out ? splice_checked(t, in, UADDR(a[1]), out, UADDR(a[3]), a[4], (unsigned)a[5]) : -EBADF;
	file_put(in);
	file_put(out);
	return r;
}

static int64_t tee_checked(struct file *in, struct file *out, uint64_t len, bool nonblock)
{
	struct pipe *pi = pipe_of(in), *po = pipe_of(out);
	void *buf;
	ssize_t r;

	if (!(in->mode & FILE_READ) || !(out->mode & FILE_WRITE))
		return -EBADF;
	if (!pi || !po || pi == po)
		return -EINVAL;
	if (len > CHUNK)
		len = CHUNK;
	buf = malloc(len);
	if (!buf)
		return -ENOMEM;
	r = chunk_pipes(pi, po, buf, len, nonblock || file_nonblock(in) || file_nonblock(out), true);
	free(buf);
	return r;
}

int64_t sys_tee(struct task *t, const uint64_t a[6])
{
	struct file *in, *out;
	int64_t r;

	if (a[3] & ~(uint64_t)SPLICE_F_ALL_BITS)
		return -EINVAL;
	if (!a[2])
		return 0;
	in = fd_get_io(t->files, (int)a[0]);
	out = fd_get_io(t->files, (int)a[1]);
	r = in && out ? tee_checked(in, out, a[2], a[3] & SPLICE_F_NONBLOCK_BIT) : -EBADF;
	file_put(in);
	file_put(out);
	if (r == -EPIPE)
		signal_send_task(t, LINUX_SIGPIPE, NULL);
	return r;
}

/* Into a pipe as write, out of one as read. */
int64_t sys_vmsplice(struct task *t, const uint64_t a[6])
{
	struct iovec_user small[8], *iov = small;
	struct file *f;
	struct uio u;
	int64_t r;

	if (a[3] & ~(uint64_t)SPLICE_F_ALL_BITS)
		return -EINVAL;
	f = fd_get_io(t->files, (int)a[0]);
	if (!f)
		return -EBADF;
	if (!pipe_of(f)) {
		file_put(f);
		return -EBADF;
	}
	r = uio_import(t->mm, UADDR(a[1]), a[2], small, &iov);
	if (r > 0) {
		uio_user_iov(&u, t->mm, iov, a[2]);
		if (a[3] & SPLICE_F_NONBLOCK_BIT && f->mode & FILE_WRITE)
			r = pipe_wait_room(pipe_of(f), true);
		if (r > 0)
			r = f->mode & FILE_WRITE ? file_write(f, &u) : file_read(f, &u);
	}
	if (iov != small)
		free(iov);
	file_put(f);
	if (r == -EPIPE)
		signal_send_task(t, LINUX_SIGPIPE, NULL);
	return r;
}

/* --- sendfile ------------------------------------------------------------------------------ */

/* Copies up to len from in (at *pos, or its own position) to out. */
static ssize_t copy_files(struct file *in, int64_t *pos, struct file *out, uint64_t len)
{
	void *buf = malloc(CHUNK);
	ssize_t done = 0, r = 0;
	int64_t at;

	if (!buf)
		return -ENOMEM;
	at = pos ? *pos : file_pos(in);
	while (len) {
		int64_t before = at;

		r = read_at(in, buf, len < CHUNK ? len : CHUNK, &at);
		if (r <= 0)
			break;
		ssize_t w = write_at(out, buf, r, NULL);
		if (w < r) { /* what was not sent is not read either */
			at = before + (w > 0 ? w : 0);
			done += w > 0 ? w : 0;
			r = w;
			break;
		}
		done += w;
		len -= w;
	}
	free(buf);
	if (pos)
		*pos = at;
	else {
		mutex_lock(&in->pos_mu);
		in->pos = at;
		mutex_unlock(&in->pos_mu);
	}
	return done ? done : r;
}

int64_t sys_sendfile(struct task *t, const uint64_t a[6])
{
	struct file *out = fd_get_io(t->files, (int)a[0]), *in = fd_get_io(t->files, (int)a[1]);
	uint64_t len = a[3] > MAX_RW_COUNT ? MAX_RW_COUNT : a[3];
	int64_t store, *pos = NULL, r = -EBADF;

	if (a[2] && copy_from_user(t->mm, &store, UADDR(a[2]), sizeof(store)))
		r = -EFAULT;
	else if (in && out && in->mode & FILE_READ && out->mode & FILE_WRITE) {
		r = get_offset(t, in, UADDR(a[2]), &store, &pos);
		if (!r && ((len && (in->mode & FILE_STREAM || LINUX_S_ISDIR(in->inode->mode))) || out->flags & LINUX_O_APPEND))
			r = -EINVAL;
		if (!r) {
			r = copy_files(in, pos, out, len);
			task_count_io(t, false, r);
			task_count_io(t, true, r);
		}
		if (r >= 0 && pos && copy_to_user(t->mm, UADDR(a[2]), pos, sizeof(*pos)))
			r = -EFAULT;
	}
	file_put(in);
	file_put(out);
	if (r == -EPIPE)
		signal_send_task(t, LINUX_SIGPIPE, NULL);
	return r;
}
