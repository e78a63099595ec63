/*
 * vvar.h - the page of clock parameters that precedes the vDSO image in every
 * program: what lets clock_gettime be answered without a system call.
 *
 * mm maps [vvar page][vdso_image ...] into each address space: the page
 * read-only, the image read and execute.  There is one page per kernel, and one
 * per time namespace, in the memory file; only the functions below write it.  The guest's vDSO
 * (guest-code/vdso.c) reads it under the sequence count.
 *
 * Nobody refreshes it on a timer: parameters are good for max_age ticks after
 * tsc_base; a program that finds them older makes the real system call, whose
 * handler calls vvar_update.
 */
#ifndef SENTRY_ARCH_VVAR_H
#define SENTRY_ARCH_VVAR_H

#include <stdint.h>

/* Read by guest code: plain types, no pointers, nothing secret. */
struct vvar {
	uint32_t seq; /* odd while being written */
	uint32_t usable; /* 0: make the system call */
	uint64_t tsc_base; /* the time stamp counter at the sample */
	uint64_t max_age; /* ticks after tsc_base for which mult holds */
	uint64_t mult; /* ns = (ticks * mult) >> VVAR_SHIFT */
	int64_t monotonic; /* CLOCK_MONOTONIC at tsc_base, ns */
	int64_t realtime_offset; /* CLOCK_REALTIME - CLOCK_MONOTONIC, ns */
	int64_t boottime_offset; /* CLOCK_BOOTTIME - CLOCK_MONOTONIC, ns */
	/* The writer's own: the last sample that was not corrected. */
	uint64_t sample_tsc;
	int64_t sample_monotonic;
	uint64_t sample_window; /* ticks: the clock may have been read that long before sample_tsc */
	int64_t monotonic_shift, boottime_shift; /* ns that a time namespace adds to the host's clocks */
	uint32_t cpus; /* processors that all tasks may run on; 0: make the system call */
	uint32_t busy; /* a writer is at work */
	uint32_t broken; /* the counter cannot be used on this machine */
};
#define VVAR_SHIFT 32

/* Fills the page (the sentry's view of it). Once, at boot. */
void vvar_init(void *page);
/* For a page that nobody has read yet: the clocks are the host's and so many ns. */
void vvar_shift(void *page, int64_t monotonic, int64_t boottime);

/* Samples the clocks again if the page is older than about half a second, or stale
 * (the first time: 2 ms), else does nothing.  For the handlers of clock_gettime,
 * gettimeofday and time: any thread, takes no lock, ~100 ns. */
void vvar_update(void *page);

/* What the vDSO answers now, ns, or -1 where it makes the system call.  A call
 * that is made all the same must answer this: the page's clock may be a
 * microsecond behind the host's, and no clock may be seen to go back. */
enum vvar_clock { VVAR_MONOTONIC, VVAR_REALTIME, VVAR_BOOTTIME };
int64_t vvar_read(const void *page, enum vvar_clock clock);

/* The vDSO's getcpu answers with the number of the processor (rdtscp's: TSC_AUX without the node) modulo cpus;
 * 0: it makes the system call, as from the start, and for ever where the machine has no rdtscp. */
void vvar_cpus(void *page, uint32_t cpus);
#define VVAR_CPU_MASK 0xfff

#endif
