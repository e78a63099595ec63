/*
 * test_site.c - which system calls can be patched in a page of text, what is
 * written there, and what the entry that it leads to says.
 *
 * links: sentry/platform/systrap/site.c sentry/platform/systrap/asks.c sentry/arch/x86_64/lea.c sentry/arch/x86_64/move.c
 */
#include "platform/systrap/systrap.h"

#include <check.h>
#include <cpuid.h>
#include <stdlib.h>
#include <string.h>

#define NR 110
static const uint8_t sets[] = { 0x90, 0xb8, NR, 0, 0, 0, 0x0f, 0x05 };
static const uint8_t compares[] = { 0x0f, 0x05, 0x48, 0x3d, 0x00, 0xf0, 0xff, 0xff };
static const uint8_t relative[] = { 0x48, 0x8d, 0x15, 0x20, 0, 0, 0, 0x0f, 0x05 }; /* lea 0x20(%rip), %rdx; syscall */
static uint8_t page[PAGE_SIZE];
static struct platform_site site;

static void put(unsigned at, const uint8_t *code, size_t n)
{
	memset(page, 0xcc, sizeof(page));
	memcpy(page + at, code, n);
}

/* The site of code at `at`, whose call ends there. */
static bool find(unsigned at, const uint8_t *code, size_t n, unsigned end, uint64_t nr)
{
	struct regs r = { .orig_rax = nr, .rip = 0x400000 + end, .rdi = 0x1000, .rsi = 0x1010, .rdx = 0x400100 + 9 - 2 + 0x20 };

	put(at, code, n);
	return st_patching.find(page, end, &r, &site);
}

START_TEST(number_and_call)
{
	ck_assert(find(100, sets, sizeof(sets), 108, NR));
	ck_assert(site.at == 101 && site.len == 7 && site.sets_number && site.value == NR);
	ck_assert(st_patching.matches(page, &site));
	ck_assert(find(PAGE_SIZE - 8, sets, sizeof(sets), PAGE_SIZE, NR));
	ck_assert(!find(100, sets, sizeof(sets), 108, NR + 1)); /* not what sets the number */
	ck_assert(!find(100, sets, sizeof(sets), 107, NR)); /* no call there */
	ck_assert(!find(0, sets + 1, sizeof(sets) - 1, 7, NR)); /* what is before it is not known */
}
END_TEST

START_TEST(prefixes)
{
	uint8_t code[sizeof(sets)];

	memcpy(code, sets, sizeof(sets));
	for (unsigned b = 0x40; b < 0x50; b++) {
		code[0] = (uint8_t)b; /* 41: mov $nr, %r8d */
		ck_assert(!find(100, code, sizeof(code), 108, NR));
	}
	code[0] = 0x66;
	ck_assert(!find(100, code, sizeof(code), 108, NR));
}
END_TEST

START_TEST(call_and_comparison)
{
	uint8_t code[sizeof(compares)];

	ck_assert(find(200, compares, sizeof(compares), 202, 7));
	ck_assert(site.at == 200 && site.len == 8 && !site.sets_number && site.value == -4096);
	ck_assert(find(PAGE_SIZE - 8, compares, sizeof(compares), PAGE_SIZE - 6, 7));
	ck_assert(!find(PAGE_SIZE - 7, compares, sizeof(compares) - 1, PAGE_SIZE - 5, 7)); /* ends in the next page */
	ck_assert(!find(PAGE_SIZE - 1, compares, 1, 1, 7)); /* begins in the one before */
	memcpy(code, compares, sizeof(code));
	code[4] = 1;
	ck_assert(find(200, code, sizeof(code), 202, 7) && site.value == -4095);
	code[4] = 2;
	ck_assert(!find(200, code, sizeof(code), 202, 7));
}
END_TEST

/* With the registers of find(). */
START_TEST(computed_argument_and_call)
{
	static const uint8_t base[] = { 0x90, 0x48, 0x8d, 0xb7, 0x10, 0, 0, 0, 0x0f, 0x05 }; /* lea 0x10(%rdi), %rsi */
	uint8_t code[sizeof(base)];

	ck_assert(find(100, base, sizeof(base), 110, NR));
	ck_assert(site.at == 101 && site.len == 9 && !site.sets_number && site.lea[0] == 0x48 && site.value == 0x10);
	ck_assert(st_patching.matches(page, &site));
	st_patching.patch(page, &site, 1);
	ck_assert(page[101] == 0xff && page[108] == 0x0f && page[109] == 0x05 && !st_patching.matches(page, &site));
	ck_assert(find(0x100, relative, sizeof(relative), 0x109, NR) && site.lea[1] == 0x15);
	memcpy(code, base, sizeof(base));
	code[4] = 0x11;
	ck_assert(!find(100, code, sizeof(code), 110, NR)); /* that is not what rsi has */
	memcpy(code, base, sizeof(base));
	code[3] = 0xb6;
	code[4] = 0;
	ck_assert(!find(100, code, sizeof(code), 110, NR)); /* 0(%rsi): not to be computed twice */
	code[0] = 0x66;
	memcpy(code + 1, base + 1, 9);
	ck_assert(!find(100, code, sizeof(code), 110, NR));
	ck_assert(!find(0, base + 1, sizeof(base) - 1, 9, NR));
}
END_TEST

