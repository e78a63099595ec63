/*
 * cpus.c - how many processors there are for the sandbox now.
 *
 * The host may give it others at any time, or fewer (cpuset).  Nobody tells of it, and to
 * ask is a host call that is wanted for nothing else; but the host refuses to let a thread
 * run where the sandbox may not.  So now and then that is tried, with a stub's thread that
 * sleeps and is about to be woken.  Who spins with success has processors enough, and an
 * idle sandbox does not care.  (Who gives the only one away with success sleeps when it is time to look.)
 *
 * Runs on a task's host thread; its stub's thread sleeps, but for st_cpus_due.
 */
#include "platform/systrap/systrap.h"

#include <x86intrin.h>

#define LOOK_NS (25000 * ST_SPIN_NS) /* half a second: so often at most */

/* How many of n processors, a power of two, from first on: halves, as mostly none of them are there. */
static unsigned count(const struct st_ctx *c, unsigned first, unsigned n)
{
	cpu_set_t some;

	CPU_ZERO(&some);
	for (unsigned cpu = first; cpu < first + n; cpu++)
		if (CPU_ISSET(cpu, &c->p->cpu_set))
			CPU_SET(cpu, &some);
	if (!CPU_COUNT(&some) || sched_setaffinity(c->th->tid, sizeof(some), &some))
		return 0;
	return n == 1 ? 1 : count(c, first, n / 2) + count(c, first + n / 2, n / 2);
}

unsigned st_cpus_count(struct st_ctx *c)
{
	unsigned n = count(c, 0, CPU_SETSIZE);

	c->th->on = ST_ON_UNKNOWN;
	return n;
}

bool st_cpus_due(const struct st_platform *p)
{
	return __rdtsc() - atomic_load_explicit(&p->cpus_looked, memory_order_relaxed) > st_place_ticks(p, LOOK_NS);
}

unsigned st_cpus(struct st_ctx *c)
{
	struct st_platform *p = c->p;
	uint64_t now = __rdtsc(), last = atomic_load_explicit(&p->cpus_looked, memory_order_relaxed);
	unsigned n;

	if (st_cpus_due(p) && atomic_compare_exchange_strong(&p->cpus_looked, &last, now)) {
		n = st_cpus_count(c);
		if (n)
			atomic_store_explicit(&p->cpus, n, memory_order_relaxed);
	}
	return atomic_load_explicit(&p->cpus, memory_order_relaxed);
}

void st_cpus_fewer(struct st_ctx *c)
{
	atomic_store_explicit(&c->p->cpus_looked, 0, memory_order_relaxed);
}
