/*
 * aio.c - io_setup, io_submit, io_getevents, io_pgetevents, io_cancel, io_destroy.
 *
 * A request is done when it is submitted, as Linux does what it finds no
 * asynchronous way for (files through the page cache, pipes, sockets): its event is in
 * the ring before io_submit returns, and there is never one to cancel.
 */
#include "fs/eventfd.h"
#include "kernel/aio.h"
#include "syscalls/fs_util.h"
#include "syscalls/poll_util.h"

#include <stdlib.h>

int64_t sys_io_setup(struct task *t, const uint64_t a[6])
{
	uint64_t id;
	int r;

	if (copy_from_user(t->mm, &id, UADDR(a[1]), sizeof(id)))
		return -EFAULT;
	if (id || !(unsigned)a[0])
		return -EINVAL;
	r = aio_setup(t, (unsigned)a[0], &id);
	if (!r && copy_to_user(t->mm, UADDR(a[1]), &id, sizeof(id))) {
		aio_destroy(t, id);
		r = -EFAULT;
	}
	return r;
}

int64_t sys_io_destroy(struct task *t, const uint64_t a[6])
{
	return aio_destroy(t, a[0]);
}

/* --- requests ----------------------------------------------------------------------- */

/* One that has been read and checked. */
struct request {
	struct linux_iocb io;
	struct file *file; /* referenced */
	struct file *told; /* an eventfd to count it in, referenced; or NULL */
};

/* Both only say why a request is not begun at all; its own failure is in its event. */
static int check_transfer(const struct request *q, bool write)
{
	if (!(q->file->mode & (write ? FILE_WRITE : FILE_READ)))
		return -EBADF;
	if (!(write ? q->file->ops->write : q->file->ops->read))
		return -EINVAL;
	return 0;
}

static int check_read(const struct request *q) { return check_transfer(q, false); }
static int check_write(const struct request *q) { return check_transfer(q, true); }

static int check_sync(const struct request *q)
{
	return q->io.buf || q->io.offset || q->io.nbytes || q->io.rw_flags || !q->file->ops->fsync ? -EINVAL : 0;
}

static int64_t run_transfer(struct task *t, struct request *q, bool write, bool vector)
{
	bool positioned = !(q->file->mode & FILE_STREAM);
	struct iovec_user few[8], *v = few;
	struct uio u;
	int64_t r;

	if (positioned && q->io.offset < 0)
		return -EINVAL;
	if (vector) {
		r = uio_import(t->mm, UADDR(q->io.buf), q->io.nbytes, few, &v);
		if (r < 0)
			return r;
		uio_user_iov(&u, t->mm, v, q->io.nbytes);
	} else {
		uio_user(&u, t->mm, UADDR(q->io.buf), q->io.nbytes);
	}
	r = rw_transfer(t, q->file, &u, write, q->io.offset, positioned);
	if (v != few)
		free(v);
	return r;
}

static int64_t run_read(struct task *t, struct request *q) { return run_transfer(t, q, false, false); }
static int64_t run_write(struct task *t, struct request *q) { return run_transfer(t, q, true, false); }
static int64_t run_readv(struct task *t, struct request *q) { return run_transfer(t, q, false, true); }
static int64_t run_writev(struct task *t, struct request *q) { return run_transfer(t, q, true, true); }
static int64_t run_fsync(struct task *t, struct request *q) { return q->file->ops->fsync(q->file, false); }
static int64_t run_fdsync(struct task *t, struct request *q) { return q->file->ops->fsync(q->file, true); }

static const struct command {
	int (*check)(const struct request *q);
	int64_t (*run)(struct task *t, struct request *q);
} commands[] = {
	[LINUX_IOCB_CMD_PREAD] = { check_read, run_read },
	[LINUX_IOCB_CMD_PWRITE] = { check_write, run_write },
	[LINUX_IOCB_CMD_FSYNC] = { check_sync, run_fsync },
	[LINUX_IOCB_CMD_FDSYNC] = { check_sync, run_fdsync },
	[LINUX_IOCB_CMD_PREADV] = { check_read, run_readv },
	[LINUX_IOCB_CMD_PWRITEV] = { check_write, run_writev },
};

