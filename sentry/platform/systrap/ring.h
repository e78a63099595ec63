/*
 * ring.h - a ring of bytes that two stubs share: rings.c, look.c.
 */
#ifndef SENTRY_PLATFORM_SYSTRAP_RING_H
#define SENTRY_PLATFORM_SYSTRAP_RING_H

#include "platform/systrap/systrap.h"

struct st_ring {
	struct platform_ring base;
	struct st_platform *p; /* [I] */
	struct ref ref; /* its pipe's, those who wait, and one a context that it is lent to */
	unsigned index; /* [I] */
	bool lent[2]; /* [its pipe's lock] by side: it was */
	struct st_as *as[2]; /* [its pipe's lock] where it is mapped; references */
	struct mutex mu; /* RANK_LEAF */
	struct sleeper *_Atomic waits; /* [mu to write] who waits for the writer */
	_Atomic bool spins[2]; /* by side: its program looks on when it reads, from this ring or another */
	bool woken; /* [mu] and was woken as that sleeps, later than by a call */
	_Atomic bool streams; /* much comes at a time: its reader's program may rest */
	_Atomic uint32_t *_Atomic rests; /* in the reader's slot, of the one that it is lent to last: it does; or NULL */
	TAILQ_ENTRY(st_ring) link; /* [p->rings_mu] in rings_old */
};

#endif
