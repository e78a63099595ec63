/*
 * site.c - the call sites that can be patched, and what becomes of them.
 *
 *   b8 NR 0f 05           mov $NR, %eax; syscall          7 bytes
 *   b8 NR MOVES 0f 05     mov $NR, %eax; moves to other registers; syscall   9 to 13 bytes
 *   0f 05 48 3d -ERRNO    syscall; cmp $-4096, %rax       8 bytes, and -4095
 *   4c 89 5c 24 08 0f 05  mov %r11, 8(%rsp); syscall      7 bytes (musl's calls that can be cancelled)
 *   REX 8d MODRM DISP 0f 05   lea DISP(%base), %argument; syscall     9 bytes
 *
 * They become ff 24 e5 ENTRY: jmp *ENTRY, an absolute address below 512 KiB (the
 * scale in e5 means nothing without an index).  The last form's call stays behind it,
 * and so does what follows the second form's first move; it traps whoever jumps there.  In the others ENTRY is chosen so that what lies
 * where a thread may stand, or jump to, is an instruction that a program cannot
 * execute: 06 or 07 where the first form's syscall was, the fourth's, and the second's first
 * move; e5 (in) where the third form's comparison was.  mm/text.c tells such a fault from the program's own and
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
#define STORES_LEN 7
#define STORE_LEN (STORES_LEN - 2)
#define NUMBER_LEN (SETS_LEN - 2)
#define MOVES_MAX sizeof(((struct platform_site *)0)->moves)
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

/* end: what it would be if the call came next. */
static bool sets_before(const uint8_t *page, unsigned end, uint64_t nr)
{
	const uint8_t *p = page + end - SETS_LEN;

	return end > SETS_LEN && nr < NR_MAX && p[0] == 0xb8 && get32(p + 1) == (int32_t)nr && !may_be_prefix(p[-1]);
}

/* Moves, and nothing else. */
static bool are_moves(const uint8_t *p, unsigned n)
{
	unsigned len;

	for (; n; p += len, n -= len) {
		len = move_length(p, n);
		if (!len)
			return false;
	}
	return true;
}

/* How many bytes of moves there are between what sets the number and the call; 0: it is not so. */
static unsigned sets_and_moves(const uint8_t *page, unsigned end, uint64_t nr)
{
	for (unsigned n = 2; n <= MOVES_MAX && end > SETS_LEN + n; n++)
		if (sets_before(page, end - n, nr) && are_moves(page + end - 2 - n, n))
			return n;
	return 0;
}

static bool compares(const uint8_t *page, unsigned end)
{
	const uint8_t *p = page + end;

	if (end + COMPARES_LEN - 2 > PAGE_SIZE || p[0] != 0x48 || p[1] != 0x3d)
		return false;
	return get32(p + 2) == -4096 || get32(p + 2) == -4095;
}

static const uint8_t cancellable[] = {
	0x4c, 0x8b, 0x44, 0x24, 0x08, /* mov 8(%rsp), %r8 */
	0x4c, 0x8b, 0x4c, 0x24, 0x10, /* mov 16(%rsp), %r9 */
	0x4c, 0x89, 0x5c, 0x24, 0x08, /* mov %r11, 8(%rsp) */
	0x0f, 0x05,
};

static const uint8_t *const store = cancellable + sizeof(cancellable) - STORES_LEN;

/* So long a sequence is what it looks like. */
static bool stores(const uint8_t *page, unsigned end)
{
	return end >= sizeof(cancellable) && !memcmp(page + end - sizeof(cancellable), cancellable, sizeof(cancellable));
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
	unsigned n;

	if (end < 2 || end > PAGE_SIZE || !is_syscall(page + end - 2))
		return false;
	n = sets_and_moves(page, end, nr);
	if (sets_before(page, end, nr)) {
		*s = (struct platform_site){ .at = (uint16_t)(end - SETS_LEN), .len = SETS_LEN, .sets_number = true, .value = (int32_t)nr };
		return true;
	}
	if (compares(page, end)) {
		*s = (struct platform_site){ .at = (uint16_t)(end - 2), .len = COMPARES_LEN, .value = get32(page + end + 2) };
		return true;
	}
	if (n) {
		*s = (struct platform_site){
			.at = (uint16_t)(end - SETS_LEN - n), .len = (uint8_t)(SETS_LEN + n), .sets_number = true, .n_moves = (uint8_t)n, .value = (int32_t)nr
		};
		memcpy(s->moves, page + end - 2 - n, n);
		return true;
	}
	if (stores(page, end)) {
		*s = (struct platform_site){ .at = (uint16_t)(end - STORES_LEN), .len = STORES_LEN, .stores = true };
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
		return p[0] == 0xb8 && get32(p + 1) == s->value && !memcmp(p + NUMBER_LEN, s->moves, s->n_moves) &&
		       is_syscall(p + NUMBER_LEN + s->n_moves);
	if (s->stores)
		return stores(page, s->at + STORES_LEN);
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
	bool compare = !s->sets_number && !s->stores && !s->lea[0] && !s->asks;
	uint32_t self = entry_address(index);
	struct st_site_entry e = {
		.code = self + offsetof(struct st_site_entry, text),
		.ret = addr + (compare ? 2 : s->len),
		.cmp = compare ? s->value : 0,
		.after = compare ? addr + s->len : addr,
		.patch = s->asks ? 0 : ST_PATCH + ST_PATCH_ENTER,
	};
	uint8_t *p = s->lea[0] ? put_lea(e.text, s, addr) : e.text;

	if (s->asks) {
		put32(put_bytes(st_asks_answer(e.answer, s), "\xff\x24\x25", 3), self + (uint32_t)offsetof(struct st_site_entry, ret)); /* jmp *ret */
		memcpy(at, &e, sizeof(e));
		return;
	}
	if (s->stores)
		p = put_bytes(p, (const char *)store, STORE_LEN);
	if (s->sets_number)
		p = put_bytes(put32(put_bytes(p, "\xb8", 1), (uint32_t)s->value), (const char *)s->moves, s->n_moves); /* mov $nr, %eax */
	p = put32(put_bytes(p, "\x41\xbb", 2), self); /* mov $self, %r11d */
	put32(put_bytes(p, "\xff\x24\x25", 3), self + (uint32_t)offsetof(struct st_site_entry, patch)); /* jmp *patch */
	memcpy(at, &e, sizeof(e));
}

/* How much of what it begins with is what the site begins with, byte for byte; behind that r11 may be another. */
static unsigned copied(const struct st_site_entry *e)
{
	if (e->patch != ST_PATCH + ST_PATCH_ENTER)
		return 0; /* an answer */
	if (e->text[0] == 0xb8)
		return (unsigned)(e->ret - e->after) - 2;
	return memcmp(e->text, store, STORE_LEN) ? 0 : STORE_LEN;
}

static void rewind_to_site(const uint8_t *at, struct regs *r)
{
	struct st_site_entry e;
	uint64_t off;
	unsigned n;

	memcpy(&e, at, sizeof(e));
	off = r->rip - e.code;
	n = copied(&e);
	if (e.cmp || (n && off >= n))
		r->rip = e.ret - 2;
	else
		r->rip = e.after + (n ? off : 0);
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
