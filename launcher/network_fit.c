/*
 * network_fit.c - whether a network namespace is its container's alone.  See network.h.
 *
 * Processes of other users that may not be looked at are taken to be elsewhere: they could not
 * have been told of the namespace but by who runs the container.
 */
#include "network.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/capability.h>
#include <sys/stat.h>

static bool is_same(const struct stat *a, const struct stat *b) { return a->st_dev == b->st_dev && a->st_ino == b->st_ino; }

bool network_may_enter(void)
{
	cap_t caps = cap_get_proc();
	cap_flag_value_t has = CAP_CLEAR;

	if (caps) {
		(void)!cap_get_flag(caps, CAP_SYS_ADMIN, CAP_EFFECTIVE, &has);
		cap_free(caps);
	}
	return has == CAP_SET;
}

/* A process in the namespace; 0: none. */
static unsigned long process_in(const struct stat *there, struct pool *p)
{
	DIR *proc = opendir("/proc");
	unsigned long found = 0;
	struct dirent *d;

	while (proc && !found && (d = readdir(proc))) {
		struct stat st;
		char *end;
		unsigned long pid = strtoul(d->d_name, &end, 10);

		if (pid && !*end && !stat(pool_printf(p, "/proc/%lu/ns/net", pid), &st) && is_same(&st, there))
			found = pid;
	}
	if (proc)
		closedir(proc);
	return found;
}

const char *network_unfit(const char *path, struct pool *p)
{
	struct stat own, there;
	unsigned long pid;

	if (!network_may_enter())
		return "may not be entered by the caller";
	if (stat("/proc/self/ns/net", &own) < 0 || stat(path, &there) < 0)
		return "cannot be looked at";
	if (is_same(&own, &there))
		return "is the caller's own";
	pid = process_in(&there, p);
	return pid ? pool_printf(p, "is that of process %lu", pid) : NULL;
}

const char *network_is_listened_to(void)
{
	FILE *f = fopen("/proc/thread-self/net/packet", "re");
	char line[256];
	bool some;

	if (!f)
		return "has packet sockets that cannot be looked at";
	/* a line for each, below a heading */
	some = fgets(line, sizeof(line), f) && fgets(line, sizeof(line), f);
	fclose(f);
	return some ? "has interfaces that somebody else listens on" : NULL;
}
