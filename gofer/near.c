/*
 * near.c - see near.h.
 *
 * A peer that waits for each answer is served soonest on its own processor: there it is a mere switch to
 * wake this process and to be woken by it, where another processor, even an idle one, has to be sent an
 * interrupt (a virtual machine's: 20 us and more, each way).  One that goes on meanwhile is served best on
 * another.  The host's scheduler cannot know which of the two it is; the peer does.
 *
 * The peer may be hostile: what it says leads to no processor that this process was not given at its start,
 * and does to nobody but itself what it could not do by itself.
 */
#include "near.h"
#include "libipc/cpus.h"

void near_init(cpu_set_t *given)
{
	cpu_set_t now;

	if (!cpus_usable(&now, given))
		CPU_ZERO(given);
}

void near_run_on(const cpu_set_t *given, unsigned cpu)
{
	cpu_set_t one;

	if (!CPU_ISSET(cpu, given))
		return;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	(void)sched_setaffinity(0, sizeof(one), &one);
}

void near_leave(const cpu_set_t *given, unsigned cpu)
{
	cpu_set_t others = *given;

	if (!CPU_COUNT(given))
		return;
	CPU_CLR(cpu, &others);
	(void)sched_setaffinity(0, sizeof(others), &others); /* refused: there is no other */
	(void)sched_setaffinity(0, sizeof(*given), given);
}
