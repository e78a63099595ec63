/*
 * scope_properties.c - the systemd unit of a container: its name from linux.cgroupsPath, its properties
 * from linux.resources and annotations.  See scope.h.
 *
 * systemd resets values that it was not given at its next reload.  So the limits that it knows are
 * given to it, with the same values that cgroup_limit() writes into the cgroup.
 */
#include "cgroup.h"
#include "scope.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "org.systemd.property."

struct err *scope_understand(const char *cgroups_path, const char *id, bool user, struct pool *p, struct scope_plan *out)
{
	char *copy = pool_strdup(p, cgroups_path && *cgroups_path ? cgroups_path : pool_printf(p, ":redoubt:%s", id)), *rest = copy;
	const char *slice = strsep(&rest, ":"), *prefix = rest ? strsep(&rest, ":") : NULL, *name = rest;

	if (!name || strchr(name, ':') || !*name)
		return err_new(0, "linux.cgroupsPath: '%.64s' is not SLICE:PREFIX:NAME, as --systemd-cgroup wants it", cgroups_path);
	if (strchr(cgroups_path ? cgroups_path : "", '/'))
		return err_new(0, "linux.cgroupsPath: '%.64s': a unit's name has no '/'", cgroups_path);
	out->slice = *slice ? slice : user ? "user.slice" : "system.slice";
	out->unit = pool_printf(p, "%s%s%s.scope", prefix, *prefix ? "-" : "", name);
	out->description = pool_printf(p, "redoubt container %s", id);
	return NULL;
}

static void add_u64(struct scope_properties *out, struct pool *p, const char *name, uint64_t v)
{
	LIST_ADD(p, out, pool_printf(p, "%s=t:%llu", name, (unsigned long long)v));
}

/* -1, "no limit", is systemd's greatest number. */
static void add_limit(struct scope_properties *out, struct pool *p, const char *name, int64_t v)
{
	if (v)
		add_u64(out, p, name, v < 0 ? UINT64_MAX : (uint64_t)v);
}

/* --- memory, processors, processes --------------------------------------------------------- */

static void memory(const struct oci_memory *m, bool v2, struct pool *p, struct scope_properties *out)
{
	add_limit(out, p, v2 ? "MemoryMax" : "MemoryLimit", m->limit);
	if (!v2)
		return;
	add_limit(out, p, "MemoryLow", m->reservation);
	if (m->swap < 0 || m->swap > m->limit)
		add_limit(out, p, "MemorySwapMax", m->swap < 0 ? -1 : m->swap - m->limit);
	else if (m->swap)
		add_u64(out, p, "MemorySwapMax", 0);
}

/* In whole percents, as systemd keeps it: never less than what is asked for. */
static uint64_t quota_per_second(const struct oci_cpu *c)
{
	uint64_t period = c->period ? c->period : 100000, us;

	if (c->quota <= 0)
		return UINT64_MAX;
	us = (uint64_t)((double)c->quota * 1000000 / (double)period);
	return (us + 9999) / 10000 * 10000;
}

/* "0-2,8" as a bit mask, byte 0 first, in hex; NULL: not such a list. */
static const char *mask_of(const char *set, struct pool *p)
{
	unsigned char bits[512] = { 0 };
	size_t last_byte = 0;
	char *hex;

	while (*set) {
		char *end;
		unsigned long first = strtoul(set, &end, 10), last = first;

		if (end != set && *end == '-') {
			set = end + 1;
			last = strtoul(set, &end, 10);
		}
		if (end == set || last < first || last >= sizeof(bits) * 8 || (*end && *end != ','))
			return NULL;
		for (unsigned long i = first; i <= last; i++)
			bits[i / 8] |= (unsigned char)(1 << i % 8);
		last_byte = last / 8 > last_byte ? last / 8 : last_byte;
		set = *end ? end + 1 : end;
	}
	hex = pool_alloc(p, 2 * last_byte + 3);
	for (size_t i = 0; i <= last_byte; i++)
		snprintf(hex + 2 * i, 3, "%02x", bits[i]);
	return hex;
}

static void add_set(struct scope_properties *out, struct pool *p, const char *name, const char *set)
{
	const char *mask = set && *set ? mask_of(set, p) : NULL;

	if (mask)
		LIST_ADD(p, out, pool_printf(p, "%s=ay:%s", name, mask));
}

static void cpu(const struct oci_cpu *c, bool v2, struct pool *p, struct scope_properties *out)
{
	if (c->shares)
		add_u64(out, p, v2 ? "CPUWeight" : "CPUShares", v2 ? cgroup_weight(c->shares) : c->shares);
	if (c->period)
		add_u64(out, p, "CPUQuotaPeriodUSec", c->period);
	if (c->quota || c->period)
		add_u64(out, p, "CPUQuotaPerSecUSec", quota_per_second(c));
	if (!v2)
		return;
	add_set(out, p, "AllowedCPUs", c->cpus);
	add_set(out, p, "AllowedMemoryNodes", c->mems);
}

/* --- devices ------------------------------------------------------------------------------------- */

/* The driver of a major number, as /proc/devices has it. */
static const char *driver_of(bool block, int64_t major, struct pool *p)
{
	FILE *f = fopen("/proc/devices", "re");
	bool in_blocks = false;
	const char *found = NULL;
	char line[256], name[128];
	long n;

	while (f && !found && fgets(line, sizeof(line), f)) {
		in_blocks |= !strncmp(line, "Block", 5);
		if (in_blocks == block && sscanf(line, "%ld %127s", &n, name) == 2 && n == major)
			found = pool_strdup(p, name);
	}
	if (f)
		fclose(f);
	return found;
}

