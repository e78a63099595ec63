/*
 * scope.c - names, limits and annotations as systemd's properties.
 * links: launcher/scope_properties.c launcher/cgroup_units.c launcher/pool.c
 */
#include "launcher/cgroup.h"
#include "launcher/scope.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct pool pool;

static const char *joined(const struct scope_properties *l)
{
	const char *text = "";

	for (size_t i = 0; i < l->n; i++)
		text = pool_printf(&pool, "%s%s%s", text, i ? " " : "", l->v[i]);
	return text;
}

static const char *limits(const struct oci_resources *r, bool v2)
{
	struct scope_properties l = { 0 };

	scope_limits(r, v2, &pool, &l);
	return joined(&l);
}

START_TEST(processors)
{
	struct oci_cpu cpu = { .shares = 1024, .quota = 150000, .period = 100000, .cpus = "0-2,8" };
	const struct oci_resources r = { .cpu = &cpu };

	ck_assert_str_eq(limits(&r, true), "CPUWeight=t:39 CPUQuotaPeriodUSec=t:100000 CPUQuotaPerSecUSec=t:1500000 AllowedCPUs=ay:0701");
	ck_assert_str_eq(limits(&r, false), "CPUShares=t:1024 CPUQuotaPeriodUSec=t:100000 CPUQuotaPerSecUSec=t:1500000");
	/* up to a whole percent; none: systemd's infinity */
	cpu = (struct oci_cpu){ .quota = 33333 };
	ck_assert_str_eq(limits(&r, true), "CPUQuotaPerSecUSec=t:340000");
	cpu = (struct oci_cpu){ .quota = -1 };
	ck_assert_str_eq(limits(&r, true), "CPUQuotaPerSecUSec=t:18446744073709551615");
	cpu = (struct oci_cpu){ .cpus = "2-1", .mems = "x" };
	ck_assert_str_eq(limits(&r, true), "");
}
END_TEST

START_TEST(memory_and_processes)
{
	struct oci_memory memory = { .limit = 1 << 20, .swap = 3 << 20, .reservation = 4096 };
	struct oci_pids pids = { 10 };
	const struct oci_resources r = { .memory = &memory, .pids = &pids };
	const long long limit = 1 << 20, tasks = cgroup_host_pids(10);

	ck_assert_str_eq(limits(&r, true), pool_printf(&pool, "MemoryMax=t:%lld MemoryLow=t:4096 MemorySwapMax=t:2097152 TasksMax=t:%lld", limit, tasks));
	ck_assert_str_eq(limits(&r, false), pool_printf(&pool, "MemoryLimit=t:%lld TasksMax=t:%lld", limit, tasks));
	memory = (struct oci_memory){ .limit = -1, .swap = -1 };
	pids.limit = -1;
	ck_assert_str_eq(limits(&r, true), "MemoryMax=t:18446744073709551615 MemorySwapMax=t:18446744073709551615 TasksMax=t:18446744073709551615");
}
END_TEST

START_TEST(devices)
{
	struct oci_device_rule rules[] = {
		{ .allow = false, .access = "rwm" },
		{ .allow = true, .type = "c", .access = "rw", .major = 1, .minor = 3, .has_major = json_null(), .has_minor = json_null() },
		{ .allow = true, .type = "b", .access = "r" },
		{ .allow = true, .type = "c", .major = 1, .has_major = json_null() },
		{ .allow = true, .type = "a" },
	};
	struct oci_resources r = { .devices = { rules, 4 } };

	ck_assert_str_eq(limits(&r, true), "DevicePolicy=s:strict DeviceAllow=a(ss):/dev/char/1:3 rw\nblock-* r\nchar-mem rwm\n");
	/* all are allowed */
	r.devices.n = 5;
	ck_assert_str_eq(limits(&r, true), "");
}
END_TEST

static const char *annotation(const char *name, const char *value)
{
	struct jpair pair = { pool_printf(&pool, "org.systemd.property.%s", name), value };
	struct scope_properties l = { 0 };
	struct err *e = scope_annotations(&(struct jmap){ &pair, 1 }, &pool, &l);
	const char *text = e ? "refused" : joined(&l);

	err_free(e);
	return text;
}

START_TEST(annotations)
{
	ck_assert_str_eq(annotation("TimeoutStopUSec", "uint64 5000000"), "TimeoutStopUSec=t:5000000");
	ck_assert_str_eq(annotation("TimeoutStopSec", "1.5"), "refused");
	ck_assert_str_eq(annotation("TimeoutStopSec", "2"), "TimeoutStopUSec=t:2000000");
	ck_assert_str_eq(annotation("KillSignal", "37"), "KillSignal=i:37");
	ck_assert_str_eq(annotation("SendSIGHUP", "true"), "SendSIGHUP=b:true");
	ck_assert_str_eq(annotation("CollectMode", "'inactive-or-failed'"), "CollectMode=s:inactive-or-failed");
	ck_assert_str_eq(annotation("After", "['a.service', 'b.service']"), "After=as:a.service\nb.service\n");
	ck_assert_str_eq(annotation("After", "['a.service'"), "refused");
	ck_assert_str_eq(annotation("After", "'open"), "refused");
	ck_assert_str_eq(annotation("Ab", "1"), "refused");
	ck_assert_str_eq(annotation("A=b:c", "1"), "refused");
	ck_assert_str_eq(annotation("Nice", "uint64 x"), "refused");
}
END_TEST

START_TEST(names)
{
	struct scope_plan s = { 0 };
	static const char *const bad[] = { "/a/b", "a:b", "a:b:", "a:b:c:d", "a/x:b:c" };

	ck_assert_ptr_null(scope_understand("machine.slice:libpod:abc", "id", false, &pool, &s));
	ck_assert_str_eq(s.slice, "machine.slice");
	ck_assert_str_eq(s.unit, "libpod-abc.scope");
	ck_assert_ptr_null(scope_understand("x.slice::abc", "id", false, &pool, &s));
	ck_assert_str_eq(s.unit, "abc.scope");
	ck_assert_ptr_null(scope_understand(NULL, "id", true, &pool, &s));
	ck_assert_str_eq(s.slice, "user.slice");
	ck_assert_str_eq(s.unit, "redoubt-id.scope");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err *e = scope_understand(bad[i], "id", false, &pool, &s);

		ck_assert_ptr_nonnull(e);
		err_free(e);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("scope");
	TCase *t = tcase_create("scope");
	SRunner *r;
	int failed;

	tcase_add_test(t, processors);
	tcase_add_test(t, memory_and_processes);
	tcase_add_test(t, devices);
	tcase_add_test(t, annotations);
	tcase_add_test(t, names);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	pool_free(&pool);
	return failed != 0;
}
