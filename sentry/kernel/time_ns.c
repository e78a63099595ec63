/*
 * time_ns.c - see time_ns.h.  Pure but for making one.
 */
#include "kernel/time_ns.h"

#include "abi/time.h"
#include "arch/x86_64/vvar.h"
#include "kernel/ns.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#define LAST (INT64_MAX / 2) /* as Linux has it: times may be added without a thought */

static bool in_range(clockid_t clock, int64_t offset)
{
	struct timespec ts;
	int64_t now;

	clock_gettime(clock, &ts);
	now = ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
	return !__builtin_add_overflow(now, offset, &now) && now >= 0 && now <= LAST;
}

int time_ns_new(struct kernel *k, int64_t monotonic, int64_t boottime, struct time_ns **out)
{
	struct time_ns *ns;
	int r;

	if (!in_range(CLOCK_MONOTONIC, monotonic) || !in_range(CLOCK_BOOTTIME, boottime))
		return -ERANGE;
	if (!(ns = calloc(1, sizeof(*ns))))
		return -ENOMEM;
	ref_init(&ns->ref);
	ns->ino = ns_new_ino(k);
	ns->monotonic = monotonic;
	ns->boottime = boottime;
	if ((r = mm_vdso_new(&k->mm_env, &ns->vdso))) {
		free(ns);
		return r;
	}
	vvar_shift(ns->vdso.vvar, monotonic, boottime);
	*out = ns;
	return 0;
}

void time_ns_get(struct time_ns *ns)
{
	if (ns)
		ref_get(&ns->ref);
}

void time_ns_put(struct time_ns *ns)
{
	if (!ns || !ref_put(&ns->ref))
		return;
	memobj_put(ns->vdso.obj);
	free(ns);
}

int64_t time_ns_offset(const struct time_ns *ns, int clock)
{
	if (!ns)
		return 0;
	switch (clock) {
	case LINUX_CLOCK_MONOTONIC:
	case LINUX_CLOCK_MONOTONIC_RAW:
	case LINUX_CLOCK_MONOTONIC_COARSE: return ns->monotonic;
	case LINUX_CLOCK_BOOTTIME:
	case LINUX_CLOCK_BOOTTIME_ALARM: return ns->boottime;
	default: return 0;
	}
}

int64_t time_ns_to_host(const struct time_ns *ns, int clock, int64_t at)
{
	int64_t offset = time_ns_offset(ns, clock);

	if (__builtin_sub_overflow(at, offset, &at))
		return offset < 0 ? INT64_MAX : 0;
	return at > 0 ? at : 0;
}

int64_t time_ns_uptime(const struct time_ns *ns, int64_t up)
{
	up += time_ns_offset(ns, LINUX_CLOCK_BOOTTIME);
	return up > 0 ? up : 0;
}
