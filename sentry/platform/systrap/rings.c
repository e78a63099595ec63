/*
 * rings.c - bytes of pipes in memory that two stubs share, so that their programs read
 * and write by themselves (guest-code/lent.S).
 *
 * A ring is a part of the slots' file.  It is lent once to each side; whoever comes later
 * gets another ring.  A stub maps it when it is lent, at the ring's own place, and keeps it:
 * when nobody uses the ring any more, it waits in rings_old until those processes have
 * ended or, when there is no other, it has been unmapped.  What it holds is never believed.
 *
 * ring_await runs on the reader's thread, and wakes on the writer's; all else of a context
 * is its own thread's.  rings_mu and a ring's mu are RANK_LEAF, as->mu is not held with them.
 */
#include "platform/systrap/ring.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define RINGS_AT ((size_t)ST_MAX_SLOTS * ST_SLOT_SIZE) /* in the slots' file */

_Static_assert(PLATFORM_RING_SIZE == ST_RING_SIZE, "as lent.S has it");
_Static_assert(ST_TOLD_STAT + ST_TOLD_STAT_SIZE <= ST_LENT_READ, "it has its place in the slot: from here");
_Static_assert(ST_LENT_READ_MOVED + 2 * sizeof(struct platform_moved) <= ST_WINDOW, "to here");

static uint64_t address(const struct st_ring *r)
{
	return ST_RINGS + (uint64_t)r->index * ST_RING_STRIDE;
}

/* --- their places ------------------------------------------------------------------- */

static int take_index(struct st_platform *p)
{
	int index = -1;

	mutex_lock(&p->rings_mu);
	for (unsigned i = 0; i < ST_MAX_RINGS / 64 && index < 0; i++) {
		if (p->rings_used[i] == UINT64_MAX)
			continue;
		index = (int)(i * 64) + __builtin_ctzll(~p->rings_used[i]);
		p->rings_used[i] |= UINT64_C(1) << (index % 64);
	}
	mutex_unlock(&p->rings_mu);
	return index;
}

/* What it held must not be seen by its next users. */
static void clear(struct st_ring *r)
{
	uint8_t *at = r->p->slots + RINGS_AT + (size_t)r->index * ST_RING_STRIDE;

	if (fallocate(r->p->slots_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)(at - r->p->slots), ST_RING_STRIDE))
		memset(at, 0, ST_RING_LEN);
}

static void ring_free(struct st_ring *r)
{
	clear(r);
	mutex_lock(&r->p->rings_mu);
	r->p->rings_used[r->index / 64] &= ~(UINT64_C(1) << (r->index % 64));
	mutex_unlock(&r->p->rings_mu);
	mutex_destroy(&r->mu);
	free(r);
}

/* Its stub cannot reach it any more, as it has ended or (order) by an order. */
static bool unmapped(struct st_ring *r, struct st_as *as, bool order)
{
	const struct st_order o = { .nr = SYS_munmap, .arg = { address(r), ST_RING_LEN } };
	int64_t result = -1;
	bool done;

	mutex_lock(&as->mu);
	done = as->reaped || (order && !atomic_load(&as->dead) && !st_orders_run(as, &o, 1, &result) && !result);
	mutex_unlock(&as->mu);
	return done;
}

/* Nobody uses it: whether no stub can reach it either. */
static bool left(struct st_ring *r, bool order)
{
	for (int i = 0; i < 2; i++) {
		if (!r->as[i])
			continue;
		if (!unmapped(r, r->as[i], order))
			return false;
		st_as_put(r->as[i]);
		r->as[i] = NULL;
	}
	return true;
}

/* Frees old ones: all whose processes have ended, and (order) one more if need be. */
static void reclaim(struct st_platform *p, bool order)
{
	TAILQ_HEAD(, st_ring) old = TAILQ_HEAD_INITIALIZER(old), kept = TAILQ_HEAD_INITIALIZER(kept);
	struct st_ring *r;

	mutex_lock(&p->rings_mu);
	TAILQ_CONCAT(&old, &p->rings_old, link);
	mutex_unlock(&p->rings_mu);
	while ((r = TAILQ_FIRST(&old))) {
		TAILQ_REMOVE(&old, r, link);
		if (left(r, order)) {
			ring_free(r);
			order = false;
		} else {
			TAILQ_INSERT_TAIL(&kept, r, link);
		}
	}
	mutex_lock(&p->rings_mu);
	TAILQ_CONCAT(&p->rings_old, &kept, link);
	mutex_unlock(&p->rings_mu);
}

