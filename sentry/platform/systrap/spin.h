/*
 * spin.h - whether the two sides of a hand-over wait for each other spinning.
 *
 * Pure: it is told how each spinning has ended, and says whether the next one
 * pays.  Spinning that is answered saves little; spinning in vain costs its whole
 * time, and then the sleep that it was to spare is on another processor, where
 * being woken takes longest.  So one failure outweighs several successes, and when
 * the balance is used up nobody spins for a number of hand-overs, which doubles
 * each time until spinning has paid again for a while.
 *
 * A rest ends sooner where it is seen that spinning would pay: how long each side takes
 * is known of those that sleep too.  (Not where others want the processors: then it says
 * nothing about whether both sides run at once.)
 *
 * A new thread sleeps first: to spin it would have to be moved to another processor, and
 * may end soon.  For how long, the threads before it tell: where they ended soon (a script
 * that runs one small program after the other) it mostly does too, and sleeps for longer.
 */
#ifndef SENTRY_PLATFORM_SYSTRAP_SPIN_H
#define SENTRY_PLATFORM_SYSTRAP_SPIN_H

#include <stdbool.h>

#define SPIN_LOSS 8 /* answers that one failure outweighs; a hand-over has two */
#define SPIN_CREDIT_FIRST SPIN_LOSS /* the second failure is one too many */
#define SPIN_CREDIT_MOST (8 * SPIN_LOSS)
#define SPIN_SEEN (4 * SPIN_LOSS) /* so many answers that spinning would have had, less failures, end a rest */
#define SPIN_REST_NEW 8 /* hand-overs: many threads end before that */
#define SPIN_REST_SHORT 256 /* the same, where threads live for few hand-overs: */
#define SPIN_LIFE_SHORT 256
#define SPIN_REST_FIRST 16
#define SPIN_REST_MOST 256 /* about 3 ms; a try in vain costs 40 us */

struct st_spin {
	unsigned credit; /* answers that are not outweighed yet */
	unsigned rest; /* hand-overs still to sleep through */
	unsigned next_rest;
	unsigned seen; /* answers that spinning would have had in this rest, less failures */
	unsigned enough; /* so many of them end it */
};

/* rest: what spin_rest_new() has said last, or SPIN_REST_NEW. */
static inline void spin_init(struct st_spin *s, unsigned rest)
{
	*s = (struct st_spin){ .credit = SPIN_CREDIT_FIRST, .rest = rest, .next_rest = SPIN_REST_FIRST, .enough = 2 * rest };
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

/* A side has slept: would spinning have been answered? */
static inline void spin_saw(struct st_spin *s, bool answered)
{
	if (!s->rest)
		return;
	if (!answered) {
		s->seen = s->seen > SPIN_LOSS ? s->seen - SPIN_LOSS : 0;
	} else if (++s->seen >= s->enough) {
		s->credit = SPIN_SEEN;
		s->rest = 0;
	}
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
		s->seen = 0;
		s->enough = SPIN_SEEN;
		if (s->next_rest < SPIN_REST_MOST)
			s->next_rest *= 2;
	}
}

#endif