/* Where a thread may stand or jump to, nothing can be executed. */
START_TEST(what_is_written)
{
	static const uint8_t jmp[] = { 0xff, 0x24, 0xe5 };
	const unsigned last = (ST_SITES_END - ST_SITES) / ST_SITE_SIZE - 1;

	for (unsigned i = 0; i <= last; i += last) {
		uint32_t to;

		ck_assert(find(100, sets, sizeof(sets), 108, NR));
		st_patching.patch(page, &site, i);
		memcpy(&to, page + 104, 4);
		ck_assert(!memcmp(page + 101, jmp, 3) && to == ST_SITES + i * ST_SITE_SIZE);
		ck_assert(page[106] == 6 || page[106] == 7);
		ck_assert(!st_patching.matches(page, &site) && page[108] == 0xcc);
		ck_assert(find(200, compares, sizeof(compares), 202, 7));
		st_patching.patch(page, &site, i);
		ck_assert(page[202] == 0xe5 && page[207] == 0xff && page[208] == 0xcc);
	}
}
END_TEST

/* mov %rdx, %rsi; mov %ebp, %edi */
static const uint8_t moves[] = { 0x90, 0xb8, NR, 0, 0, 0, 0x48, 0x89, 0xd6, 0x89, 0xef, 0x0f, 0x05 };
/* As musl has it; a trap is nowhere else. */
static const uint8_t cancels[] = { 0x4c, 0x8b, 0x44, 0x24, 8, 0x4c, 0x8b, 0x4c, 0x24, 16, 0x4c, 0x89, 0x5c, 0x24, 8, 0x0f, 0x05 };

START_TEST(number_moves_and_call)
{
	static const uint8_t others[][6] = {
		{ 3, 0x48, 0x89, 0xc6 }, /* mov %rax, %rsi: the number */
		{ 3, 0x48, 0x89, 0xd0 }, /* mov %rdx, %rax */
		{ 3, 0x48, 0x89, 0xfc }, /* mov %rdi, %rsp */
		{ 3, 0x48, 0x89, 0x16 }, /* mov %rdx, (%rsi) */
		{ 2, 0x01, 0xd6 }, /* add */
		{ 2, 0xeb, 0x00 }, /* jmp */
		{ 5, 0xb8, 1, 0, 0, 0 }, /* another number */
	};
	uint8_t code[sizeof(moves)];

	ck_assert(find(100, moves, sizeof(moves), 113, NR));
	ck_assert(site.at == 101 && site.len == 12 && site.sets_number && site.value == NR && site.n_moves == 5 && !memcmp(site.moves, moves + 6, 5));
	ck_assert(st_patching.matches(page, &site));
	page[107] = 0x8b;
	ck_assert(!st_patching.matches(page, &site));
	ck_assert(!find(100, moves, sizeof(moves), 113, NR + 1));
	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		unsigned n = others[i][0];

		memcpy(code, moves, 6);
		memcpy(code + 6, others[i] + 1, n);
		memcpy(code + 6 + n, "\x0f\x05", 2);
		ck_assert_msg(!find(100, code, 8 + n, 108 + n, NR), "%u", i);
	}
}
END_TEST

START_TEST(cancellable_call)
{
	uint8_t code[sizeof(cancels)];

	ck_assert(find(100, cancels, sizeof(cancels), 117, 0));
	ck_assert(site.at == 110 && site.len == 7 && site.stores && !site.sets_number && st_patching.matches(page, &site));
	st_patching.patch(page, &site, 3);
	ck_assert((page[115] == 6 || page[115] == 7) && !st_patching.matches(page, &site));
	memcpy(code, cancels, sizeof(code));
	for (unsigned i = 0; i < sizeof(code); i++) {
		code[i] ^= 1;
		ck_assert(!find(100, code, sizeof(code), 117, 0));
		code[i] ^= 1;
	}
	ck_assert(!find(0, cancels + 1, sizeof(cancels) - 1, 16, 0));
}
END_TEST

/* A thread in an entry is where it would be in the site: what it has copied, it has done so far and no further;
 * behind that only the call is to be made. */
