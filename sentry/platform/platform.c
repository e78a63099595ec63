/*
 * platform.c - picks a platform by name, and passes platform.h's calls on to it.
 * No state of its own.
 */
#include "platform/ops.h"

#include <errno.h>
#include <string.h>

static const struct platform_ops *const platforms[] = {
	&platform_ptrace,
	&platform_systrap,
};

struct err *platform_new(const char *name, int mem_fd, struct platform **out)
{
	for (size_t i = 0; i < sizeof(platforms) / sizeof(platforms[0]); i++)
		if (!strcmp(platforms[i]->name, name))
			return platforms[i]->init(mem_fd, out);
	return err_new(0, "unknown platform '%s'", name);
}

struct platform_as *platform_as_new(struct platform *p)
{
	return p->ops->as_new(p);
}

void platform_as_free(struct platform_as *as)
{
	as->ops->as_free(as);
}

/* Page aligned, not empty, below TASK_SIZE: nothing else may reach the stub. */
static bool range_ok(uint64_t addr, uint64_t len)
{
	return len && !(addr & (PAGE_SIZE - 1)) && !(len & (PAGE_SIZE - 1)) && len <= TASK_SIZE && addr <= TASK_SIZE - len;
}

bool platform_as_reusable(struct platform_as *as, struct platform_ctx *c)
{
	return as->ops->as_reusable && as->ops->as_reusable(as, c);
}

void platform_as_nothing(struct platform_as *as, uint64_t start, uint64_t len)
{
	if (as->ops->as_nothing && (!len || range_ok(start, len)))
		as->ops->as_nothing(as, start, len);
}

void platform_as_traps(struct platform_as *as, uint64_t at)
{
	if (as->ops->as_traps)
		as->ops->as_traps(as, at);
}

static bool orders_ok(const struct platform_order *o, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (!range_ok(o[i].addr, o[i].len) || (o[i].kind == PLATFORM_MAP && (o[i].off & (PAGE_SIZE - 1))))
			return false;
	return true;
}

int platform_as_orders(struct platform_as *as, const struct platform_order *o, unsigned n)
{
	return orders_ok(o, n) ? as->ops->as_orders(as, o, n) : -EINVAL;
}

bool platform_as_orders_near(struct platform_as *as, const struct platform_order *o, unsigned n)
{
	return as->ops->as_orders_near && orders_ok(o, n) && as->ops->as_orders_near(as, o, n);
}

int platform_as_settle(struct platform_as *as)
{
	return as->ops->as_settle ? as->ops->as_settle(as) : 0;
}

int platform_as_map(struct platform_as *as, uint64_t addr, uint64_t len, int prot, int fd, uint64_t off)
{
	const struct platform_order o = { .kind = PLATFORM_MAP, .addr = addr, .len = len, .prot = prot, .fd = fd, .off = off };

	return platform_as_orders(as, &o, 1);
}

int platform_as_unmap(struct platform_as *as, uint64_t addr, uint64_t len)
{
	const struct platform_order o = { .kind = PLATFORM_UNMAP, .addr = addr, .len = len };

	return platform_as_orders(as, &o, 1);
}

int platform_as_protect(struct platform_as *as, uint64_t addr, uint64_t len, int prot)
{
	const struct platform_order o = { .kind = PLATFORM_PROTECT, .addr = addr, .len = len, .prot = prot };

	return platform_as_orders(as, &o, 1);
}

struct platform_ctx *platform_ctx_new(struct platform *p, struct platform_as *as)
{
	return p->ops->ctx_new(p, as);
}

void platform_ctx_free(struct platform_ctx *c)
{
	c->ops->ctx_free(c);
}

void platform_rest(struct platform_ctx *c)
{
	if (c->ops->rest)
		c->ops->rest(c);
}

void platform_rests_soon(struct platform_ctx *c)
{
	if (c->ops->rests_soon)
		c->ops->rests_soon(c);
}

bool platform_brief(struct platform_ctx *c, bool on)
{
	return c->ops->brief && c->ops->brief(c, on);
}

void platform_soon(struct platform_ctx *c)
{
	if (c->ops->soon)
		c->ops->soon(c);
}

enum wake_when platform_wakes(struct platform *p, struct sleeper *s)
{
	return p->ops->wakes ? p->ops->wakes(p, s) : WAKE_NOW;
}

void platform_ctx_bind(struct platform_ctx *c)
{
	c->ops->ctx_bind(c);
}

enum platform_event platform_switch(struct platform_ctx *c, struct platform_as *as, struct regs *r, struct platform_trap *trap)
{
	return c->ops->run(c, as, r, trap);
}

void platform_complete(struct platform_ctx *c, struct regs *r)
{
	if (c->ops->complete)
		c->ops->complete(c, r);
}

void platform_look(struct platform_ctx *c, struct regs *r)
{
	if (c->ops->look)
		c->ops->look(c, r);
}

void platform_interrupt(struct platform_ctx *c)
{
	c->ops->interrupt(c);
}

bool platform_cpu_time(struct platform_ctx *c, struct platform_cpu_time *out)
{
	return c->ops->cpu_time(c, out);
}

