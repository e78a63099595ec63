/*
 * The memory file's allocator against a model: random allocations, references
 * and releases; pages never overlap, come zeroed, and are given back.
 *
 * links: sentry/mm/memfile.c sentry/mm/memfile_freed.c sentry/mm/ranges.c sentry/mm/charge.c sentry/mm/huge.c sentry/mm/safe_copy.c sentry/mm/safe_code.S sentry/lib/lock.c
 */
#include "mm/charge.h"
#include "mm/memfile.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SIZE (UINT64_C(64) << 20)
#define LIMIT (UINT64_C(32) << 20)
#define N 200

static struct memfile *mf;

static void setup(void)
{
	ck_assert_ptr_null(memfile_new(-1, SIZE, LIMIT, &mf));
}

START_TEST(limit_is_enomem)
{
	uint64_t off, off2;

	ck_assert_int_eq(memfile_alloc(mf, LIMIT + PAGE_SIZE, PAGE_SIZE, 0, &off), -ENOMEM);
	ck_assert_int_eq(memfile_alloc(mf, LIMIT, PAGE_SIZE, 0, &off), 0);
	ck_assert_int_eq(memfile_alloc(mf, PAGE_SIZE, PAGE_SIZE, 0, &off2), 0); /* nothing is touched yet */
	memset(memfile_ptr(mf, off), 1, LIMIT);
	ck_assert_int_eq(memfile_alloc(mf, PAGE_SIZE, PAGE_SIZE, 0, &off2), -ENOMEM);
	memfile_put(mf, off, LIMIT);
	ck_assert_int_eq(memfile_alloc(mf, PAGE_SIZE, PAGE_SIZE, 0, &off2), 0);
}
END_TEST

START_TEST(alignment_and_hint)
{
	uint64_t a, b;

	ck_assert_int_eq(memfile_alloc(mf, PAGE_SIZE, PAGE_SIZE, 0, &a), 0);
	ck_assert_int_eq(memfile_alloc(mf, 1 << 20, 1 << 21, 0, &b), 0);
	ck_assert_uint_eq(b & ((1 << 21) - 1), 0);
	ck_assert_int_eq(memfile_alloc(mf, 2 * PAGE_SIZE, PAGE_SIZE, a + PAGE_SIZE, &b), 0);
	ck_assert_uint_eq(b, a + PAGE_SIZE);
	ck_assert_int_eq(memfile_alloc(mf, PAGE_SIZE, PAGE_SIZE, a, &b), 0); /* taken: elsewhere */
	ck_assert_uint_ne(b, a);
}
END_TEST

START_TEST(freed_memory_returns_to_the_host)
{
	uint64_t off;

	ck_assert_int_eq(memfile_alloc(mf, 8 << 20, PAGE_SIZE, 0, &off), 0);
	memset(memfile_ptr(mf, off), 1, 8 << 20);
	ck_assert_uint_ge(memfile_committed(mf), 8 << 20);
	memfile_put(mf, off, 8 << 20);
	ck_assert_uint_lt(memfile_committed(mf), 1 << 20);
	ck_assert_uint_eq(memfile_allocated(mf), 0);
}
END_TEST

/* Where more is held back, it is given back when nobody has needed it for a while. */
START_TEST(held_as_long_as_needed)
{
	const uint64_t size = 8 << 20, part = 2 << 20;
	uint64_t a, b;

	memfile_set_limit(mf, 4ul << 30, 4ul << 30, NULL, NULL);
	memfile_hold_more(mf);
	ck_assert_int_eq(memfile_alloc(mf, size, PAGE_SIZE, 0, &a), 0);
	memset(memfile_ptr(mf, a), 1, size);
	memfile_put(mf, a, size);
	ck_assert_uint_ge(memfile_committed(mf), size);
	ck_assert(memfile_rest(mf));
	ck_assert_int_eq(memfile_alloc_again(mf, part, &b), 0);
	for (uint64_t i = 0; i < part; i += 512)
		ck_assert_uint_eq(*(uint64_t *)memfile_ptr(mf, b + i), 0);
	ck_assert_uint_lt(memfile_committed(mf), size + part);
	memfile_put(mf, b, part);
	ck_assert(memfile_rest(mf)); /* a part was needed, and may be again */
	ck_assert_uint_ge(memfile_committed(mf), part);
	ck_assert_uint_lt(memfile_committed(mf), part + (1 << 20));
	ck_assert(!memfile_rest(mf));
	ck_assert_uint_lt(memfile_committed(mf), 1 << 20);
	ck_assert_int_eq(memfile_alloc(mf, size, PAGE_SIZE, 0, &a), 0); /* as at first */
	memset(memfile_ptr(mf, a), 1, size);
	memfile_put(mf, a, size);
	ck_assert_uint_lt(memfile_committed(mf), 1 << 20);
}
END_TEST