START_TEST(rewinding)
{
	const uint64_t at = 0x7f0000001000, entry = ST_SITES + 3 * ST_SITE_SIZE + 32;
	uint64_t e[ST_SITE_SIZE / 8];
	struct regs r;

	ck_assert(find(100, moves, sizeof(moves), 113, NR));
	st_patching.entry((uint8_t *)e, &site, 3, at);
	ck_assert(!memcmp((uint8_t *)e + 32, moves + 1, 10) && e[ST_SITE_RETURN / 8] == at + 12 && e[ST_SITE_CMP / 8] == 0);
	for (unsigned off = 0; off < 24; off++) {
		r.rip = entry + off;
		st_patching.rewind((uint8_t *)e, &r);
		ck_assert(r.rip == at + (off < 10 ? off : 10));
	}
	ck_assert(find(100, cancels, sizeof(cancels), 117, 0));
	st_patching.entry((uint8_t *)e, &site, 3, at);
	ck_assert(!memcmp((uint8_t *)e + 32, cancels + 10, 5));
	for (unsigned off = 0; off < 24; off++) {
		r.rip = entry + off;
		st_patching.rewind((uint8_t *)e, &r);
		ck_assert(r.rip == at + (off < 5 ? off : 5));
	}
}
END_TEST

START_TEST(moves_done)
{
	struct regs r = { .rdx = 0x8123456789abcdef, .rbp = 0xfffffffff0000001, .r9 = 7, .eflags = 0x202 | FLAGS_ARITHMETIC };

	move_do(moves + 6, &r); /* mov %rdx, %rsi */
	ck_assert(r.rsi == r.rdx);
	move_do(moves + 9, &r); /* mov %ebp, %edi */
	ck_assert(r.rdi == 0xf0000001);
	move_do((const uint8_t *)"\x48\x63\xfd\x90\x90\x90", &r); /* movslq %ebp, %rdi */
	ck_assert(r.rdi == 0xfffffffff0000001);
	move_do((const uint8_t *)"\x41\xba\x08\x00\x00\x80", &r); /* mov $0x80000008, %r10d */
	ck_assert(r.r10 == 0x80000008);
	move_do((const uint8_t *)"\x4d\x8b\xc1\x90\x90\x90", &r); /* mov %r9, %r8 */
	ck_assert(r.r8 == 7);
	ck_assert(r.eflags == (0x202 | FLAGS_ARITHMETIC));
	move_do((const uint8_t *)"\x45\x31\xc9\x90\x90\x90", &r); /* xor %r9d, %r9d */
	ck_assert(r.r9 == 0 && r.eflags == (0x202 | 0x44)); /* ZF PF */
	ck_assert(move_length((const uint8_t *)"\x41\xba\x08\x00\x00\x80", 5) == 0 && move_length(moves + 9, 1) == 0);
}
END_TEST

START_TEST(entries)
{
	const uint64_t at = 0x7f0000001000;
	uint64_t e[ST_SITE_SIZE / 8];
	struct regs r = { .rip = ST_SITES + 3 * ST_SITE_SIZE + 32 };

	ck_assert(find(100, sets, sizeof(sets), 108, NR));
	st_patching.entry((uint8_t *)e, &site, 3, at);
	ck_assert(e[0] == ST_SITES + 3 * ST_SITE_SIZE + 32 && e[ST_SITE_RETURN / 8] == at + 7 && e[ST_SITE_CMP / 8] == 0);
	st_patching.rewind((uint8_t *)e, &r);
	ck_assert(r.rip == at);
	ck_assert(find(200, compares, sizeof(compares), 202, 7));
	st_patching.entry((uint8_t *)e, &site, 4, at);
	ck_assert(e[ST_SITE_RETURN / 8] == at + 2 && (int64_t)e[ST_SITE_CMP / 8] == -4096 && e[ST_SITE_AFTER / 8] == at + 8);
	st_patching.rewind((uint8_t *)e, &r);
	ck_assert(r.rip == at);
	ck_assert(find(0x100, relative, sizeof(relative), 0x109, NR));
	st_patching.entry((uint8_t *)e, &site, 5, at);
	ck_assert(e[ST_SITE_RETURN / 8] == at + 9 && e[ST_SITE_CMP / 8] == 0);
	ck_assert(!memcmp((uint8_t *)e + 32, "\x48\xba\x27\x10\x00\x00\x00\x7f\x00\x00\x41\xbb", 12)); /* mov $at + 0x27, %rdx */
	st_patching.rewind((uint8_t *)e, &r);
	ck_assert(r.rip == at);
}
END_TEST

