/*
 * What the stub is told, and when: orders wait for the program to run again, and
 * pages that it may still reach wait with them.
 *
 * links: sentry/mm/memfile.c sentry/mm/memfile_freed.c sentry/mm/ranges.c sentry/mm/charge.c sentry/mm/huge.c sentry/mm/mm.c sentry/mm/fork.c sentry/mm/vma.c sentry/mm/nothing.c sentry/mm/pma.c sentry/mm/stub.c sentry/mm/stub_queue.c sentry/mm/text.c sentry/mm/text_event.c sentry/mm/text_known.c sentry/mm/text_emulate.c sentry/arch/x86_64/lea.c sentry/arch/x86_64/move.c sentry/mm/text_cache.c sentry/mm/fault.c sentry/mm/cow.c sentry/mm/mmap.c sentry/mm/mprotect.c sentry/mm/mremap.c sentry/mm/madvise.c sentry/mm/mlock.c sentry/mm/memobj.c sentry/mm/memobj_anon.c sentry/mm/usercopy.c sentry/mm/peek.c sentry/mm/uio.c sentry/mm/env.c sentry/mm/safe_copy.c sentry/mm/safe_code.S sentry/lib/lock.c
 */
#include "fake_platform.h"

static void map_anon(struct mm *mm, uint64_t addr, uint64_t len, int prot)
{
	const struct mm_mmap m = { .addr = addr, .len = len, .prot = prot, .max_prot = 7,
		.flags = LINUX_MAP_FIXED | LINUX_MAP_ANONYMOUS | LINUX_MAP_PRIVATE };

	ck_assert_int_eq(mm_mmap(mm, &m), (int64_t)addr);
}

static struct fake_page *page(struct mm *mm, uint64_t addr)
{
	return &mm->as->page[(addr - WIN) >> PAGE_SHIFT];
}

static void put(struct mm *mm, uint64_t addr, uint8_t byte)
{
	ck_assert_int_eq(program_access(mm, addr, true, true, &byte), 0);
}

static uint8_t get(struct mm *mm, uint64_t addr)
{
	uint8_t byte;

	ck_assert_int_eq(program_access(mm, addr, false, true, &byte), 0);
	return byte;
}

/* Orders given since the last look. */
static unsigned given(struct mm *mm)
{
	static unsigned before;
	unsigned n;

	ck_assert_ptr_nonnull(mm_as(mm));
	n = fake_orders - before;
	before = fake_orders;
	return n;
}

START_TEST(what_is_mapped_does_not_fault)
{
	struct mm *mm = mm_new(&env);

	map_anon(mm, WIN, 65536, PROT_READ | PROT_WRITE);
	map_anon(mm, WIN + 65536, 65536, PROT_READ | PROT_WRITE);
	ck_assert_int_eq(fake_orders, 0); /* it does not run yet */
	ck_assert_uint_eq(given(mm), 1); /* both at once */
	ck_assert_int_eq(page(mm, WIN + 131072 - PAGE_SIZE)->prot, PROT_READ | PROT_WRITE);
	check_invariants(mm);
	mm_put(mm);
}
END_TEST