void platform_fpstate_get(struct platform_ctx *c, struct fpstate *fp)
{
	c->ops->fpstate_get(c, fp);
}

void platform_fpstate_set(struct platform_ctx *c, const struct fpstate *fp)
{
	c->ops->fpstate_set(c, fp);
}

void platform_set_singlestep(struct platform_ctx *c, bool on)
{
	c->ops->set_singlestep(c, on);
}

void platform_answer(struct platform_ctx *c, enum platform_answer which, uint64_t value)
{
	if (c->ops->answer)
		c->ops->answer(c, which, value);
}

bool platform_mask_lend(struct platform_ctx *c, uint64_t mask, uint64_t held)
{
	return c->ops->mask_lend && c->ops->mask_lend(c, mask, held);
}

uint64_t platform_mask_take(struct platform_ctx *c)
{
	return c->ops->mask_take(c);
}

bool platform_robust_get(struct platform_ctx *c, uint64_t *head)
{
	if (!c->ops->robust_get)
		return false;
	*head = c->ops->robust_get(c);
	return true;
}

bool platform_robust_set(struct platform_ctx *c, uint64_t head)
{
	if (!c->ops->robust_get)
		return false;
	c->ops->robust_set(c, head);
	return true;
}

_Atomic uint64_t *platform_tell_file(struct platform_ctx *c, const struct platform_file *f, uint64_t *until)
{
	return c->ops->tell_file ? c->ops->tell_file(c, f, until) : NULL;
}

void platform_file_moved(struct platform_ctx *c, int64_t pos, enum platform_end end)
{
	if (c->ops->file_moved)
		c->ops->file_moved(c, pos, end);
}

bool platform_file_closed(struct platform_ctx *c)
{
	return c->ops->file_closed && c->ops->file_closed(c);
}

bool platform_records_get(struct platform_ctx *c, struct platform_records *r)
{
	return c->ops->records_get && c->ops->records_get(c, r);
}

void platform_records_put(struct platform_records *r)
{
	r->as->ops->records_put(r);
}

bool platform_records_use(struct platform_ctx *c, const struct platform_records *r)
{
	return c->ops->records_use && c->ops->records_use(c, r);
}

uint8_t *platform_window(struct platform_ctx *c)
{
	return c->ops->window ? c->ops->window(c) : NULL;
}

_Atomic uint64_t *platform_window_show(struct platform_ctx *c, const struct platform_window *w)
{
	return c->ops->window_show(c, w);
}

void platform_window_end(struct platform_ctx *c)
{
	if (c->ops->window_end)
		c->ops->window_end(c);
}

bool platform_names_words(struct platform *p, struct platform_names_words *w)
{
	return p->ops->names_words && p->ops->names_words(p, w);
}

bool platform_names_use(struct platform_ctx *c, const uint8_t key[PLATFORM_KEY_SIZE], uint64_t roots)
{
	return c->ops->names_use && c->ops->names_use(c, key, roots);
}

uint64_t platform_names_used(const struct platform_ctx *c)
{
	return c->ops->names_used ? c->ops->names_used(c) : 0;
}

void platform_names_leave(struct platform_ctx *c)
{
	if (c->ops->names_leave)
		c->ops->names_leave(c);
}

void platform_tell_name(struct platform_ctx *c, const struct platform_name *n)
{
	c->ops->tell_name(c, n);
}

struct platform_ring *platform_ring_new(struct platform_ctx *c)
{
	return c->ops->ring_new ? c->ops->ring_new(c) : NULL;
}

void platform_ring_get(struct platform_ring *r)
{
	r->ops->ring_get(r);
}

void platform_ring_put(struct platform_ring *r)
{
	r->ops->ring_put(r);
}

bool platform_takes_turns(const struct platform_ctx *c)
{
	return c->ops->takes_turns && c->ops->takes_turns(c);
}

bool platform_ring_lend(struct platform_ctx *c, struct platform_ring *r, enum platform_side side, int fd)
{
	return c->ops == r->ops && r->ops->ring_lend(c, r, side, fd);
}

bool platform_ring_is_others(struct platform_ring *r, enum platform_side side)
{
	return r->ops->ring_is_others(r, side);
}

bool platform_ring_turns(struct platform_ring *r)
{
	return r->ops->ring_turns();
}

bool platform_ring_spins(struct platform_ring *r)
{
	return r->ops->ring_spins(r);
}

bool platform_ring_await(struct platform_ring *r, struct sleeper *s)
{
	return r->ops->ring_await(r, s);
}

void platform_ring_streams(struct platform_ring *r, bool streams)
{
	r->ops->ring_streams(r, streams);
}

void platform_ring_wake(struct platform_ring *r)
{
	r->ops->ring_wake(r);
}

void platform_rings_end(struct platform_ctx *c)
{
	if (c->ops->rings_end)
		c->ops->rings_end(c);
}

void platform_rings_moved(struct platform_ctx *c, struct platform_moved moved[2])
{
	c->ops->rings_moved(c, moved);
}

bool platform_ring_faulted(struct platform_ctx *c)
{
	return c->ops->ring_faulted && c->ops->ring_faulted(c);
}

const struct platform_patching *platform_patching(const struct platform *p)
{
	return p->ops->patching;
}
