/*
 * spin.h - whether the two sides of a hand-over wait for each other spinning.
 *
 * Pure: it is told how each spinning has ended, and says whether the next one
 * pays.  Spinning that is answered saves little; spinning in vain costs its whole
 * time, and then the sleep that it was to spare is on another processor, where
 * being woken takes longest.  So one failure outweighs several successes, and when
 * the balance is used up nobody spins for a number of hand-overs, which doubles
 * each time until spinning has paid again for a while.  A new thread sleeps first:
 * to spin it would have to be moved to another processor, and may end soon.  For how
 * long, the threads before it tell: where they ended soon (a script that runs one small
 * program after the other) it mostly does too, and sleeps for longer.
 */
#ifndef SENTRY_PLATFORM_SYSTRAP_SPIN_H
#define SENTRY_PLATFORM_SYSTRAP_SPIN_H

#include <stdbool.h>

#define SPIN_LOSS 16 /* answers that one failure outweighs; a hand-over has two */
#define SPIN_CREDIT_FIRST SPIN_LOSS /* the second failure is one too many */
#define SPIN_CREDIT_MOST (4 * SPIN_LOSS)
#define SPIN_REST_NEW 8 /* hand-overs: many threads end before that */
#define SPIN_REST_SHORT 256 /* the same, where threads live for few hand-overs: */
#define SPIN_LIFE_SHORT 256
#define SPIN_REST_FIRST 16
#define SPIN_REST_MOST 256 /* about 3 ms; a try in vain costs 40 us */

struct st_spin {
	unsigned credit; /* answers that are not outweighed yet */
	unsigned rest; /* hand-overs still to sleep through */
	unsigned next_rest;
};

/* rest: what spin_rest_new() has said last, or SPIN_REST_NEW. */
static inline void spin_init(struct st_spin *s, unsigned rest)
{
	*s = (struct st_spin){ .credit = SPIN_CREDIT_FIRST, .rest = rest, .next_rest = SPIN_REST_FIRST };
}

/* A thread has ended after so many hand-overs: for how many the next one rests. */
static inline unsigned spin_rest_new(unsigned rest, unsigned handovers)
{
	if (handovers >= SPIN_LIFE_SHORT)
		return SPIN_REST_NEW;
	return rest < SPIN_REST_SHORT / 2 ? rest * 2 : SPIN_REST_SHORT;
}

/* Once a hand-over: does it spin? */
static inline bool spin_pays(struct st_spin *s)
{
	if (!s->rest)
		return true;
	s->rest--;
	return false;
}

/* A side has spun. */
static inline void spin_learn(struct st_spin *s, bool answered)
{
	if (answered) {
		if (s->credit < SPIN_CREDIT_MOST)
			s->credit++;
		else
			s->next_rest = SPIN_REST_FIRST;
	} else if (s->credit >= SPIN_LOSS) {
		s->credit -= SPIN_LOSS;
	} else {
		s->credit = SPIN_CREDIT_FIRST; /* when it is tried again */
		s->rest = s->next_rest;
		if (s->next_rest < SPIN_REST_MOST)
			s->next_rest *= 2;
	}
}

#endif
