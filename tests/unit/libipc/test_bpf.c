/*
 * test_bpf.c - the seccomp programs that we make of policies decide as the rows say
 * when taken literally, and those of the components as the programs which libseccomp
 * makes of the same rows: for every call number and entry, for arguments at and
 * around every bound that a row has, and at random.
 * links: gofer/policy.c gofer/attr.c gofer/resolve.c gofer/node.c gofer/fdlru.c controld/policy.c sentry/boot/policy.c
 */
#include "check_main.h"

#include "controld/policy.h"
#include "gofer/attr.h"
#include "gofer/policy.h"
#include "libipc/confine_internal.h"
#include "sentry/boot/policy.h"

#include <errno.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NUMBERS 600
#define TRIES 20

struct filter {
	struct sock_filter v[4096];
	size_t n;
};

/* --- the other way to a filter: libseccomp's ------------------------------------------ */

static void add(scmp_filter_ctx ctx, const struct policy_rule *r)
{
	static const enum scmp_compare ops[] = { [POLICY_EQ] = SCMP_CMP_EQ, [POLICY_NE] = SCMP_CMP_NE, [POLICY_MASKED_EQ] = SCMP_CMP_MASKED_EQ,
		[POLICY_LE] = SCMP_CMP_LE };
	struct scmp_arg_cmp args[4];
	unsigned n = 0;

	for (; n < 4 && r->checks[n].op != POLICY_END; n++) {
		const struct policy_check *c = &r->checks[n];
		bool masked = c->op == POLICY_MASKED_EQ;

		args[n] = (struct scmp_arg_cmp){ c->arg, ops[c->op], masked ? c->mask : c->value, c->value };
	}
	int rc = seccomp_rule_add_exact_array(ctx, r->refuse ? SCMP_ACT_ERRNO(r->refuse) : SCMP_ACT_ALLOW, seccomp_syscall_resolve_name(r->call), n, args);
	ck_assert_msg(!rc || rc == -EEXIST, "%s: %s", r->call, strerror(-rc));
}

static void reference(const struct policy_rule *rules, size_t n, struct filter *out)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int fd = memfd_create("filter", 0);

	for (size_t i = 0; i < n; i++)
		add(ctx, &rules[i]);
	ck_assert_int_eq(seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), 0);
	ck_assert_int_eq(seccomp_export_bpf(ctx, fd), 0);
	ssize_t size = pread(fd, out->v, sizeof(out->v), 0);
	ck_assert_int_gt(size, 0);
	out->n = (size_t)size / sizeof(out->v[0]);
	close(fd);
	seccomp_release(ctx);
}

/* --- running a filter -------------------------------------------------------------------- */

static uint32_t run(const struct filter *f, const struct seccomp_data *d)
{
	uint32_t a = 0;

	for (size_t at = 0;; at++) {
		if (at >= f->n)
			ck_abort_msg("behind the end");
		const struct sock_filter *i = &f->v[at];
		bool holds = false;

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (i->k > sizeof(*d) - 4)
				ck_abort_msg("load from %u", i->k);
			memcpy(&a, (const char *)d + i->k, 4);
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			continue;
		case BPF_RET | BPF_K:
			return i->k;
		case BPF_JMP | BPF_JA:
			at += i->k;
			continue;
		case BPF_JMP | BPF_JEQ | BPF_K:
			holds = a == i->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			holds = a >= i->k;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			holds = a > i->k;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			holds = a & i->k;
			break;
		default:
			ck_abort_msg("instruction %#x", i->code);
		}
		at += holds ? i->jt : i->jf;
	}
}

/* What the rows say, taken literally. */
static bool holds(const struct policy_check *c, uint64_t arg)
{
	switch (c->op) {
	case POLICY_EQ: return arg == c->value;
	case POLICY_NE: return arg != c->value;
	case POLICY_LE: return arg <= c->value;
	case POLICY_MASKED_EQ: return (arg & c->mask) == c->value;
	case POLICY_END: break;
	}
	return true;
}

static uint32_t literally(const struct policy_rule *rules, const int *numbers, size_t n, const struct seccomp_data *d)
{
	for (size_t i = 0; i < n && d->arch == AUDIT_ARCH_X86_64; i++) {
		bool all = numbers[i] == d->nr;

		for (unsigned k = 0; all && k < 4 && rules[i].checks[k].op != POLICY_END; k++)
			all = holds(&rules[i].checks[k], d->args[rules[i].checks[k].arg]);
		if (all)
			return rules[i].refuse ? SECCOMP_RET_ERRNO | rules[i].refuse : SECCOMP_RET_ALLOW;
	}
	return SECCOMP_RET_KILL_PROCESS;
}

static void alike(const struct seccomp_data *d, uint32_t ours, uint32_t theirs, const char *whose)
{
	if (ours != theirs)
		ck_abort_msg("call %d of %#x (%#llx, %#llx, %#llx, %#llx, %#llx, %#llx): %#x, by %s %#x", d->nr, d->arch,
			(unsigned long long)d->args[0], (unsigned long long)d->args[1], (unsigned long long)d->args[2],
			(unsigned long long)d->args[3], (unsigned long long)d->args[4], (unsigned long long)d->args[5], ours, whose, theirs);
}

