/*
 * cache.c - the processors' caches, as /sys/devices/system/cpu/cpuN/cache tells of them: by the CPUID leaf
 * that describes them.  A core has the first levels for itself; all
 * share the last one.
 */
#include "fs/sys/internal.h"

#include "kernel/kernel.h"

#include <cpuid.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CACHES_MAX 8u

struct cache {
	unsigned level, type, line, partitions, ways, sets;
};

/* AMD has a leaf of its own, of the same layout. */
static unsigned cache_leaf(void)
{
	unsigned a, vendor[3] = { 0 }, c;

	if (!__get_cpuid(0, &a, &vendor[0], &vendor[2], &vendor[1]))
		return 0;
	if (memcmp(vendor, "AuthenticAMD", 12) && memcmp(vendor, "HygonGenuine", 12))
		return a >= 4 ? 4 : 0;
	return __get_cpuid(0x80000001, &a, &vendor[0], &c, &vendor[2]) && c >> 22 & 1 ? 0x8000001d : 0;
}

static unsigned find_caches(struct cache out[CACHES_MAX])
{
	unsigned leaf = cache_leaf(), n = 0, a, b, c, d;

	while (leaf && n < CACHES_MAX) {
		if (!__get_cpuid_count(leaf, n, &a, &b, &c, &d) || !(a & 31))
			break;
		out[n++] = (struct cache){ .type = a & 31, .level = a >> 5 & 7, .line = (b & 0xfff) + 1, .partitions = (b >> 12 & 0x3ff) + 1,
			.ways = (b >> 22) + 1, .sets = c + 1 };
	}
	return n;
}

/* --- indexN, of the processor's number times CACHES_MAX and N ---------------------------------- */

enum what { WHAT_TYPE, WHAT_LEVEL, WHAT_ID, WHAT_SIZE, WHAT_LINE, WHAT_SETS, WHAT_WAYS, WHAT_PARTITIONS, WHAT_LIST, WHAT_MASK };
static const char *const files[] = {
	[WHAT_TYPE] = "type",
	[WHAT_LEVEL] = "level",
	[WHAT_ID] = "id",
	[WHAT_SIZE] = "size",
	[WHAT_LINE] = "coherency_line_size",
	[WHAT_SETS] = "number_of_sets",
	[WHAT_WAYS] = "ways_of_associativity",
	[WHAT_PARTITIONS] = "physical_line_partition",
	[WHAT_LIST] = "shared_cpu_list",
	[WHAT_MASK] = "shared_cpu_map",
};

static bool index_entry(struct kernel *k, unsigned arg, unsigned i, struct fixed_entry *out)
{
	if (i >= sizeof(files) / sizeof(files[0]))
		return false;
	snprintf(out->name, sizeof(out->name), "%s", files[i]);
	return true;
}

static unsigned number_of(const struct cache *c, unsigned cpu, enum what what)
{
	const unsigned numbers[] = { [WHAT_LEVEL] = c->level, [WHAT_ID] = c->level > 2 ? 0 : cpu, [WHAT_LINE] = c->line, [WHAT_SETS] = c->sets,
		[WHAT_WAYS] = c->ways, [WHAT_PARTITIONS] = c->partitions, [WHAT_LIST] = cpu };

	return numbers[what];
}

static char *index_text(struct kernel *k, unsigned arg, unsigned i)
{
	static const char *const types[] = { "", "Data", "Instruction", "Unified" };
	unsigned cpu = arg / CACHES_MAX, n;
	struct cache caches[CACHES_MAX], *c = &caches[arg % CACHES_MAX];
	char text[CPU_MASK_MAX];
	bool shared;

	n = find_caches(caches);
	if (arg % CACHES_MAX >= n)
		return strdup("");
	shared = c->level > 2;
	if (i == WHAT_TYPE)
		snprintf(text, sizeof(text), "%s\n", c->type < sizeof(types) / sizeof(types[0]) ? types[c->type] : "");
	else if (i == WHAT_SIZE)
		snprintf(text, sizeof(text), "%" PRIu64 "K\n", (uint64_t)c->line * c->partitions * c->ways * c->sets / 1024);
	else if (i == WHAT_LIST && shared)
		sys_put_range(text, k->cpus);
	else if (i == WHAT_MASK)
		sys_put_mask(text, shared ? 0 : cpu, shared ? k->cpus - 1 : cpu, k->cpus);
	else
		snprintf(text, sizeof(text), "%u\n", number_of(c, cpu, (enum what)i));
	return strdup(text);
}

static const struct fixed_dir index_dir = { index_entry, index_text };

/* --- cache ------------------------------------------------------------------------------------------ */

static bool cache_entry(struct kernel *k, unsigned cpu, unsigned i, struct fixed_entry *out)
{
	struct cache caches[CACHES_MAX];

	if (i >= find_caches(caches))
		return false;
	snprintf(out->name, sizeof(out->name), "index%u", i);
	out->dir = &index_dir;
	out->arg = cpu * CACHES_MAX + i;
	return true;
}

const struct fixed_dir sys_cache_dir = { cache_entry, NULL };
