/*
 * window.c - a part of the file that a program was told of, in memory that its stub has
 * mapped, so that the program reads there by itself (guest-code/window.S).
 *
 * The memory is a ring's (rings.c) that serves this one context: it gets it when it is first
 * wanted, and gives it back when its thread goes to another one, or at exec; nobody sees there
 * then what it has read.  What the window has is written by the context's own host thread while
 * its stub thread waits; only ST_WINDOW_MOVES may be exchanged at any time, by anybody.
 */
#include "platform/systrap/systrap.h"

#include <string.h>

_Static_assert(PLATFORM_WINDOW_SIZE == ST_RING_SIZE, "a ring has it");
_Static_assert(ST_WINDOW_MOVES + 8 <= ST_FIRST_FRAME, "it has its place in the slot");

static _Atomic uint64_t *moves(const struct st_ctx *c)
{
	return (_Atomic uint64_t *)(void *)(c->slot + ST_WINDOW_MOVES);
}

static void put(const struct st_ctx *c, const struct platform_window *w)
{
	const uint32_t len = w->len, ends = w->ends;

	atomic_store(moves(c), 0);
	memcpy(c->slot + ST_WINDOW_FROM, &w->from, sizeof(w->from));
	memcpy(c->slot + ST_WINDOW_LEN, &len, sizeof(len));
	memcpy(c->slot + ST_WINDOW_ENDS, &ends, sizeof(ends));
}

void st_window_hide(const struct st_ctx *c)
{
	static const struct platform_window none = { 0 };

	put(c, &none);
}

void st_window_prepare(struct st_ctx *c)
{
	memset(c->slot + ST_WINDOW, 0, sizeof(uint64_t));
	st_window_hide(c);
}

uint8_t *st_window(struct platform_ctx *base)
{
	struct st_ctx *c = (struct st_ctx *)base;
	uint64_t at;

	if (!c->slot)
		return NULL;
	if (!c->window) {
		c->window = st_ring_own(c, &at);
		if (c->window)
			memcpy(c->slot + ST_WINDOW, &at, sizeof(at));
	}
	return c->window ? c->window->data : NULL;
}

_Atomic uint64_t *st_window_show(struct platform_ctx *base, const struct platform_window *w)
{
	const struct st_ctx *c = (struct st_ctx *)base;

	put(c, w);
	return moves(c);
}

void st_window_end(struct platform_ctx *base)
{
	struct st_ctx *c = (struct st_ctx *)base;

	if (!c->window)
		return;
	st_window_prepare(c);
	st_ring_put(c->window);
	c->window = NULL;
}
