/*
 * ctx.c - contexts of the systrap platform, and the stub threads they use.
 *
 * A thread is cloned by its process's mapper when a context needs one and none
 * is idle, confines itself and waits for its slot's word.  When a context
 * leaves, its thread stays for the next one: a process has as many as it ever
 * had at once, plus the mapper, until it ends.
 */
#include "platform/systrap/systrap.h"

#include "platform/stub_clock.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_UNTRACED)

static void set_thread(struct st_ctx *c, pid_t tgid, pid_t tid)
{
	mutex_lock(&c->mu);
	c->tgid = tgid;
	c->tid = tid;
	mutex_unlock(&c->mu);
}

void st_ctx_kick(struct st_ctx *c)
{
	mutex_lock(&c->mu);
	if (c->tid)
		syscall(SYS_tgkill, c->tgid, c->tid, ST_INTERRUPT_SIGNAL);
	mutex_unlock(&c->mu);
}

void st_ctx_interrupt(struct platform_ctx *base)
{
	struct st_ctx *c = (struct st_ctx *)base;

	atomic_store(&c->interrupt, true);
	st_line_look(c);
	if (atomic_load(&c->running))
		st_ctx_kick(c);
}

bool st_ctx_cpu_time(struct platform_ctx *base, struct platform_cpu_time *out)
{
	struct st_ctx *c = (struct st_ctx *)base;
	bool r;

	mutex_lock(&c->mu); /* it does not leave the process meanwhile */
	r = stub_clock(c->tgid, out);
	mutex_unlock(&c->mu);
	out->exact = c == st_ctx_own() && c->as && st_handover_stub_sleeps(c);
	return r;
}

void st_set_singlestep(struct platform_ctx *base, bool on)
{
	((struct st_ctx *)base)->singlestep = on;
}

/* --- floating-point state -------------------------------------------------------- */

void st_fpstate_get(struct platform_ctx *base, struct fpstate *fp)
{
	struct st_ctx *c = (struct st_ctx *)base;

	if (c->fp_pending)
		memcpy(fp->area, c->fp->area, fpstate_host_size());
	else if (c->as && (c->fp_at || (c->in_patch && st_patch_save_fp(c))))
		st_fp_read(c, fp);
	else
		fpstate_init(fp);
}

void st_fpstate_set(struct platform_ctx *base, const struct fpstate *fp)
{
	struct st_ctx *c = (struct st_ctx *)base;

	memcpy(c->fp->area, fp->area, fpstate_host_size());
	c->fp_pending = true;
}

/* --- threads ----------------------------------------------------------------------- */

static struct st_thread *clone_thread_locked(struct st_as *as, unsigned slot)
{
	const uint64_t at = (uint64_t)slot * ST_SLOT_SIZE;
	const struct st_order o[] = {
		{ .nr = SYS_mmap, .arg = { ST_SLOTS + at, ST_SLOT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, ST_FD_SLOTS, at } },
		{ .nr = SYS_clone, .arg = { THREAD_FLAGS }, .slot = ST_SLOTS + at },
	};
	struct st_thread *th = calloc(1, sizeof(*th));
	int64_t tid = 0;

	if (!th)
		return NULL;
	if (st_orders_run(as, o, 2, &tid) || tid <= 0 || tid > INT32_MAX) {
		st_refused("thread", tid);
		free(th);
		return NULL;
	}
	th->slot = slot;
	th->tid = (pid_t)tid;
	th->on = -1;
	return th;
}

static struct st_thread *new_thread_locked(struct st_as *as)
{
	const struct st_order undo = { .nr = SYS_munmap };
	struct st_thread *th;
	int slot = st_slot_new(as->p);

	if (slot < 0)
		return NULL;
	th = clone_thread_locked(as, (unsigned)slot);
	if (!th) {
		struct st_order o = undo;
		int64_t result = -1;

		o.arg[0] = ST_SLOTS + (uint64_t)slot * ST_SLOT_SIZE;
		o.arg[1] = ST_SLOT_SIZE;
		/* What cannot be taken away must not be used again. */
		if (!st_orders_run(as, &o, 1, &result) && !result)
			st_slot_free(as->p, (unsigned)slot, ST_SLOT_SIZE);
	}
	return th;
}

int st_thread_prepare_locked(struct st_as *as)
{
	struct st_thread *th = new_thread_locked(as);

	if (!th)
		return -EAGAIN;
	SLIST_INSERT_HEAD(&as->idle, th, link);
	return 0;
}

static struct st_thread *find_thread_locked(struct st_as *as)
{
	struct st_thread *th = SLIST_FIRST(&as->idle);

