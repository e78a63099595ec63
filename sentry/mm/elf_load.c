/*
 * elf_load.c - maps a program, its interpreter and the vDSO into a new address
 * space, with Linux's layout and randomisation.
 */
#include "mm/elf_internal.h"

#include "mm/mm_internal.h"
#include "mm/text.h"
#include "mm/usercopy.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

/* Linux's ELF_ET_DYN_BASE: position independent programs go from here up. */
#define PIE_BASE UINT64_C(0x555555554000)
#define RND_PAGES_MMAP ((UINT64_C(1) << 28) - 1)
#define RND_PAGES_STACK ((UINT64_C(1) << 22) - 1)
#define RND_BRK_PAGES ((UINT64_C(0x02000000) >> PAGE_SHIFT) - 1)
#define GAP_MIN (UINT64_C(128) << 20)

uint64_t elf_random(uint64_t mask, bool off)
{
	static __thread uint64_t drawn[8]; /* at once: one loading takes about as many */
	static __thread unsigned left;
	uint64_t r;

	if (off)
		return 0;
	/* So few bytes never come short; without entropy at boot the layout is just not random. */
	if (!left && getrandom(drawn, sizeof(drawn), 0) == sizeof(drawn))
		left = sizeof(drawn) / sizeof(drawn[0]);
	if (!left)
		return 0;
	r = drawn[--left];
	drawn[left] = 0; /* nobody else is to come to know it */
	return r & mask;
}

static int segment_prot(const Elf64_Phdr *p, const struct elf_args *a)
{
	int prot = 0;

	if (p->p_flags & PF_R)
		prot |= LINUX_PROT_READ | (a->read_implies_exec ? LINUX_PROT_EXEC : 0);
	if (p->p_flags & PF_W)
		prot |= LINUX_PROT_WRITE;
	if (p->p_flags & PF_X)
		prot |= LINUX_PROT_EXEC;
	return prot;
}

static int map_at(struct mm *mm, uint64_t addr, uint64_t len, int prot, const struct elf_file *f, uint64_t off)
{
	struct mm_mmap m = { .addr = addr, .len = len, .prot = prot, .max_prot = 7 };
	int64_t r;

	m.flags = LINUX_MAP_PRIVATE | LINUX_MAP_FIXED | LINUX_MAP_DENYWRITE;

	if (f) {
		m.obj = f->obj;
		m.file = f->file;
		m.off = off;
	} else {
		m.flags |= LINUX_MAP_ANONYMOUS;
	}
	r = mm_mmap(mm, &m);
	return r < 0 ? (int)r : 0;
}

/* One PT_LOAD: the file's part, the zeroes in its last page, the rest of the bss. */
static int map_segment(struct mm *mm, const struct elf_file *f, const Elf64_Phdr *p, uint64_t bias, const struct elf_args *a)
{
	uint64_t start = bias + p->p_vaddr, file_end = start + p->p_filesz, end = start + p->p_memsz, in = start & (PAGE_SIZE - 1);
	int prot = segment_prot(p, a), e = 0;

	if (p->p_filesz)
		e = map_at(mm, start - in, PAGE_UP(p->p_filesz + in), prot, f, p->p_offset - in);
	if (e || p->p_memsz == p->p_filesz)
		return e;
	if (p->p_filesz && (file_end & (PAGE_SIZE - 1)) && (prot & LINUX_PROT_WRITE)) {
		uint64_t n = PAGE_UP(file_end) - file_end;

		if (clear_user(mm, UADDR(file_end), n) != n)
			return -EFAULT;
	}
	file_end = p->p_filesz ? PAGE_UP(file_end) : start - in;
	if (PAGE_UP(end) > file_end)
		e = map_at(mm, file_end, PAGE_UP(end) - file_end, prot, NULL, 0);
	return e;
}

/* Where a position independent image of img's size may go, near hint or (0)
 * in the mmap area: its bias. */
