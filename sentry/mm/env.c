/*
 * env.c - what all address spaces share; the vDSO's pages.  At boot, and for each
 * time namespace.
 */
#include "mm/mm_internal.h"

#include "abi/mman.h"
#include "arch/x86_64/arch.h"
#include "arch/x86_64/vvar.h"

#include <errno.h>
#include <string.h>

int mm_vdso_new(struct mm_env *e, struct mm_vdso *out)
{
	uint64_t size = PAGE_SIZE + PAGE_UP(vdso_image_size);
	struct memobj *o;
	struct backing b;
	uint8_t *at;
	int r;

	if (size > ANON_STEP)
		return -EFBIG; /* one block of memory holds it */
	if (!(o = memobj_anon_new(e, size)))
		return -ENOMEM;
	if ((r = o->ops->translate(o, 0, size, ACCESS_READ, &b))) {
		memobj_put(o);
		return r;
	}
	at = memfile_ptr(e->mf, b.off);
	memcpy(at + PAGE_SIZE, vdso_image, vdso_image_size);
	vvar_init(at);
	*out = (struct mm_vdso){ o, at };
	return 0;
}

static int is_clock_page(const struct mm_area *a, void *at)
{
	if (!a->name || strcmp(a->name, MM_CLOCK_PAGE))
		return 0;
	*(uint64_t *)at = a->start;
	return 1;
}

int mm_set_clock_page(struct mm *mm, const struct mm_vdso *v)
{
	struct mm_mmap m = { .len = PAGE_SIZE, .prot = LINUX_PROT_READ, .flags = LINUX_MAP_PRIVATE | LINUX_MAP_FIXED, .obj = v->obj,
		.max_prot = LINUX_PROT_READ, .name = MM_CLOCK_PAGE, .special = true };
	int64_t r = 0;

	if (mm_for_each_area(mm, is_clock_page, &m.addr))
		r = mm_mmap(mm, &m);
	return r < 0 ? (int)r : 0;
}

int mm_env_init(struct mm_env *e)
{
	return mm_vdso_new(e, &e->vdso);
}
