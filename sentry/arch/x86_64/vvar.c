/*
 * vvar.c - samples the host's clocks into the clock page.
 *
 * The time stamp counter is calibrated against CLOCK_MONOTONIC between two
 * samples, so that the host's own slewing is followed.  The published rate is a
 * little slow (SLOW_PPB and the sampling error), so that the vDSO's clock lags
 * behind the host's by at most a microsecond or two within max_age and never
 * runs ahead of a system call; at each new sample it catches up.  Should it be
 * ahead all the same, the page goes on from what programs have seen.
 */
#include "arch/x86_64/vvar.h"

#include "arch/x86_64/cpuid.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <x86intrin.h>

#define MSEC 1000000
#define FIRST_INTERVAL (2 * MSEC) /* between the first sample and the first calibration, at least */
#define INTERVAL (500 * MSEC) /* between later samples, unless the page has become stale */
#define MAX_AGE (1000 * MSEC)
#define TRUST 10 /* a rate found in some time is good for so many times that */
#define SLOW_PPB 500 /* parts in 1e9 */
#define SAMPLE_ERROR 100 /* ns */
#define MAX_DRIFT MSEC /* a counter that is further off than this in MAX_AGE is not to be used */

static int64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

/* The counter and the clock at one instant: the closest of a few tries.  On a
 * busy machine none need be close: *window ticks may lie between them. */
static uint64_t sample(int64_t *monotonic, uint64_t *window)
{
	uint64_t best = UINT64_MAX, tsc = 0;

	for (int i = 0; i < 4; i++) {
		uint64_t before = __rdtsc(), after;
		int64_t ns = clock_ns(CLOCK_MONOTONIC);

		after = __rdtsc();
		if (after - before < best) {
			best = after - before;
			/* The clock is read near the end: taking the later instant
			 * makes programs' clock late, never early. */
			tsc = after;
			*monotonic = ns;
		}
	}
	*window = best;
	return tsc;
}

static int tsc_is_invariant(void)
{
	unsigned a, b, c, d;

	return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & (1u << 8));
}

void vvar_init(void *page)
{
	struct vvar *v = page;

	memset(v, 0, sizeof(*v));
	v->broken = !tsc_is_invariant();
	v->sample_tsc = sample(&v->sample_monotonic, &v->sample_window);
}

void vvar_cpus(void *page, uint32_t cpus)
{
	struct vvar *v = page;

	if (!cpus || cpu_has_rdtscp())
		__atomic_store_n(&v->cpus, cpus, __ATOMIC_SEQ_CST);
}

void vvar_shift(void *page, int64_t monotonic, int64_t boottime)
{
	struct vvar *v = page;

	v->monotonic_shift = monotonic;
	v->boottime_shift = boottime;
}

/* Readers look while a writer may be at work, and look again if there was one. */
#define LOOK(field) __atomic_load_n(&(field), __ATOMIC_RELAXED)
#define PUT(field, value) __atomic_store_n(&(field), value, __ATOMIC_RELAXED)

static int64_t predict(const struct vvar *v, uint64_t tsc)
{
	return LOOK(v->monotonic) + (int64_t)(((unsigned __int128)(tsc - LOOK(v->tsc_base)) * LOOK(v->mult)) >> VVAR_SHIFT);
}

/* Programs do not go by it any more. */
static bool is_stale(const struct vvar *v, uint64_t tsc)
{
	return tsc - LOOK(v->tsc_base) > LOOK(v->max_age);
}

/* New parameters from this sample and the last. */
static void publish(struct vvar *v, uint64_t tsc, int64_t ns)
{
	int64_t elapsed = ns - v->sample_monotonic, base = ns + v->monotonic_shift;
	uint64_t ticks = tsc - v->sample_tsc + v->sample_window, mult, max_ns; /* at the most */

	mult = (uint64_t)(((unsigned __int128)(uint64_t)elapsed << VVAR_SHIFT) / ticks);
	mult -= mult / 1000000000 * SLOW_PPB + (uint64_t)((unsigned __int128)mult * SAMPLE_ERROR / (uint64_t)elapsed);
	max_ns = elapsed * TRUST < MAX_AGE ? (uint64_t)elapsed * TRUST : MAX_AGE;
	if (v->usable) {
		/* The old parameters may be long past max_age: nobody saw that. */
		int64_t seen = predict(v, is_stale(v, tsc) ? v->tsc_base + v->max_age : tsc);

		if (seen > base) {
			PUT(v->broken, seen - base > MAX_DRIFT);
			base = seen;
			mult -= mult / 100000; /* until the host has caught up */
		}
	}
	PUT(v->seq, v->seq + 1);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	PUT(v->tsc_base, tsc);
	PUT(v->max_age, (uint64_t)(((unsigned __int128)max_ns << VVAR_SHIFT) / mult));
	PUT(v->mult, mult);
	PUT(v->monotonic, base);
	PUT(v->realtime_offset, clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC) - v->monotonic_shift);
	PUT(v->boottime_offset, clock_ns(CLOCK_BOOTTIME) - clock_ns(CLOCK_MONOTONIC) + v->boottime_shift - v->monotonic_shift);
	PUT(v->usable, !v->broken);
	__atomic_store_n(&v->seq, v->seq + 1, __ATOMIC_RELEASE);
}

/* It is time for another sample; asked first while another may write. */
static bool is_due(const struct vvar *v)
{
	int64_t age = clock_ns(CLOCK_MONOTONIC) - LOOK(v->sample_monotonic);

	return age >= (LOOK(v->usable) && !is_stale(v, __rdtsc()) ? INTERVAL : FIRST_INTERVAL);
}

void vvar_update(void *page)
{
	struct vvar *v = page;
	int64_t ns = 0;
	uint64_t tsc, window = 0;

	/* Looked at once more when no writer is at work. */
	if (LOOK(v->broken) || !is_due(v) || __atomic_exchange_n(&v->busy, 1, __ATOMIC_ACQUIRE))
		return;
	if (!is_due(v)) {
		__atomic_store_n(&v->busy, 0, __ATOMIC_RELEASE);
		return;
	}
	tsc = sample(&ns, &window);
	if (tsc <= v->sample_tsc || ns <= v->sample_monotonic)
		PUT(v->broken, 1);
	else
		publish(v, tsc, ns);
	v->sample_tsc = tsc;
	v->sample_window = window;
	PUT(v->sample_monotonic, ns);
	__atomic_store_n(&v->busy, 0, __ATOMIC_RELEASE);
}

int64_t vvar_read(const void *page, enum vvar_clock clock)
{
	const struct vvar *v = page;
	uint32_t seq;
	int64_t ns;

	do {
		uint64_t now;

		seq = __atomic_load_n(&v->seq, __ATOMIC_ACQUIRE);
		now = __rdtsc();
		if ((seq & 1) || !LOOK(v->usable) || is_stale(v, now))
			return -1;
		ns = predict(v, now);
		ns += clock == VVAR_REALTIME ? LOOK(v->realtime_offset) : clock == VVAR_BOOTTIME ? LOOK(v->boottime_offset) : 0;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (LOOK(v->seq) != seq);
	return ns;
}
