/*
 * confine_filter.c - policy rows to a seccomp filter, through libseccomp.
 *
 * Rows for one call are alternatives, checks within a row must all hold.  What
 * no row allows kills the process; so does a call by another architecture's
 * entry (i386, x32).
 */
#include "libipc/confine_internal.h"

#include <errno.h>
#include <seccomp.h>

static struct err *add_rule(scmp_filter_ctx ctx, const struct policy_rule *r)
{
	struct scmp_arg_cmp args[4];
	unsigned n = 0;
	int nr = seccomp_syscall_resolve_name(r->call);
	if (nr == __NR_SCMP_ERROR)
		return err_new(EINVAL, "unknown system call %s", r->call);
	for (; n < 4 && r->checks[n].op != POLICY_END; n++) {
		const struct policy_check *c = &r->checks[n];
		args[n] = (struct scmp_arg_cmp){ .arg = c->arg, .datum_a = c->value };
		switch (c->op) {
		case POLICY_EQ:
			args[n].op = SCMP_CMP_EQ;
			break;
		case POLICY_NE:
			args[n].op = SCMP_CMP_NE;
			break;
		case POLICY_LE:
			args[n].op = SCMP_CMP_LE;
			break;
		case POLICY_MASKED_EQ:
			args[n].op = SCMP_CMP_MASKED_EQ;
			args[n].datum_a = c->mask;
			args[n].datum_b = c->value;
			break;
		case POLICY_END:
			break;
		}
	}
	int rc = seccomp_rule_add_exact_array(ctx, r->refuse ? SCMP_ACT_ERRNO(r->refuse) : SCMP_ACT_ALLOW, nr, n, args);
	/* the same row in the policy and in its sanitizer delta */
	if (rc < 0 && rc != -EEXIST)
		return err_new(-rc, "rule for %s", r->call);
	return NULL;
}

struct err *confine_filter(const struct policy_rule *const *tables, const size_t *n, size_t n_tables)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	struct err *e = NULL;
	if (!ctx)
		return err_new(ENOMEM, "seccomp filter");
	for (size_t t = 0; t < n_tables && !e; t++)
		for (size_t i = 0; i < n[t] && !e; i++)
			e = add_rule(ctx, &tables[t][i]);
	if (!e) {
		int rc = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
		/* look calls up by a binary search, not one after the other */
		if (!rc)
			rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
		if (!rc)
			rc = seccomp_load(ctx);
		if (rc < 0)
			e = err_new(rc == -ECANCELED ? EPERM : -rc, "loading the filter");
	}
	seccomp_release(ctx);
	return e;
}
