/*
 * test_text.c - patched program text: what one process has found, the next one has
 * before its calls have trapped as often, as long as the file is the same.
 *
 * links: sentry/mm/memfile.c sentry/mm/memfile_freed.c sentry/mm/ranges.c sentry/mm/charge.c sentry/mm/huge.c sentry/mm/mm.c sentry/mm/fork.c sentry/mm/vma.c sentry/mm/nothing.c sentry/mm/pma.c sentry/mm/stub.c sentry/mm/stub_queue.c sentry/mm/text.c sentry/mm/text_event.c sentry/mm/text_known.c sentry/mm/text_emulate.c sentry/arch/x86_64/lea.c sentry/arch/x86_64/move.c sentry/platform/systrap/site.c sentry/platform/systrap/asks.c sentry/mm/text_cache.c sentry/mm/fault.c sentry/mm/cow.c sentry/mm/mmap.c sentry/mm/mprotect.c sentry/mm/mremap.c sentry/mm/madvise.c sentry/mm/mlock.c sentry/mm/memobj.c sentry/mm/memobj_anon.c sentry/mm/usercopy.c sentry/mm/peek.c sentry/mm/uio.c sentry/mm/env.c sentry/mm/safe_copy.c sentry/mm/safe_code.S sentry/lib/lock.c
 */
#include "fake_platform.h"
#include "mm/text.h"

extern const struct platform_patching st_patching; /* of systrap.h, where the platform is a real one */

#define NR 110
#define CALLS 100 /* where in its page a call is */
#define ENDS (CALLS + 7)
#define LEN (4 * PAGE_SIZE) /* each with the same call */
#define ASKS 300 /* and in page 0, where the processor is asked what it is */
#define LOOP_PAGE 3u /* and this one with many */
#define LOOP_CALLS 24u
#define LOOP_CALL(i) (64 * ((i) + 4) + (16 ^ ((i) + 4))) /* so near to each other that a poor hash takes them for one */

static struct memobj *file;
static struct texts *volatile kept[2]; /* nothing ends them: who looks for leaks is to find them here */

static void setup(void)
{
	const uint8_t code[] = { 0xb8, NR, 0, 0, 0, 0x0f, 0x05 };
	const uint8_t asks[] = { 0xb8, 6, 0, 0, 0x80, 0x0f, 0xa2 };
	struct backing b;

	fake_env();
	env.texts = texts_new(env.mf, &st_patching);
	ck_assert_ptr_nonnull(env.texts);
	file = memobj_anon_new(&env, LEN);
	ck_assert_int_eq(file->ops->translate(file, 0, LEN, ACCESS_WRITE, &b), 0);
	ck_assert_uint_ge(b.len, LEN);
	for (unsigned i = 0; i < LEN; i += PAGE_SIZE)
		memcpy((uint8_t *)memfile_ptr(env.mf, b.off) + i + CALLS, code, sizeof(code));
	memcpy((uint8_t *)memfile_ptr(env.mf, b.off) + ASKS, asks, sizeof(asks));
	for (unsigned i = 0; i < LOOP_CALLS; i++)
		memcpy((uint8_t *)memfile_ptr(env.mf, b.off) + LOOP_PAGE * PAGE_SIZE + LOOP_CALL(i), code, sizeof(code));
}

static struct mm *process(void)
{
	const struct mm_mmap m = { .addr = WIN, .len = LEN, .prot = PROT_READ | PROT_EXEC, .max_prot = 7, .flags = LINUX_MAP_FIXED | LINUX_MAP_PRIVATE, .obj = file };
	struct mm *mm = mm_new(&env);

	ck_assert_int_eq(mm_mmap(mm, &m), WIN);
	ck_assert_ptr_nonnull(mm_as(mm));
	return mm;
}

/* The program calls in that page as often, and runs on. */
static void calls(struct mm *mm, unsigned page, unsigned n)
{
	const struct regs r = { .rip = WIN + page * PAGE_SIZE + ENDS, .orig_rax = NR };

	uint8_t byte;

	ck_assert_int_eq(program_access(mm, r.rip, false, true, &byte), 0);
	while (n--)
		mm_text_trapped(mm, &r);
	stub_hurry(mm); /* what may wait is done */
	mm_as(mm);
}

static bool pays(void) { return true; }

/* What the stub has there is no call but a jump. */
static bool patched(struct mm *mm, unsigned page)
{
	const struct fake_page *p = &mm->as->page[page];

	ck_assert_int_eq(p->prot, PROT_READ | PROT_EXEC);
	return ((const uint8_t *)memfile_ptr(env.mf, p->off))[CALLS] == 0xff;
}

static bool asks_patched(struct mm *mm)
{
	const struct fake_page *p = &mm->as->page[0];

	return p->prot && ((const uint8_t *)memfile_ptr(env.mf, p->off))[ASKS] == 0xff;
}

/* Without a trap, and not if it is no loader. */
START_TEST(what_a_loader_asks_is_found)
{
	struct platform_patching here = st_patching;
	struct mm *mm;

	here.pays = pays;
	kept[0] = env.texts;
	env.texts = kept[1] = texts_new(env.mf, &here);
	mm = process();
	calls(mm, 0, 3);
	ck_assert(patched(mm, 0) && !asks_patched(mm));
	mm_put(mm);
	env.texts = texts_new(env.mf, &here);
	mm = process();
	mm_text_load(mm, WIN, WIN + LEN);
	mm_as(mm);
	ck_assert(asks_patched(mm) && !patched(mm, 0));
	calls(mm, 0, 3);
	ck_assert(asks_patched(mm) && patched(mm, 0));
	mm_put(mm);
}
END_TEST

