/*
 * seccomp.c - see seccomp.h.  Compiled with libseccomp for x86_64 alone: the
 * guest has no other calls, whatever architectures the profile lists besides.
 *
 * As runc has it: names that this machine's libseccomp does not know are passed
 * over (profiles list the calls of all kernels), and so are rules that do what
 * the default does.
 */
#include "seccomp.h"

#include "libipc/fd.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>

#define COUNT(A) (sizeof(A) / sizeof((A)[0]))
#define BPF_MAX 32768 /* bytes: 4096 instructions */
#define WITH_DATA 1 /* the action takes a number */

static const struct {
	const char *name;
	uint32_t action;
	unsigned flags;
	uint32_t data; /* unless given */
} actions[] = {
	{ "SCMP_ACT_ALLOW", SCMP_ACT_ALLOW, 0, 0 },
	{ "SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0), WITH_DATA, EPERM },
	{ "SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD, 0, 0 },
	{ "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS, 0, 0 },
	{ "SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD, 0, 0 },
	{ "SCMP_ACT_LOG", SCMP_ACT_LOG, 0, 0 },
	{ "SCMP_ACT_TRACE", SCMP_ACT_TRACE(0), WITH_DATA, EPERM },
	{ "SCMP_ACT_TRAP", SCMP_ACT_TRAP, 0, 0 },
};

static const struct {
	const char *name;
	enum scmp_compare op;
} operators[] = {
	{ "SCMP_CMP_EQ", SCMP_CMP_EQ }, { "SCMP_CMP_GE", SCMP_CMP_GE }, { "SCMP_CMP_GT", SCMP_CMP_GT }, { "SCMP_CMP_LE", SCMP_CMP_LE },
	{ "SCMP_CMP_LT", SCMP_CMP_LT }, { "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ }, { "SCMP_CMP_NE", SCMP_CMP_NE },
};

static const struct {
	const char *name;
	uint64_t flag;
} flags[] = {
	{ "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
	{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	{ "SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC },
	{ "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", 0 /* of listeners, which there are none of */ },
};

static const char *const architectures[] = {
	"AARCH64", "ARM", "LOONGARCH64", "M68K", "MIPS", "MIPS64", "MIPS64N32", "MIPSEL", "MIPSEL64", "MIPSEL64N32", "PARISC", "PARISC64",
	"PPC", "PPC64", "PPC64LE", "RISCV64", "S390", "S390X", "SH", "SHEB", "X32", "X86", "X86_64",
};

/* --- the words --------------------------------------------------------------------- */

static bool find_action(const char *name, const json_t *has_data, uint64_t data, uint32_t *out)
{
	for (size_t i = 0; i < COUNT(actions); i++) {
		if (strcmp(actions[i].name, name))
			continue;
		*out = actions[i].action;
		if (actions[i].flags & WITH_DATA)
			*out |= has_data ? (uint32_t)data : actions[i].data;
		return true;
	}
	return false;
}

static bool find_operator(const char *name, enum scmp_compare *out)
{
	for (size_t i = 0; i < COUNT(operators); i++) {
		if (!strcmp(operators[i].name, name)) {
			*out = operators[i].op;
			return true;
		}
	}
	return false;
}

static struct err *find_flags(const struct jstrs *names, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < names->n; i++) {
		size_t k = 0;

		while (k < COUNT(flags) && strcmp(flags[k].name, names->v[i]))
			k++;
		if (k == COUNT(flags))
			return err_new(0, "linux.seccomp.flags[%zu]: unknown flag '%.64s'", i, names->v[i]);
		*out |= flags[k].flag;
	}
	return NULL;
}

static struct err *check_architectures(const struct jstrs *names)
{
	for (size_t i = 0; i < names->n; i++) {
		size_t k = 0;

		while (k < COUNT(architectures) && (strncmp(names->v[i], "SCMP_ARCH_", 10) || strcmp(names->v[i] + 10, architectures[k])))
			k++;
		if (k == COUNT(architectures))
			return err_new(0, "linux.seccomp.architectures[%zu]: unknown architecture '%.64s'", i, names->v[i]);
	}
	return NULL;
}

static struct err *bad_action(const char *where, const char *name)
{
	if (!strcmp(name, "SCMP_ACT_NOTIFY"))
		return err_new(0, "%s: SCMP_ACT_NOTIFY is not supported: no agent outside can answer the calls", where);
	return err_new(0, "%s: unknown action '%.64s'", where, name);
}

static struct err *check_rule(const struct oci_syscall *r, size_t i)
{
	enum scmp_compare op;
	uint32_t action;
	char where[64];

	snprintf(where, sizeof(where), "linux.seccomp.syscalls[%zu].action", i);
	if (!find_action(r->action, r->has_errno, r->errno_ret, &action))
		return bad_action(where, r->action);
	if (!r->names.n)
		return err_new(0, "linux.seccomp.syscalls[%zu].names: is empty", i);
	for (size_t k = 0; k < r->args.n; k++) {
		if (!find_operator(r->args.v[k].op, &op))
			return err_new(0, "linux.seccomp.syscalls[%zu].args[%zu].op: unknown operator '%.64s'", i, k, r->args.v[k].op);
	}
	return r->args.n > 6 ? err_new(0, "linux.seccomp.syscalls[%zu].args: has more than 6 items", i) : NULL;
}

struct err *seccomp_check(const struct oci_seccomp *s)
{
	struct err *e;
	uint32_t action;
	uint64_t bits;

	if (!find_action(s->default_action, s->has_default_errno, s->default_errno, &action))
		return bad_action("linux.seccomp.defaultAction", s->default_action);
	if ((s->listener_path && *s->listener_path) || (s->listener_metadata && *s->listener_metadata))
		return err_new(0, "linux.seccomp.listenerPath: is not supported: no agent outside can answer the calls");
	if ((e = check_architectures(&s->architectures)) || (e = find_flags(&s->flags, &bits)))
		return e;
	for (size_t i = 0; i < s->syscalls.n; i++) {
		if ((e = check_rule(&s->syscalls.v[i], i)))
			return e;
	}
	return NULL;
}

/* --- the program ------------------------------------------------------------------------ */

static struct err *failed(const char *what, int ret)
{
	return err_new(-ret, "linux.seccomp: %s", what);
}

/* Several conditions on one argument cannot stand in one libseccomp rule: each
 * then makes a rule of its own, as runc has it. */
static bool repeats_argument(const struct oci_syscall *r)
{
	unsigned seen = 0;

	for (size_t i = 0; i < r->args.n; i++) {
		if (seen & 1u << r->args.v[i].index)
			return true;
		seen |= 1u << r->args.v[i].index;
	}
	return false;
}

static int add_rule(scmp_filter_ctx ctx, int nr, uint32_t action, const struct oci_syscall *r)
{
	struct scmp_arg_cmp cmp[6];
	bool apart = repeats_argument(r);
	int ret = 0;

	for (size_t i = 0; i < r->args.n; i++) {
		const struct oci_syscall_arg *a = &r->args.v[i];

		cmp[i] = (struct scmp_arg_cmp){ .arg = (unsigned)a->index, .datum_a = a->value, .datum_b = a->value_two };
		find_operator(a->op, &cmp[i].op);
	}
	if (!apart)
		return seccomp_rule_add_array(ctx, action, nr, (unsigned)r->args.n, cmp);
	for (size_t i = 0; i < r->args.n && !ret; i++)
		ret = seccomp_rule_add_array(ctx, action, nr, 1, &cmp[i]);
	return ret;
}

static struct err *add_rules(scmp_filter_ctx ctx, const struct oci_seccomp *s, uint32_t otherwise)
{
	for (size_t i = 0; i < s->syscalls.n; i++) {
		const struct oci_syscall *r = &s->syscalls.v[i];
		uint32_t action = 0;

		find_action(r->action, r->has_errno, r->errno_ret, &action);
		for (size_t k = 0; k < r->names.n && action != otherwise; k++) {
			int nr = seccomp_syscall_resolve_name(r->names.v[k]), ret;

			if (nr < 0) /* none of this architecture */
				continue;
			if ((ret = add_rule(ctx, nr, action, r)))
				return failed(r->names.v[k], ret);
		}
	}
	return NULL;
}

static struct err *export(scmp_filter_ctx ctx, struct pool *p, struct seccomp_program *out)
{
	_cleanup_close_ int fd = memfd_create("redoubt-seccomp", MFD_CLOEXEC);
	int ret = fd < 0 ? -errno : seccomp_export_bpf(ctx, fd);
	ssize_t n;

	if (ret)
		return failed("compiling", ret);
	out->bpf = pool_alloc(p, BPF_MAX + 1);
	if ((n = pread(fd, out->bpf, BPF_MAX + 1, 0)) < 0)
		return failed("compiling", -errno);
	if (n > BPF_MAX)
		return err_new(E2BIG, "linux.seccomp: the filter has more than 4096 instructions");
	out->len = (size_t)n;
	return NULL;
}

struct err *seccomp_compile(const struct oci_seccomp *s, struct pool *p, struct seccomp_program *out)
{
	uint32_t otherwise = 0;
	scmp_filter_ctx ctx;
	struct err *e;

	find_action(s->default_action, s->has_default_errno, s->default_errno, &otherwise);
	if ((e = find_flags(&s->flags, &out->flags)))
		return e;
	if (!(ctx = seccomp_init(otherwise)))
		return err_new(ENOMEM, "linux.seccomp");
	/* a tree of the numbers instead of a list of several hundred */
	if (s->syscalls.n)
		(void)!seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (!(e = add_rules(ctx, s, otherwise)))
		e = export(ctx, p, out);
	seccomp_release(ctx);
	return e;
}

json_t *seccomp_features(void)
{
	json_t *act = json_array(), *ops = json_array(), *known = json_array();

	for (size_t i = 0; i < COUNT(actions); i++)
		json_array_append_new(act, json_string(actions[i].name));
	for (size_t i = 0; i < COUNT(operators); i++)
		json_array_append_new(ops, json_string(operators[i].name));
	for (size_t i = 0; i < COUNT(flags); i++)
		json_array_append_new(known, json_string(flags[i].name));
	return json_pack("{s:b, s:o, s:o, s:[s], s:O, s:o}", "enabled", 1, "actions", act, "operators", ops, "archs", "SCMP_ARCH_X86_64", "knownFlags", known,
		"supportedFlags", known);
}
