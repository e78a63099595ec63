/*
 * timens.c - /proc/PID/timens_offsets: the clock offsets of the time namespace that a task's children will
 * be in; writable until somebody is in that namespace.
 */
#include "fs/proc/internal.h"

#include "abi/capability.h"
#include "abi/time.h"
#include "kernel/ns.h"
#include "kernel/time_ns.h"

#include <errno.h>
#include <string.h>

static void show_offset(struct pbuf *b, const char *clock, int64_t ns)
{
	int64_t rest = ns % NSEC_PER_SEC;

	rest += rest < 0 ? NSEC_PER_SEC : 0;
	pprintf(b, "%-10s %10lld %9lld\n", clock, (long long)((ns - rest) / NSEC_PER_SEC), (long long)rest);
}

/* Those of the namespace that its children are to be in. */
SHOW(show_timens_offsets)
{
	struct nsproxy *ns = c->t ? task_get_ns(c->t) : NULL;

	if (!ns)
		return -ESRCH;
	show_offset(b, "monotonic", time_ns_offset(ns->time_for_children, LINUX_CLOCK_MONOTONIC));
	show_offset(b, "boottime", time_ns_offset(ns->time_for_children, LINUX_CLOCK_BOOTTIME));
	nsproxy_put(ns);
	return 0;
}

/* One line: CLOCK SECONDS NANOSECONDS. */
static int parse_offset(const char *line, int64_t *monotonic, int64_t *boottime)
{
	char clock[16];
	long long s, ns;
	int64_t *to, at;

	if (sscanf(line, "%15s %lld %lld", clock, &s, &ns) != 3 || ns < 0 || ns >= NSEC_PER_SEC)
		return -EINVAL;
	to = !strcmp(clock, "monotonic") || !strcmp(clock, "1") ? monotonic : !strcmp(clock, "boottime") || !strcmp(clock, "7") ? boottime : NULL;
	if (!to)
		return -EINVAL;
	if (__builtin_mul_overflow((int64_t)s, NSEC_PER_SEC, &at) || __builtin_add_overflow(at, (int64_t)ns, to))
		return -ERANGE;
	return 0;
}

ssize_t store_timens_offsets(struct pctx *c, char *text, size_t n)
{
	struct nsproxy *ns = c->t ? task_get_ns(c->t) : NULL;
	struct time_ns *time = ns ? ns->time_for_children : NULL;
	int64_t monotonic = time_ns_offset(time, LINUX_CLOCK_MONOTONIC), boottime = time_ns_offset(time, LINUX_CLOCK_BOOTTIME);
	char *line, *rest = text;
	int r = ns ? 0 : -ESRCH;

	if (!r && !cred_capable_in(task_current()->cred, time ? time->owner : NULL, LINUX_CAP_SYS_TIME))
		r = -EPERM;
	while (!r && (line = strsep(&rest, "\n")))
		if (*line)
			r = parse_offset(line, &monotonic, &boottime);
	if (!r)
		r = time_ns_set(time, monotonic, boottime);
	nsproxy_put(ns);
	return r ? r : (ssize_t)n;
}
