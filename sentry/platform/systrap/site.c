/*
 * site.c - the call sites that can be patched, and what becomes of them.
 *
 *   b8 NR 0f 05           mov $NR, %eax; syscall          7 bytes
 *   0f 05 48 3d -ERRNO    syscall; cmp $-4096, %rax       8 bytes, and -4095
 *   REX 8d MODRM DISP 0f 05   lea DISP(%base), %argument; syscall     9 bytes
 *
 * They become ff 24 e5 ENTRY: jmp *ENTRY, an absolute address below 512 KiB (the
 * scale in e5 means nothing without an index).  The third form's call stays behind it,
 * and traps whoever jumps there.  In the others ENTRY is chosen so that what lies
 * where a thread may stand, or jump to, is an instruction that a program cannot
 * execute: 06 or 07 where the first form's syscall was, e5 (in) where the second
 * form's comparison was.  mm/text.c tells such a fault from the program's own and
 * does what the instruction would have done.
 *
 * Another two forms, which are no calls: asks.c.
 *
 * The copy of a page is never changed while somebody may execute it.
 */
#include "platform/systrap/systrap.h"

#include <stddef.h>
#include <string.h>

#define SETS_LEN 7
#define COMPARES_LEN 8
#define COMPUTES_LEN (LEA_LEN + 2)
#define NR_MAX 1024 /* numbers above that are not calls but coincidences */

/* What a process's entry of a site holds. */
struct st_site_entry {
	uint64_t code; /* the address of: */
	uint64_t ret; /* what the call returns to */
	int64_t cmp; /* 0: no comparison follows */
	uint64_t after; /* where that ends; without one, where the site begins */
	union {
		struct {
			uint8_t text[24];
			uint64_t patch;
		};
		uint8_t answer[32]; /* of what is no call */
	};
};
_Static_assert(sizeof(struct st_site_entry) == ST_SITE_SIZE, "a cache line");
_Static_assert(offsetof(struct st_site_entry, ret) == ST_SITE_RETURN && offsetof(struct st_site_entry, cmp) == ST_SITE_CMP &&
		       offsetof(struct st_site_entry, after) == ST_SITE_AFTER,
	       "as patch.S has it");
_Static_assert(ST_SITES >> 16 == 6 && (ST_SITES_END - 1) >> 16 == 7, "what cannot be executed");

static int32_t get32(const uint8_t *p)
{
	int32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint8_t *put32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
	return p + sizeof(v);
}

static uint8_t *put_bytes(uint8_t *p, const char *bytes, size_t n)
{
	memcpy(p, bytes, n);
	return p + n;
}

static bool is_syscall(const uint8_t *p)
{
	return p[0] == 0x0f && p[1] == 0x05;
}

/* The byte before might make another instruction of `b8`: a REX prefix another
 * register, 66 a shorter constant. */
static bool may_be_prefix(uint8_t b)
{
	return (b & 0xf0) == 0x40 || b == 0x66 || b == 0x67;
}

static bool sets(const uint8_t *page, unsigned end, uint64_t nr)
{
	const uint8_t *p = page + end - SETS_LEN;

	return end > SETS_LEN && nr < NR_MAX && p[0] == 0xb8 && get32(p + 1) == (int32_t)nr && !may_be_prefix(p[-1]);
}

static bool compares(const uint8_t *page, unsigned end)
{
	const uint8_t *p = page + end;

	if (end + COMPARES_LEN - 2 > PAGE_SIZE || p[0] != 0x48 || p[1] != 0x3d)
		return false;
	return get32(p + 2) == -4096 || get32(p + 2) == -4095;
}

/* What it computes must survive being computed twice (rewind_to_site), and be what has
 * been: these may be other bytes that look like it. */
static bool computes(const uint8_t *page, unsigned end, const struct regs *r, struct lea *l)
{
	static const uint16_t arguments = 1 << 7 | 1 << 6 | 1 << 2 | 1 << 10 | 1 << 8 | 1 << 9;
	static const uint32_t bases = ~(uint32_t)(1 << 1 | 1 << 11); /* rcx and r11 are those of the call */
	const uint8_t *p = page + end - COMPUTES_LEN;
	struct regs copy = *r;

	if (end <= COMPUTES_LEN || may_be_prefix(p[-1]) || !lea_decode(p, l))
		return false;
	if (!(arguments >> l->dest & 1) || !(bases >> l->base & 1) || l->dest == l->base)
		return false;
	return *regs_numbered(&copy, l->dest) == lea_value(l, r, r->rip - 2);
}

