/*
 * place.c - on which processors a task's host thread and its stub thread run.
 *
 * The host's scheduler sees two threads that sleep and wake each other, and cannot
 * know what they want.  To spin they must be on two processors: where both are on
 * one, the stub's thread is woken on another.  To sleep they had better be on one,
 * where a wake-up is a mere switch: on another processor it takes ten times as long,
 * even if that is idle.  So they are held on one as long as they do not spin, but
 * never for longer than ST_HOLD_NS without the scheduler having its say in between: it
 * alone knows what else there is to run.  No thread is moved while it runs.
 *
 * What nobody waits for (the next stub made, an ended one taken apart) is done on another
 * processor than where a program has begun or ended last: that is where the next one runs.
 * The zygote makes it there too, and is kept off as its caller is.
 *
 * (A seccomp notification with synchronous wake-up would stay on one processor by
 * itself.  Measured, it costs what the futexes cost there, 5 to 6 us beside other load,
 * and it would need a listener a thread, where the mapper's is the one that a thread may
 * have.)
 *
 * Runs on the task's host thread; the stub's thread sleeps, but for st_place_free.
 * That a program says it sleeps elsewhere than it does costs only itself time.
 */
#include "platform/systrap/systrap.h"

#include "arch/x86_64/cpuid.h"
#include "lib/threads.h"
#include "libipc/cpus.h"

#include <sched.h>
#include <string.h>
#include <x86intrin.h>

void st_place_init(struct st_platform *p)
{
	cpu_set_t now;
	bool usable = cpus_usable(&now, &p->cpu_set);

	p->cpus = CPU_COUNT(&now) ? (unsigned)CPU_COUNT(&now) : 1;
	p->stub_flags |= cpu_has_rdtscp() ? ST_HAS_RDTSCP : 0;
	p->places = usable && CPU_COUNT(&p->cpu_set) > 1 && p->stub_flags & ST_HAS_RDTSCP;
	p->cpus_looked = __rdtsc();
	if (p->places)
		threads_use_cpus(&p->cpu_set);
}

/* --- others ------------------------------------------------------------------------- */

uint64_t st_place_ticks(const struct st_platform *p, uint64_t ns)
{
	return p->spin_max * (ns / ST_SPIN_NS);
}

void st_place_preempted(struct st_platform *p, uint64_t now)
{
	uint64_t before = atomic_exchange_explicit(&p->gap, now, memory_order_relaxed);

	if (now - before < st_place_ticks(p, ST_GAPS_NS))
		atomic_store_explicit(&p->contended, now + st_place_ticks(p, ST_CONTENDED_NS), memory_order_relaxed);
}

bool st_place_contended(const struct st_platform *p)
{
	uint64_t until = atomic_load_explicit(&p->contended, memory_order_relaxed);

	return until && (int64_t)(until - __rdtsc()) > 0;
}

/* --- places ------------------------------------------------------------------------- */

unsigned st_place_own(void)
{
	unsigned cpu;

	__rdtscp(&cpu);
	return cpu & ST_CPU_MASK;
}

/* Where the stub's thread was when it went to sleep. */
static unsigned stub_cpu(const struct st_ctx *c)
{
	return __atomic_load_n((const uint32_t *)(const void *)(c->slot + ST_CPU), __ATOMIC_RELAXED) & ST_CPU_MASK;
}

int st_place_stub(const struct st_ctx *c)
{
	return (int)stub_cpu(c);
}

static bool run_stub_on(const struct st_ctx *c, const cpu_set_t *cpus)
{
	return !sched_setaffinity(c->th->tid, sizeof(*cpus), cpus);
}

/* -1: where it likes. */
static void hold_thread(const struct st_platform *p, struct st_thread *th, int cpu)
{
	cpu_set_t one;

	if (th->on == cpu)
		return;
	th->on = cpu;
	CPU_ZERO(&one);
	if (cpu >= 0)
		CPU_SET((unsigned)cpu, &one);
	sched_setaffinity(th->tid, sizeof(one), cpu < 0 ? &p->cpu_set : &one);
}

static void hold_stub(const struct st_ctx *c, int cpu)
{
	hold_thread(c->p, c->th, cpu);
}

void st_place_mark(struct st_platform *p)
{
	if (p->places)
		atomic_store_explicit(&p->begun_on, (int)st_place_own(), memory_order_relaxed);
}

