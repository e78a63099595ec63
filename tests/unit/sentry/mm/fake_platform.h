/*
 * fake_platform.h - a platform that only remembers what the stub would map, in a
 * window of addresses, and lets a test act as the program: accesses that go
 * where the stub's mapping leads.
 */
#ifndef TESTS_FAKE_PLATFORM_H
#define TESTS_FAKE_PLATFORM_H

#include "arch/x86_64/arch.h"
#include "arch/x86_64/vvar.h"
#include "mm/mm_internal.h"
#include "mm/usercopy.h"
#include "platform/platform.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define WIN UINT64_C(0x10000000)
#define WIN_PAGES 1024u

struct fake_page {
	int fd, prot; /* prot 0: not mapped */
	uint64_t off;
};
struct platform_as {
	struct fake_page page[WIN_PAGES];
	uint64_t nothing, nothing_len; /* of what the program may be told that it is empty */
};
static unsigned fake_orders;

/* No records of descriptors. */
bool platform_records_get(struct platform_ctx *c, struct platform_records *r) { return false; }
void platform_records_put(struct platform_records *r) {}
bool platform_records_use(struct platform_ctx *c, const struct platform_records *r) { return false; }
void platform_window_end(struct platform_ctx *c) {}

void platform_as_nothing(struct platform_as *as, uint64_t start, uint64_t len)
{
	as->nothing = start;
	as->nothing_len = len;
}

static uint64_t fake_traps; /* the last one that was told */
void platform_as_traps(struct platform_as *as, uint64_t at) { fake_traps = at; }

struct platform_as *platform_as_new(struct platform *p) { return calloc(1, sizeof(struct platform_as)); }
void platform_as_free(struct platform_as *as) { free(as); }

static bool in_window(uint64_t a) { return a >= WIN && a < WIN + WIN_PAGES * PAGE_SIZE; }

int platform_as_map(struct platform_as *as, uint64_t addr, uint64_t len, int prot, int fd, uint64_t off)
{
	fake_orders++;
	for (uint64_t a = addr; a < addr + len; a += PAGE_SIZE)
		if (in_window(a))
			as->page[(a - WIN) >> PAGE_SHIFT] = (struct fake_page){ fd, prot, off + (a - addr) };
	return 0;
}

int platform_as_unmap(struct platform_as *as, uint64_t addr, uint64_t len)
{
	fake_orders++;
	for (unsigned i = 0; i < WIN_PAGES; i++)
		if (WIN + i * PAGE_SIZE >= addr && WIN + i * PAGE_SIZE - addr < len)
			as->page[i].prot = 0;
	return 0;
}

int platform_as_protect(struct platform_as *as, uint64_t addr, uint64_t len, int prot)
{
	fake_orders++;
	for (uint64_t a = addr; a < addr + len; a += PAGE_SIZE) {
		if (!in_window(a))
			continue;
		if (!as->page[(a - WIN) >> PAGE_SHIFT].prot)
			return -ENOMEM; /* as mprotect of a hole */
		as->page[(a - WIN) >> PAGE_SHIFT].prot = prot;
	}
	return 0;
}

bool platform_as_reusable(struct platform_as *as, struct platform_ctx *c) { return true; }

int platform_as_orders(struct platform_as *as, const struct platform_order *o, unsigned n)
{
	int e = 0;

	for (; n-- && !e; o++) {
		if (o->kind == PLATFORM_MAP && o->present) /* the host would commit what is missing */
			ck_assert_int_ge(lseek(o->fd, (off_t)o->off, SEEK_HOLE), (off_t)(o->off + o->len));
		if (o->kind == PLATFORM_MAP)
			e = platform_as_map(as, o->addr, o->len, o->prot, o->fd, o->off);
		else if (o->kind == PLATFORM_UNMAP)
			e = platform_as_unmap(as, o->addr, o->len);
		else
			e = platform_as_protect(as, o->addr, o->len, o->prot);
	}
	return e;
}

/* Orders that are carried out when the program runs, or when they are settled: if fake_near_works. */
#define FAKE_NEAR_MOST 8u
static bool fake_near_works, fake_near_fails;
static struct {
	struct platform_order o[FAKE_NEAR_MOST];
	unsigned n;
	int result;
} fake_near;

static inline void fake_near_run(struct platform_as *as)
{
	unsigned n = fake_near.n;

	fake_near.n = 0;
	if (n)
		fake_near.result = fake_near_fails ? -ENOMEM : platform_as_orders(as, fake_near.o, n);
}

