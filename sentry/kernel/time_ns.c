/*
 * time_ns.c - see time_ns.h.  Any thread.
 */
#include "kernel/time_ns.h"

#include "abi/time.h"
#include "arch/x86_64/vvar.h"
#include "kernel/ns.h"
#include "vfs/user_ns.h"

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

int time_ns_new(struct kernel *k, int64_t monotonic, int64_t boottime, struct user_ns *owner, struct time_ns **out)
{
	struct time_ns *ns;
	int r;

	if (!in_range(CLOCK_MONOTONIC, monotonic) || !in_range(CLOCK_BOOTTIME, boottime))
		return -ERANGE;
	if (!(ns = calloc(1, sizeof(*ns))))
		return -ENOMEM;
	if ((r = mm_vdso_new(&k->mm_env, &ns->vdso))) {
		free(ns);
		return r;
	}
	ref_init(&ns->ref);
	mutex_init(&ns->mu, RANK_LEAF);
	ns->ino = ns_new_ino(k);
	user_ns_get(ns->owner = owner);
	ns->monotonic = monotonic;
	ns->boottime = boottime;
	*out = ns;
	return 0;
}

int time_ns_copy(struct kernel *k, struct time_ns *of, struct user_ns *owner, struct time_ns **out)
{
	int64_t monotonic = 0, boottime = 0;

	if (of) {
		mutex_lock(&of->mu);
		monotonic = of->monotonic;
		boottime = of->boottime;
		mutex_unlock(&of->mu);
	}
	return time_ns_new(k, monotonic, boottime, owner, out);
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
	user_ns_put(ns->owner);
	mutex_destroy(&ns->mu);
	free(ns);
}

int time_ns_set(struct time_ns *ns, int64_t monotonic, int64_t boottime)
{
	int r = -EACCES;

	if (!in_range(CLOCK_MONOTONIC, monotonic) || !in_range(CLOCK_BOOTTIME, boottime))
		return -ERANGE;
	if (!ns)
		return r;
	mutex_lock(&ns->mu);
	if (!ns->frozen) {
		ns->monotonic = monotonic;
		ns->boottime = boottime;
		r = 0;
	}
	mutex_unlock(&ns->mu);
	return r;
}

void time_ns_freeze(struct time_ns *ns)
{
	if (!ns)
		return;
	mutex_lock(&ns->mu);
	if (!ns->frozen)
		vvar_shift(ns->vdso.vvar, ns->monotonic, ns->boottime);
	ns->frozen = true;
	mutex_unlock(&ns->mu);
}

int time_ns_enter(struct kernel *k, struct time_ns *ns, struct mm *mm)
{
	time_ns_freeze(ns);
	return mm_set_clock_page(mm, ns ? &ns->vdso : &k->mm_env.vdso);
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