struct platform_ring *st_ring_new(struct platform_ctx *base)
{
	struct st_platform *p = ((struct st_ctx *)base)->p;
	struct st_ring *r = calloc(1, sizeof(*r));
	int index;
	uint8_t *at;

	if (!r)
		return NULL;
	reclaim(p, false);
	index = take_index(p);
	if (index < 0) {
		reclaim(p, true);
		index = take_index(p);
	}
	if (index < 0) {
		free(r);
		return NULL;
	}
	at = p->slots + RINGS_AT + (size_t)index * ST_RING_STRIDE;
	r->p = p;
	r->index = (unsigned)index;
	r->base = (struct platform_ring){ &platform_systrap,
		{ (_Atomic uint64_t *)(void *)(at + ST_RING_READ), (_Atomic uint64_t *)(void *)(at + ST_RING_WRITE) },
		(_Atomic uint32_t *)(void *)(at + ST_RING_LIMIT), at + ST_RING_DATA };
	ref_init(&r->ref);
	mutex_init(&r->mu, RANK_LEAF);
	atomic_store(r->base.limit, ST_RING_SIZE);
	return &r->base;
}

void st_ring_get(struct platform_ring *base)
{
	ref_get(&((struct st_ring *)base)->ref);
}

void st_ring_put(struct platform_ring *base)
{
	struct st_ring *r = (struct st_ring *)base;

	if (!ref_put(&r->ref))
		return;
	if (!r->as[0] && !r->as[1]) {
		ring_free(r);
		return;
	}
	clear(r);
	mutex_lock(&r->p->rings_mu);
	TAILQ_INSERT_TAIL(&r->p->rings_old, r, link);
	mutex_unlock(&r->p->rings_mu);
}

/* --- lending ------------------------------------------------------------------------ */

/* Which of a slot's fields, by side. */
static void publish(struct st_ctx *c, enum platform_side side, uint64_t at, int fd)
{
	unsigned offset = side == PLATFORM_READS ? ST_LENT_READ : ST_LENT_WRITE;

	memcpy(c->slot + offset, &at, sizeof(at));
	memcpy(c->slot + offset + (ST_LENT_READ_FD - ST_LENT_READ), &fd, sizeof(fd));
}

void st_rings_prepare(struct st_ctx *c)
{
	publish(c, PLATFORM_READS, 0, -1);
	publish(c, PLATFORM_WRITES, 0, -1);
	memset(c->slot + ST_LENT_READ_MOVED, 0, 2 * sizeof(struct platform_moved));
	st_look_prepare(c);
}

static void end(struct st_ctx *c, enum platform_side side)
{
	struct st_ring *r = c->rings[side];

	if (!r)
		return;
	publish(c, side, 0, -1);
	atomic_store(&r->spins[side], false);
	if (side == PLATFORM_READS) {
		atomic_store(&r->rests, NULL);
		st_look_end(c);
	}
	c->rings[side] = NULL;
	st_ring_put(&r->base);
}

void st_rings_end(struct platform_ctx *base)
{
	struct st_ctx *c = (struct st_ctx *)base;

	end(c, PLATFORM_READS);
	end(c, PLATFORM_WRITES);
}

static bool map(struct st_as *as, const struct st_ring *r)
{
	const struct st_order o = { .nr = SYS_mmap,
		.arg = { address(r), ST_RING_LEN, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, ST_FD_SLOTS,
			RINGS_AT + (uint64_t)r->index * ST_RING_STRIDE } };
	int64_t result = -1;
	bool done;

	mutex_lock(&as->mu);
	done = !st_orders_run(as, &o, 1, &result) && (uint64_t)result == address(r);
	mutex_unlock(&as->mu);
	return done;
}

