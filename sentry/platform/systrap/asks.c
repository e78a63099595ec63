/*
 * asks.c - instructions that ask the processor what it is, and can be answered without it.
 *
 * Under a hypervisor each cpuid leaves the guest, which takes microseconds, and the loader
 * of every program that glibc makes comes to dozens of them before it begins.  What they
 * ask is the same on all processors and at all times, but for a few leaves that are not
 * answered here (1 and 0xb tell which processor it is).  These forms are:
 *
 *   b8 LEAF 0f a2         mov $LEAF, %eax; cpuid                    7 bytes
 *   b8 LEAF 31 c9 0f a2   mov $LEAF, %eax; xor %ecx, %ecx; cpuid    9 bytes
 *
 * They are told by their bytes, before anybody has come there.  The first one's cpuid, and
 * the second one's xor, become what cannot be executed (site.c); the second one's cpuid stays.
 *
 * Any thread.
 */
#include "platform/systrap/systrap.h"

#include <cpuid.h>
#include <stdatomic.h>
#include <string.h>

#define ASKS_LEN 7
#define ASKS_FIRST_LEN 9
#define XOR_ECX "\x31\xc9"
#define CPUID "\x0f\xa2"

/* What is answered: the same whoever asks. */
static struct leaf {
	uint32_t leaf;
	bool parts; /* ecx tells which one: only the first */
	_Atomic bool known;
	_Atomic uint32_t r[4]; /* eax ebx ecx edx, if it is known */
} leaves[] = {
	{ .leaf = 0 },
	{ .leaf = 2 },
	{ .leaf = 4, .parts = true },
	{ .leaf = 7, .parts = true },
	{ .leaf = 0xd, .parts = true },
	{ .leaf = 0x80000000 },
	{ .leaf = 0x80000001 },
	{ .leaf = 0x80000002 },
	{ .leaf = 0x80000003 },
	{ .leaf = 0x80000004 },
	{ .leaf = 0x80000005 },
	{ .leaf = 0x80000006 },
	{ .leaf = 0x80000007 },
	{ .leaf = 0x80000008 },
};

static struct leaf *find_leaf(uint32_t leaf, bool first)
{
	for (unsigned i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++)
		if (leaves[i].leaf == leaf)
			return leaves[i].parts && !first ? NULL : &leaves[i];
	return NULL;
}

/* Two that ask at once are told the same. */
static void learn(struct leaf *l)
{
	uint32_t r[4];

	if (atomic_load_explicit(&l->known, memory_order_acquire))
		return;
	__cpuid_count(l->leaf, 0, r[0], r[1], r[2], r[3]);
	for (unsigned i = 0; i < 4; i++)
		atomic_store_explicit(&l->r[i], r[i], memory_order_relaxed);
	atomic_store_explicit(&l->known, true, memory_order_release);
}

/* There is a hypervisor, and the processors are all of one kind. */
bool st_asks_pays(void)
{
	unsigned a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 31))
		return false;
	return !__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d >> 15 & 1);
}

/* The bytes before b8 with which compilers make other instructions of it: 41 another register, 48 and 49 a longer
 * constant, 66 and 67 a shorter one or nothing.  (43, for one, ends many a jump, and is no prefix that has a use there.) */
static bool may_be_prefix(uint8_t b)
{
	return b == 0x41 || b == 0x48 || b == 0x49 || b == 0x66 || b == 0x67;
}

static unsigned length(const uint8_t *p, unsigned room)
{
	if (room >= ASKS_LEN && !memcmp(p + 5, CPUID, 2))
		return ASKS_LEN;
	return room >= ASKS_FIRST_LEN && !memcmp(p + 5, XOR_ECX CPUID, 4) ? ASKS_FIRST_LEN : 0;
}

bool st_asks_next(const uint8_t *page, unsigned from, struct platform_site *s)
{
	const uint8_t *p = page + (from ? from : 1), *end = page + PAGE_SIZE; /* what is before it must be known */
	struct leaf *l;
	unsigned len;
	int32_t leaf;

	for (; p < end && (p = memchr(p, 0xb8, (size_t)(end - p))); p++) {
		len = length(p, (unsigned)(end - p));
		if (!len || may_be_prefix(p[-1]))
			continue;
		memcpy(&leaf, p + 1, sizeof(leaf));
		l = find_leaf((uint32_t)leaf, len == ASKS_FIRST_LEN);
		if (!l)
			continue;
		learn(l);
		*s = (struct platform_site){ .at = (uint16_t)(p - page), .len = (uint8_t)len, .asks = true, .value = leaf };
		return true;
	}
	return false;
}

bool st_asks_matches(const uint8_t *page, const struct platform_site *s)
{
	const uint8_t *p = page + s->at;

	return p[0] == 0xb8 && !memcmp(p + 1, &s->value, sizeof(s->value)) && length(p, s->len) == s->len;
}

uint8_t *st_asks_answer(uint8_t *p, const struct platform_site *s)
{
	static const uint8_t mov[4] = { 0xb8, 0xbb, 0xb9, 0xba }; /* to eax ebx ecx edx */
	const struct leaf *l = find_leaf((uint32_t)s->value, s->len == ASKS_FIRST_LEN);

	if (s->len == ASKS_FIRST_LEN) {
		memcpy(p, XOR_ECX, 2); /* for the flags */
		p += 2;
	}
	for (unsigned i = 0; i < 4; i++) {
		uint32_t v = atomic_load_explicit(&l->r[i], memory_order_relaxed);

		*p++ = mov[i];
		memcpy(p, &v, sizeof(v));
		p += sizeof(v);
	}
	return p;
}
