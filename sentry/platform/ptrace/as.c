/*
 * as.c - address spaces of the ptrace platform, and the orders to map.
 *
 * An order is carried out in a stopped stub thread of the address space by that
 * thread's tracer: at once if that is the calling thread, else it is queued.
 * Queued orders are drained by whoever runs program code there, before it runs
 * and each time it stops (`pending`); the caller kicks those that run now and
 * waits for them.  If none runs, no program code can see the old mappings
 * before the orders are done, and the caller goes on.
 *
 * The order of stores matters: the queuer sets pending, then reads each
 * context's running; the runner sets running, then reads pending.
 */
#include "platform/ptrace/ptrace.h"

#include "platform/ptrace/guest-code/stub.h"
#include "platform/stub_exec.h"
#include "platform/stub_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_QUEUED 65536 /* orders that wait for a process that does not run */

struct platform_as *pt_as_new(struct platform *p)
{
	struct pt_as *as = calloc(1, sizeof(*as));

	if (!as)
		return NULL;
	as->base.ops = &platform_ptrace;
	as->p = (struct pt_platform *)p;
	ref_init(&as->ref);
	mutex_init(&as->mu, RANK_PLATFORM);
	pthread_cond_init(&as->drained, NULL);
	LIST_INIT(&as->ctxs);
	STAILQ_INIT(&as->orders);
	return &as->base;
}

static void order_free(struct pt_as *as, struct pt_order *o)
{
	if (o->o.kind == PLATFORM_MAP && o->o.fd != as->p->mem_fd)
		close(o->o.fd);
	free(o);
}

/* All that is queued is done, or void. */
static void orders_clear(struct pt_as *as)
{
	struct pt_order *o;

	while ((o = STAILQ_FIRST(&as->orders))) {
		STAILQ_REMOVE_HEAD(&as->orders, link);
		order_free(as, o);
	}
	atomic_store(&as->pending, false);
	as->n_done = as->n_queued;
	pthread_cond_broadcast(&as->drained);
}

void pt_as_put(struct pt_as *as)
{
	if (!ref_put(&as->ref))
		return;
	orders_clear(as);
	pthread_cond_destroy(&as->drained);
	mutex_destroy(&as->mu);
	free(as);
}

/* --- death -------------------------------------------------------------------- */

static void reap(pid_t tid)
{
	while (wait4(tid, NULL, __WALL, NULL) != tid)
		if (errno != EINTR)
			return;
}

void pt_as_kill_locked(struct pt_as *as)
{
	struct pt_ctx *c;

	as->dead = true;
	if (as->pid && !as->reaped) {
		syscall(SYS_tgkill, as->pid, as->pid, SIGKILL);
		/* A traced thread stays until somebody has waited for it, and the
		 * process as long as one of its threads. */
		LIST_FOREACH(c, &as->ctxs, link)
			if (c->tid && c->tid != as->pid)
				reap(c->tid);
		reap(as->pid);
		as->reaped = true;
	}
	orders_clear(as);
}

void pt_as_free(struct platform_as *base)
{
	struct pt_as *as = (struct pt_as *)base;
	struct pt_ctx *c;

	mutex_lock(&as->mu);
	pt_as_kill_locked(as);
	LIST_FOREACH(c, &as->ctxs, link)
		pt_ctx_set_thread(c, 0, 0);
	mutex_unlock(&as->mu);
	pt_as_put(as);
}

/* --- carrying out -------------------------------------------------------------- */

static int map_file(struct pt_platform *p, struct pt_ctx *c, const uint64_t a[6], int fd, int64_t *result)
{
	int r;

	mutex_lock_nested(&p->mu);
	r = stub_fd_send(p->zygote.channel, fd);
	if (!r) {
		r = pt_call_at(c, STUB_MAP_FILE, 0, a, result);
		if (r || *result < 0)
			stub_fd_take_back(p->zygote.channel_stubs);
	}
	mutex_unlock(&p->mu);
	return r;
}

/* In c's thread, which is stopped. 0 or -errno of the host. */
static int carry_out(struct pt_ctx *c, const struct platform_order *o)
{
	uint64_t a[6] = { o->addr, o->len };
	int64_t result = 0;
	int r;

	if (o->kind == PLATFORM_MAP) {
		a[2] = (uint64_t)o->prot;
		a[3] = MAP_SHARED | MAP_FIXED;
		a[4] = STUB_FD_MEMORY;
		a[5] = o->off;
		if (o->fd == c->p->mem_fd)
			r = pt_call(c, SYS_mmap, a, &result);
		else
			r = map_file(c->p, c, a, o->fd, &result);
		if (!r && result >= 0)
			result = result == (int64_t)o->addr ? 0 : -EFAULT;
	} else if (o->kind == PLATFORM_PROTECT) {
		a[2] = (uint64_t)o->prot;
		r = pt_call(c, SYS_mprotect, a, &result);
	} else {
		r = pt_call(c, SYS_munmap, a, &result);
	}
	return r ? r : (int)result;
}

