/*
 * confine_filter.c - loads the seccomp program of a policy's rows
 * (confine_bpf.c) into this process.
 */
#include "libipc/confine_internal.h"

#include <errno.h>
#include <sys/prctl.h>

struct err *confine_filter(const struct policy_rule *const *tables, const size_t *n, size_t n_tables)
{
	struct sock_filter program[CONFINE_BPF_MAX];
	struct sock_fprog f = { .filter = program };
	size_t len;
	struct err *e = confine_bpf(tables, n, n_tables, program, CONFINE_BPF_MAX, &len);

	if (e)
		return e;
	f.len = (unsigned short)len;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &f) < 0)
		return err_new(errno, "loading the filter");
	return NULL;
}