	if (th)
		SLIST_REMOVE_HEAD(&as->idle, link);
	else
		th = new_thread_locked(as);
	return th;
}

static void prepare_slot(struct st_ctx *c)
{
	__atomic_store_n(&c->slot, c->p->slots + (size_t)c->th->slot * ST_SLOT_SIZE, __ATOMIC_RELAXED);
	c->frame = ST_FIRST_FRAME;
	c->fp_at = 0;
	c->fs_base = c->gs_base = UINT64_MAX; /* not known */
	c->spins = 0;
	c->yields = false;
	c->near = false;
	st_handover_prepare(c);
	st_patch_prepare(c);
	st_mask_prepare(c);
	st_robust_prepare(c);
	st_records_prepare(c);
	st_told_prepare(c);
	st_names_prepare(c);
	st_rings_prepare(c);
	st_window_prepare(c);
}

static int join(struct st_ctx *c, struct st_as *as)
{
	int r;

	mutex_lock(&as->mu);
	r = st_as_start_locked(as);
	if (!r && !(c->th = find_thread_locked(as)))
		r = -EAGAIN;
	if (!r) {
		ref_get(&as->ref);
		c->as = as;
		prepare_slot(c);
		set_thread(c, as->pid, c->th->tid);
		LIST_INSERT_HEAD(&as->ctxs, c, link);
	}
	mutex_unlock(&as->mu);
	return r;
}

/* c has no thread any more. Own host thread (or its maker's, if it never ran). */
static void leave(struct st_ctx *c)
{
	struct st_as *as = c->as;

	if (!as)
		return;
	set_thread(c, 0, 0);
	st_line_leave(c);
	st_line_awake(c, false);
	st_place_leave(c);
	(void)st_mask_take(&c->base); /* kept in c */
	st_robust_leave(c);
	st_rings_end(&c->base);
	st_window_end(&c->base);
	mutex_lock(&as->mu);
	LIST_REMOVE(c, link);
	c->th->in_patch = c->in_patch;
	SLIST_INSERT_HEAD(&as->idle, c->th, link);
	mutex_unlock(&as->mu);
	c->as = NULL;
	c->in_patch = false;
	c->th = NULL;
	__atomic_store_n(&c->slot, NULL, __ATOMIC_RELAXED);
	st_as_put(as);
}

/* --- contexts ----------------------------------------------------------------------- */

struct platform_ctx *st_ctx_new(struct platform *p, struct platform_as *as)
{
	struct st_ctx *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->base.ops = &platform_systrap;
	c->p = (struct st_platform *)p;
	mutex_init(&c->mu, RANK_LEAF);
	memset(c->answers, 0xff, sizeof(c->answers)); /* none */
	spin_init(&c->spin, atomic_load_explicit(&c->p->rest_new, memory_order_relaxed));
	spin_init(&c->look, SPIN_REST_NEW);
	c->fp = aligned_alloc(64, sizeof(*c->fp));
	/* Now, not at the first switch: here the caller can still say no. */
	if (!c->fp || join(c, (struct st_as *)as)) {
		st_ctx_free(&c->base);
		return NULL;
	}
	return &c->base;
}

static __thread struct st_ctx *own; /* [t] of its host thread */

void st_ctx_bind(struct platform_ctx *c)
{
	own = (struct st_ctx *)c;
}

bool st_ctx_brief(struct platform_ctx *base, bool on)
{
	struct st_ctx *c = (struct st_ctx *)base;

	c->brief = c->soon = on;
	if (!on)
		st_place_leave(c); /* the other thread may run elsewhere */
	return true;
}

void st_ctx_soon(struct platform_ctx *c)
{
	((struct st_ctx *)c)->soon = true;
}

struct st_ctx *st_ctx_own(void)
{
	return own;
}

int st_ctx_enter(struct st_ctx *c, struct st_as *as)
{
	if (c->as == as)
		return 0;
	leave(c);
	return join(c, as);
}

/* Two that end at once may undo one another's: it is a guess all the same. */
static void lived(const struct st_ctx *c)
{
	_Atomic unsigned *rest = &c->p->rest_new;

	atomic_store_explicit(rest, spin_rest_new(atomic_load_explicit(rest, memory_order_relaxed), c->handovers), memory_order_relaxed);
}

void st_ctx_free(struct platform_ctx *base)
{
	struct st_ctx *c = (struct st_ctx *)base;

	leave(c);
	if (c->handovers)
		lived(c);
	st_place_mark(c->p);
	if (own == c)
		own = NULL;
	mutex_destroy(&c->mu);
	free(c->fp);
	free(c);
}
