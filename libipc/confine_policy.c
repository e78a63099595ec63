/*
 * confine_policy.c - prints a policy for people (--print-policy), and checks one for tests.  Pure functions
 * on constant tables.
 */
#include "libipc/confine_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>

/* --- printing ------------------------------------------------------------------ */

static const struct {
	int resource;
	const char *name;
} rlimit_names[] = {
	{ RLIMIT_AS, "AS" },
	{ RLIMIT_CORE, "CORE" },
	{ RLIMIT_CPU, "CPU" },
	{ RLIMIT_DATA, "DATA" },
	{ RLIMIT_FSIZE, "FSIZE" },
	{ RLIMIT_LOCKS, "LOCKS" },
	{ RLIMIT_MEMLOCK, "MEMLOCK" },
	{ RLIMIT_MSGQUEUE, "MSGQUEUE" },
	{ RLIMIT_NICE, "NICE" },
	{ RLIMIT_NOFILE, "NOFILE" },
	{ RLIMIT_NPROC, "NPROC" },
	{ RLIMIT_RSS, "RSS" },
	{ RLIMIT_RTPRIO, "RTPRIO" },
	{ RLIMIT_RTTIME, "RTTIME" },
	{ RLIMIT_SIGPENDING, "SIGPENDING" },
	{ RLIMIT_STACK, "STACK" },
};

static const char *rlimit_name(int resource)
{
	for (size_t i = 0; i < sizeof rlimit_names / sizeof rlimit_names[0]; i++)
		if (rlimit_names[i].resource == resource)
			return rlimit_names[i].name;
	return "?";
}

static void print_check(const struct policy_check *c, FILE *f)
{
	switch (c->op) {
	case POLICY_EQ:
		fprintf(f, "arg%u == %#" PRIx64, c->arg, c->value);
		break;
	case POLICY_NE:
		fprintf(f, "arg%u != %#" PRIx64, c->arg, c->value);
		break;
	case POLICY_LE:
		fprintf(f, "arg%u <= %#" PRIx64, c->arg, c->value);
		break;
	case POLICY_MASKED_EQ:
		fprintf(f, "(arg%u & %#" PRIx64 ") == %#" PRIx64, c->arg, c->mask, c->value);
		break;
	case POLICY_END:
		break;
	}
}

static void print_rules(const struct policy_rule *rules, size_t n, FILE *f)
{
	for (size_t i = 0; i < n; i++) {
		const struct policy_rule *r = &rules[i];
		if (r->refuse)
			fprintf(f, "refuse(%s) %s", strerrorname_np(r->refuse), r->call);
		else
			fprintf(f, "allow %s", r->call);
		for (int k = 0; k < 4 && r->checks[k].op != POLICY_END; k++) {
			fputs(k ? " && " : " [", f);
			print_check(&r->checks[k], f);
		}
		fprintf(f, "%s # %s\n", r->checks[0].op == POLICY_END ? "" : "]", r->why);
	}
}

static const char *const roots[] = {
	[POLICY_ROOT_EMPTY] = "empty, read-only",
	[POLICY_ROOT_ROOM] = "empty, read-only, a mount below the root of its mount namespace, in which the launcher shows the container's files to who joins it",
	[POLICY_ROOT_GIVEN] = "the given tree",
};

void policy_print(const struct policy *p, FILE *f)
{
	bool nobody = p->user == POLICY_USER_NOBODY;
	unsigned namespaces = p->namespaces | (nobody ? (unsigned)CLONE_NEWUSER : 0);
	fprintf(f, "component %s\n", p->component);
	fprintf(f, "user %s\n",
		nobody ? "65534 in a user namespace of its own with that one id (the caller's id, when not started by root)" : "the caller's");
	fprintf(f, "namespaces");
	for (const struct confine_namespace *n = confine_namespace_names; n->name; n++)
		if (namespaces & n->flag)
			fprintf(f, " %s", n->name);
	fprintf(f, "\nroot %s\n", roots[p->root]);
	fprintf(f, "capabilities");
	for (const char *const *c = p->caps; c && *c; c++)
		fprintf(f, " %s", *c);
	fprintf(f, "%s\n", p->caps && p->caps[0] ? "" : " none");
	for (size_t i = 0; i < p->n_rlimits; i++) {
		fprintf(f, "rlimit %s ", rlimit_name(p->rlimits[i].resource));
		if (p->rlimits[i].value == RLIM_INFINITY)
			fprintf(f, "unlimited");
		else
			fprintf(f, "%ju", (uintmax_t)p->rlimits[i].value);
		fprintf(f, " # %s\n", p->rlimits[i].why);
	}
	print_rules(p->rules, p->n_rules, f);
#ifdef REDOUBT_SANITIZE
	fprintf(f, "# for the sanitizer that this was built with:\n");
	print_rules(p->sanitizer_rules, p->n_sanitizer_rules, f);
#endif
}

