/*
 * env.c - what all address spaces share; the vDSO's pages.  At boot, and for each
 * time namespace.
 */
#include "mm/mm_internal.h"

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

int mm_env_init(struct mm_env *e)
{
	return mm_vdso_new(e, &e->vdso);
}
