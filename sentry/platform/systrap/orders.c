/*
 * orders.c - what the mapper of a stub process is told.
 *
 * The mapper waits in a system call that its filter turns into a notification
 * to us; our answer is the number of orders in its page, and its next
 * notification carries how many it has done and the last result, in registers
 * that no program code can touch.  Any thread may give orders; as->mu is held.
 * No program thread takes part or need be stopped: when the mapper has changed
 * a mapping, the host has changed it for all threads of the process.
 */
#include "platform/stub_fd.h"
#include "platform/systrap/systrap.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#ifndef SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1ul << 0)
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif

/* Room for what newer hosts may add. */
union notif {
	struct seccomp_notif n;
	uint8_t room[256];
};
union answer {
	struct seccomp_notif_resp r;
	uint8_t room[256];
};

/* Until there is something to receive; false: all its threads have ended. */
static bool await_report(struct st_as *as)
{
	struct pollfd pfd = { .fd = as->notify_fd, .events = POLLIN };
	int n;

	while ((n = poll(&pfd, 1, -1)) < 0 && errno == EINTR)
		;
	return n > 0 && pfd.revents & POLLIN;
}

int st_orders_report(struct st_as *as, uint64_t *done, int64_t *result)
{
	bool look = !as->p->receive_ends;
	union notif u;

	lock_wake_owed();
	while (!look || await_report(as)) {
		memset(&u, 0, sizeof(u));
		if (!ioctl(as->notify_fd, SECCOMP_IOCTL_NOTIF_RECV, &u)) {
			as->notify_id = u.n.id;
			*done = u.n.data.args[0];
			*result = (int64_t)u.n.data.args[1];
			return 0;
		}
		if (errno == ENOENT) /* it has died, or its call begins again: answer() */
			look = true;
		else if (errno != EINTR)
			break;
	}
	st_as_kill_locked(as);
	return -ESRCH;
}