/* A mapping that the host refuses faults again when it is used, but what was
 * there before must be gone. */
static int carry_out_surely(struct pt_ctx *c, const struct platform_order *o)
{
	const struct platform_order undo = { .kind = PLATFORM_UNMAP, .addr = o->addr, .len = o->len };
	int r = carry_out(c, o);

	return r && r != -ESRCH && o->kind == PLATFORM_MAP ? carry_out(c, &undo) : r;
}

static void drain_locked(struct pt_as *as, struct pt_ctx *c)
{
	struct pt_order *o;

	while (!as->dead && (o = STAILQ_FIRST(&as->orders))) {
		if (carry_out_surely(c, &o->o)) { /* what cannot be taken away must not be used any more */
			pt_as_kill_locked(as);
			pt_ctx_lost_locked(c);
			break;
		}
		STAILQ_REMOVE_HEAD(&as->orders, link);
		order_free(as, o);
	}
	orders_clear(as);
}

void pt_as_drain(struct pt_as *as, struct pt_ctx *c)
{
	mutex_lock(&as->mu);
	drain_locked(as, c);
	mutex_unlock(&as->mu);
}

/* --- giving orders -------------------------------------------------------------- */

/* An unmapping next to the last order, which is one too, becomes part of it:
 * the queue of a process that sleeps for long stays short. */
static bool merge_order(struct pt_as *as, const struct platform_order *o)
{
	struct pt_order *tail = STAILQ_LAST(&as->orders, pt_order, link);
	struct platform_order *last = tail ? &tail->o : NULL;

	if (!last || o->kind != PLATFORM_UNMAP || last->kind != PLATFORM_UNMAP || o->addr > last->addr + last->len ||
		last->addr > o->addr + o->len)
		return false;
	if (o->addr + o->len > last->addr + last->len)
		last->len = o->addr + o->len - last->addr;
	if (o->addr < last->addr) {
		last->len += last->addr - o->addr;
		last->addr = o->addr;
	}
	return true;
}

static int append_order(struct pt_as *as, const struct platform_order *order)
{
	struct pt_order *o;

	if (merge_order(as, order))
		return 0;
	if (as->n_queued - as->n_done >= MAX_QUEUED || !(o = malloc(sizeof(*o))))
		return -ENOMEM;
	o->o = *order;
	if (order->kind == PLATFORM_MAP && order->fd != as->p->mem_fd) {
		o->o.fd = fcntl(order->fd, F_DUPFD_CLOEXEC, 0);
		if (o->o.fd < 0) {
			free(o);
			return -ENOMEM;
		}
	}
	STAILQ_INSERT_TAIL(&as->orders, o, link);
	as->n_queued++;
	return 0;
}

static int queue_order(struct pt_as *as, const struct platform_order *order)
{
	bool running = false;
	struct pt_ctx *c;
	uint64_t seq;

	if (append_order(as, order))
		return -ENOMEM;
	seq = as->n_queued;
	atomic_store(&as->pending, true);
	LIST_FOREACH(c, &as->ctxs, link) {
		if (!atomic_load(&c->running))
			continue;
		running = true;
		pt_ctx_kick(c);
	}
	while (running && as->n_done < seq && !as->dead)
		pthread_cond_wait(&as->drained, &as->mu.m);
	return 0;
}

static int give_order(struct pt_as *as, const struct platform_order *o)
{
	struct pt_ctx *c = pt_current;
	int r = 0;

	mutex_lock(&as->mu);
	if (as->dead) {
		/* Nothing runs there any more. */
	} else if (c && c->as == as && c->attached && c->tid) {
		drain_locked(as, c);
		if (!as->dead)
			r = carry_out(c, o);
		if (r == -ESRCH)
			r = 0;
	} else {
		r = queue_order(as, o);
	}
	mutex_unlock(&as->mu);
	return r;
}

int pt_as_orders(struct platform_as *as, const struct platform_order *o, unsigned n)
{
	int r = 0;

	for (unsigned i = 0; i < n && !r; i++)
		r = give_order((struct pt_as *)as, &o[i]);
	return r;
}