static int choose_bias(struct mm *mm, const struct elf_image *img, uint64_t hint, uint64_t *bias)
{
	uint64_t len = img->hi - img->lo, slack = img->align > PAGE_SIZE ? img->align : 0;
	int64_t at;

	if (hint)
		hint &= ~(img->align - 1);
	mm_lock(mm);
	at = find_hole(mm, hint, len + slack, 0);
	mm_unlock(mm);
	if (at < 0)
		return (int)at;
	at = (int64_t)(((uint64_t)at + img->align - 1) & ~(img->align - 1));
	*bias = (uint64_t)at - (img->lo & ~(img->align - 1));
	return 0;
}

static int map_image(struct mm *mm, const struct elf_file *f, const struct elf_image *img, uint64_t bias, const struct elf_args *a)
{
	int e = 0;

	if (!f->obj)
		return -ENOEXEC;
	if (img->lo + bias < MMAP_MIN_ADDR || img->hi + bias > TASK_SIZE)
		return -EINVAL;
	for (unsigned i = 0; !e && i < img->eh.e_phnum; i++)
		if (img->ph[i].p_type == PT_LOAD && img->ph[i].p_memsz)
			e = map_segment(mm, f, &img->ph[i], bias, a);
	return e;
}

static void note_code(const struct elf_image *img, uint64_t bias, struct mm_layout *l)
{
	l->start_code = UINT64_MAX;
	for (unsigned i = 0; i < img->eh.e_phnum; i++) {
		const Elf64_Phdr *p = &img->ph[i];
		uint64_t start = bias + p->p_vaddr, end = start + p->p_filesz;

		if (p->p_type != PT_LOAD)
			continue;
		if ((p->p_flags & PF_X) && start < l->start_code)
			l->start_code = start;
		if ((p->p_flags & PF_X) && end > l->end_code)
			l->end_code = end;
		if (start > l->start_data)
			l->start_data = start;
		if (end > l->end_data)
			l->end_data = end;
	}
}

/* Linux's mmap_base and stack top. */
static uint64_t layout_top(struct mm *mm, bool fixed)
{
	uint64_t gap, top = TASK_SIZE - (elf_random(RND_PAGES_STACK, fixed) << PAGE_SHIFT);

	mm_lock(mm);
	gap = mm->lim_stack > TASK_SIZE ? TASK_SIZE : mm->lim_stack;
	gap += STACK_GUARD + (fixed ? 0 : RND_PAGES_STACK << PAGE_SHIFT);
	if (gap < GAP_MIN)
		gap = GAP_MIN;
	if (gap > TASK_SIZE / 6 * 5)
		gap = TASK_SIZE / 6 * 5;
	mm->mmap_base = mm->mmap_hint = PAGE_DOWN(TASK_SIZE - gap - (elf_random(RND_PAGES_MMAP, fixed) << PAGE_SHIFT));
	mm->hint_len = 0;
	mm_unlock(mm);
	return top;
}

static int map_vdso(struct mm *mm, const struct elf_args *a, uint64_t *vdso)
{
	struct memobj *o = a->vdso ? a->vdso : mm->env->vdso.obj;
	struct backing b;
	struct mm_mmap m = { .prot = LINUX_PROT_READ, .flags = LINUX_MAP_PRIVATE, .obj = o, .max_prot = LINUX_PROT_READ, .name = MM_CLOCK_PAGE, .special = true };
	int64_t at;
	int e;

	if (!o)
		return 0;
	e = o->ops->translate(o, 0, PAGE_SIZE, ACCESS_READ, &b);
	if (e)
		return e;
	mm_lock(mm);
	at = find_hole(mm, 0, b.len, 0);
	mm_unlock(mm);
	if (at < 0)
		return (int)at;
	m.addr = (uint64_t)at;
	m.len = PAGE_SIZE;
	m.flags |= LINUX_MAP_FIXED;
	at = mm_mmap(mm, &m);
	if (at < 0)
		return (int)at;
	m.addr += PAGE_SIZE;
	m.off = PAGE_SIZE;
	m.len = b.len - PAGE_SIZE;
	m.prot = LINUX_PROT_READ | LINUX_PROT_EXEC;
	m.max_prot = 7;
	m.name = "[vdso]";
	at = mm_mmap(mm, &m);
	*vdso = m.addr;
	return at < 0 ? (int)at : 0;
}

