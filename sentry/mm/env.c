/*
 * env.c - what all address spaces share; the vDSO's pages.  At boot.
 */
#include "mm/mm_internal.h"

#include "arch/x86_64/arch.h"
#include "arch/x86_64/vvar.h"

#include <errno.h>
#include <string.h>

int mm_env_init(struct mm_env *e)
{
	uint64_t size = PAGE_SIZE + PAGE_UP(vdso_image_size);
	struct backing b;
	uint8_t *at;
	int r;

	if (size > ANON_STEP)
		return -EFBIG; /* one block of memory holds it */
	e->vdso = memobj_anon_new(e, size);
	if (!e->vdso)
		return -ENOMEM;
	r = e->vdso->ops->translate(e->vdso, 0, size, ACCESS_READ, &b);
	if (r)
		return r;
	at = memfile_ptr(e->mf, b.off);
	memcpy(at + PAGE_SIZE, vdso_image, vdso_image_size);
	e->vvar = at;
	vvar_init(at);
	return 0;
}