/* Used pages are for those who overwrite them, and for nobody else. */
START_TEST(used_pages)
{
	uint64_t a, b, c, size = 16 * PAGE_SIZE;

	ck_assert_int_eq(memfile_alloc_used(mf, PAGE_SIZE, &b), -ENOMEM); /* there are none */
	ck_assert_int_eq(memfile_alloc(mf, size, PAGE_SIZE, 0, &a), 0);
	memset(memfile_ptr(mf, a), 7, size);
	memfile_put(mf, a, size);
	ck_assert_int_eq(memfile_alloc(mf, size, PAGE_SIZE, a, &b), 0);
	ck_assert_int_eq(*(uint8_t *)memfile_ptr(mf, b), 0);
	ck_assert_int_eq(memfile_alloc_used(mf, size + PAGE_SIZE, &c), -ENOMEM);
	ck_assert_int_eq(memfile_alloc_used(mf, size / 2, &c), 0);
	ck_assert_uint_eq(c, a);
	ck_assert(memfile_exclusive(mf, c, size / 2));
	memfile_put(mf, c, size / 2);
	memfile_put(mf, b, size);
	ck_assert_uint_eq(memfile_allocated(mf), 0);
}
END_TEST

/* The same pages again, but nobody sees what was there. */
START_TEST(used_pages_are_cleared)
{
	uint64_t a, b, size = 4 * PAGE_SIZE;

	ck_assert_int_eq(memfile_alloc_again(mf, size, &b), -ENOMEM); /* there are none */
	ck_assert_int_eq(memfile_alloc(mf, size, PAGE_SIZE, 0, &a), 0);
	memset(memfile_ptr(mf, a), 7, size);
	memfile_put(mf, a, size);
	ck_assert_int_eq(memfile_alloc_again(mf, size, &b), 0);
	ck_assert_uint_eq(b, a);
	for (uint64_t i = 0; i < size; i++)
		ck_assert_int_eq(((uint8_t *)memfile_ptr(mf, b))[i], 0);
	memfile_put(mf, b, size);
}
END_TEST

/* What was freed in pieces is there as a whole, and some of it whatever is freed. */
START_TEST(used_pages_join)
{
	uint64_t a, b, size = 12 * PAGE_SIZE, much = UINT64_C(1) << 20;

	ck_assert_int_eq(memfile_alloc(mf, size, PAGE_SIZE, 0, &a), 0);
	memfile_put(mf, a, size / 3);
	memfile_put(mf, a + size / 3 * 2, size / 3);
	ck_assert_int_eq(memfile_alloc_used(mf, size, &b), -ENOMEM);
	memfile_put(mf, a + size / 3, size / 3);
	ck_assert_int_eq(memfile_alloc_used(mf, size, &b), 0);
	ck_assert_uint_eq(b, a);
	memfile_put(mf, b, size);
	ck_assert_int_eq(memfile_alloc(mf, much, PAGE_SIZE, 0, &a), 0);
	for (uint64_t at = a; at < a + much; at += PAGE_SIZE)
		memfile_put(mf, at, PAGE_SIZE);
	ck_assert_int_eq(memfile_alloc_again(mf, PAGE_SIZE, &b), 0);
	memfile_put(mf, b, PAGE_SIZE);
	ck_assert_uint_eq(memfile_allocated(mf), 0);
}
END_TEST

START_TEST(references_per_page)
{
	uint64_t off;

	ck_assert_int_eq(memfile_alloc(mf, 4 * PAGE_SIZE, PAGE_SIZE, 0, &off), 0);
	memfile_get(mf, off + PAGE_SIZE, PAGE_SIZE);
	ck_assert(!memfile_exclusive(mf, off, 4 * PAGE_SIZE));
	ck_assert(memfile_exclusive(mf, off + 2 * PAGE_SIZE, 2 * PAGE_SIZE));
	memfile_put(mf, off, 4 * PAGE_SIZE);
	ck_assert_uint_eq(memfile_allocated(mf), PAGE_SIZE);
	ck_assert(memfile_exclusive(mf, off + PAGE_SIZE, PAGE_SIZE));
	memfile_put(mf, off + PAGE_SIZE, PAGE_SIZE);
	ck_assert_uint_eq(memfile_allocated(mf), 0);
}
END_TEST

