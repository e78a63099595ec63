/*
 * text.c - a process's patched text: which pages of its stub are patched
 * versions (text.h) in place of what the page records say, and its table of
 * entries.
 *
 * Only pages of private, readable and executable mappings of files are patched,
 * as long as they have not been written; a call is, when it has trapped
 * TRAPS times, or sooner where other processes have found it (text_known.c); one that cannot be goes on to trap, and
 * the platform is told.  The records know nothing of it: whoever reads program memory by
 * them sees the file, and whatever is mapped or unmapped there later replaces
 * the patched page, which is noted here (text_drop).
 *
 * All under mm->mu, but for the counting of traps.
 */
#include "mm/text_internal.h"
#include "mm/usercopy.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TRAPS 3u
#define NEVER 0xffu

/* --- overlays -------------------------------------------------------------------- */

unsigned first_overlay(const struct text *t, uint64_t addr)
{
	unsigned lo = 0, hi = t->n;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;

		if (t->overlays[mid].addr + PAGE_SIZE <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* No longer mapped, when what is queued is done. */
static void put_overlay(struct mm *mm, const struct overlay *o)
{
	uint64_t mem = o->page->mem;

	text_page_put(mm->env->texts, o->page);
	stub_put_pages(mm, mem, PAGE_SIZE);
}

void text_drop(struct mm *mm, uint64_t start, uint64_t end)
{
	struct text *t = mm->text;
	unsigned lo, hi;

	if (!t || !t->n)
		return;
	lo = first_overlay(t, start);
	for (hi = lo; hi < t->n && t->overlays[hi].addr < end; hi++)
		put_overlay(mm, &t->overlays[hi]);
	memmove(&t->overlays[lo], &t->overlays[hi], (t->n - hi) * sizeof(t->overlays[0]));
	t->n -= hi - lo;
}

void text_unpatch(struct mm *mm, uint64_t start, uint64_t end)
{
	struct text *t = mm->text;
	unsigned i;

	while (t && (i = first_overlay(t, start)) < t->n && t->overlays[i].addr < end) {
		start = t->overlays[i].addr + PAGE_SIZE;
		stub_unmap(mm, start - PAGE_SIZE, start);
	}
}

void text_lost(struct mm *mm)
{
	if (!mm->text)
		return;
	text_drop(mm, 0, TASK_SIZE);
	memset(mm->text->mapped, 0, sizeof(mm->text->mapped));
}

void text_free(struct mm *mm)
{
	struct text *t = mm->text;

	if (!t)
		return;
	text_lost(mm);
	for (unsigned i = 0; i < TEXT_TABLE_PAGES; i++)
		if (t->table[i])
			stub_put_pages(mm, t->table[i], PAGE_SIZE);
	mm->text = NULL;
	free(t);
}

static bool add_overlay(struct mm *mm, uint64_t addr, struct text_page *page)
{
	struct text *t = mm->text;
	unsigned i;

	text_drop(mm, addr, addr + PAGE_SIZE);
	if (t->n == TEXT_MAX_OVERLAYS)
		return false;
	i = first_overlay(t, addr);
	memmove(&t->overlays[i + 1], &t->overlays[i], (t->n - i) * sizeof(t->overlays[0]));
	t->overlays[i] = (struct overlay){ addr, page };
	t->n++;
	return true;
}

bool text_mapped_twice(const struct text *t, const struct memobj *obj, uint64_t off, uint64_t addr)
{
	for (unsigned i = 0; i < t->n; i++)
		if (t->overlays[i].page->obj == obj && t->overlays[i].page->obj_off == off && t->overlays[i].addr != addr)
			return true;
	return false;
}

/* --- the table -------------------------------------------------------------------- */

static void map_here(struct mm *mm, uint64_t addr, int prot, uint64_t mem)
{
	stub_order_later(mm, (struct platform_order){
			       .kind = PLATFORM_MAP, .addr = addr, .len = PAGE_SIZE, .prot = prot, .fd = memfile_fd(mm->env->mf), .off = mem });
}

/* Entry `index` as the sentry sees it, in a page that the stub will have mapped; NULL: no memory. */
static uint8_t *entry_ptr(struct mm *mm, unsigned index)
{
	const struct platform_patching *p = text_patching(mm);
	uint64_t at = (uint64_t)index * p->entry_size;
	unsigned n = (unsigned)(at / PAGE_SIZE);
	struct text *t = mm->text;

	if (n >= TEXT_TABLE_PAGES || (!t->table[n] && memfile_alloc(mm->env->mf, PAGE_SIZE, PAGE_SIZE, 0, &t->table[n])))
		return NULL;
	if (!t->mapped[n])
		map_here(mm, p->table + n * PAGE_SIZE, PROT_READ | PROT_EXEC, t->table[n]);
	t->mapped[n] = true;
	return (uint8_t *)memfile_ptr(mm->env->mf, t->table[n]) + at % PAGE_SIZE;
}

static bool write_entries(struct mm *mm, const struct text_page *page, uint64_t addr)
{
	for (unsigned i = 0; i < page->n; i++) {
		const struct text_site *s = &page->sites[i];
		uint8_t *e = entry_ptr(mm, s->index);

		if (!e)
			return false;
		text_patching(mm)->entry(e, &s->site, s->index, addr + s->site.at);
	}
	return true;
}

/* --- patching ----------------------------------------------------------------------- */

/* That of the call before rip, or else the one of its row that has counted least.  (In a loop of several
 * calls none may undo what another has counted: it would trap for ever.) */
static _Atomic uint64_t *counter_of(struct text *t, uint64_t rip)
{
	_Atomic uint64_t *row = t->counters[(rip * UINT64_C(0x9e3779b97f4a7c15) >> 32) % TEXT_ROWS], *least = row;

	for (unsigned i = 0; i < TEXT_ROW; i++) {
		uint64_t v = atomic_load_explicit(&row[i], memory_order_relaxed);

		if (v >> 8 == rip)
			return &row[i];
		if ((v & 0xff) < (atomic_load_explicit(least, memory_order_relaxed) & 0xff))
			least = &row[i];
	}
	return least;
}

/* Whether that trap is one of many; *never: how to say that it is no use. */
static bool often(struct text *t, uint64_t rip, _Atomic uint64_t **counter)
{
	_Atomic uint64_t *c = counter_of(t, rip);
	uint64_t v = atomic_load_explicit(c, memory_order_relaxed);

	*counter = c;
	if (v >> 8 != rip)
		v = rip << 8;
	if ((v & 0xff) == NEVER)
		return false;
	v++;
	if ((v & 0xff) >= TRAPS)
		v &= ~UINT64_C(0xff);
	atomic_store_explicit(c, v, memory_order_relaxed);
	return !(v & 0xff);
}

bool text_read_page(struct mm *mm, const struct pma *p, uint64_t addr, uint8_t to[PAGE_SIZE])
{
	uint64_t from = p->off + (addr - p->start);
	ssize_t n;

	if (p->fd < 0)
		return safe_copy(to, memfile_ptr(mm->env->mf, from), PAGE_SIZE) == PAGE_SIZE;
	n = pread(p->fd, to, PAGE_SIZE, (off_t)from);
	if (n >= 0 && n < (ssize_t)PAGE_SIZE)
		memset(to + n, 0, PAGE_SIZE - (size_t)n); /* beyond the end */
	return n >= 0;
}

/* A new page of the memory file with what the file has at page `addr` of p. */
static int copy_page(struct mm *mm, const struct pma *p, uint64_t addr, uint64_t *mem)
{
	if (memfile_alloc(mm->env->mf, PAGE_SIZE, PAGE_SIZE, 0, mem))
		return -ENOMEM;
	memfile_commit(mm->env->mf, *mem, PAGE_SIZE);
	if (text_read_page(mm, p, addr, memfile_ptr(mm->env->mf, *mem)))
		return 0;
	memfile_put(mm->env->mf, *mem, PAGE_SIZE);
	return -EIO;
}

bool text_may_patch(const struct vma *v, const struct pma *p)
{
	if (!v || !v->obj || v->flags & VMA_SHARED || v->prot != (LINUX_PROT_READ | LINUX_PROT_EXEC))
		return false;
	return p && !p->owned && p->cow && p->stub == (PROT_READ | PROT_EXEC);
}

bool text_claim(struct memobj *o)
{
	bool r;

	atomic_store(&o->patched, true); /* first: whoever maps or writes it now sees that */
	mutex_lock(&o->maps_mu);
	r = !o->writers;
	mutex_unlock(&o->maps_mu);
	return r;
}

bool text_use(struct mm *mm, struct text_page *page, uint64_t addr)
{
	if (!write_entries(mm, page, addr)) {
		text_page_put(mm->env->texts, page);
		return false;
	}
	memfile_get(mm->env->mf, page->mem, PAGE_SIZE);
	map_here(mm, addr, PROT_READ | PROT_EXEC, page->mem);
	add_overlay(mm, addr, page);
	return true;
}

/* The call is patched there, and yet it trapped: somebody has jumped to it. */
static bool patched_already(const struct text *t, uint64_t addr, unsigned end)
{
	unsigned i = first_overlay(t, addr);
	const struct text_page *page = i < t->n && t->overlays[i].addr == addr ? t->overlays[i].page : NULL;

	for (unsigned k = 0; page && k < page->n; k++)
		if (page->sites[k].site.at + page->sites[k].site.len == end)
			return true;
	return false;
}

/* The call before rip is patched where the stub maps it. */
static bool patch_locked(struct mm *mm, const struct regs *r)
{
	uint64_t rip = r->rip, addr = PAGE_DOWN(rip - 1), off, mem;
	struct vma *v = vma_at(mm, addr);
	struct pma *p = pma_at(mm, addr);
	struct text_page *page;

	if (!text_may_patch(v, p) || patched_already(mm->text, addr, (unsigned)(rip - addr)) || !text_claim(v->obj))
		return false;
	off = v->off + (addr - v->start);
	if (text_mapped_twice(mm->text, v->obj, off, addr) || mm->text->n == TEXT_MAX_OVERLAYS || copy_page(mm, p, addr, &mem))
		return false;
	page = text_page_get(mm->env->texts, v->obj, off, mem, (unsigned)(rip - addr), r);
	return page && text_use(mm, page, addr);
}

struct text *text_of(struct mm *mm)
{
	struct text *t = __atomic_load_n(&mm->text, __ATOMIC_ACQUIRE);

	if (t)
		return t;
	mm_lock(mm);
	if (!mm->text)
		__atomic_store_n(&mm->text, calloc(1, sizeof(*mm->text)), __ATOMIC_RELEASE);
	t = mm->text;
	mm_unlock(mm);
	return t;
}

/* rip 0: of none any more. */
static void tell_traps_locked(struct mm *mm, uint64_t rip)
{
	if (mm->as && (!rip || !atomic_load(&mm->text_held)))
		platform_as_traps(mm->as, rip);
}

static void tell_traps(struct mm *mm, uint64_t rip)
{
	mm_lock(mm);
	tell_traps_locked(mm, rip);
	mm_unlock(mm);
}

void mm_text_trapped(struct mm *mm, const struct regs *r)
{
	uint64_t rip = r->rip;
	struct text *t = mm->env->texts && rip < TASK_SIZE && !atomic_load_explicit(&mm->text_held, memory_order_relaxed) ? text_of(mm) : NULL;
	_Atomic uint64_t *counter;
	bool many, done = true;

	if (!t)
		return;
	many = often(t, rip, &counter);
	if (!many && !text_look_up(t, rip)) {
		if ((atomic_load_explicit(counter, memory_order_relaxed) & 0xff) == NEVER)
			tell_traps(mm, rip);
		return;
	}
	mm_lock(mm);
	if (!many)
		text_take_known(mm, rip);
	else
		done = stub_hurry(mm) || atomic_load(&mm->text_held) || patch_locked(mm, r); /* it may be patched already */
	mm_unlock(mm);
	if (done)
		return;
	atomic_store_explicit(counter, rip << 8 | NEVER, memory_order_relaxed);
	tell_traps(mm, rip);
}

/* --- for debuggers -------------------------------------------------------------------- */

void mm_text_hold_new(struct mm *mm)
{
	atomic_store(&mm->text_held, true);
}

void mm_text_hold(struct mm *mm)
{
	mm_text_hold_new(mm);
	mm_lock(mm);
	text_unpatch(mm, 0, TASK_SIZE);
	tell_traps_locked(mm, 0);
	mm_unlock(mm);
}

void mm_text_release(struct mm *mm)
{
	atomic_store(&mm->text_held, false);
}
