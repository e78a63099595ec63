/*
 * cgroup_units.c - limits of a configuration in the numbers of the host's cgroups.
 * See cgroup.h.  Pure functions.
 */
#include "cgroup.h"

/* The host counts our own threads and the stubs of the container's processes too. */
#define PIDS_PER_TASK 3
#define PIDS_OWN 64

int64_t cgroup_host_pids(int64_t limit)
{
	return limit < 0 || limit > 1000000 ? -1 : limit ? limit * PIDS_PER_TASK + PIDS_OWN : 0;
}

uint64_t cgroup_weight(uint64_t shares)
{
	return 1 + (shares < 2 ? 0 : shares - 2) * 9999 / 262142;
}

uint64_t cgroup_io_weight(uint64_t weight)
{
	return 1 + (weight < 10 ? 0 : weight - 10) * 9999 / 990;
}

uint64_t cgroup_quota_cpus(const struct oci_resources *r)
{
	uint64_t period = r && r->cpu && r->cpu->period ? r->cpu->period : 100000;

	if (!r || !r->cpu || r->cpu->quota <= 0)
		return 0;
	return ((uint64_t)r->cpu->quota + period - 1) / period;
}
