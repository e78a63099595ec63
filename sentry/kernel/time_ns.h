/*
 * time_ns.h - a time namespace: its tasks see the host's monotonic and boot
 * clocks with an offset added.
 *
 * It is made with a container whose specification gives offsets
 * (linux.timeOffsets), and immutable; all other tasks are in the first one, for
 * which NULL stands.  It has a clock page of its own, which exec maps.
 * Absolute times that programs give are turned into the host's where they enter
 * the kernel (clock_to_monotonic, posix_timer_set); inside all is the host's.
 */
#ifndef SENTRY_KERNEL_TIME_NS_H
#define SENTRY_KERNEL_TIME_NS_H

#include "lib/ref.h"
#include "mm/mm.h"

struct kernel;

struct time_ns {
	struct ref ref;
	uint64_t ino; /* [I], as all that follows */
	int64_t monotonic, boottime; /* ns that are added to the host's clocks */
	struct mm_vdso vdso;
};

/* 0, -ENOMEM, or -ERANGE: a clock would begin before 0, or end too soon. */
int time_ns_new(struct kernel *k, int64_t monotonic, int64_t boottime, struct time_ns **out);
void time_ns_get(struct time_ns *ns); /* NULL is fine, here and below */
void time_ns_put(struct time_ns *ns);
/* What is added to the host's clock of a LINUX_CLOCK_* number, ns. */
int64_t time_ns_offset(const struct time_ns *ns, int clock);
/* A time that a program gives, as the host's clock has it: 0 to INT64_MAX. */
int64_t time_ns_to_host(const struct time_ns *ns, int clock, int64_t at);
/* What /proc/uptime and its like show, of a time since the sandbox began, ns. */
int64_t time_ns_uptime(const struct time_ns *ns, int64_t up);

#endif
