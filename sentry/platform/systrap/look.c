/*
 * look.c - a program that reads from a ring that was lent to it, and finds nothing, looks on
 * for a while before it asks (guest-code/lent.S): its peer may be about to write.
 *
 * Only one that takes turns with another (seat.c) does so, as long as that pays (spin.h) and
 * there are processors for both: then a turn is two cache lines that move, and no host call.
 * Who asks in the end sleeps at once and is woken at once, on another processor than where its
 * peer looks on; else two who tried this in turn would never do so at the same time.  So where
 * one of two does, the other tries it too.
 *
 * Who reads a stream rests instead: what comes is no answer, and the more there is when it goes on,
 * the better.  It sleeps in its stub until its writer has no more room, or sleeps (rings.c), and the
 * sentry's thread of the two need not run at all: it is woken only now and then, so that what is there
 * does not wait for long if the writer does something else.
 *
 * Runs on the task's host thread, its stub's thread stopped, but for st_look_ends, and st_ring_spins, which any
 * thread may ask.  What the slot says there is the program's to spoil: it costs its own time.
 */
#include "platform/systrap/ring.h"

_Static_assert(ST_WINDOW_MOVES + 8 <= ST_LENT_SPIN && ST_LENT_REST + 4 <= ST_FIRST_FRAME, "it has its place in the slot");
_Static_assert(ST_CPU + 4 <= ST_LENT_RESTS && ST_LENT_RESTS + 4 <= ST_WORDS_END, "where a program's thread may sleep");

#define LOOK_NS (6 * ST_SPIN_NS) /* what it takes at most, as a rule, until one that has to be woken first answers */

static _Atomic uint32_t *counter(const struct st_ctx *c, unsigned offset)
{
	return (_Atomic uint32_t *)(void *)(c->slot + offset);
}

static void set_rests(struct st_ctx *c, bool rests)
{
	c->rests = rests;
	atomic_store(counter(c, ST_LENT_REST), rests);
}

static void set_looks(struct st_ctx *c, bool looks)
{
	if (looks != c->looks)
		atomic_fetch_add_explicit(&c->p->looking, looks ? 1 : -1u, memory_order_relaxed);
	c->looks = looks;
	for (enum platform_side s = PLATFORM_READS; s <= PLATFORM_WRITES; s++)
		if (c->rings[s])
			atomic_store(&c->rings[s]->spins[s], looks);
	*(volatile uint64_t *)(void *)(c->slot + ST_LENT_SPIN) = looks ? st_place_ticks(c->p, LOOK_NS) : 0;
}

void st_look_prepare(struct st_ctx *c)
{
	atomic_store(counter(c, ST_LENT_SPUN), 0);
	atomic_store(counter(c, ST_LENT_VAIN), 0);
	atomic_store(counter(c, ST_LENT_RESTS), 0);
	set_looks(c, false);
	set_rests(c, false);
}

void st_look_end(struct st_ctx *c)
{
	set_looks(c, false);
	set_rests(c, false);
}

/* Who takes turns with another waits for it spinning, if there is a processor for each that does.
 * (Whether others want them is not asked: where they do, looking on fails, or is worth it all the same.) */
void st_look_went(struct st_ctx *c)
{
	const struct st_platform *p = c->p;
	unsigned cpus = atomic_load_explicit(&p->cpus, memory_order_relaxed);
	bool looks, rests;

	if (!c->rings[PLATFORM_READS])
		return;
	looks = p->places && cpus > 1 && st_takes_turns(&c->base);
	looks = looks && (c->looks || atomic_load_explicit(&p->looking, memory_order_relaxed) < cpus);
	looks = looks && (spin_pays(&c->look) || atomic_load(&c->rings[PLATFORM_READS]->spins[PLATFORM_WRITES]));
	if (looks != c->looks)
		set_looks(c, looks);
	rests = !looks && atomic_load_explicit(&c->rings[PLATFORM_READS]->streams, memory_order_relaxed);
	if (rests != c->rests)
		set_rests(c, rests);
	if (looks && c->rings[PLATFORM_WRITES] && atomic_load(&c->rings[PLATFORM_WRITES]->waits))
		atomic_store(c->rings[PLATFORM_WRITES]->base.limit, 0); /* who sleeps there is woken by the next write */
}

/* What its program says of it: nobody else has any harm if that is not true. */
void st_look_stopped(struct st_ctx *c)
{
	uint32_t spun;

	if (c->rests && !atomic_load_explicit(counter(c, ST_LENT_REST), memory_order_relaxed)) {
		c->rests = false;
		atomic_store_explicit(&c->rings[PLATFORM_READS]->streams, false, memory_order_relaxed);
	}
	if (!c->looks || !atomic_load_explicit(counter(c, ST_LENT_VAIN), memory_order_relaxed))
		return;
	spun = atomic_exchange(counter(c, ST_LENT_SPUN), 0);
	atomic_store(counter(c, ST_LENT_VAIN), 0);
	for (unsigned i = 0; i < spun && i < SPIN_CREDIT_MOST; i++)
		spin_learn(&c->look, true);
	spin_learn(&c->look, false);
	spin_learn(&c->look, false); /* it was for longer than others spin */
}

bool st_ring_spins(struct platform_ring *ring)
{
	const struct st_ring *r = (struct st_ring *)ring;

	return atomic_load(&r->spins[PLATFORM_READS]) || atomic_load(&r->spins[PLATFORM_WRITES]);
}

void st_look_ends(struct st_ctx *c)
{
	if (atomic_load(counter(c, ST_LENT_RESTS)))
		st_handover_wake_word(counter(c, ST_LENT_RESTS));
}