static int load_interp(struct mm *mm, const struct elf_args *a, const char *path, uint64_t *base, uint64_t *entry)
{
	struct elf_image img;
	struct elf_file f = { 0 };
	uint64_t bias = 0;
	int e = a->open_interp(a->arg, path, &f);

	if (e)
		return e;
	e = elf_read_image(&f, &img);
	if (e == -ENOEXEC)
		e = -ELIBBAD;
	if (!e) {
		if (img.eh.e_type == ET_DYN)
			e = choose_bias(mm, &img, 0, &bias);
		if (!e)
			e = map_image(mm, &f, &img, bias, a);
		if (!e)
			mm_text_load(mm, bias + img.lo, bias + img.hi);
		*base = bias;
		*entry = bias + img.eh.e_entry;
		if (!e && *entry >= TASK_SIZE)
			e = -EINVAL;
		elf_image_free(&img);
	}
	if (a->close_interp)
		a->close_interp(a->arg, &f);
	return e;
}

/* The heap begins after the program, or, when that lies in the mmap area, where
 * programs usually are. */
static void place_brk(struct mm *mm, const struct elf_args *a, const struct elf_image *img, uint64_t bias)
{
	uint64_t brk = PAGE_UP(img->end + bias);

	if (img->eh.e_type == ET_DYN && !img->interp)
		brk = PIE_BASE;
	mm_set_brk(mm, brk + (elf_random(RND_BRK_PAGES, a->no_randomize) << PAGE_SHIFT));
}

static int load_image(struct mm *mm, const struct elf_args *a, const struct elf_image *img, struct elf_result *out)
{
	uint64_t bias = 0, top, hint = 0, phdr;
	struct elf_placed at = { 0 };
	struct mm_layout l = { 0 };
	int e = 0;

	top = layout_top(mm, a->no_randomize);
	if (img->interp)
		hint = PIE_BASE + (elf_random(RND_PAGES_MMAP, a->no_randomize) << PAGE_SHIFT);
	if (img->eh.e_type == ET_DYN)
		e = choose_bias(mm, img, hint, &bias);
	if (!e)
		e = map_image(mm, &a->prog, img, bias, a);
	if (e)
		return e;
	at.entry = out->entry = bias + img->eh.e_entry;
	phdr = elf_phdr_address(img);
	at.phdr = phdr ? phdr + bias : 0;
	if (img->interp)
		e = load_interp(mm, a, img->interp, &at.interp_base, &out->entry);
	else if (out->entry >= TASK_SIZE)
		e = -EINVAL;
	if (!e)
		e = map_vdso(mm, a, &at.vdso);
	if (e)
		return e;
	place_brk(mm, a, img, bias);
	note_code(img, bias, &l);
	l.vdso = at.vdso;
	e = elf_build_stack(mm, a, img, &at, top, &l, &out->sp);
	if (e)
		return e;
	out->exec_stack = img->exec_stack;
	l.exe = a->prog.file;
	if (l.exe)
		mm->env->hooks.get(l.exe);
	mm_set_layout(mm, &l);
	return 0;
}

int elf_load(struct mm *mm, const struct elf_args *a, struct elf_result *out)
{
	struct elf_image img;
	int e = elf_read_image(&a->prog, &img);

	if (e)
		return e;
	e = load_image(mm, a, &img, out);
	elf_image_free(&img);
	return e;
}
