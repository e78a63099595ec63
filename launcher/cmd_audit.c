/*
 * cmd_audit.c - audit: what each process of a live sandbox really may do, held
 * against its policy.  Changes nothing; stops a thread only for the instant in
 * which the kernel copies its filter.
 */
#include "audit.h"
#include "sandbox.h"

#include "libipc/fd.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct err *one(struct audit *a, const char *component, const struct proc_id *id, struct audit_policy *policy)
{
	_cleanup_close_ int fd = proc_open(id); /* holds the process: its number stays its own */
	struct err *e = audit_policy_read(component, a->pool, policy);

	if (e)
		return e;
	if (fd < 0)
		return err_new(ESRCH, "%s", component);
	audit_process(a, component, (pid_t)id->pid, policy, false);
	return NULL;
}

static pid_t parent_of(const char *pid, struct pool *p)
{
	FILE *f = fopen(pool_printf(p, "/proc/%s/stat", pid), "re");
	char text[1024] = "", *end;
	int parent = 0;

	if (!f)
		return 0;
	text[fread(text, 1, sizeof(text) - 1, f)] = 0;
	fclose(f);
	if ((end = strrchr(text, ')')))
		sscanf(end + 1, " %*c %d", &parent);
	return parent;
}

/* All children of the sentry are stubs. */
static void stubs(struct audit *a, const struct audit_policy *policy)
{
	DIR *d = opendir("/proc");

	for (const struct dirent *e; d && (e = readdir(d));)
		if (isdigit((unsigned char)e->d_name[0]) && parent_of(e->d_name, a->pool) == a->sentry)
			audit_process(a, "stub", atoi(e->d_name), policy, true);
	if (d)
		closedir(d);
}

static struct err *look(struct audit *a, const struct state *s)
{
	struct audit_policy policy;
	struct err *e;

	if ((e = one(a, "controld", s->controld, &policy)) || (e = one(a, "gofer", s->gofer, &policy)) ||
		(e = one(a, "sentry", s->sentry, &policy)))
		return e;
	a->sentry = (pid_t)s->sentry->pid;
	stubs(a, &policy);
	return NULL;
}

static struct err *run(struct context *c, int *status)
{
	struct sandbox s = SANDBOX_NONE;
	struct audit a = { .pool = c->pool };
	struct err *e = sandbox_open(c, c->argv[0], &s);

	if (e)
		return e;
	if (s.state.sandbox)
		e = err_new(0, "%s is in the sandbox of %s: audit that", c->argv[0], s.state.sandbox);
	else
		e = look(&a, &s.state);
	sandbox_close(&s);
	if (e)
		return e;
	printf("%u ok, %u not ok, %u not shown\n", a.good, a.bad, a.hidden);
	*status = a.bad ? 1 : 0;
	return NULL;
}

const struct command command_audit = {
	.name = "audit",
	.arguments = "ID",
	.summary = "show what each process of a live sandbox really may do, against its policy",
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