/* The sandbox's processes hold what they need: no rule is one too few for them. */
static void devices(const struct oci_resources *r, struct pool *p, struct scope_properties *out)
{
	const char *lines = "";

	for (size_t i = 0; i < r->devices.n; i++) {
		const struct oci_device_rule *d = &r->devices.v[i];
		bool block = d->type && d->type[0] == 'b';
		const char *kind = block ? "block" : "char", *access = d->access && *d->access ? d->access : "rwm", *driver;
		int64_t major = d->has_major ? d->major : -1, minor = d->has_minor ? d->minor : -1;

		if (!d->allow)
			continue; /* all but what is allowed is denied */
		if (!d->type || !*d->type || d->type[0] == 'a')
			return;
		if (major >= 0 && minor >= 0)
			lines = pool_printf(p, "%s/dev/%s/%lld:%lld %s\n", lines, kind, (long long)major, (long long)minor, access);
		else if (major < 0)
			lines = pool_printf(p, "%s%s-* %s\n", lines, kind, access);
		else if ((driver = driver_of(block, major, p)))
			lines = pool_printf(p, "%s%s-%s %s\n", lines, kind, driver, access);
	}
	if (!r->devices.n)
		return;
	LIST_ADD(p, out, "DevicePolicy=s:strict");
	LIST_ADD(p, out, pool_printf(p, "DeviceAllow=a(ss):%s", lines));
}

void scope_limits(const struct oci_resources *r, bool v2, struct pool *p, struct scope_properties *out)
{
	if (r->memory)
		memory(r->memory, v2, p, out);
	if (r->cpu)
		cpu(r->cpu, v2, p, out);
	if (r->pids)
		add_limit(out, p, "TasksMax", cgroup_host_pids(r->pids->limit));
	if (r->blkio && r->blkio->weight)
		add_u64(out, p, v2 ? "IOWeight" : "BlockIOWeight", v2 ? cgroup_io_weight(r->blkio->weight) : r->blkio->weight);
	devices(r, p, out);
}

/* --- annotations ---------------------------------------------------------------------------------- */

/* 'a text' at *s, past which *s is moved; NULL: none there. */
static const char *quoted(const char **s, struct pool *p)
{
	const char quote = **s, *begin = *s + 1, *end = quote == '\'' || quote == '"' ? strchr(begin, quote) : NULL;

	if (!end)
		return NULL;
	*s = end + 1;
	return pool_printf(p, "%.*s", (int)(end - begin), begin);
}

/* ['one', 'two'] as lines. */
static const char *list(const char *s, struct pool *p)
{
	const char *lines = "", *one;

	for (s++; *s == ' '; s++)
		;
	while ((one = quoted(&s, p))) {
		lines = pool_printf(p, "%s%s\n", lines, one);
		s += strspn(s, ", ");
	}
	return !strcmp(s, "]") ? lines : NULL;
}

static const char *numeric(const char *text, struct pool *p)
{
	static const struct {
		const char *name;
		char type;
	} types[] = { { "uint64 ", 't' }, { "int64 ", 'x' }, { "uint32 ", 'u' }, { "int32 ", 'i' }, { "", 'i' } };
	size_t i = 0, n;

	while (strncmp(text, types[i].name, strlen(types[i].name)))
		i++;
	text += strlen(types[i].name);
	n = strspn(text, "-0123456789");
	return *text && !text[n] ? pool_printf(p, "%c:%s", types[i].type, text) : NULL;
}

/* As TYPE:VALUE; NULL: not understood. */
static const char *value_of(const char *text, struct pool *p)
{
	const char *s = text, *value;

	if (!strcmp(text, "true") || !strcmp(text, "false"))
		return pool_printf(p, "b:%s", text);
	if (*text == '[')
		return (value = list(text, p)) ? pool_printf(p, "as:%s", value) : NULL;
	if ((value = quoted(&s, p)))
		return *s ? NULL : pool_printf(p, "s:%s", value);
	return numeric(text, p);
}

/* Letters only, three at least: nothing that another part could take for its own. */
static bool is_name(const char *name)
{
	size_t n = 0;

	while (isalpha((unsigned char)name[n]))
		n++;
	return n >= 3 && !name[n];
}

/* "TimeoutStopSec" with a number of seconds is systemd's TimeoutStopUSec. */
static const char *in_microseconds(const char *name, const char *value, struct pool *p)
{
	size_t n = strlen(name);
	double seconds;

	if (n < 4 || strcmp(name + n - 3, "Sec") || !strcmp(name + n - 4, "USec") || !strchr("tuxi", value[0]) ||
		sscanf(value + 2, "%lf", &seconds) != 1 || seconds < 0)
		return NULL;
	return pool_printf(p, "%.*sUSec=t:%.0f", (int)n - 3, name, seconds * 1000000);
}

struct err *scope_annotations(const struct jmap *annotations, struct pool *p, struct scope_properties *out)
{
	for (size_t i = 0; i < annotations->n; i++) {
		const struct jpair *a = &annotations->v[i];
		const char *name = a->name + strlen(PREFIX), *value, *us;

		if (strncmp(a->name, PREFIX, strlen(PREFIX)))
			continue;
		if (!is_name(name))
			return err_new(0, "annotations.%.128s: '%.64s' is not a property's name", a->name, name);
		if (!(value = value_of(a->value, p)))
			return err_new(0, "annotations.%.128s: the value '%.64s' is not understood", a->name, a->value);
		us = in_microseconds(name, value, p);
		LIST_ADD(p, out, us ? us : pool_printf(p, "%s=%s", name, value));
	}
	return NULL;
}
