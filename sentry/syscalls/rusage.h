/*
 * rusage.h - struct rusage from the kernel's sums: wait4, waitid, getrusage.
 */
#ifndef SENTRY_SYSCALLS_RUSAGE_H
#define SENTRY_SYSCALLS_RUSAGE_H

#include "abi/resource.h"
#include "kernel/task.h"

static inline void rusage_fill(struct linux_rusage *ru, const struct usage_sum *u)
{
	*ru = (struct linux_rusage){
		.utime = { u->utime / NSEC_PER_SEC, u->utime % NSEC_PER_SEC / 1000 },
		.stime = { u->stime / NSEC_PER_SEC, u->stime % NSEC_PER_SEC / 1000 },
		.maxrss = (int64_t)u->maxrss,
		.minflt = (int64_t)u->minflt,
		.majflt = (int64_t)u->majflt,
		.nvcsw = (int64_t)u->nvcsw,
		.nivcsw = (int64_t)u->nivcsw,
	};
}

#endif
