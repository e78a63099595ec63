/*
 * time_ns.h - a time namespace: its tasks see the host's monotonic and boot
 * clocks with an offset added.
 *
 * It is made with a container whose specification gives offsets
 * (linux.timeOffsets), or by a program (CLONE_NEWTIME): then its offsets may be
 * written until the first task is in it.  All other tasks are in the first one, for
 * which NULL stands.  It has a clock page of its own, which exec maps.
 * Absolute times that programs give are turned into the host's where they enter
 * the kernel (clock_to_monotonic, posix_timer_set); inside all is the host's.
 */
#ifndef SENTRY_KERNEL_TIME_NS_H
#define SENTRY_KERNEL_TIME_NS_H

#include "lib/lock.h"
#include "lib/ref.h"
#include "mm/mm.h"

struct kernel;
struct task;
struct user_ns;

struct time_ns {
	struct ref ref;
	uint64_t ino; /* [I] */
	struct user_ns *owner; /* [I] referenced; NULL: the container's */
	struct mutex mu; /* RANK_LEAF */
	bool frozen; /* [mu] somebody is in it: the offsets stay */
	int64_t monotonic, boottime; /* [mu] until frozen, [I] afterwards: ns that are added to the host's clocks */
	struct mm_vdso vdso; /* [I] */
};

/* 0, -ENOMEM, or -ERANGE: a clock would begin before 0, or end too soon. */
int time_ns_new(struct kernel *k, int64_t monotonic, int64_t boottime, struct user_ns *owner, struct time_ns **out);
/* One with the offsets of another, which may be changed yet. */
int time_ns_copy(struct kernel *k, struct time_ns *of, struct user_ns *owner, struct time_ns **out);
void time_ns_get(struct time_ns *ns); /* NULL is fine, here and below */
void time_ns_put(struct time_ns *ns);
/* Sets what is added to the clocks. -EACCES: somebody is in it; -ERANGE. */
int time_ns_set(struct time_ns *ns, int64_t monotonic, int64_t boottime);
/* Before the first task that is to be in it runs. */
void time_ns_freeze(struct time_ns *ns);
/* t, on its own thread, is about to run in ns: mm's clock page is to be ns's. -ENOMEM ... */
int time_ns_enter(struct kernel *k, struct time_ns *ns, struct mm *mm);
/* What is added to the host's clock of a LINUX_CLOCK_* number, ns. */
int64_t time_ns_offset(const struct time_ns *ns, int clock);
/* A time that a program gives, as the host's clock has it: 0 to INT64_MAX. */
int64_t time_ns_to_host(const struct time_ns *ns, int clock, int64_t at);
/* What /proc/uptime and its like show, of a time since the sandbox began, ns. */
int64_t time_ns_uptime(const struct time_ns *ns, int64_t up);

#endif
