/*
 * eventfd.c - counters as files (eventfd(2)).  [e->mu] RANK_FILE guards the
 * count; wake-ups come only when readiness changes or a reader may wait.
 */
#include "fs/eventfd.h"

#include "abi/fcntl.h"
#include "lib/lock.h"
#include "lib/wait.h"
#include "mm/usercopy.h"
#include "vfs/file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct eventfd {
	struct mutex mu; /* RANK_FILE */
	struct waitq wq;
	uint64_t count; /* [mu] < UINT64_MAX */
	bool semaphore; /* [I] */
};

static int eventfd_sleep(struct eventfd *e, struct waiter *w, uint32_t events)
{
	int r;

	if (!w->q)
		wait_begin(w, &e->wq, events);
	mutex_unlock(&e->mu);
	r = wait_sleep(WAIT_FOREVER);
	mutex_lock(&e->mu);
	return r;
}

static ssize_t eventfd_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct eventfd *e = f->priv;
	struct waiter w = { 0 };
	uint64_t value = 0;
	ssize_t r = 0;

	if (u->resid < sizeof(value))
		return -EINVAL;
	mutex_lock(&e->mu);
	while (!e->count && !r)
		r = file_nonblock(f) ? -EAGAIN : eventfd_sleep(e, &w, EVENT_IN);
	if (e->count) {
		r = 0;
		value = e->semaphore ? 1 : e->count;
		e->count -= value;
	}
	mutex_unlock(&e->mu);
	wait_end(&w);
	if (r)
		return r;
	waitq_wake(&e->wq, EVENT_OUT | EVENT_WRNORM);
	r = uio_copy_out(u, &value, sizeof(value));
	return r == sizeof(value) ? r : -EFAULT;
}

static ssize_t eventfd_write(struct file *f, struct uio *u, int64_t *pos)
{
	struct eventfd *e = f->priv;
	struct waiter w = { 0 };
	uint64_t value;
	ssize_t r;

	if (u->resid < sizeof(value))
		return -EINVAL;
	if (uio_copy_in(u, &value, sizeof(value)) != sizeof(value))
		return -EFAULT;
	if (value == UINT64_MAX)
		return -EINVAL;
	r = 0;
	mutex_lock(&e->mu);
	while (UINT64_MAX - e->count <= value && !r)
		r = file_nonblock(f) ? -EAGAIN : eventfd_sleep(e, &w, EVENT_OUT);
	if (UINT64_MAX - e->count > value) {
		r = 0;
		e->count += value;
		waitq_touch(&e->wq, EVENT_IN);
	}
	mutex_unlock(&e->mu);
	wait_end(&w);
	if (r)
		return r;
	waitq_wake(&e->wq, EVENT_IN | EVENT_RDNORM);
	return sizeof(value);
}

static uint32_t eventfd_poll(struct file *f)
{
	struct eventfd *e = f->priv;
	uint32_t ev = 0;

	mutex_lock(&e->mu);
	if (e->count)
		ev |= EVENT_IN;
	if (e->count < UINT64_MAX - 1)
		ev |= EVENT_OUT;
	mutex_unlock(&e->mu);
	return ev;
}

static int eventfd_show(struct file *f, char *buf, size_t size)
{
	struct eventfd *e = f->priv;
	uint64_t n;

	mutex_lock(&e->mu);
	n = e->count;
	mutex_unlock(&e->mu);
	return snprintf(buf, size, "eventfd-count: %16" PRIx64 "\n", n);
}

static void eventfd_release(struct file *f)
{
	struct eventfd *e = f->priv;

	waitq_destroy(&e->wq);
	mutex_destroy(&e->mu);
	free(e);
}

static const struct file_ops eventfd_ops = {
	.read = eventfd_read,
	.write = eventfd_write,
	.poll = eventfd_poll,
	.show_fdinfo = eventfd_show,
	.release = eventfd_release,
};

bool eventfd_is(const struct file *f)
{
	return f->ops == &eventfd_ops;
}

void eventfd_count(struct file *f, uint64_t n)
{
	struct eventfd *e = f->priv;

	mutex_lock(&e->mu);
	e->count = n < UINT64_MAX - 1 - e->count ? e->count + n : UINT64_MAX - 1;
	waitq_touch(&e->wq, EVENT_IN);
	mutex_unlock(&e->mu);
	waitq_wake(&e->wq, EVENT_IN | EVENT_RDNORM);
}

int eventfd_create(struct vfs *v, uint32_t count, bool semaphore, int flags, const struct cred *c, struct file **out)
{
	struct eventfd *e = calloc(1, sizeof(*e));
	int r;

	if (!e)
		return -ENOMEM;
	mutex_init(&e->mu, RANK_FILE);
	waitq_init(&e->wq);
	e->count = count;
	e->semaphore = semaphore;
	r = file_new_anon(v, &eventfd_ops, "[eventfd]", 0600, flags | LINUX_O_RDWR, c, e, out);
	if (r) {
		free(e);
		return r;
	}
	(*out)->wq = &e->wq;
	(*out)->mode |= FILE_STREAM | FILE_TOUCHES;
	return 0;
}
