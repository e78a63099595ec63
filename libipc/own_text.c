/* own_text.c - see own_text.h. */
#include "libipc/own_text.h"

#include <link.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static int drop_program(struct dl_phdr_info *info, size_t size, void *arg)
{
	const uintptr_t mask = ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);

	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t start = (info->dlpi_addr + p->p_vaddr) & mask;

		if (p->p_type == PT_LOAD && !(p->p_flags & PF_W))
			madvise((void *)start, info->dlpi_addr + p->p_vaddr + p->p_filesz - start, MADV_DONTNEED);
	}
	return 1; /* the program comes first; libraries are shared with others anyway */
}

void own_text_drop(void)
{
	dl_iterate_phdr(drop_program, NULL);
}