static bool lend(struct st_ctx *c, struct st_ring *r, enum platform_side side)
{
	if (!c->as || r->lent[side])
		return false;
	r->lent[side] = true;
	if (r->as[!side] == c->as)
		return true;
	ref_get(&c->as->ref);
	r->as[side] = c->as; /* even if it fails: it may be mapped */
	return map(c->as, r);
}

bool st_ring_lend(struct platform_ctx *base, struct platform_ring *ring, enum platform_side side, int fd)
{
	struct st_ctx *c = (struct st_ctx *)base;
	struct st_ring *r = (struct st_ring *)ring;

	if (!lend(c, r, side))
		return false;
	end(c, side);
	st_ring_get(ring);
	c->rings[side] = r;
	atomic_store(&r->spins[side], c->looks);
	if (side == PLATFORM_READS)
		atomic_store(&r->rests, (_Atomic uint32_t *)(void *)(c->slot + ST_LENT_RESTS));
	publish(c, side, address(r), fd);
	return true;
}

struct platform_ring *st_ring_own(struct st_ctx *c, uint64_t *at)
{
	struct platform_ring *ring = st_ring_new(&c->base);
	struct st_ring *r = (struct st_ring *)ring;

	if (!ring)
		return NULL;
	if (!lend(c, r, PLATFORM_READS)) {
		st_ring_put(ring);
		return NULL;
	}
	*at = address(r) + ST_RING_DATA;
	return ring;
}

bool st_ring_is_others(struct platform_ring *ring, enum platform_side side)
{
	struct st_ring *r = (struct st_ring *)ring;
	const struct st_ctx *c = st_ctx_own();

	return r->lent[side] && (!c || c->rings[side] != r);
}

void st_rings_moved(struct platform_ctx *base, struct platform_moved moved[2])
{
	const struct st_ctx *c = (struct st_ctx *)base;

	memset(moved, 0, 2 * sizeof(*moved));
	if (!c->slot)
		return;
	memcpy(moved, c->slot + ST_LENT_READ_MOVED, 2 * sizeof(*moved));
	memset(c->slot + ST_LENT_READ_MOVED, 0, 2 * sizeof(*moved));
}

bool st_ring_faulted(struct platform_ctx *base)
{
	struct st_ctx *c = (struct st_ctx *)base;
	_Atomic uint32_t *faulted;

	if (!c->slot || (!c->rings[PLATFORM_READS] && !c->rings[PLATFORM_WRITES] && !c->window))
		return false;
	faulted = (_Atomic uint32_t *)(void *)(c->slot + ST_LENT_FAULTED);
	return atomic_load_explicit(faulted, memory_order_relaxed) && atomic_exchange(faulted, 0);
}

/* --- waiting for the writer ------------------------------------------------------------ */

bool st_ring_await(struct platform_ring *ring, struct sleeper *s)
{
	struct st_ring *r = (struct st_ring *)ring;
	bool woken;

	mutex_lock(&r->mu);
	woken = r->woken;
	r->woken = false;
	atomic_store(&r->waits, s);
	mutex_unlock(&r->mu);
	return woken;
}

void st_ring_streams(struct platform_ring *ring, bool streams)
{
	atomic_store(&((struct st_ring *)ring)->streams, streams);
}

/* Whose slot it was may belong to another thread meanwhile: that looks on, and rests again. */
void st_ring_wake(struct platform_ring *ring)
{
	_Atomic uint32_t *rests = atomic_load(&((struct st_ring *)ring)->rests);

	if (rests && atomic_load(rests))
		st_handover_wake_word(rests);
}

/* As its programs say. */
static bool is_empty(const struct st_ring *r)
{
	return (uint32_t)atomic_load(r->base.word[PLATFORM_READS]) == (uint32_t)atomic_load(r->base.word[PLATFORM_WRITES]);
}

void st_rings_rest(struct st_ctx *c)
{
	struct st_ring *r = c->rings[PLATFORM_WRITES];

	if (!r || is_empty(r))
		return;
	st_ring_wake(&r->base);
	if (!atomic_load(&r->waits))
		return;
	mutex_lock(&r->mu);
	if (atomic_load(&r->waits)) {
		r->woken = !st_takes_turns(&c->base);
		sleeper_wake(r->waits);
	}
	mutex_unlock(&r->mu);
}