void st_place_keep_off(const struct st_platform *p)
{
	if (p->places)
		thread_keep_off(atomic_load_explicit(&p->begun_on, memory_order_relaxed));
}

void st_place_zygote(struct st_platform *p)
{
	int off = atomic_load_explicit(&p->begun_on, memory_order_relaxed);
	cpu_set_t others = p->cpu_set;

	if (!p->places || off < 0 || atomic_exchange(&p->zygote_off, off) == off)
		return;
	CPU_CLR((unsigned)off, &others);
	sched_setaffinity(p->zygote.pid, sizeof(others), &others);
}

void st_place_made(const struct st_platform *p, pid_t stub)
{
	if (atomic_load(&p->zygote_off) >= 0)
		sched_setaffinity(stub, sizeof(p->cpu_set), &p->cpu_set);
}

void st_place_end(const struct st_platform *p, struct st_thread *th)
{
	if (p->places)
		hold_thread(p, th, (int)st_place_own());
}

void st_place_free(struct st_ctx *c)
{
	hold_stub(c, -1);
	if (st_seat_own() != -1) {
		st_seat_set(-1);
		sched_setaffinity(0, sizeof(c->p->cpu_set), &c->p->cpu_set);
	}
	c->held = false;
}

/* Both threads stay where they are: their next ones may want just that. */
void st_place_leave(struct st_ctx *c)
{
	c->held = false;
}

static void hold(struct st_ctx *c, unsigned cpu)
{
	hold_stub(c, (int)cpu);
	c->held = true;
	c->held_on = cpu;
}

static void hold_here(struct st_ctx *c, unsigned cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
	st_seat_set((int)cpu);
	hold(c, cpu);
	c->held_since = __rdtsc();
}

void st_place_runs(struct st_ctx *c, bool runs)
{
	if (c->held)
		atomic_fetch_add_explicit(&c->p->held_on[c->held_on], runs ? 1 : -1, memory_order_relaxed);
}

bool st_place_taken(const struct st_platform *p, unsigned cpu)
{
	return atomic_load_explicit(&p->held_on[cpu], memory_order_relaxed) > 0;
}

/* Not where another program is held and runs: there may be an idle processor.  If others
 * want the processors there is none, and neither thread runs away. */
static bool to_be_held(const struct st_ctx *c, unsigned cpu)
{
	if (c->spins)
		return false;
	if (c->held)
		return __rdtsc() - c->held_since < st_place_ticks(c->p, ST_HOLD_NS);
	return !st_place_taken(c->p, cpu) && (stub_cpu(c) != cpu || !st_place_contended(c->p));
}

/* False: there is no other any more. */
static bool wake_elsewhere(struct st_ctx *c, unsigned cpu)
{
	cpu_set_t others = c->p->cpu_set;
	bool moved;

	CPU_CLR(cpu, &others);
	moved = run_stub_on(c, &others);
	if (!moved)
		st_cpus_fewer(c);
	st_handover_wake_stub(c);
	run_stub_on(c, &c->p->cpu_set);
	return moved;
}

/* Where somebody has called c's host thread, or sent it, its stub's goes too. */
static void sit(struct st_ctx *c)
{
	int seat;

	if (st_seat_sent())
		st_place_free(c);
	seat = st_seat_own();

	if (seat < 0 || (c->held && c->held_on == (unsigned)seat))
		return;
	hold(c, (unsigned)seat);
	c->held_since = st_seat_since();
}

/* To choose from. To look how many there are may leave the stub's thread on any. */
static bool enough_cpus(struct st_ctx *c)
{
	int on = c->th->on;
	bool enough;

	if (!c->p->places)
		return false;
	enough = st_cpus(c) > 1;
	hold_stub(c, on);
	return enough;
}

bool st_place_wake(struct st_ctx *c)
{
	unsigned cpu;

	if (!enough_cpus(c)) {
		if (c->held)
			st_place_free(c);
		st_handover_wake_stub(c);
		return false;
	}
	cpu = st_place_own();
	sit(c);
	if (!to_be_held(c, cpu))
		st_place_free(c);
	else if (!c->held)
		hold_here(c, cpu);
	if (c->spins && stub_cpu(c) == cpu)
		return wake_elsewhere(c, cpu);
	st_handover_wake_stub(c);
	return false;
}