/* --- checking -------------------------------------------------------------------- */

/* Whether the row's checks on the protection argument exclude memory that is
 * writable and executable at once. */
static bool excludes_wx(const struct policy_rule *r)
{
	for (int k = 0; k < 4 && r->checks[k].op != POLICY_END; k++) {
		const struct policy_check *c = &r->checks[k];
		const uint64_t wx = PROT_WRITE | PROT_EXEC;
		if (c->arg != 2)
			continue;
		if (c->op == POLICY_EQ && (c->value & wx) != wx)
			return true;
		if (c->op == POLICY_MASKED_EQ && (c->mask & wx & ~c->value))
			return true;
		if (c->op == POLICY_LE && c->value < PROT_EXEC)
			return true;
	}
	return false;
}

static bool takes_prot(const char *call)
{
	return strcmp(call, "mmap") == 0 || strcmp(call, "mprotect") == 0 || strcmp(call, "pkey_mprotect") == 0;
}

static struct err *check_row(const struct policy_rule *r)
{
	if (seccomp_syscall_resolve_name(r->call) == __NR_SCMP_ERROR)
		return err_new(0, "%s: unknown system call", r->call);
	if (!r->why || !r->why[0] || strchr(r->why, '\n'))
		return err_new(0, "%s: needs a reason of one line", r->call);
	for (int k = 0; k < 4 && r->checks[k].op != POLICY_END; k++)
		if (r->checks[k].arg > 5)
			return err_new(0, "%s: there is no argument %u", r->call, r->checks[k].arg);
	if (takes_prot(r->call) && !excludes_wx(r))
		return err_new(0, "%s: permits PROT_WRITE with PROT_EXEC", r->call);
	return NULL;
}

static bool same_checks(const struct policy_rule *a, const struct policy_rule *b)
{
	for (int k = 0; k < 4; k++) {
		const struct policy_check *x = &a->checks[k], *y = &b->checks[k];
		if (x->op != y->op)
			return false;
		if (x->op == POLICY_END)
			return true;
		if (x->arg != y->arg || x->value != y->value || (x->op == POLICY_MASKED_EQ && x->mask != y->mask))
			return false;
	}
	return true;
}

/* Rows i-1 and i: order, and whether one says nothing new. */
static struct err *check_pair(const struct policy_rule *a, const struct policy_rule *b)
{
	int order = strcmp(a->call, b->call);
	if (order > 0)
		return err_new(0, "%s stands after %s: rows must be sorted", b->call, a->call);
	if (order == 0 && (a->checks[0].op == POLICY_END || b->checks[0].op == POLICY_END))
		return err_new(0, "%s: a row without checks makes the other rows moot", a->call);
	return NULL;
}

static struct err *check_rules(const struct policy_rule *rules, size_t n)
{
	struct err *e = NULL;
	for (size_t i = 0; i < n && !e; i++) {
		e = check_row(&rules[i]);
		if (!e && i)
			e = check_pair(&rules[i - 1], &rules[i]);
		for (size_t k = i; k-- > 0 && !e && strcmp(rules[k].call, rules[i].call) == 0;)
			if (same_checks(&rules[k], &rules[i]))
				e = err_new(0, "%s: the same row twice", rules[i].call);
	}
	return e;
}

struct err *policy_check(const struct policy *p)
{
	struct err *e = check_rules(p->rules, p->n_rules);
	if (!e && p->n_sanitizer_rules)
		e = check_rules(p->sanitizer_rules, p->n_sanitizer_rules);
	for (size_t i = 0; i < p->n_rlimits && !e; i++)
		if (!p->rlimits[i].why || !p->rlimits[i].why[0])
			e = err_new(0, "resource limit %s: needs a reason", rlimit_name(p->rlimits[i].resource));
	if (!e && !(p->namespaces & CLONE_NEWNS))
		e = err_new(0, "no mount namespace, so no root of its own");
	return e ? err_wrap(e, "policy of the %s", p->component) : NULL;
}
