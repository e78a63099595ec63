/*
 * cpu.c - /sys/devices/system/cpu/cpuN: one package of cores of one thread each.  Made when it is looked at: a
 * machine may have hundreds.
 */
#include "fs/sys/internal.h"

#include "kernel/kernel.h"

#include <stdio.h>
#include <string.h>

void sys_put_mask(char out[CPU_MASK_MAX], unsigned first, unsigned last, unsigned n)
{
	size_t used = 0;

	for (unsigned digit = (n + 3) / 4; digit-- > 0 && used + 3 < CPU_MASK_MAX;) {
		unsigned value = 0;

		for (unsigned bit = 0; bit < 4; bit++)
			value |= (digit * 4 + bit >= first && digit * 4 + bit <= last) << bit;
		out[used++] = "0123456789abcdef"[value];
		if (digit && digit % 8 == 0)
			out[used++] = ',';
	}
	out[used++] = '\n';
	out[used] = 0;
}

void sys_put_range(char out[32], unsigned n)
{
	snprintf(out, 32, n > 1 ? "0-%u\n" : "0\n", n - 1);
}

/* --- topology ------------------------------------------------------------------------- */

enum what { WHAT_ITSELF, WHAT_ITS_MASK, WHAT_ALL, WHAT_ALL_MASK, WHAT_ZERO };

static const struct {
	const char *name;
	enum what what;
} topology[] = {
	{ "core_id", WHAT_ITSELF },
	{ "core_cpus", WHAT_ITS_MASK },
	{ "core_cpus_list", WHAT_ITSELF },
	{ "thread_siblings", WHAT_ITS_MASK },
	{ "thread_siblings_list", WHAT_ITSELF },
	{ "physical_package_id", WHAT_ZERO },
	{ "package_cpus", WHAT_ALL_MASK },
	{ "package_cpus_list", WHAT_ALL },
	{ "core_siblings", WHAT_ALL_MASK },
	{ "core_siblings_list", WHAT_ALL },
};

static bool topology_entry(struct kernel *k, unsigned cpu, unsigned i, struct fixed_entry *out)
{
	if (i >= sizeof(topology) / sizeof(topology[0]))
		return false;
	snprintf(out->name, sizeof(out->name), "%s", topology[i].name);
	return true;
}

static char *topology_text(struct kernel *k, unsigned cpu, unsigned i)
{
	char text[CPU_MASK_MAX];

	switch (topology[i].what) {
	case WHAT_ITS_MASK:
		sys_put_mask(text, cpu, cpu, k->cpus);
		break;
	case WHAT_ALL:
		sys_put_range(text, k->cpus);
		break;
	case WHAT_ALL_MASK:
		sys_put_mask(text, 0, k->cpus - 1, k->cpus);
		break;
	case WHAT_ITSELF:
	case WHAT_ZERO:
		snprintf(text, sizeof(text), "%u\n", topology[i].what == WHAT_ZERO ? 0 : cpu);
		break;
	}
	return strdup(text);
}

static const struct fixed_dir topology_dir = { topology_entry, topology_text };

/* --- cpuN ---------------------------------------------------------------------------------- */

static bool cpu_entry(struct kernel *k, unsigned cpu, unsigned i, struct fixed_entry *out)
{
	static const struct {
		const char *name;
		const struct fixed_dir *dir;
	} all[] = { { "topology", &topology_dir }, { "cache", &sys_cache_dir } };

	if (i >= sizeof(all) / sizeof(all[0]))
		return false;
	snprintf(out->name, sizeof(out->name), "%s", all[i].name);
	out->dir = all[i].dir;
	out->arg = cpu;
	return true;
}

const struct fixed_dir sys_cpu_dir = { cpu_entry, NULL };