/* Finds the files and checks the command. On an error the caller lets go of what is there. */
static int open_request(struct task *t, struct request *q, uint64_t at, const struct command **cmd)
{
	const uint32_t key = 0;

	if (copy_from_user(t->mm, &q->io, UADDR(at), sizeof(q->io)))
		return -EFAULT;
	if (q->io.reserved || (int64_t)q->io.nbytes < 0)
		return -EINVAL;
	q->file = fd_get_io(t->files, (int)q->io.fd);
	if (!q->file)
		return -EBADF;
	if (q->io.flags & LINUX_IOCB_FLAG_RESFD) {
		q->told = fd_get_io(t->files, (int)q->io.resfd);
		if (!q->told)
			return -EBADF;
		if (!eventfd_is(q->told))
			return -EINVAL;
	}
	if (copy_to_user(t->mm, UADDR(at + offsetof(struct linux_iocb, key)), &key, sizeof(key)))
		return -EFAULT;
	if (q->io.opcode >= sizeof(commands) / sizeof(commands[0]) || !commands[q->io.opcode].run)
		return -EINVAL;
	*cmd = &commands[q->io.opcode];
	return (*cmd)->check(q);
}

static int submit_one(struct task *t, struct aio_ctx *c, uint64_t at)
{
	struct request q = { 0 };
	const struct command *cmd;
	int r = aio_reserve(c);

	if (r)
		return r;
	r = open_request(t, &q, at, &cmd);
	if (r) {
		aio_unreserve(c);
	} else {
		struct linux_io_event e = { .data = q.io.data, .obj = at };
		int64_t res = cmd->run(t, &q);

		/* it cannot be begun again: the program would see it twice */
		e.res = res <= -ERESTARTSYS && res >= -ERESTART_RESTARTBLOCK ? -EINTR : res;
		aio_complete(c, &e);
		if (q.told)
			eventfd_count(q.told, 1);
	}
	file_put(q.told);
	file_put(q.file);
	return r;
}

int64_t sys_io_submit(struct task *t, const uint64_t a[6])
{
	struct aio_ctx *c = aio_find(t, a[0]);
	int64_t n = (int64_t)a[1], done = 0;
	int r = 0;

	if (!c)
		return -EINVAL;
	if (n < 0)
		r = -EINVAL;
	for (; !r && done < n && !(done && task_interrupted(t)); done += !r) {
		uint64_t at;

		r = copy_from_user(t->mm, &at, UADDR(a[2] + (uint64_t)done * sizeof(at)), sizeof(at)) ? -EFAULT : submit_one(t, c, at);
	}
	aio_put(c);
	return done ? done : r;
}

/* What is submitted is done. */
int64_t sys_io_cancel(struct task *t, const uint64_t a[6])
{
	struct aio_ctx *c;
	uint32_t key;

	if (copy_from_user(t->mm, &key, UADDR(a[1] + offsetof(struct linux_iocb, key)), sizeof(key)))
		return -EFAULT;
	c = aio_find(t, a[0]);
	if (c)
		aio_put(c);
	return -EINVAL;
}

/* --- events ----------------------------------------------------------------------------- */

struct to_user {
	struct task *t;
	uint64_t at;
};

static int put_event(void *arg, unsigned i, const struct linux_io_event *e)
{
	struct to_user *u = arg;

	return copy_to_user(u->t->mm, UADDR(u->at + i * sizeof(*e)), e, sizeof(*e));
}

static int64_t get_events(struct task *t, const uint64_t a[6])
{
	struct to_user u = { t, a[3] };
	int64_t min = (int64_t)a[1], max = (int64_t)a[2], ns, deadline = WAIT_FOREVER, r;
	struct aio_ctx *c;

	if (a[4]) {
		r = copy_timespec_from_user(t, UADDR(a[4]), &ns);
		if (r)
			return r;
		deadline = ns ? deadline_after(ns) : 0;
	}
	c = aio_find(t, a[0]);
	if (!c)
		return -EINVAL;
	if (min < 0 || max < 0 || min > max)
		r = -EINVAL;
	else
		r = aio_take(c, min > UINT32_MAX ? UINT32_MAX : (unsigned)min, max > UINT32_MAX ? UINT32_MAX : (unsigned)max, deadline, put_event, &u);
	aio_put(c);
	return r == -ERESTARTSYS ? -EINTR : r;
}

int64_t sys_io_getevents(struct task *t, const uint64_t a[6])
{
	return get_events(t, a);
}

int64_t sys_io_pgetevents(struct task *t, const uint64_t a[6])
{
	uint64_t mask[2] = { 0, 8 }; /* where it is, its size */
	int64_t r;

	if (a[5] && copy_from_user(t->mm, mask, UADDR(a[5]), sizeof(mask)))
		return -EFAULT;
	r = temp_mask_begin(t, UADDR(mask[0]), mask[1]);
	if (r)
		return r;
	r = get_events(t, a);
	temp_mask_end(t, UADDR(mask[0]), r);
	return r;
}
