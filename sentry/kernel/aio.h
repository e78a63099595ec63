/*
 * aio.h - contexts of asynchronous input and output (io_setup(2)): where the events of
 * requests that are done wait to be taken.  The requests are syscalls/aio.c's.
 *
 * A context belongs to an address space, in which its ring of events is mapped: the
 * program may take events from there without a call.  Its number is the ring's address.
 */
#ifndef SENTRY_KERNEL_AIO_H
#define SENTRY_KERNEL_AIO_H

#include "abi/aio.h"

#include <stdint.h>

struct aio_ctx;
struct task;

int aio_setup(struct task *t, unsigned nr, uint64_t *id); /* -EINVAL, -EAGAIN, -ENOMEM */
int aio_destroy(struct task *t, uint64_t id); /* -EINVAL; who waits for events gets -EINVAL */
struct aio_ctx *aio_find(struct task *t, uint64_t id); /* a new reference, or NULL */
void aio_put(struct aio_ctx *c);

/* Room for one more event: each request needs it. -EAGAIN, -EINVAL (destroyed). */
int aio_reserve(struct aio_ctx *c);
void aio_unreserve(struct aio_ctx *c); /* it came to nothing */
void aio_complete(struct aio_ctx *c, const struct linux_io_event *e); /* uses one up */

/* Takes up to max events, waiting for min of them until the deadline: how many, -EINVAL, -EFAULT, or
 * -ERESTARTSYS when a signal came before the first. put: called with a lock held (RANK_FILE), 0 or -EFAULT. */
typedef int aio_put_fn(void *arg, unsigned i, const struct linux_io_event *e);
int64_t aio_take(struct aio_ctx *c, unsigned min, unsigned max, int64_t deadline, aio_put_fn *put, void *arg);

#endif
