/*
 * cmd_audit.c - audit: what each process of a live sandbox really may do, held
 * against its policy.  Changes nothing; stops a thread only for the instant in
 * which the kernel copies its filter.
 */
#include "audit.h"
#include "proc_stat.h"
#include "sandbox.h"

#include "libipc/fd.h"

#include <errno.h>
#include <stdio.h>

#define CHILDREN_MAX 4096

static struct err *one(struct audit *a, const char *component, const char *option, const struct proc_id *id, struct audit_policy *policy)
{
	_cleanup_close_ int fd = proc_open(id); /* holds the process: its number stays its own */
	struct err *e = audit_policy_read(component, option, a->pool, policy);

	if (e)
		return e;
	if (fd < 0)
		return err_new(ESRCH, "%s", component);
	audit_process(a, component, (pid_t)id->pid, policy, false);
	return NULL;
}

static void children(struct audit *a, const char *component, pid_t parent, const struct audit_policy *policy, bool stubs)
{
	pid_t pids[CHILDREN_MAX];
	size_t n = proc_children(parent, pids, CHILDREN_MAX);

	for (size_t i = 0; i < n && i < CHILDREN_MAX; i++)
		audit_process(a, component, pids[i], policy, stubs);
}

/* The keeper and its child, which serves. */
static struct err *gofer(struct audit *a, const struct proc_id *id)
{
	struct audit_policy policy;
	struct err *e = one(a, "gofer", "--keeper", id, &policy);

	if (e || (e = audit_policy_read("gofer", NULL, a->pool, &policy)))
		return e;
	children(a, "gofer", (pid_t)id->pid, &policy, false);
	return NULL;
}

static struct err *look(struct audit *a, const struct state *s)
{
	struct audit_policy policy;
	struct err *e;

	if ((e = one(a, "controld", NULL, s->controld, &policy)) || (e = gofer(a, s->gofer)) || (e = one(a, "sentry", NULL, s->sentry, &policy)))
		return e;
	a->sentry = (pid_t)s->sentry->pid;
	children(a, "stub", a->sentry, &policy, true); /* all of them are stubs */
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
	.summary = "show what each process of a live sandbox can really do, and compare with its policy",
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
