/*
 * pipe_lent.c - a pipe whose bytes lie where its programs can reach them.
 *
 * A task that reads or writes again and again without sleeping is lent that side of the
 * pipe: its bytes move into a ring that its program and the other side's map, and its
 * program then reads or writes there by itself (platform_ring).  p->ring is a view of that
 * memory, taken anew (pipe_look) whenever p->mu was taken, and what was changed in it is
 * told at the end (pipe_settle).  Only the two sides' words are believed, and only as far
 * as they make sense.
 *
 * While somebody sleeps here or watches the pipe, the words are not valid: the programs
 * ask, and wake as ever.  But a reader that finds nothing first sleeps for a moment with
 * the writer's word valid, and looks again: a writer that goes on need not wake it for
 * each piece.  It is woken when there is much, or when the writer sleeps.  (Not so where the
 * platform has one of the two wait by itself: then who sleeps here is woken by the next write.)
 *
 * Whoever else uses the pipe, and who closes a descriptor of it, ends this: the bytes go
 * back to the pipe's own memory, where nobody else can write.
 */
#include "fs/pipe.h"

#include "abi/fcntl.h"
#include "fs/pipe_impl.h"

#include <errno.h>

#define LOOK_NS 300000 /* the host adds half as much, as a rule */
#define MUCH 8192u /* bytes: no question that awaits an answer */
#define HOLD_MOST 16u /* writes */
#define HOLD_TURNED 256u
#define REFUSED_MOST 64u /* calls in vain: somebody watches it, so it is not worth it */

/* --- the view ------------------------------------------------------------------------ */

static void view(struct pipe *p)
{
	uint32_t at = (uint32_t)atomic_load(p->lent->word[PLATFORM_READS]), end = (uint32_t)atomic_load(p->lent->word[PLATFORM_WRITES]);

	p->ring.head = at;
	p->ring.len = end - at <= PLATFORM_RING_SIZE ? end - at : 0; /* a program has written nonsense there */
}

void pipe_view(struct pipe *p)
{
	if (p->lent)
		view(p);
}

void pipe_look_slowly(struct pipe *p, enum platform_side side)
{
	if (platform_ring_is_others(p->lent, side))
		pipe_unlend(p);
	else
		view(p);
}

static void tell(struct pipe *p, enum platform_side side)
{
	uint32_t at = side == PLATFORM_READS ? p->ring.head : p->ring.head + p->ring.len;

	atomic_store(p->lent->word[side], at | (p->given[side] ? PLATFORM_RING_VALID : 0));
}

/* Who sleeps here, but for the caller and short looks, is to be woken by each call. */
static void give(struct pipe *p, bool own_waiter)
{
	if (p->hold)
		return;
	if (atomic_load(&p->wq.n) > p->looks + own_waiter) {
		if (++p->refused >= REFUSED_MOST)
			pipe_unlend(p);
		return;
	}
	p->refused = 0;
	for (enum platform_side s = PLATFORM_READS; s <= PLATFORM_WRITES; s++)
		if (p->lent_to[s] && !p->given[s]) {
			p->given[s] = true;
			atomic_fetch_or(p->lent->word[s], PLATFORM_RING_VALID);
		}
}

void pipe_settle_slowly(struct pipe *p, enum platform_side side, bool both, const struct waiter *own)
{
	if (!p->looks && atomic_load_explicit(p->lent->limit, memory_order_relaxed) != PLATFORM_RING_SIZE)
		atomic_store(p->lent->limit, PLATFORM_RING_SIZE);
	tell(p, side);
	if (both)
		tell(p, !side);
	if (side == PLATFORM_WRITES && p->hold)
		p->hold--;
	give(p, own->q);
	if (side == PLATFORM_WRITES && p->lent)
		platform_ring_wake(p->lent);
}

void pipe_take_back_slowly(struct pipe *p)
{
	for (enum platform_side s = PLATFORM_READS; s <= PLATFORM_WRITES; s++) {
		p->given[s] = false;
		atomic_fetch_and(p->lent->word[s], ~PLATFORM_RING_VALID);
	}
	platform_ring_wake(p->lent);
	view(p);
}

/* --- beginning and end ---------------------------------------------------------------- */