/* Narrowing is told, widening waits for the access. */
START_TEST(protections)
{
	struct mm *mm = mm_new(&env);

	map_anon(mm, WIN, 65536, PROT_READ | PROT_WRITE);
	given(mm);
	ck_assert_int_eq(mm_mprotect(mm, WIN, PAGE_SIZE, PROT_READ), 0);
	ck_assert_uint_eq(given(mm), 1);
	ck_assert_int_eq(page(mm, WIN)->prot, PROT_READ);
	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(mm_mprotect(mm, WIN, PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
		ck_assert_int_eq(mm_mprotect(mm, WIN, PAGE_SIZE, PROT_READ), 0);
	}
	ck_assert_uint_eq(given(mm), 0);
	ck_assert_int_eq(mm_mprotect(mm, WIN, PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
	put(mm, WIN, 1);
	ck_assert_int_eq(page(mm, WIN)->prot, PROT_READ | PROT_WRITE);
	check_invariants(mm);
	mm_put(mm);
}
END_TEST

/* A jump to what has become executable; the platform does not know what the access was. */
START_TEST(unknown_access_to_widened)
{
	struct mm *mm = mm_new(&env);
	int code;

	map_anon(mm, WIN, PAGE_SIZE, PROT_READ);
	given(mm);
	ck_assert_int_eq(mm_mprotect(mm, WIN, PAGE_SIZE, PROT_READ | PROT_EXEC), 0);
	ck_assert_int_eq(mm_fault(mm, WIN, 0, &code), 0);
	ck_assert_int_eq(page(mm, WIN)->prot, PROT_READ | PROT_EXEC);
	ck_assert_int_eq(mm_fault(mm, WIN, 0, &code), -EFAULT); /* then it was a write */
	mm_put(mm);
}
END_TEST

START_TEST(unmapped_pages_wait)
{
	struct mm *mm = mm_new(&env), *other = mm_new(&env);
	uint64_t before = memfile_allocated(env.mf);

	map_anon(mm, WIN, 65536, PROT_READ | PROT_WRITE);
	put(mm, WIN, 42);
	ck_assert_int_eq(mm_munmap(mm, WIN, 65536), 0);
	ck_assert_uint_eq(memfile_allocated(env.mf), before + 65536); /* the stub maps them still */
	ck_assert_int_ne(page(mm, WIN)->prot, 0);
	map_anon(other, WIN, 65536, PROT_READ | PROT_WRITE);
	ck_assert_int_eq(get(other, WIN), 0);
	ck_assert_uint_ne(page(other, WIN)->off, page(mm, WIN)->off);
	mm_as(mm);
	ck_assert_int_eq(page(mm, WIN)->prot, 0);
	ck_assert_uint_eq(memfile_allocated(env.mf), before + 65536); /* other's */
	mm_put(mm);
	mm_put(other);
	ck_assert_uint_eq(memfile_allocated(env.mf), before);
}
END_TEST

/* More orders and pages than may wait. */
START_TEST(long_queue)
{
	struct mm *mm = mm_new(&env);
	uint64_t before = memfile_allocated(env.mf);

	for (unsigned i = 0; i < 100; i++)
		map_anon(mm, WIN + i * 2 * PAGE_SIZE, PAGE_SIZE, PROT_READ | PROT_WRITE);
	for (unsigned i = 0; i < 100; i++)
		put(mm, WIN + i * 2 * PAGE_SIZE, (uint8_t)i);
	for (unsigned i = 0; i < 100; i += 2)
		ck_assert_int_eq(mm_munmap(mm, WIN + i * 2 * PAGE_SIZE, PAGE_SIZE), 0);
	check_invariants(mm);
	for (unsigned i = 1; i < 100; i += 2)
		ck_assert_uint_eq(get(mm, WIN + i * 2 * PAGE_SIZE), i);
	mm_put(mm);
	ck_assert_uint_eq(memfile_allocated(env.mf), before);
}
END_TEST

/* An object's pages go with its last mapping: the stub is told before. */
START_TEST(object_pages_do_not_wait)
{
	struct mm *mm = mm_new(&env);
	struct mm_mmap m = { .addr = WIN, .len = PAGE_SIZE, .prot = PROT_READ | PROT_WRITE, .max_prot = 7,
		.flags = LINUX_MAP_FIXED | LINUX_MAP_ANONYMOUS | LINUX_MAP_SHARED, .obj = memobj_anon_new(&env, PAGE_SIZE) };

	ck_assert_int_eq(mm_mmap(mm, &m), (int64_t)WIN);
	put(mm, WIN, 1);
	memobj_put(m.obj);
	ck_assert_int_eq(mm_munmap(mm, WIN, PAGE_SIZE), 0);
	ck_assert_int_eq(page(mm, WIN)->prot, 0);
	mm_put(mm);
}
END_TEST

START_TEST(fork_copies_what_is_small)
{
	struct mm *mm = mm_new(&env), *child;
	const uint64_t big = WIN + (UINT64_C(1) << 20), len = UINT64_C(512) << 10;

	map_anon(mm, WIN, PAGE_SIZE * 4, PROT_READ | PROT_WRITE);
	map_anon(mm, big, len, PROT_READ | PROT_WRITE);
	put(mm, WIN, 1);
	for (uint64_t a = big; a < big + len; a += PAGE_SIZE)
		put(mm, a, 2);
	child = mm_fork(mm);
	ck_assert_ptr_nonnull(child);
	ck_assert_int_eq(page(mm, WIN)->prot, PROT_READ | PROT_WRITE); /* the parent does not fault */
	ck_assert_int_eq(page(mm, big)->prot, PROT_READ);
	mm_as(child);
	ck_assert_int_eq(page(child, WIN)->prot, PROT_READ | PROT_WRITE);
	ck_assert_uint_ne(page(child, WIN)->off, page(mm, WIN)->off);
	ck_assert_uint_eq(page(child, big)->off, page(mm, big)->off);
	put(child, WIN, 3);
	put(child, big, 4);
	ck_assert_uint_eq(get(mm, WIN), 1);
	ck_assert_uint_eq(get(mm, big), 2);
	put(mm, big, 5);
	ck_assert_uint_eq(get(child, big), 4);
	check_invariants(mm);
	check_invariants(child);
	mm_put(mm);
	mm_put(child);
}
END_TEST

static void map_file(struct mm *mm, uint64_t addr, uint64_t len, int prot, struct memobj *o)
{
	const struct mm_mmap m = { .addr = addr, .len = len, .prot = prot, .max_prot = 7, .obj = o, .off = addr - WIN,
		.flags = LINUX_MAP_FIXED | LINUX_MAP_PRIVATE | LINUX_MAP_DENYWRITE };

	ck_assert_int_eq(mm_mmap(mm, &m), (int64_t)addr);
}

/* A loader maps all of a file, and other protections over it: one order a piece, at the first access. */
START_TEST(loaders_orders_wait)
{
	struct mm *mm = mm_new(&env);
	struct memobj *o = memobj_anon_new(&env, PAGE_SIZE * 16);

	given(mm);
	map_file(mm, WIN, PAGE_SIZE * 16, PROT_READ, o);
	ck_assert_uint_eq(given(mm), 0);
	map_file(mm, WIN + PAGE_SIZE * 4, PAGE_SIZE * 4, PROT_READ | PROT_EXEC, o);
	map_file(mm, WIN + PAGE_SIZE * 8, PAGE_SIZE * 8, PROT_READ, o);
	ck_assert_int_eq(mm_munmap(mm, WIN + PAGE_SIZE * 10, PAGE_SIZE), 0);
	ck_assert_uint_eq(given(mm), 0);
	get(mm, WIN + PAGE_SIZE * 5);
	ck_assert_uint_eq(given(mm), 4);
	ck_assert_int_eq(page(mm, WIN)->prot, PROT_READ);
	ck_assert_int_eq(page(mm, WIN + PAGE_SIZE * 7)->prot, PROT_READ | PROT_EXEC);
	ck_assert_int_eq(page(mm, WIN + PAGE_SIZE * 10)->prot, 0);
	ck_assert_uint_eq(page(mm, WIN + PAGE_SIZE * 11)->off - page(mm, WIN)->off, PAGE_SIZE * 11);
	check_invariants(mm);
	mm_put(mm);
	memobj_put(o);
}
END_TEST

/* It writes to the data at once; the zeroed memory that it maps behind them waits again. */
START_TEST(loaders_data_are_due)
{
	struct mm *mm = mm_new(&env);
	struct memobj *o = memobj_anon_new(&env, PAGE_SIZE * 16);

	given(mm); /* it runs */
	map_file(mm, WIN, PAGE_SIZE * 16, PROT_READ, o);
	map_file(mm, WIN + PAGE_SIZE * 8, PAGE_SIZE * 4, PROT_READ | PROT_WRITE, o);
	ck_assert_uint_eq(given(mm), 2);
	ck_assert_int_eq(page(mm, WIN + PAGE_SIZE * 7)->prot, PROT_READ);
	ck_assert_int_eq(page(mm, WIN + PAGE_SIZE * 8)->prot, PROT_READ | PROT_WRITE);
	ck_assert_int_eq(page(mm, WIN + PAGE_SIZE * 12)->prot, 0); /* nobody reads that */
	map_anon(mm, WIN + PAGE_SIZE * 12, PAGE_SIZE * 4, PROT_READ | PROT_WRITE);
	ck_assert_uint_eq(given(mm), 0);
	map_anon(mm, WIN + PAGE_SIZE * 32, PAGE_SIZE, PROT_READ | PROT_WRITE);
	ck_assert_uint_eq(given(mm), 2);
	put(mm, WIN + PAGE_SIZE * 12, 5);
	ck_assert_int_eq(get(mm, WIN + PAGE_SIZE * 12), 5);
	check_invariants(mm);
	mm_put(mm);
	memobj_put(o);
}
END_TEST

/* What lies behind the data may be read all the same. */
START_TEST(behind_a_loaders_data)
{
	struct mm *mm = mm_new(&env);
	struct memobj *o = memobj_anon_new(&env, PAGE_SIZE * 16);

	given(mm);
	map_file(mm, WIN, PAGE_SIZE * 16, PROT_READ, o);
	map_file(mm, WIN + PAGE_SIZE * 8, PAGE_SIZE * 4, PROT_READ | PROT_WRITE, o);
	ck_assert_int_eq(get(mm, WIN + PAGE_SIZE * 12), 0);
	ck_assert_int_eq(page(mm, WIN + PAGE_SIZE * 12)->prot, PROT_READ);
	check_invariants(mm);
	mm_put(mm);
	memobj_put(o);
}
END_TEST

/* Nor does what is due wait for them, or before them. */
START_TEST(what_is_due_takes_the_others_along)
{
	struct mm *mm = mm_new(&env);
	struct memobj *o = memobj_anon_new(&env, PAGE_SIZE * 16);

	map_file(mm, WIN, PAGE_SIZE * 16, PROT_READ, o);
	map_anon(mm, WIN + PAGE_SIZE * 12, PAGE_SIZE * 8, PROT_READ | PROT_WRITE);
	ck_assert_uint_eq(given(mm), 2);
	ck_assert_int_eq(page(mm, WIN + PAGE_SIZE * 11)->prot, PROT_READ);
	ck_assert_int_eq(page(mm, WIN + PAGE_SIZE * 12)->prot, PROT_READ | PROT_WRITE);
	map_file(mm, WIN, PAGE_SIZE, PROT_READ | PROT_EXEC, o); /* in place of what is mapped */
	ck_assert_uint_eq(given(mm), 1);
	ck_assert_int_eq(mm_mprotect(mm, WIN, PAGE_SIZE * 2, PROT_NONE), 0);
	ck_assert_uint_ge(given(mm), 1);
	ck_assert_int_eq(page(mm, WIN)->prot, 0);
	check_invariants(mm);
	mm_put(mm);
	memobj_put(o);
}
END_TEST

/* Memory that is touched page by page is taken in large pieces from then on. */
START_TEST(touched_in_a_row)
{
	struct mm *mm = mm_new(&env);

	map_anon(mm, WIN, ANON_STEP * 4, PROT_READ | PROT_WRITE);
	for (uint64_t a = 0; a < ANON_STEP - PAGE_SIZE; a += PAGE_SIZE)
		put(mm, WIN + a, 1);
	ck_assert_uint_lt(memfile_committed(env.mf), ANON_STEP + 65536);
	put(mm, WIN + ANON_STEP - PAGE_SIZE, 1);
	put(mm, WIN + ANON_STEP, 1);
	ck_assert_uint_ge(memfile_committed(env.mf), ANON_STEP * 2);
	ck_assert_uint_eq(get(mm, WIN + ANON_STEP * 2 - 1), 0);
	mm_put(mm);
}
END_TEST

START_TEST(touched_here_and_there)
{
	struct mm *mm = mm_new(&env);

	map_anon(mm, WIN, ANON_STEP * 4, PROT_READ | PROT_WRITE);
	for (uint64_t a = 0; a < ANON_STEP; a += PAGE_SIZE)
		if (a != ANON_STEP / 2)
			put(mm, WIN + a, 1);
	put(mm, WIN + ANON_STEP, 1);
	ck_assert_uint_lt(memfile_committed(env.mf), ANON_STEP + 65536);
	mm_put(mm);
}
END_TEST

static void fill(struct mm *mm, uint64_t addr, uint64_t len)
{
	for (uint64_t a = addr; a < addr + len; a += PAGE_SIZE)
		put(mm, a, 1);
}

/* Used pages go to who will touch them all: who has filled an area and asks for another
 * of its size. */
START_TEST(another_of_the_same)
{
	const uint64_t size = 131072;
	struct mm *mm = mm_new(&env), *gone = mm_new(&env);
	uint64_t before;

	map_anon(mm, WIN, size, PROT_READ | PROT_WRITE);
	map_anon(gone, WIN, size, PROT_READ | PROT_WRITE);
	fill(gone, WIN, size);
	mm_put(gone);
	before = memfile_committed(env.mf);
	ck_assert_uint_ge(before, size);
	map_anon(mm, WIN + 2 * size, size, PROT_READ | PROT_WRITE); /* the first was never touched */
	fill(mm, WIN + 2 * size, size);
	ck_assert_uint_eq(memfile_committed(env.mf), before + size);
	map_anon(mm, WIN + 3 * size, size / 2, PROT_READ | PROT_WRITE); /* others come in between */
	map_anon(mm, WIN + 4 * size, size, PROT_READ | PROT_WRITE);
	ck_assert_uint_eq(get(mm, WIN + 5 * size - 1), 0);
	fill(mm, WIN + 4 * size, size);
	ck_assert_uint_eq(memfile_committed(env.mf), before + size);
	check_invariants(mm);
	mm_put(mm);
}
END_TEST

START_TEST(exec_inherits_the_stub)
{
	struct mm *old = mm_new(&env), *mm = mm_new(&env);
	struct platform_as *as;

	map_anon(old, WIN, PAGE_SIZE * 4, PROT_READ | PROT_WRITE);
	put(old, WIN, 1);
	ck_assert_int_eq(mm_munmap(old, WIN + PAGE_SIZE, PAGE_SIZE), 0); /* told to nobody */
	as = old->as;
	map_anon(mm, WIN + PAGE_SIZE * 2, PAGE_SIZE, PROT_READ | PROT_WRITE);
	mm_inherit_stub(mm, old, NULL);
	ck_assert_ptr_eq(mm->as, as);
	ck_assert_ptr_null(old->as);
	check_invariants(mm); /* nothing of old's is mapped */
	mm_put(old);
	ck_assert_uint_eq(get(mm, WIN + PAGE_SIZE * 2), 0);
	mm_put(mm);
}
END_TEST

/* Somebody else has a hand in the old one. */
START_TEST(exec_leaves_a_shared_stub)
{
	struct mm *old = mm_new(&env), *mm = mm_new(&env);

	map_anon(old, WIN, PAGE_SIZE, PROT_READ);
	mm_as(old);
	mm_get(old);
	mm_inherit_stub(mm, old, NULL);
	ck_assert_ptr_nonnull(old->as);
	ck_assert_ptr_null(mm->as);
	mm_put(old);
	mm_put(old);
	mm_put(mm);
}
END_TEST

/* Orders that the program's own thread sees to: what they take away waits until that is known. */
START_TEST(near_pages_wait)
{
	struct mm *mm = mm_new(&env);
	uint64_t before = memfile_allocated(env.mf);

	fake_near_works = true;
	map_anon(mm, WIN, 65536, PROT_READ | PROT_WRITE);
	put(mm, WIN, 42);
	ck_assert_int_eq(mm_munmap(mm, WIN, 65536), 0);
	mm_as(mm);
	ck_assert_int_ne(page(mm, WIN)->prot, 0); /* the program does not run yet */
	ck_assert_uint_eq(memfile_allocated(env.mf), before + 65536);
	fake_near_run(mm->as);
	ck_assert_int_eq(page(mm, WIN)->prot, 0);
	ck_assert_uint_eq(memfile_allocated(env.mf), before + 65536);
	mm_as(mm);
	ck_assert_uint_eq(memfile_allocated(env.mf), before);
	map_anon(mm, WIN, 65536, PROT_READ | PROT_WRITE);
	ck_assert_uint_eq(get(mm, WIN), 0);
	check_invariants(mm);
	mm_put(mm);
	ck_assert_uint_eq(memfile_allocated(env.mf), before);
}
END_TEST

/* They do not wait for others that are taken away meanwhile. */
START_TEST(near_pages_go_one_by_one)
{
	struct mm *mm = mm_new(&env);
	uint64_t before = memfile_allocated(env.mf);

	fake_near_works = true;
	for (int i = 0; i < 100; i++) {
		map_anon(mm, WIN, 65536, PROT_READ | PROT_WRITE);
		put(mm, WIN, 42);
		ck_assert_int_eq(mm_munmap(mm, WIN, 65536), 0);
		mm_as(mm);
		ck_assert_uint_le(memfile_allocated(env.mf), before + 65536);
	}
	mm_as(mm);
	ck_assert_uint_eq(memfile_allocated(env.mf), before);
	mm_put(mm);
	fake_near.n = 0;
}
END_TEST

/* Whoever needs to know that they are done does not wait for the program. */
START_TEST(near_is_settled_by_others)
{
	struct mm *mm = mm_new(&env), *child;
	uint64_t before = memfile_allocated(env.mf);

	fake_near_works = true;
	map_anon(mm, WIN, 65536, PROT_READ | PROT_WRITE);
	put(mm, WIN, 42);
	ck_assert_int_eq(mm_mprotect(mm, WIN, PAGE_SIZE, PROT_READ), 0);
	mm_as(mm);
	ck_assert_int_eq(page(mm, WIN)->prot, PROT_READ | PROT_WRITE);
	child = mm_fork(mm);
	ck_assert_ptr_nonnull(child);
	ck_assert_uint_eq(fake_near.n, 0);
	ck_assert_int_eq(page(mm, WIN)->prot, PROT_READ);
	ck_assert_uint_eq(get(child, WIN), 42);
	check_invariants(mm);
	check_invariants(child);
	mm_put(child);
	ck_assert_int_eq(mm_munmap(mm, WIN, 65536), 0);
	mm_as(mm);
	mm_put(mm); /* it has not run any more */
	fake_near.n = 0;
	ck_assert_uint_eq(memfile_allocated(env.mf), before);
}
END_TEST

START_TEST(near_fails)
{
	struct mm *mm = mm_new(&env);
	uint64_t before = memfile_allocated(env.mf);

	fake_near_works = true;
	map_anon(mm, WIN, 65536, PROT_READ | PROT_WRITE);
	map_anon(mm, WIN + 131072, 65536, PROT_READ | PROT_WRITE);
	put(mm, WIN, 42);
	put(mm, WIN + 131072, 43);
	ck_assert_int_eq(mm_munmap(mm, WIN, 65536), 0);
	mm_as(mm);
	fake_near_fails = true;
	fake_near_run(mm->as);
	fake_near_fails = false;
	ck_assert_int_ne(page(mm, WIN)->prot, 0);
	ck_assert_uint_eq(memfile_allocated(env.mf), before + 131072);
	mm_as(mm); /* nothing is mapped any more, and faults bring back what may be */
	ck_assert_int_eq(page(mm, WIN)->prot, 0);
	ck_assert_int_eq(page(mm, WIN + 131072)->prot, 0);
	ck_assert_uint_eq(memfile_allocated(env.mf), before + 65536);
	ck_assert_uint_eq(get(mm, WIN + 131072), 43);
	check_invariants(mm);
	mm_put(mm);
	ck_assert_uint_eq(memfile_allocated(env.mf), before);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("stub");
	TCase *t = tcase_create("stub");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, fake_env, NULL);
	tcase_add_test(t, what_is_mapped_does_not_fault);
	tcase_add_test(t, protections);
	tcase_add_test(t, unknown_access_to_widened);
	tcase_add_test(t, unmapped_pages_wait);
	tcase_add_test(t, long_queue);
	tcase_add_test(t, object_pages_do_not_wait);
	tcase_add_test(t, fork_copies_what_is_small);
	tcase_add_test(t, loaders_orders_wait);
	tcase_add_test(t, loaders_data_are_due);
	tcase_add_test(t, behind_a_loaders_data);
	tcase_add_test(t, what_is_due_takes_the_others_along);
	tcase_add_test(t, touched_in_a_row);
	tcase_add_test(t, touched_here_and_there);
	tcase_add_test(t, another_of_the_same);
	tcase_add_test(t, exec_inherits_the_stub);
	tcase_add_test(t, exec_leaves_a_shared_stub);
	tcase_add_test(t, near_pages_wait);
	tcase_add_test(t, near_pages_go_one_by_one);
	tcase_add_test(t, near_is_settled_by_others);
	tcase_add_test(t, near_fails);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
