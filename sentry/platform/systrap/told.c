/*
 * told.c - a file that a program may look at without asking, in its thread's slot
 * (guest-code/answers.S).
 *
 * Written by the context's own host thread while its stub thread waits; only ST_TOLD is
 * set to 0 at any time, by anybody: the stub looks at it again after all else.  Who closes the
 * file sets it to 0 himself, and then ST_TOLD_CLOSE.
 */
#include "platform/systrap/systrap.h"

#include <string.h>
#include <x86intrin.h>

_Static_assert(ST_ANSWERS + ST_N_ANSWERS * 8 <= ST_TOLD, "it has its place");
_Static_assert(ST_TOLD_STAT_SIZE == PLATFORM_STAT_SIZE, "all of it");
_Static_assert(ST_READ_ENDS == PLATFORM_READ_ENDS && ST_LIST_ENDS == PLATFORM_LIST_ENDS, "what ends");

static _Atomic uint64_t *word(const struct st_ctx *c)
{
	return (_Atomic uint64_t *)(void *)(c->slot + ST_TOLD);
}

static void put32(uint8_t *at, uint32_t v)
{
	memcpy(at, &v, sizeof(v));
}

static void put_position(const struct st_ctx *c, int64_t pos, enum platform_end end)
{
	memcpy(c->slot + ST_TOLD_POS, &pos, sizeof(pos));
	put32(c->slot + ST_TOLD_END, end);
}

static _Atomic uint32_t *closing(const struct st_ctx *c)
{
	return (_Atomic uint32_t *)(void *)(c->slot + ST_TOLD_CLOSE);
}

void st_told_prepare(struct st_ctx *c)
{
	atomic_store(word(c), 0);
	atomic_store(closing(c), 0);
}

_Atomic uint64_t *st_tell_file(struct platform_ctx *base, const struct platform_file *f, uint64_t *until)
{
	struct st_ctx *c = (struct st_ctx *)base;

	if (!c->slot)
		return NULL;
	atomic_store(word(c), 0);
	put32(c->slot + ST_TOLD_FD, (uint32_t)f->fd);
	put_position(c, f->pos, f->end);
	put32(c->slot + ST_TOLD_FLAGS, f->flags);
	put32(c->slot + ST_TOLD_CLOEXEC, f->cloexec);
	atomic_store(closing(c), f->closes ? ST_MAY_CLOSE : 0);
	memcpy(c->slot + ST_TOLD_STAT, f->stat, ST_TOLD_STAT_SIZE);
	st_window_hide(c);
	*until = f->ns == INT64_MAX ? UINT64_MAX : __rdtsc() + (uint64_t)f->ns / ST_SPIN_NS * c->p->spin_max;
	return word(c);
}

void st_file_moved(struct platform_ctx *base, int64_t pos, enum platform_end end)
{
	struct st_ctx *c = (struct st_ctx *)base;

	if (c->slot)
		put_position(c, pos, end);
}

bool st_told_is_closed(const struct st_ctx *c)
{
	return atomic_load_explicit(closing(c), memory_order_relaxed) == ST_CLOSED;
}

bool st_file_closed(struct platform_ctx *base)
{
	struct st_ctx *c = (struct st_ctx *)base;

	if (!c->slot || !st_told_is_closed(c))
		return false;
	atomic_store(closing(c), 0);
	return true;
}
