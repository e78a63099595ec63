/*
 * as.c - address spaces of the systrap platform: their stub processes, from the
 * first order or context to the end.
 *
 * At its end all memory is first taken from a process, by an order; then nobody
 * need wait for the process itself.
 *
 * One thread, the reaper, waits for the ends of all stub processes, whoever
 * killed them, and wakes those who wait for such a process.  It starts with the
 * first stub and lives as long as the sentry.
 */
#include "platform/systrap/systrap.h"

#include "lib/threads.h"
#include "libipc/log.h"
#include "platform/stub_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define REAPER_STACK (64 * 1024)

/* --- making ---------------------------------------------------------------------- */

struct st_as *st_as_alloc(struct st_platform *p)
{
	struct st_as *as = calloc(1, sizeof(*as));

	if (!as)
		return NULL;
	as->base.ops = &platform_systrap;
	as->p = p;
	as->notify_fd = -1;
	as->board = -1;
	ref_init(&as->ref);
	mutex_init(&as->mu, RANK_PLATFORM);
	pthread_cond_init(&as->ended, NULL);
	LIST_INIT(&as->ctxs);
	SLIST_INIT(&as->idle);
	return as;
}

struct platform_as *st_as_new(struct platform *p)
{
	struct st_as *as = st_pool_take((struct st_platform *)p);

	if (!as)
		as = st_as_alloc((struct st_platform *)p);
	return as ? &as->base : NULL;
}

static unsigned list_of(pid_t pid)
{
	return (unsigned)pid % ST_LIVING_LISTS;
}

/* The living address space of that process, which is no more; NULL: none. */
static struct st_as *take_living(struct st_platform *p, pid_t pid)
{
	struct st_as *as;

	mutex_lock(&p->living_mu);
	LIST_FOREACH(as, &p->living[list_of(pid)], link)
		if (as->pid == pid)
			break;
	if (as)
		LIST_REMOVE(as, link);
	mutex_unlock(&p->living_mu);
	return as;
}

static void on_end(struct st_as *as)
{
	struct st_ctx *c;

	mutex_lock(&as->mu);
	atomic_store(&as->dead, true);
	as->reaped = true;
	LIST_FOREACH(c, &as->ctxs, link)
		st_handover_wake(c->slot);
	pthread_cond_broadcast(&as->ended);
	mutex_unlock(&as->mu);
	st_as_put(as);
}

static void *reaper(void *arg)
{
	struct st_platform *p = arg;
	pid_t pid;

	thread_enter("stubs' ends");
	for (;;) {
		struct st_as *as;

		st_place_keep_off(p);
		pid = wait4(-p->zygote.pid, NULL, __WALL, NULL);
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			return NULL; /* the zygote is gone too: there will be no more stubs */
		as = take_living(p, pid);
		if (as)
			on_end(as);
	}
}

/* A stub process that reads its orders in as's slot. p->zygote_mu held. */
static pid_t new_process_locked(struct st_as *as)
{
	pid_t pid = stub_zygote_fork(&as->p->zygote, (uint64_t)as->orders_slot * ST_SLOT_SIZE, &as->notify_fd);

	return pid > 0 && as->notify_fd < 0 ? -EPROTO : pid;
}

/* p->zygote_mu held. */
static int start_reaper_locked(struct st_platform *p)
{
	int r;

	if (p->reaping)
		return 0;
	r = thread_start(REAPER_STACK, reaper, p);
	p->reaping = !r;
	return -r;
}

void st_refused(const char *what, int64_t result)
{
	static atomic_flag told = ATOMIC_FLAG_INIT;

	if (result < 0 && !atomic_flag_test_and_set(&told))
		log_warning("systrap: making a %s: %s", what, strerror((int)-result));
}

static int fork_locked(struct st_as *as)
{
	struct st_platform *p = as->p;
	pid_t pid;
	int r;

	mutex_lock_nested(&p->zygote_mu);
	r = start_reaper_locked(p);
	if (!r) {
		pid = new_process_locked(as);
		if (pid > 0) {
			st_place_made(p, pid);
			as->pid = pid;
			ref_get(&as->ref);
			mutex_lock(&p->living_mu);
			LIST_INSERT_HEAD(&p->living[list_of(pid)], as, link);
			mutex_unlock(&p->living_mu);
		}
		r = pid > 0 ? 0 : pid;
		st_refused("process", r);
	}
	mutex_unlock(&p->zygote_mu);
	return r;
}

int st_as_start_locked(struct st_as *as)
{
	int r;

	if (atomic_load(&as->dead))
		return -ESRCH;
	if (as->pid)
		return 0;
	r = st_slot_new(as->p);
	if (r < 0)
		return r;
	as->orders_slot = (unsigned)r;
	r = fork_locked(as);
	if (r) {
		st_slot_free(as->p, as->orders_slot, ST_ORDERS_SIZE);
		return r;
	}
	st_near_start(as);
	return st_orders_first(as);
}

/* --- the end ---------------------------------------------------------------------- */

void st_as_kill_locked(struct st_as *as)
{
	atomic_store(&as->dead, true);
	if (as->pid && !as->reaped)
		syscall(SYS_tgkill, as->pid, as->pid, SIGKILL);
}

/* Takes all memory from it, and ends it: all on the calling thread's processor, while its
 * threads may have been held where others go on now. */
static void retire_locked(struct st_as *as)
{
	struct st_thread *th;

	if (as->empty || atomic_load(&as->dead) || !as->pid)
		return;
	SLIST_FOREACH(th, &as->idle, link)
		st_place_end(as->p, th);
	as->empty = !st_orders_empty(as);
	if (!as->empty)
		return; /* it has died */
	st_orders_exit(as);
	atomic_store(&as->dead, true);
}

/* After the process's end nobody maps its slots any more; contexts that are
 * still here have stopped, or notice that it is dead, before they leave. */
static void free_process(struct st_as *as)
{
	struct st_thread *th;

	while ((th = SLIST_FIRST(&as->idle))) {
		SLIST_REMOVE_HEAD(&as->idle, link);
		st_slot_free(as->p, th->slot, ST_SLOT_SIZE);
		free(th);
	}
	if (as->pid)
		st_slot_free(as->p, as->orders_slot, ST_ORDERS_SIZE);
	st_names_end(as);
	if (as->notify_fd >= 0)
		close(as->notify_fd);
}

void st_as_put(struct st_as *as)
{
	if (!ref_put(&as->ref))
		return;
	free_process(as);
	pthread_cond_destroy(&as->ended);
	mutex_destroy(&as->mu);
	free(as);
}

void st_as_free(struct platform_as *base)
{
	struct st_as *as = (struct st_as *)base;

	mutex_lock(&as->mu);
	retire_locked(as);
	while (as->pid && !as->reaped && !as->empty)
		pthread_cond_wait(&as->ended, &as->mu.m);
	mutex_unlock(&as->mu);
	st_as_put(as);
}

/* A thread that seems to have stopped may not have: it could lie in wait in the
 * stub's own text.  c's thread is the program's whatever it does; there must be no
 * other. */
bool st_as_reusable(struct platform_as *base, struct platform_ctx *ctx)
{
	struct st_as *as = (struct st_as *)base;
	struct st_ctx *c = (struct st_ctx *)ctx;
	bool r;

	mutex_lock(&as->mu);
	r = !atomic_load(&as->dead) && LIST_FIRST(&as->ctxs) == c && !LIST_NEXT(c, link) && SLIST_EMPTY(&as->idle);
	mutex_unlock(&as->mu);
	return r;
}