bool platform_as_orders_near(struct platform_as *as, const struct platform_order *o, unsigned n)
{
	if (!fake_near_works || n > FAKE_NEAR_MOST)
		return false;
	ck_assert_uint_eq(fake_near.n, 0);
	memcpy(fake_near.o, o, n * sizeof(*o));
	fake_near.n = n;
	return true;
}

int platform_as_settle(struct platform_as *as)
{
	int r;

	fake_near_run(as);
	r = fake_near.result;
	fake_near.result = 0;
	return r;
}

const uint8_t vdso_image[] = { 0x7f, 'E', 'L', 'F' };
const size_t vdso_image_size = sizeof(vdso_image);
void vvar_init(void *page) { }

static struct mm_env env;
static void no_file(struct file *f) { }

static void fake_env(void)
{
	struct err *e = safe_copy_init();

	ck_assert_ptr_null(e);
	ck_assert_ptr_null(memfile_new(-1, UINT64_C(1) << 32, UINT64_C(1) << 32, &env.mf));
	env.hooks.get = env.hooks.put = no_file;
	ck_assert_int_eq(mm_env_init(&env), 0);
}

/* The program loads or stores a byte: faults as hardware would. 0, or the
 * error of mm_fault. */
static inline int program_access(struct mm *mm, uint64_t addr, bool write, bool tell, uint8_t *byte)
{
	for (int i = 0; i < 8; i++) {
		struct fake_page *p = mm_as(mm) ? &mm->as->page[(addr - WIN) >> PAGE_SHIFT] : NULL;
		int code, e;

		if (p)
			fake_near_run(mm->as);
		if (p && p->prot && (!write || (p->prot & PROT_WRITE))) {
			uint64_t at = p->off + (addr & (PAGE_SIZE - 1));

			if (write)
				ck_assert_int_eq(pwrite(p->fd, byte, 1, (off_t)at), 1);
			else if (pread(p->fd, byte, 1, (off_t)at) != 1)
				return -EIO;
			return 0;
		}
		e = mm_fault(mm, addr, tell ? (write ? ACCESS_WRITE : ACCESS_READ) : 0, &code);
		if (e)
			return e;
	}
	ck_abort_msg("the access at 0x%llx faults again and again", (unsigned long long)addr);
}

/* The stub maps nothing but what records say, and records lie within areas. */
/* What the program may be told: MADV_DONTNEED would do nothing there, and succeed. */
static inline void check_nothing(struct mm *mm)
{
	const uint64_t start = mm->as->nothing, end = start + mm->as->nothing_len;
	const struct pma *p = pma_first(mm, start);
	const struct vma *v;

	ck_assert(start == end || !p || p->start >= end);
	ck_assert(vma_range_mapped(mm, start, end));
	for (uint64_t a = start; a < end; a = v->end) {
		v = vma_at(mm, a);
		ck_assert(v && !(v->flags & VMA_LOCKED));
	}
}

static inline void check_invariants(struct mm *mm)
{
	struct pma *p, *prev = NULL;
	struct vma *v, *pv = NULL;

	if (mm_as(mm)) /* as before the program runs */
		fake_near_run(mm->as);
	RB_FOREACH(v, vma_tree, &mm->vmas) {
		ck_assert_uint_lt(v->start, v->end);
		ck_assert(!pv || pv->end <= v->start);
		pv = v;
	}
	RB_FOREACH(p, pma_tree, &mm->pmas) {
		ck_assert_uint_lt(p->start, p->end);
		ck_assert(!prev || prev->end <= p->start);
		ck_assert(vma_range_mapped(mm, p->start, p->end));
		ck_assert_int_eq(p->prot, vma_at(mm, p->start)->prot);
		prev = p;
	}
	if (!mm->as)
		return;
	check_nothing(mm);
	for (unsigned i = 0; i < WIN_PAGES; i++) {
		struct fake_page *f = &mm->as->page[i];
		uint64_t a = WIN + i * PAGE_SIZE;

		p = pma_at(mm, a);
		if (!p || !p->stub) {
			ck_assert_msg(!f->prot, "page 0x%llx is mapped without a record", (unsigned long long)a);
			continue;
		}
		ck_assert_int_eq(f->prot, p->stub);
		ck_assert_uint_eq(f->off, p->off + (a - p->start));
		ck_assert_int_eq(f->fd, p->fd >= 0 ? p->fd : memfile_fd(env.mf));
		ck_assert(!(f->prot & PROT_WRITE) || (!p->cow && !p->ro && (p->prot & PROT_WRITE)));
		ck_assert(!p->owned || p->cow || !(f->prot & PROT_WRITE) || memfile_exclusive(env.mf, f->off, PAGE_SIZE));
	}
}

#endif
