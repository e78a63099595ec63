/*
 * elf_internal.h - what the ELF loader's files share.
 */
#ifndef SENTRY_MM_ELF_INTERNAL_H
#define SENTRY_MM_ELF_INTERNAL_H

#include "mm/elf.h"

#include <elf.h>

#define ELF_MAX_PHDRS (65536 / sizeof(Elf64_Phdr)) /* Linux's limit */

/* A checked program header table. */
struct elf_image {
	Elf64_Ehdr eh;
	Elf64_Phdr *ph; /* malloc'ed, eh.e_phnum of them */
	uint64_t lo, hi; /* page-aligned range of virtual addresses that PT_LOADs take */
	uint64_t align; /* largest PT_LOAD alignment, at least a page */
	uint64_t end; /* end of the highest PT_LOAD, not rounded */
	char *interp; /* malloc'ed path, or NULL */
	bool exec_stack;
};

/* Reads and checks. -ENOEXEC, -EINVAL, -EIO, -ENOMEM. */
int elf_read_image(const struct elf_file *f, struct elf_image *img);
void elf_image_free(struct elf_image *img);
/* Address of the program header table when loaded with no bias; 0: not loaded. */
uint64_t elf_phdr_address(const struct elf_image *img);

/* Where things were put; for the stack's auxiliary vector. */
struct elf_placed {
	uint64_t phdr, entry; /* the program's, biased */
	uint64_t interp_base; /* 0: none */
	uint64_t vdso; /* address of its ELF header */
};
/* Makes the stack's area, fills it, and records its part of the layout. sp in *sp. */
int elf_build_stack(struct mm *mm, const struct elf_args *a, const struct elf_image *img, const struct elf_placed *at, uint64_t stack_top,
	struct mm_layout *l, uint64_t *sp);
uint64_t elf_random(uint64_t mask, bool off); /* random & mask; 0 when off */

#endif
