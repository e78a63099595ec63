/*
 * The byte ring under pipes: growth, wrapping, putting back.
 * links: sentry/fs/pipe_ring.c
 */
#include "fs/pipe_ring.h"
#include "mm/usercopy.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Kernel memory only; what mm/uio.c does, without the program's side. `fault_at`: bytes after which a copy fails. */
static uint64_t fault_at = UINT64_MAX;

static ssize_t copy(struct uio *u, void *k, size_t n, bool out)
{
	if (n > u->resid)
		n = u->resid;
	if (n > fault_at)
		n = fault_at;
	if (!n)
		return -EFAULT;
	fault_at -= fault_at == UINT64_MAX ? 0 : n;
	if (out)
		memcpy((void *)u->one.base, k, n);
	else
		memcpy(k, (void *)u->one.base, n);
	u->one.base += n;
	u->resid -= n;
	return (ssize_t)n;
}

ssize_t uio_copy_out(struct uio *u, const void *src, size_t n)
{
	return copy(u, (void *)(uintptr_t)src, n, true);
}

ssize_t uio_copy_in(struct uio *u, void *dst, size_t n)
{
	return copy(u, dst, n, false);
}

static void prepare(struct uio *u, void *buf, uint64_t n)
{
	*u = (struct uio){ .resid = n, .one = { (uint64_t)(uintptr_t)buf, n } };
}

START_TEST(nothing_until_used)
{
	struct pipe_ring r = { 0 };

	ck_assert_uint_eq(pipe_ring_copy(&r, NULL, 10), 0);
	ck_assert(pipe_ring_reserve(&r, 1));
	ck_assert_uint_eq(r.cap, 4096);
	pipe_ring_free(&r);
	ck_assert_ptr_null(r.buf);
}
END_TEST

START_TEST(wraps_and_grows)
{
	struct pipe_ring r = { 0 };
	uint8_t in = 0, out = 0, b[700];
	struct uio u;

	for (int round = 0; round < 400; round++) {
		unsigned n = 1 + (unsigned)round * 37 % 700, m;

		for (unsigned i = 0; i < n; i++)
			b[i] = in++;
		prepare(&u, b, n);
		ck_assert(pipe_ring_reserve(&r, n));
		ck_assert_int_eq(pipe_ring_fill(&r, &u, n), n);
		m = r.len * 2 / 3;
		while (m) {
			unsigned k = m < 700 ? m : 700;

			prepare(&u, b, k);
			ck_assert_int_eq(pipe_ring_drain(&r, &u, k), k);
			for (unsigned i = 0; i < k; i++)
				ck_assert_uint_eq(b[i], out++);
			m -= k;
		}
	}
	pipe_ring_free(&r);
}
END_TEST

START_TEST(put_back_in_front)
{
	struct pipe_ring r = { 0 };
	char b[16] = { 0 };

	ck_assert(pipe_ring_reserve(&r, 6));
	pipe_ring_append(&r, "abcdef", 6);
	ck_assert_uint_eq(pipe_ring_copy(&r, b, 4), 4);
	pipe_ring_consume(&r, 4);
	pipe_ring_prepend(&r, b + 1, 3);
	memset(b, 0, sizeof(b));
	ck_assert_uint_eq(pipe_ring_copy(&r, b, 16), 5);
	ck_assert_str_eq(b, "bcdef");
	pipe_ring_free(&r);
	ck_assert(pipe_ring_reserve(&r, 3));
	pipe_ring_prepend(&r, "xyz", 3); /* across the end of the buffer */
	ck_assert_uint_eq(pipe_ring_copy(&r, b, 3), 3);
	ck_assert(!memcmp(b, "xyz", 3));
	pipe_ring_free(&r);
}
END_TEST

START_TEST(faults_keep_the_rest)
{
	struct pipe_ring r = { 0 };
	char b[100];
	struct uio u;

	memset(b, 'f', sizeof(b));
	ck_assert(pipe_ring_reserve(&r, 100));
	prepare(&u, b, 100);
	fault_at = 30;
	ck_assert_int_eq(pipe_ring_fill(&r, &u, 100), 30);
	ck_assert_int_eq(pipe_ring_fill(&r, &u, 70), -EFAULT);
	ck_assert_uint_eq(r.len, 30);
	prepare(&u, b, 100);
	fault_at = 10;
	ck_assert_int_eq(pipe_ring_drain(&r, &u, 100), 10);
	ck_assert_int_eq(pipe_ring_drain(&r, &u, 100), -EFAULT);
	ck_assert_uint_eq(r.len, 20);
	fault_at = UINT64_MAX;
	pipe_ring_free(&r);
}
END_TEST

START_TEST(bounded)
{
	struct pipe_ring r = { 0 };

	ck_assert(!pipe_ring_reserve(&r, (uint64_t)PIPE_RING_MAX + 1));
	ck_assert(!pipe_ring_reserve(&r, UINT64_MAX));
	ck_assert(pipe_ring_reserve(&r, 1));
	pipe_ring_append(&r, "x", 1);
	ck_assert(!pipe_ring_reserve(&r, UINT64_MAX));
	pipe_ring_free(&r);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pipe ring");
	TCase *c = tcase_create("ring");
	SRunner *run;
	int failed;

	tcase_add_test(c, nothing_until_used);
	tcase_add_test(c, wraps_and_grows);
	tcase_add_test(c, put_back_in_front);
	tcase_add_test(c, faults_keep_the_rest);
	tcase_add_test(c, bounded);
	suite_add_tcase(s, c);
	run = srunner_create(s);
	srunner_run_all(run, CK_NORMAL);
	failed = srunner_ntests_failed(run);
	srunner_free(run);
	return failed != 0;
}
