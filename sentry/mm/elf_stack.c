/*
 * elf_stack.c - the initial stack: strings, auxiliary vector, environment and
 * argument pointers, argc; as Linux's create_elf_tables lays them out, from the
 * top down:
 *
 *	8 zero bytes, execfn, environment strings, argument strings,
 *	"x86_64", 16 random bytes, auxv, envp[], argv[], argc  <- sp (16-aligned)
 */
#include "mm/elf_internal.h"

#include "mm/mm_internal.h"
#include "mm/usercopy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>

#define MAX_STRING (UINT64_C(128) << 10) /* Linux's MAX_ARG_STRLEN */
#define MIN_SPACE (UINT64_C(128) << 10) /* ARG_MAX: always permitted */
#define MAX_SPACE (UINT64_C(6) << 20) /* 3/4 of the default stack limit */
#define STACK_FIRST (UINT64_C(128) << 10) /* room below the arguments at first */
#define MAX_AUXV 48 /* words */
#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

struct image {
	uint8_t *buf; /* program addresses [top - size, top) */
	uint64_t top, size;
	uint64_t at; /* program address: everything from here up is filled */
};

static void *ptr(struct image *im, uint64_t addr)
{
	return im->buf + (addr - (im->top - im->size));
}

static uint64_t push(struct image *im, const void *p, size_t n)
{
	im->at -= n;
	memcpy(ptr(im, im->at), p, n);
	return im->at;
}

static int strings_size(const char *const *v, size_t n, uint64_t limit, uint64_t *sum)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(v[i]) + 1;

		*sum += len + sizeof(uint64_t);
		if (len > MAX_STRING || *sum > limit)
			return -E2BIG;
	}
	return 0;
}

static int total_size(const struct mm *mm, const struct elf_args *a, uint64_t *size)
{
	uint64_t limit = mm->lim_stack / 4, sum = strlen(a->execfn) + 1;
	int e;

	if (limit > MAX_SPACE)
		limit = MAX_SPACE;
	if (limit < MIN_SPACE)
		limit = MIN_SPACE;
	e = strings_size(a->argv, a->argc, limit, &sum);
	if (!e)
		e = strings_size(a->envp, a->envc, limit, &sum);
	/* the rest: terminators, auxv, platform, random bytes, alignment */
	*size = PAGE_UP(sum + 2 * PAGE_SIZE + MAX_AUXV * sizeof(uint64_t));
	return e;
}

static unsigned fill_auxv(uint64_t *v, const struct elf_args *a, const struct elf_image *img, const struct elf_placed *at, uint64_t random,
	uint64_t execfn, uint64_t platform)
{
	const uint64_t all[][2] = {
		{ AT_SYSINFO_EHDR, at->vdso },
		{ AT_MINSIGSTKSZ, getauxval(AT_MINSIGSTKSZ) ?: 2048 },
		{ AT_HWCAP, a->hwcap ?: getauxval(AT_HWCAP) },
		{ AT_PAGESZ, PAGE_SIZE },
		{ AT_CLKTCK, a->clktck ?: 100 },
		{ AT_PHDR, at->phdr },
		{ AT_PHENT, sizeof(Elf64_Phdr) },
		{ AT_PHNUM, img->eh.e_phnum },
		{ AT_BASE, at->interp_base },
		{ AT_FLAGS, 0 },
		{ AT_ENTRY, at->entry },
		{ AT_UID, a->uid },
		{ AT_EUID, a->euid },
		{ AT_GID, a->gid },
		{ AT_EGID, a->egid },
		{ AT_SECURE, a->secure },
		{ AT_RANDOM, random },
		{ AT_HWCAP2, a->hwcap2 ?: getauxval(AT_HWCAP2) },
		{ AT_EXECFN, execfn },
		{ AT_PLATFORM, platform },
		{ AT_NULL, 0 },
	};
	unsigned n = 0;

	_Static_assert(sizeof(all) / sizeof(uint64_t) <= MAX_AUXV, "room for the auxiliary vector");
	for (size_t i = at->vdso ? 0 : 1; i < sizeof(all) / sizeof(all[0]); i++) {
		v[n++] = all[i][0];
		v[n++] = all[i][1];
	}
	return n;
}

/* Strings in order upwards, the last one first down; their addresses into where[]. */
static void push_strings(struct image *im, const char *const *v, size_t n, uint64_t *where)
{
	while (n-- > 0)
		where[n] = push(im, v[n], strlen(v[n]) + 1);
}

static int fill(struct image *im, const struct elf_args *a, const struct elf_image *img, const struct elf_placed *at, struct mm_layout *l)
{
	uint64_t *ptrs = calloc(a->argc + a->envc + 3, sizeof(*ptrs)), *argv = ptrs + 1, *envp = argv + a->argc + 1;
	uint64_t random[2], zero = 0, execfn, platform, random_at;
	size_t n_ptrs = a->argc + a->envc + 3;

	if (!ptrs)
		return -ENOMEM;
	push(im, &zero, sizeof(zero));
	execfn = push(im, a->execfn, strlen(a->execfn) + 1);
	l->env_end = im->at;
	push_strings(im, a->envp, a->envc, envp);
	l->env_start = l->arg_end = im->at;
	push_strings(im, a->argv, a->argc, argv);
	l->arg_start = im->at;
	/* Linux shifts the stack by up to two pages against cache aliasing; the room is not there for more. */
	im->at -= elf_random(0xff0, a->no_randomize);
	platform = push(im, "x86_64", 7);
	random[0] = elf_random(UINT64_MAX, false);
	random[1] = elf_random(UINT64_MAX, false);
	im->at &= ~UINT64_C(15);
	random_at = push(im, random, sizeof(random));
	l->n_auxv = fill_auxv(l->auxv, a, img, at, random_at, execfn, platform);
	im->at -= (n_ptrs + l->n_auxv) % 2 * sizeof(uint64_t); /* sp ends up 16-aligned */
	push(im, l->auxv, l->n_auxv * sizeof(uint64_t));
	ptrs[0] = a->argc;
	push(im, ptrs, n_ptrs * sizeof(*ptrs));
	l->start_stack = im->at;
	free(ptrs);
	return 0;
}

static int map_stack(struct mm *mm, uint64_t top, uint64_t size, bool exec)
{
	struct mm_mmap m = { .addr = top - size, .len = size, .max_prot = 7, .name = "[stack]",
		.flags = LINUX_MAP_PRIVATE | LINUX_MAP_ANONYMOUS | LINUX_MAP_FIXED_NOREPLACE | LINUX_MAP_GROWSDOWN };
	int64_t r;

	m.prot = LINUX_PROT_READ | LINUX_PROT_WRITE | (exec ? LINUX_PROT_EXEC : 0);
	r = mm_mmap(mm, &m);
	return r < 0 ? (int)r : 0;
}

int elf_build_stack(struct mm *mm, const struct elf_args *a, const struct elf_image *img, const struct elf_placed *at, uint64_t stack_top,
	struct mm_layout *l, uint64_t *sp)
{
	struct image im = { .top = stack_top, .at = stack_top };
	int e = total_size(mm, a, &im.size);

	if (e)
		return e;
	im.buf = calloc(1, im.size);
	if (!im.buf)
		return -ENOMEM;
	e = fill(&im, a, img, at, l);
	if (!e)
		e = map_stack(mm, stack_top, im.size + STACK_FIRST, img->exec_stack);
	if (!e)
		e = copy_to_user(mm, UADDR(im.at), ptr(&im, im.at), stack_top - im.at) ? -ENOMEM : 0;
	*sp = im.at;
	free(im.buf);
	return e;
}