static bool begin(struct pipe *p, struct platform_ctx *c)
{
	struct platform_ring *ring;

	if (p->ring.len > PLATFORM_RING_SIZE || !pipe_ring_reserve(&p->ring, PLATFORM_RING_SIZE - p->ring.len))
		return false; /* so that the end cannot fail */
	ring = platform_ring_new(c);
	if (!ring)
		return false;
	(void)pipe_ring_copy(&p->ring, ring->data, p->ring.len);
	atomic_store(ring->word[PLATFORM_READS], 0);
	atomic_store(ring->word[PLATFORM_WRITES], p->ring.len);
	p->refused = 0;
	p->kept = p->ring;
	p->ring = (struct pipe_ring){ .buf = ring->data, .cap = PLATFORM_RING_SIZE, .len = p->ring.len, .shared = true };
	p->lent = ring;
	for (enum platform_side s = PLATFORM_READS; s <= PLATFORM_WRITES; s++)
		p->given[s] = p->lent_to[s] = false;
	return true;
}

void pipe_unlend(struct pipe *p)
{
	if (!p->lent)
		return;
	pipe_take_back_slowly(p);
	p->kept.head = 0;
	p->kept.len = pipe_ring_copy(&p->ring, p->kept.buf, p->ring.len);
	p->ring = p->kept;
	p->kept = (struct pipe_ring){ 0 };
	platform_ring_put(p->lent);
	p->lent = NULL;
}

/* A ring holds a stream of the usual size, and nobody is told of what comes through it. */
static bool may_lend(struct pipe *p, const struct file *f)
{
	if (f->flags & (LINUX_O_DIRECT | LINUX_O_ASYNC))
		return false;
	return p->anonymous && !p->never_lent && p->size == PLATFORM_RING_SIZE && !p->n_marks && !waitq_is_watched(&p->wq);
}

bool pipe_lend(struct file *f, int fd, enum platform_side side, struct platform_ctx *c)
{
	struct pipe *p = f->priv;
	bool done;

	mutex_lock(&p->mu);
	done = may_lend(p, f) && (p->lent || begin(p, c)) && !p->lent_to[side];
	if (done) {
		p->lent_to[side] = true;
		done = platform_ring_lend(c, p->lent, side, fd);
		if (done)
			give(p, false);
		else
			pipe_unlend(p);
	}
	mutex_unlock(&p->mu);
	return done;
}

void pipe_end_lending(struct file *f)
{
	struct pipe *p = f->priv;

	mutex_lock(&p->mu);
	pipe_unlend(p);
	mutex_unlock(&p->mu);
}

int pipe_set_flags(struct file *f, int flags)
{
	struct pipe *p = f->priv;

	if (!(flags & (LINUX_O_DIRECT | LINUX_O_ASYNC)))
		return 0;
	mutex_lock(&p->mu);
	p->never_lent = true;
	pipe_unlend(p);
	mutex_unlock(&p->mu);
	return 0;
}

/* --- the reader's short look ------------------------------------------------------------ */

/* Whether the next one is worth it: the more often it was not, the longer the writer asks.  One
 * that waits for the reader to answer asks for much longer. */
static void learn(struct pipe *p, bool streams, bool turned)
{
	unsigned most = turned ? HOLD_TURNED : HOLD_MOST;

	if (streams) {
		p->patience /= 2;
		return;
	}
	p->patience = 2 * p->patience + 1 < most ? 2 * p->patience + 1 : most;
	p->hold = p->patience;
	if (p->lent)
		pipe_take_back_slowly(p);
}

bool pipe_may_look(const struct pipe *p)
{
	return p->lent && p->given[PLATFORM_WRITES] && !p->looks && p->writers && !platform_ring_spins(p->lent);
}

int pipe_short_look(struct pipe *p)
{
	struct platform_ring *ring = p->lent;
	bool turned;
	int r;

	platform_ring_get(ring);
	p->looks++;
	atomic_store(ring->limit, PLATFORM_RING_SIZE / 8 * 7);
	(void)platform_ring_await(ring, sleeper_current());
	mutex_unlock(&p->mu);
	r = wait_sleep(now_monotonic() + LOOK_NS);
	mutex_lock(&p->mu);
	turned = platform_ring_await(ring, NULL) || (r == -ETIMEDOUT && platform_ring_turns(ring)); /* or its writer has not slept */
	p->looks--;
	atomic_store(ring->limit, PLATFORM_RING_SIZE);
	pipe_look(p, PLATFORM_READS);
	platform_ring_streams(ring, !turned && p->ring.len >= MUCH);
	platform_ring_put(ring);
	if (!r || r == -ETIMEDOUT)
		learn(p, p->ring.len >= MUCH || (p->ring.len && !turned), turned);
	return r == -ETIMEDOUT ? 0 : r;
}