static const uint8_t asks[] = { 0x43, 0xb8, 5, 0, 0, 0x80, 0x0f, 0xa2 }; /* 43 ends a jump, most likely */
static const uint8_t asks_first[] = { 0x90, 0xb8, 0x0d, 0, 0, 0, 0x31, 0xc9, 0x0f, 0xa2 };

START_TEST(what_the_processor_is)
{
	static const uint8_t first_only[] = { 0x90, 0xb8, 0x0d, 0, 0, 0, 0x0f, 0xa2 }; /* which part of it, ecx says */
	static const uint8_t which[] = { 0x90, 0xb8, 1, 0, 0, 0, 0x0f, 0xa2 }; /* tells which processor it is */
	static const uint8_t bad[] = { 0x41, 0x48, 0x49, 0x66, 0x67 };
	uint8_t code[sizeof(asks)];

	put(100, asks, sizeof(asks));
	memcpy(page + 300, asks_first, sizeof(asks_first));
	ck_assert(st_patching.next(page, 0, &site));
	ck_assert(site.asks && site.at == 101 && site.len == 7 && site.value == (int32_t)0x80000005);
	ck_assert(st_patching.matches(page, &site));
	ck_assert(st_patching.next(page, 108, &site));
	ck_assert(site.asks && site.at == 301 && site.len == 9 && site.value == 0xd);
	ck_assert(st_patching.matches(page, &site));
	ck_assert(!st_patching.next(page, 310, &site));
	st_patching.patch(page, &site, 1);
	ck_assert(page[301] == 0xff && (page[306] == 6 || page[306] == 7) && page[308] == 0x0f && page[309] == 0xa2);
	ck_assert(!st_patching.matches(page, &site));
	put(100, first_only, sizeof(first_only));
	ck_assert(!st_patching.next(page, 0, &site));
	put(100, which, sizeof(which));
	ck_assert(!st_patching.next(page, 0, &site));
	memcpy(code, asks, sizeof(asks));
	for (unsigned i = 0; i < sizeof(bad); i++) {
		code[0] = bad[i];
		put(100, code, sizeof(code));
		ck_assert(!st_patching.next(page, 0, &site));
	}
	put(PAGE_SIZE - 8, asks, sizeof(asks));
	ck_assert(st_patching.next(page, 0, &site) && site.at == PAGE_SIZE - 7);
	put(PAGE_SIZE - 7, asks, sizeof(asks) - 1);
	ck_assert(!st_patching.next(page, 0, &site)); /* ends in the next page */
	put(0, asks + 1, sizeof(asks) - 1);
	ck_assert(!st_patching.next(page, 0, &site)); /* what is before it is not known */
}
END_TEST

/* mov to eax, ebx, ecx and edx, then jmp *RETURN. */
START_TEST(answers)
{
	const uint64_t at = 0x7f0000001000;
	static const uint8_t mov[] = { 0xb8, 0xbb, 0xb9, 0xba };
	uint64_t e[ST_SITE_SIZE / 8];
	const uint8_t *p = (const uint8_t *)e + 32;
	struct regs r = { 0 };
	unsigned v[4];
	uint32_t to;

	__cpuid_count(0xd, 0, v[0], v[1], v[2], v[3]);
	put(100, asks_first, sizeof(asks_first));
	ck_assert(st_patching.next(page, 0, &site));
	st_patching.entry((uint8_t *)e, &site, 6, at);
	ck_assert(e[0] == ST_SITES + 6 * ST_SITE_SIZE + 32 && e[ST_SITE_RETURN / 8] == at + 9 && e[ST_SITE_CMP / 8] == 0);
	ck_assert(p[0] == 0x31 && p[1] == 0xc9);
	for (unsigned i = 0; i < 4; i++) {
		ck_assert_uint_eq(p[2 + 5 * i], mov[i]);
		ck_assert(!memcmp(p + 3 + 5 * i, &v[i], 4));
	}
	ck_assert(!memcmp(p + 22, "\xff\x24\x25", 3));
	memcpy(&to, p + 25, 4);
	ck_assert(to == ST_SITES + 6 * ST_SITE_SIZE + ST_SITE_RETURN);
	st_patching.rewind((uint8_t *)e, &r);
	ck_assert(r.rip == at);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("site");
	TCase *t = tcase_create("site");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(t, number_and_call);
	tcase_add_test(t, what_the_processor_is);
	tcase_add_test(t, answers);
	tcase_add_test(t, prefixes);
	tcase_add_test(t, call_and_comparison);
	tcase_add_test(t, computed_argument_and_call);
	tcase_add_test(t, what_is_written);
	tcase_add_test(t, entries);
	tcase_add_test(t, number_moves_and_call);
	tcase_add_test(t, cancellable_call);
	tcase_add_test(t, rewinding);
	tcase_add_test(t, moves_done);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