START_TEST(a_call_that_traps_often)
{
	struct mm *mm = process();

	calls(mm, 0, 2);
	ck_assert(!patched(mm, 0));
	calls(mm, 0, 1);
	ck_assert(patched(mm, 0));
	ck_assert(!patched(mm, 1));
	mm_put(mm);
}
END_TEST

/* Wherever they lie: none keeps another from being counted. */
START_TEST(calls_that_trap_in_turn)
{
	struct mm *mm = process();
	uint8_t byte;

	for (unsigned n = 0; n < 16 * LOOP_CALLS; n++) {
		struct regs r = { .rip = WIN + LOOP_PAGE * PAGE_SIZE + LOOP_CALL(n % LOOP_CALLS) + 7, .orig_rax = NR };

		ck_assert_int_eq(program_access(mm, r.rip, false, true, &byte), 0);
		mm_text_trapped(mm, &r);
	}
	stub_hurry(mm);
	mm_as(mm);
	for (unsigned i = 0; i < LOOP_CALLS; i++)
		ck_assert_uint_eq(((const uint8_t *)memfile_ptr(env.mf, mm->as->page[LOOP_PAGE].off))[LOOP_CALL(i)], 0xff);
	mm_put(mm);
}
END_TEST

/* And again whenever it traps: others may have taken its place. Not while a debugger looks. */
START_TEST(a_call_that_cannot_be_patched)
{
	struct mm *mm = process();
	struct regs r = { .rip = WIN + ENDS + 1, .orig_rax = NR };

	fake_traps = 0;
	for (unsigned i = 0; i < 2; i++)
		mm_text_trapped(mm, &r);
	ck_assert_uint_eq(fake_traps, 0);
	calls(mm, 1, 3);
	for (unsigned i = 0; i < 2; i++) {
		for (unsigned k = 0; k < 3; k++)
			mm_text_trapped(mm, &r);
		ck_assert_uint_eq(fake_traps, r.rip);
		fake_traps = 0;
	}
	fake_traps = 1;
	mm_text_hold(mm);
	ck_assert_uint_eq(fake_traps, 0);
	for (unsigned k = 0; k < 9; k++)
		mm_text_trapped(mm, &r);
	ck_assert_uint_eq(fake_traps, 0);
	mm_text_release(mm);
	mm_put(mm);
}
END_TEST

START_TEST(known_pages_are_patched_sooner)
{
	struct mm *first = process(), *mm;

	calls(first, 0, 3);
	mm = process();
	calls(mm, 0, 1);
	ck_assert(!patched(mm, 0));
	calls(mm, 0, 1);
	ck_assert(patched(mm, 0));
	calls(mm, 1, 2); /* not known yet */
	ck_assert(!patched(mm, 1));
	mm_put(first);
	mm_put(mm);
}
END_TEST

START_TEST(a_loaders_known_pages_are_patched_at_once)
{
	struct mm *first = process(), *mm;

	calls(first, 0, 3);
	calls(first, 2, 3);
	mm_put(first);
	mm = process();
	mm_text_load(mm, WIN, WIN + LEN);
	mm_as(mm);
	ck_assert(patched(mm, 0));
	ck_assert(!patched(mm, 1));
	ck_assert(patched(mm, 2));
	mm_text_hold(mm); /* a debugger comes */
	mm_as(mm);
	ck_assert_int_eq(mm->as->page[0].prot, 0); /* comes back as the file has it */
	mm_put(mm);
}
END_TEST

START_TEST(a_file_that_has_changed_is_not_known)
{
	struct mm *first = process(), *mm;
	struct backing b;

	calls(first, 0, 3);
	calls(first, 1, 3);
	mm_put(first);
	ck_assert_int_eq(file->ops->translate(file, 0, LEN, ACCESS_WRITE, &b), 0);
	((uint8_t *)memfile_ptr(env.mf, b.off))[8] ^= 1;
	mm = process();
	mm_text_load(mm, WIN, WIN + LEN);
	mm_as(mm);
	ck_assert(!patched(mm, 0));
	ck_assert(patched(mm, 1));
	mm_put(mm);
}
END_TEST

START_TEST(nor_one_that_somebody_may_write)
{
	const struct mm_mmap m = { .addr = WIN + 2 * LEN, .len = LEN, .prot = PROT_READ, .max_prot = 7, .flags = LINUX_MAP_FIXED | LINUX_MAP_SHARED, .obj = file };
	struct mm *first = process(), *mm;

	calls(first, 0, 3);
	mm = process();
	ck_assert_int_eq(mm_mmap(mm, &m), (int64_t)m.addr);
	mm_text_load(mm, WIN, WIN + LEN);
	calls(mm, 0, 5);
	ck_assert(!patched(mm, 0));
	ck_assert_int_eq(mm_munmap(mm, m.addr, m.len), 0);
	calls(mm, 1, 3);
	ck_assert(patched(mm, 1));
	mm_put(first);
	mm_put(mm);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("text");
	TCase *t = tcase_create("text");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, what_a_loader_asks_is_found);
	tcase_add_test(t, a_call_that_traps_often);
	tcase_add_test(t, calls_that_trap_in_turn);
	tcase_add_test(t, a_call_that_cannot_be_patched);
	tcase_add_test(t, known_pages_are_patched_sooner);
	tcase_add_test(t, a_loaders_known_pages_are_patched_at_once);
	tcase_add_test(t, a_file_that_has_changed_is_not_known);
	tcase_add_test(t, nor_one_that_somebody_may_write);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