static bool find(const uint8_t *page, unsigned end, const struct regs *r, struct platform_site *s)
{
	uint64_t nr = regs_syscall_nr(r);
	struct lea l;

	if (end < 2 || end > PAGE_SIZE || !is_syscall(page + end - 2))
		return false;
	if (sets(page, end, nr)) {
		*s = (struct platform_site){ .at = (uint16_t)(end - SETS_LEN), .len = SETS_LEN, .sets_number = true, .value = (int32_t)nr };
		return true;
	}
	if (compares(page, end)) {
		*s = (struct platform_site){ .at = (uint16_t)(end - 2), .len = COMPARES_LEN, .value = get32(page + end + 2) };
		return true;
	}
	if (computes(page, end, r, &l)) {
		const uint8_t *p = page + end - COMPUTES_LEN;

		*s = (struct platform_site){ .at = (uint16_t)(end - COMPUTES_LEN), .len = COMPUTES_LEN, .lea = { p[0], p[2] }, .value = l.disp };
		return true;
	}
	return false;
}

static bool matches(const uint8_t *page, const struct platform_site *s)
{
	const uint8_t *p = page + s->at;

	if (s->asks)
		return st_asks_matches(page, s);
	if (s->sets_number)
		return p[0] == 0xb8 && get32(p + 1) == s->value && is_syscall(p + 5);
	if (s->lea[0])
		return p[0] == s->lea[0] && p[1] == 0x8d && p[2] == s->lea[1] && get32(p + 3) == s->value && is_syscall(p + LEA_LEN);
	return is_syscall(p) && p[2] == 0x48 && p[3] == 0x3d && get32(p + 4) == s->value;
}

static uint32_t entry_address(unsigned index)
{
	return ST_SITES + index * ST_SITE_SIZE;
}

static void patch(uint8_t *page, const struct platform_site *s, unsigned index)
{
	put32(put_bytes(page + s->at, "\xff\x24\xe5", 3), entry_address(index));
}

/* The same elsewhere, for a site at addr. */
static uint8_t *put_lea(uint8_t *p, const struct platform_site *s, uint64_t addr)
{
	uint8_t *end = put32(put_bytes(p, (char[]){ (char)s->lea[0], (char)0x8d, (char)s->lea[1] }, 3), (uint32_t)s->value);
	struct lea l;
	uint64_t v;

	if (!lea_decode(p, &l) || l.base != LEA_RIP)
		return end;
	v = addr + LEA_LEN + (uint64_t)(int64_t)l.disp; /* mov $v, %dest */
	return put_bytes(put_bytes(p, (char[]){ (char)(0x48 | l.dest >> 3), (char)(0xb8 | (l.dest & 7)) }, 2), (const char *)&v, sizeof(v));
}

static void write_entry(uint8_t *at, const struct platform_site *s, unsigned index, uint64_t addr)
{
	bool compare = !s->sets_number && !s->lea[0] && !s->asks;
	uint32_t self = entry_address(index);
	struct st_site_entry e = {
		.code = self + offsetof(struct st_site_entry, text),
		.ret = addr + (compare ? 2 : s->len),
		.cmp = compare ? s->value : 0,
		.after = compare ? addr + s->len : addr,
		.patch = ST_PATCH + ST_PATCH_ENTER,
	};
	uint8_t *p = s->lea[0] ? put_lea(e.text, s, addr) : e.text;

	if (s->asks) {
		put32(put_bytes(st_asks_answer(e.answer, s), "\xff\x24\x25", 3), self + (uint32_t)offsetof(struct st_site_entry, ret)); /* jmp *ret */
		memcpy(at, &e, sizeof(e));
		return;
	}
	p = put32(put_bytes(p, "\x41\xbb", 2), self); /* mov $self, %r11d */

	if (s->sets_number)
		p = put32(put_bytes(p, "\xb8", 1), (uint32_t)s->value); /* mov $nr, %eax */
	put32(put_bytes(p, "\xff\x24\x25", 3), self + (uint32_t)offsetof(struct st_site_entry, patch)); /* jmp *patch */
	memcpy(at, &e, sizeof(e));
}

static void rewind_to_site(const uint8_t *at, struct regs *r)
{
	struct st_site_entry e;

	memcpy(&e, at, sizeof(e));
	r->rip = e.cmp ? e.ret - 2 : e.after;
}

const struct platform_patching st_patching = {
	.table = ST_SITES,
	.table_end = ST_SITES_END,
	.entry_size = ST_SITE_SIZE,
	.find = find,
	.pays = st_asks_pays,
	.next = st_asks_next,
	.matches = matches,
	.patch = patch,
	.entry = write_entry,
	.rewind = rewind_to_site,
};
