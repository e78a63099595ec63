/*
 * tables.c - see tables.h.
 */
#include "tables.h"

#include "program.h"

#include <errno.h>
#include <unistd.h>

static struct err *become_sentry(char *option, struct pool *p)
{
	static char name[] = "redoubt-sentry";
	char *args[] = { name, option, NULL };
	const char *path;
	struct err *e = program_find("sentry", p, &path);

	if (e)
		return e;
	execv(path, args);
	return err_new(errno, "executing %s", path);
}

struct err *tables_syscalls(const char *format, struct pool *p)
{
	return become_sentry(pool_printf(p, "--syscalls=%s", format), p);
}

struct err *tables_trace_points(struct pool *p)
{
	return become_sentry(pool_printf(p, "--trace-points"), p);
}
