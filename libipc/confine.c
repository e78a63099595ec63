/*
 * confine.c - applies a policy (confine.h), in one fixed order: ids and
 * namespaces, root, capabilities, rlimits; then, when the process has what it
 * needs, no_new_privs and the filter.
 *
 * Ids come before the namespaces because the new user namespace must belong to
 * the unprivileged id: nothing in it can then act as root outside, whatever it
 * becomes inside.  No state; the one thread of a starting process.
 */
#include "libipc/confine.h"
#include "libipc/confine_internal.h"

#include <errno.h>
#include <sched.h>
#include <sys/prctl.h>

static struct err *apply_rlimits(const struct policy *p)
{
	for (size_t i = 0; i < p->n_rlimits; i++) {
		const struct policy_rlimit *l = &p->rlimits[i];
		struct rlimit now;
		if (getrlimit((__rlimit_resource_t)l->resource, &now) < 0)
			return err_new(errno, "resource limit %d", l->resource);
		/* never more than we were given */
		rlim_t v = l->value < now.rlim_max ? l->value : now.rlim_max;
		struct rlimit want = { v, v };
		if (setrlimit((__rlimit_resource_t)l->resource, &want) < 0)
			return err_new(errno, "resource limit %d", l->resource);
	}
	return NULL;
}

static struct err *enter(const struct policy *p, const struct confine_opts *o)
{
	bool given = p->root == POLICY_ROOT_GIVEN;
	struct err *e = NULL;
	if (given && !(o && o->root))
		return err_new(EINVAL, "no root was given");
	if (!(o && o->no_namespaces)) {
		if (!(p->namespaces & CLONE_NEWNS))
			return err_new(EINVAL, "a policy needs a mount namespace");
		e = confine_namespaces(p, o && o->namespaces_made);
		if (!e)
			e = confine_root(given ? o->root : NULL, p->root == POLICY_ROOT_ROOM);
	}
	if (!e && o && o->memory)
		*o->memory = confine_memory();
	if (!e)
		e = confine_caps(p->caps);
	if (!e)
		e = apply_rlimits(p);
	/* Those who share the unprivileged id and the namespace may see each
	 * other (the sentry traces its stubs); a user namespace of its own keeps
	 * every other process of that id out.  A component that keeps a powerful
	 * id is nobody's to look into. */
	if (!e && prctl(PR_SET_DUMPABLE, p->user == POLICY_USER_NOBODY ? 1 : 0) < 0)
		e = err_new(errno, "PR_SET_DUMPABLE");
	return e;
}

struct err *confine_enter(const struct policy *p, const struct confine_opts *o)
{
	struct err *e = enter(p, o);
	return e ? err_wrap(e, "confining the %s", p->component) : NULL;
}

struct err *confine_seal(const struct policy *p)
{
	const struct policy_rule *tables[2] = { p->rules, NULL };
	size_t n[2] = { p->n_rules, 0 }, n_tables = 1;
#ifdef REDOUBT_SANITIZE
	tables[1] = p->sanitizer_rules;
	n[1] = p->n_sanitizer_rules;
	n_tables = 2;
#endif
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_new(errno, "sealing the %s: no_new_privs", p->component);
	struct err *e = confine_filter(tables, n, n_tables);
	return e ? err_wrap(e, "sealing the %s", p->component) : NULL;
}

struct err *confine_seal_child(const struct policy *p)
{
	struct err *e = apply_rlimits(p);
	return e ? err_wrap(e, "sealing the %s", p->component) : confine_seal(p);
}
