/*
 * test_vdso.c - the vDSO image as a loader sees it, run in this process beside a
 * clock page: never behind itself, never ahead of the system call.
 *
 * links: sentry/arch/x86_64/vvar.c sentry/arch/x86_64/vdso_image.S
 */
#include "arch/x86_64/arch.h"
#include "arch/x86_64/vvar.h"

#include <check.h>
#include <elf.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static uint8_t *page, *image;

/* As glibc's loader: by the dynamic section alone. */
static void *symbol(const char *name)
{
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)image;
	const Elf64_Phdr *ph = (const Elf64_Phdr *)(image + h->e_phoff);
	const Elf64_Sym *sym = NULL;
	const char *str = NULL;
	const uint32_t *hash = NULL;

	ck_assert(!memcmp(h->e_ident, ELFMAG, SELFMAG) && h->e_type == ET_DYN);
	for (unsigned i = 0; i < h->e_phnum; i++) {
		if (ph[i].p_type != PT_DYNAMIC)
			continue;
		for (const Elf64_Dyn *d = (const Elf64_Dyn *)(image + ph[i].p_vaddr); d->d_tag != DT_NULL; d++) {
			if (d->d_tag == DT_SYMTAB)
				sym = (const Elf64_Sym *)(image + d->d_un.d_ptr);
			else if (d->d_tag == DT_STRTAB)
				str = (const char *)(image + d->d_un.d_ptr);
			else if (d->d_tag == DT_HASH)
				hash = (const uint32_t *)(image + d->d_un.d_ptr);
		}
	}
	ck_assert(sym && str && hash);
	for (uint32_t i = 0; i < hash[1]; i++)
		if (!strcmp(str + sym[i].st_name, name))
			return image + sym[i].st_value;
	ck_abort_msg("no %s", name);
}

static void setup(void)
{
	page = mmap(NULL, 4096 + vdso_image_size, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	image = page + 4096;
	memcpy(image, vdso_image, vdso_image_size);
	vvar_init(page);
}

static int64_t real_ns(clockid_t id)
{
	struct timespec ts;

	syscall(SYS_clock_gettime, id, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

typedef int (*gettime_fn)(int clock, struct timespec *ts);

static int64_t vdso_ns(gettime_fn f, clockid_t id);

/* It lies between two calls before and after it, but for so much. */
static void near(gettime_fn f, clockid_t id, int64_t ns)
{
	int64_t before = real_ns(id), mid = vdso_ns(f, id), after = real_ns(id);

	ck_assert_int_ge(mid, before - ns);
	ck_assert_int_le(mid, after + ns);
}

static int64_t vdso_ns(gettime_fn f, clockid_t id)
{
	struct timespec ts;

	ck_assert_int_eq(f(id, &ts), 0);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

START_TEST(agrees)
{
	gettime_fn f = (gettime_fn)symbol("__vdso_clock_gettime");
	const struct vvar *v = (const struct vvar *)page;
	int64_t last = 0, ahead = 0, behind = 0, end;

	usleep(25000);
	vvar_update(page);
	if (!v->usable) /* a machine without an invariant counter */
		return;
	end = real_ns(CLOCK_MONOTONIC) + 2500000000;
	while (last < end) {
		int64_t before = real_ns(CLOCK_MONOTONIC), mid = vdso_ns(f, CLOCK_MONOTONIC), after = real_ns(CLOCK_MONOTONIC);

		ck_assert_int_ge(mid, last);
		last = mid;
		if (mid - after > ahead)
			ahead = mid - after;
		if (before - mid > behind)
			behind = before - mid;
		vvar_update(page);
	}
	printf("vdso ahead %ld ns, behind %ld ns\n", (long)ahead, (long)behind);
	ck_assert_int_le(ahead, 1000);
	ck_assert_int_le(behind, 10000);
	near(f, CLOCK_REALTIME, 1000000);
	near(f, CLOCK_BOOTTIME, 1000000);
}
END_TEST

START_TEST(falls_back)
{
	gettime_fn f = (gettime_fn)symbol("__vdso_clock_gettime");
	struct vvar *v = (struct vvar *)page;
	struct timespec ts;

	ck_assert_uint_eq(vdso_image_size % 4096, 0);
	ck_assert_uint_eq(v->usable, 0);
	near(f, CLOCK_MONOTONIC, 10000000);
	ck_assert_int_lt(f(1234, &ts), 0);
	ck_assert_int_eq(f(CLOCK_PROCESS_CPUTIME_ID, &ts), 0);
	usleep(25000);
	vvar_update(page);
	v->tsc_base -= v->max_age + 1; /* stale */
	v->monotonic = 1;
	ck_assert_int_gt(vdso_ns(f, CLOCK_MONOTONIC), 1000);
	v->seq |= 1; /* a writer that never ends */
	ck_assert_int_gt(vdso_ns(f, CLOCK_MONOTONIC), 1000);
}
END_TEST

/* A rate that was found in a short time does not hold for long: the call that finds it
 * stale brings a new one, so that only the first calls after that are calls. */
START_TEST(comes_back)
{
	struct vvar *v = (struct vvar *)page;
	unsigned good = 0;

	usleep(3000);
	vvar_update(page);
	ck_assert(v->usable || v->broken);
	for (int tries = 0; v->usable && tries < 8 && good < 2; tries++) {
		while (vvar_read(page, VVAR_MONOTONIC) >= 0)
			usleep(5000);
		vvar_update(page);
		good += vvar_read(page, VVAR_MONOTONIC) >= 0; /* not always: this thread may not run for long */
	}
	ck_assert(!v->usable || good == 2);
}
END_TEST

START_TEST(others)
{
	int (*tod)(struct timeval *, void *) = (int (*)(struct timeval *, void *))symbol("__vdso_gettimeofday");
	time_t (*tm)(time_t *) = (time_t(*)(time_t *))symbol("__vdso_time");
	int (*cpu)(unsigned *, unsigned *, void *) = (int (*)(unsigned *, unsigned *, void *))symbol("__vdso_getcpu");
	struct timeval tv;
	unsigned n = 9999;
	time_t t;

	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(tod(&tv, NULL), 0);
		ck_assert_int_le(labs(tv.tv_sec - time(NULL)), 20);
		ck_assert_int_le(labs(tm(&t) - time(NULL)), 20);
		ck_assert_int_eq(cpu(&n, NULL, NULL), 0);
		ck_assert_uint_lt(n, 9999);
		usleep(25000);
		vvar_update(page);
	}
}
END_TEST

START_TEST(processor)
{
	int (*ask)(unsigned *, unsigned *, void *) = (int (*)(unsigned *, unsigned *, void *))symbol("__vdso_getcpu");
	unsigned cpu = 9999, node = 9999;
	cpu_set_t mine, one;

	ck_assert_int_eq(sched_getaffinity(0, sizeof(mine), &mine), 0);
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (!CPU_ISSET(i, &mine))
			continue;
		CPU_ZERO(&one);
		CPU_SET(i, &one);
		ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
		for (unsigned n = 0; n < 4; n++) { /* 0: the host's own call answers */
			vvar_cpus(page, n);
			ck_assert_int_eq(ask(&cpu, &node, NULL), 0);
			ck_assert_uint_eq(cpu, n ? (unsigned)i % n : (unsigned)i);
			ck_assert(!n || !node);
			ck_assert_int_eq(ask(NULL, NULL, NULL), 0);
		}
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vdso");
	TCase *tc = tcase_create("vdso");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, agrees);
	tcase_add_test(tc, falls_back);
	tcase_add_test(tc, comes_back);
	tcase_add_test(tc, others);
	tcase_add_test(tc, processor);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