START_TEST(random_operations)
{
	static uint8_t owner[SIZE >> PAGE_SHIFT];
	struct {
		uint64_t off, len;
	} held[N] = { 0 };

	srand(7);
	for (int i = 0; i < 20000; i++) {
		int k = rand() % N;
		uint64_t len = PAGE_SIZE * (1 + (uint64_t)rand() % 40), off;

		if (held[k].len) {
			uint64_t n = (uint64_t)rand() % 3 ? held[k].len : PAGE_DOWN((uint64_t)rand() % held[k].len);

			for (uint64_t p = 0; p < n; p += PAGE_SIZE) {
				ck_assert_int_eq(*(uint8_t *)memfile_ptr(mf, held[k].off + p), k + 1);
				owner[(held[k].off + p) >> PAGE_SHIFT] = 0;
			}
			memfile_put(mf, held[k].off, n);
			held[k].off += n;
			held[k].len -= n;
			continue;
		}
		if (memfile_alloc(mf, len, PAGE_SIZE << rand() % 4, 0, &off))
			continue;
		for (uint64_t p = 0; p < len; p += PAGE_SIZE) {
			ck_assert_int_eq(owner[(off + p) >> PAGE_SHIFT], 0);
			owner[(off + p) >> PAGE_SHIFT] = 1;
			ck_assert_int_eq(*(uint8_t *)memfile_ptr(mf, off + p), 0);
			*(uint8_t *)memfile_ptr(mf, off + p) = (uint8_t)(k + 1);
		}
		held[k].off = off;
		held[k].len = len;
	}
}
END_TEST

static unsigned told;
static void count_told(void *arg)
{
	ck_assert_ptr_eq(arg, &told);
	told++;
}

/* Charged to who is the first, until the last one lets go. */
START_TEST(charged)
{
	const uint64_t mb = 1 << 20;
	struct charges *c = memfile_charges(mf);
	unsigned one, two;
	uint64_t a, b, d;

	ck_assert_ptr_nonnull(c);
	ck_assert_ptr_eq(memfile_charges(mf), c);
	ck_assert_int_eq(charge_open(c, count_told, &told, &one), 0);
	ck_assert_int_eq(charge_open(c, count_told, &told, &two), 0);
	ck_assert_uint_ne(one, two);
	charge_set_line(c, one, 4 * mb);
	ck_assert_int_eq(memfile_alloc(mf, mb, PAGE_SIZE, 0, &d), 0); /* nobody's */
	charge_to(one);
	ck_assert_int_eq(memfile_alloc(mf, 4 * mb, PAGE_SIZE, 0, &a), 0);
	ck_assert_uint_eq(told, 0);
	ck_assert_int_eq(memfile_alloc(mf, PAGE_SIZE, PAGE_SIZE, 0, &b), 0);
	ck_assert_uint_eq(told, 1);
	charge_to(two);
	ck_assert_uint_eq(charge_handed(c, one), 4 * mb + PAGE_SIZE);
	ck_assert_uint_le(charge_used(c, one, mf), PAGE_SIZE);
	memset(memfile_ptr(mf, a), 1, mb);
	memset(memfile_ptr(mf, d), 1, mb);
	ck_assert_uint_ge(charge_used(c, one, mf), mb);
	ck_assert_uint_le(charge_used(c, one, mf), mb + PAGE_SIZE);
	memfile_get(mf, a, 4 * mb);
	memfile_put(mf, a, 4 * mb);
	ck_assert_uint_eq(charge_handed(c, one), 4 * mb + PAGE_SIZE);
	memfile_put(mf, a, 4 * mb);
	ck_assert_uint_eq(charge_handed(c, one), PAGE_SIZE);
	ck_assert_uint_eq(charge_handed(c, two), 0);
	charge_refuse(c, two, true);
	ck_assert_int_eq(memfile_alloc(mf, mb, PAGE_SIZE, 0, &a), -ENOMEM);
	charge_to(CHARGE_NOBODY);
	ck_assert_int_eq(memfile_alloc(mf, mb, PAGE_SIZE, 0, &a), 0);
	charge_close(c, one); /* b is nobody's now */
	ck_assert_uint_eq(charge_handed(c, one), 0);
	memfile_put(mf, b, PAGE_SIZE);
	ck_assert_uint_eq(charge_handed(c, one), 0);
}
END_TEST

START_TEST(accounts_end)
{
	struct charges *c = memfile_charges(mf);
	unsigned id, n = 0;

	while (!charge_open(c, count_told, &told, &id))
		n++;
	ck_assert_uint_eq(n, CHARGE_ACCOUNTS - 1);
	ck_assert_int_eq(charge_open(c, count_told, &told, &id), -ENOSPC);
	charge_close(c, 7);
	ck_assert_int_eq(charge_open(c, count_told, &told, &id), 0);
	ck_assert_uint_eq(id, 7);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("memfile");
	TCase *t = tcase_create("memfile");
	SRunner *r;
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, limit_is_enomem);
	tcase_add_test(t, alignment_and_hint);
	tcase_add_test(t, freed_memory_returns_to_the_host);
	tcase_add_test(t, held_as_long_as_needed);
	tcase_add_test(t, used_pages);
	tcase_add_test(t, used_pages_are_cleared);
	tcase_add_test(t, used_pages_join);
	tcase_add_test(t, references_per_page);
	tcase_add_test(t, random_operations);
	tcase_add_test(t, charged);
	tcase_add_test(t, accounts_end);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