int st_orders_first(struct st_as *as)
{
	uint64_t done;
	int64_t result;

	/* Wakes the mapper on this CPU, as we are going to wait for it. Linux 6.6; else it works without. */
	(void)ioctl(as->notify_fd, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	return st_orders_report(as, &done, &result);
}

int st_orders_answer(struct st_as *as, unsigned n)
{
	uint64_t done;
	int64_t result;

	for (;;) {
		union answer a = { .r = { .id = as->notify_id, .val = n } };

		if (!ioctl(as->notify_fd, SECCOMP_IOCTL_NOTIF_SEND, &a))
			return 0;
		if (errno == EINTR)
			continue;
		/* who traced it for a moment (`launcher audit`) made its call begin again: the same report, under another number */
		if (errno != ENOENT || st_orders_report(as, &done, &result))
			break;
	}
	st_as_kill_locked(as);
	return -ESRCH;
}

/* The mapper is to do them, and to report then. 0 or -ESRCH. */
static int give(struct st_as *as, const struct st_order *o, unsigned n)
{
	memcpy(as->p->slots + (size_t)as->orders_slot * ST_SLOT_SIZE, o, n * sizeof(*o));
	if (!as->near_wished)
		as->near_wish = 0;
	as->near_wished = false;
	if (!as->near)
		return st_orders_answer(as, n);
	st_near_orders_locked(as, n);
	return 0;
}

int st_orders_run(struct st_as *as, const struct st_order *o, unsigned n, int64_t *result)
{
	uint64_t done;

	st_near_settle_locked(as);
	if (atomic_load(&as->dead) || give(as, o, n))
		return -ESRCH;
	return st_orders_report(as, &done, result);
}

int st_orders_empty(struct st_as *as)
{
	const struct st_order o = { .nr = SYS_munmap, .arg = { 0, TASK_SIZE } };
	int64_t result = -EINVAL;
	int r = st_orders_run(as, &o, 1, &result);

	if (!r && result < 0) { /* it cannot be split: no reason is known */
		st_as_kill_locked(as);
		r = -ESRCH;
	}
	return r;
}

void st_orders_exit(struct st_as *as)
{
	const struct st_order o = { .nr = SYS_exit_group };

	(void)give(as, &o, 1);
}

/* --- mapping ----------------------------------------------------------------------- */

/* What goes to the mapper at once. Files that it is to map wait in the channel,
 * and it holds one at a time. */
struct batch {
	struct st_order o[ST_MAX_ORDERS];
	unsigned n;
	int file; /* what the mapper holds after these; -1: none */
	bool files; /* p->mu is held for the channel */
};
#define MAX_PER_ORDER 3 /* closing one file, receiving another, mapping it */

static void add(struct batch *b, struct st_order o)
{
	b->o[b->n++] = o;
}

static void add_close(struct batch *b)
{
	if (b->file >= 0)
		add(b, (struct st_order){ .nr = SYS_close, .arg = { ST_FD_FILE } });
	b->file = -1;
}

static int add_file(struct st_platform *p, struct batch *b, int fd)
{
	int r;

	if (b->file == fd)
		return 0;
	if (!b->files)
		mutex_lock_nested(&p->mu);
	b->files = true;
	r = stub_fd_send(p->zygote.channel, fd);
	if (r)
		return r;
	add_close(b);
	add(b, (struct st_order){ .nr = SYS_recvmsg, .arg = { ST_FD_CHANNEL, ST_SCRATCH, MSG_DONTWAIT } });
	b->file = fd;
	return 0;
}

void st_orders_add(struct st_order *to, const struct platform_order *o, int fd)
{
	switch (o->kind) {
	case PLATFORM_MAP:
		*to = (struct st_order){ .nr = SYS_mmap,
			.arg = { o->addr, o->len, (uint64_t)o->prot, MAP_SHARED | MAP_FIXED | (o->present ? MAP_POPULATE : 0), (uint64_t)fd, o->off } };
		break;
	case PLATFORM_UNMAP:
		*to = (struct st_order){ .nr = SYS_munmap, .arg = { o->addr, o->len } };
		break;
	case PLATFORM_PROTECT:
		*to = (struct st_order){ .nr = SYS_mprotect, .arg = { o->addr, o->len, (uint64_t)o->prot } };
		break;
	}
}

static int add_order(struct st_platform *p, struct batch *b, const struct platform_order *o)
{
	bool file = o->kind == PLATFORM_MAP && o->fd != p->mem_fd;
	int r = file ? add_file(p, b, o->fd) : 0;

	if (r)
		return r;
	st_orders_add(&b->o[b->n++], o, file ? ST_FD_FILE : ST_FD_MEMORY);
	return 0;
}

/* The process has been killed: an order is done when it has ended. */
static int await_end(struct st_as *as)
{
	while (as->pid && !as->reaped)
		pthread_cond_wait(&as->ended, &as->mu.m);
	return 0;
}

/* Has the mapper do what is in b, after which it holds no file. 0 or -errno. */
static int run_batch(struct st_as *as, struct batch *b)
{
	const struct st_order again = { .nr = SYS_close, .arg = { ST_FD_FILE } };
	int64_t result = 0, ignored;
	int r = 0;

	add_close(b);
	if (b->n)
		r = st_orders_run(as, b->o, b->n, &result);
	if (b->files) {
		if (r || result < 0)
			stub_fd_take_back(as->p->zygote.channel_stubs);
		if (!r && result < 0)
			r = st_orders_run(as, &again, 1, &ignored);
		mutex_unlock(&as->p->mu);
	}
	if (r)
		return await_end(as);
	return result < 0 ? (int)result : 0;
}

static int run_orders(struct st_as *as, const struct platform_order *o, unsigned n)
{
	int r = 0;

	for (unsigned i = 0; i < n && !r;) {
		struct batch b = { .n = 0, .file = -1 };
		int e = 0, done;

		for (; i < n && !e && b.n + MAX_PER_ORDER < ST_MAX_ORDERS; i++)
			e = add_order(as->p, &b, &o[i]);
		done = run_batch(as, &b);
		r = done ? done : e;
	}
	return r;
}

int st_as_orders(struct platform_as *base, const struct platform_order *o, unsigned n)
{
	struct st_as *as = (struct st_as *)base;
	struct st_ctx *own = st_ctx_own();
	bool maps = false;
	int r = 0;

	if (own && own->as == as)
		st_handover_soon(own);
	for (unsigned i = 0; i < n; i++)
		maps |= o[i].kind == PLATFORM_MAP;
	mutex_lock(&as->mu);
	if (maps) /* else there is nothing to take away from a process not made yet */
		r = st_as_start_locked(as);
	if (as->empty)
		r = 0;
	else if (r == -ESRCH || atomic_load(&as->dead))
		r = await_end(as);
	else if (!r && as->pid)
		r = run_orders(as, o, n);
	mutex_unlock(&as->mu);
	return r;
}