/* A value near what some row compares an argument with. */
static uint64_t near(const struct policy_check *c)
{
	uint64_t v = (uint64_t)random() << 33 ^ (uint64_t)random();

	switch (random() % 8) {
	case 0: return c->value;
	case 1: return c->value + 1;
	case 2: return c->value - 1;
	case 3: return c->value ^ UINT64_C(1) << (random() % 64);
	case 4: return c->op == POLICY_MASKED_EQ ? (v & ~c->mask) | c->value : c->value;
	case 5: return c->value | UINT64_C(1) << 32;
	case 6: return c->value & 0xffffffff;
	default: return c->op == POLICY_MASKED_EQ ? v & c->mask : v;
	}
}

static void some_call(const struct policy_rule *rules, const int *numbers, size_t n, struct seccomp_data *d)
{
	for (unsigned a = 0; a < 6; a++)
		d->args[a] = (uint64_t)random() << 33 ^ (uint64_t)random();
	for (size_t i = 0; i < n; i++) {
		for (unsigned k = 0; numbers[i] == d->nr && k < 4 && rules[i].checks[k].op != POLICY_END; k++) {
			if (random() % 2)
				d->args[rules[i].checks[k].arg] = near(&rules[i].checks[k]);
		}
	}
}

/* The same outcome whatever is called; theirs: libseccomp's opinion is asked too. */
static void same_outcome(const struct policy_rule *rules, size_t n, bool ask_theirs)
{
	static struct filter ours, theirs;
	int numbers[256];

	no_error(confine_bpf(&rules, &n, 1, ours.v, CONFINE_BPF_MAX, &ours.n));
	if (ask_theirs)
		reference(rules, n, &theirs);
	for (size_t i = 0; i < n; i++)
		numbers[i] = seccomp_syscall_resolve_name(rules[i].call);
	for (int nr = -1; nr < NUMBERS; nr++) {
		bool named = false;

		for (size_t i = 0; i < n; i++)
			named |= numbers[i] == nr;
		for (int i = 0; i < (named ? 50 * TRIES : TRIES); i++) {
			struct seccomp_data d = { .nr = nr, .arch = AUDIT_ARCH_X86_64, .instruction_pointer = (uint64_t)random() };

			some_call(rules, numbers, n, &d);
			for (int entry = 0; entry < 3; entry++) {
				d.arch = entry == 1 ? AUDIT_ARCH_I386 : AUDIT_ARCH_X86_64;
				d.nr = entry == 2 ? nr | 0x40000000 : nr;
				uint32_t r = run(&ours, &d);
				alike(&d, r, literally(rules, numbers, n, &d), "the rows");
				if (ask_theirs)
					alike(&d, r, run(&theirs, &d), "libseccomp");
			}
		}
	}
}

START_TEST(the_components)
{
	attr_probe();
	same_outcome(sentry_policy.rules, sentry_policy.n_rules, true);
	same_outcome(controld_policy.rules, controld_policy.n_rules, true);
	for (int i = 0; i < 4; i++) {
		static char path[] = "/x";
		struct options o = { .host_uds = i & 1 ? HOST_UDS_CREATE : HOST_UDS_NONE, .listen = i & 2 ? path : NULL };
		const struct policy *p = gofer_policy(&o);

		same_outcome(p->rules, p->n_rules, true);
	}
}
END_TEST

/* Alternatives, all comparisons, bounds of more than 32 bits. */
START_TEST(every_comparison)
{
	static const uint64_t values[] = { 0, 1, 0x7fffffff, 0x80000000, 0xffffffff, UINT64_C(0x100000000), UINT64_C(0x1ffffffff),
		UINT64_C(0x8000000000000000), UINT64_MAX };
	struct policy_rule rules[24];
	static const char *const calls[] = { "dup", "read", "write", "fcntl", "lseek", "mmap" };

	for (int round = 0; round < 40; round++) {
		size_t n = 0;

		memset(rules, 0, sizeof(rules));
		for (unsigned c = 0; c < 6; c++) {
			unsigned alternatives = 1 + (unsigned)random() % 4;

			for (unsigned i = 0; i < alternatives; i++) {
				struct policy_rule *r = &rules[n++];
				unsigned checks = 1 + (unsigned)random() % 3;

				*r = (struct policy_rule){ .call = calls[c], .why = "test" };
				for (unsigned k = 0; k < checks; k++) {
					uint64_t mask = values[random() % 9];
					enum policy_op op = (enum policy_op)(1 + random() % 4);

					r->checks[k] = (struct policy_check){ op, (uint8_t)((unsigned)k * 2), values[random() % 9], mask };
					if (op == POLICY_MASKED_EQ)
						r->checks[k].value &= mask;
				}
			}
		}
		same_outcome(rules, n, false);
	}
}
END_TEST

START_TEST(limits)
{
	static struct sock_filter v[CONFINE_BPF_MAX];
	const struct policy_rule *rules = sentry_policy.rules, nonsense[] = { { "nosuchcall", { { 0 } }, "test", 0 } }, *table = nonsense;
	size_t n = sentry_policy.n_rules, one = 1, none = 0, len = 77;

	error_is(confine_bpf(&rules, &n, 1, v, 20, &len), "a filter of more than 20 instructions: Argument list too long");
	error_is(confine_bpf(&table, &one, 1, v, CONFINE_BPF_MAX, &len), "unknown system call nosuchcall: Invalid argument");
	ck_assert_uint_eq(len, 77);
	no_error(confine_bpf(&rules, &none, 1, v, CONFINE_BPF_MAX, &len));
	ck_assert_uint_eq(v[len - 1].k, SECCOMP_RET_KILL_PROCESS);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { the_components, every_comparison, limits, NULL };

	return check_main("bpf", tests);
}
