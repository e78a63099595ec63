/*
 * elf_image.c - reads and checks ELF headers.  The file is hostile: everything
 * is read once into kernel memory, checked, then used.  The checks are Linux's
 * (fs/binfmt_elf.c), and that addresses do not leave the program's range.
 */
#include "mm/elf_internal.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Pure check of a header. 0, -ENOEXEC. */
static int check_header(const Elf64_Ehdr *eh)
{
	if (memcmp(eh->e_ident, ELFMAG, SELFMAG) || eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_ident[EI_DATA] != ELFDATA2LSB)
		return -ENOEXEC;
	if ((eh->e_type != ET_EXEC && eh->e_type != ET_DYN) || eh->e_machine != EM_X86_64)
		return -ENOEXEC;
	if (eh->e_phentsize != sizeof(Elf64_Phdr) || eh->e_phnum < 1 || eh->e_phnum > ELF_MAX_PHDRS)
		return -ENOEXEC;
	return 0;
}

static int check_load(const Elf64_Phdr *p, struct elf_image *img)
{
	uint64_t end;

	if (p->p_filesz > p->p_memsz || p->p_memsz > TASK_SIZE || p->p_vaddr > TASK_SIZE - p->p_memsz)
		return -EINVAL;
	if (p->p_filesz && ((p->p_vaddr ^ p->p_offset) & (PAGE_SIZE - 1)))
		return -EINVAL; /* cannot be mapped */
	if (p->p_offset > INT64_MAX - p->p_filesz)
		return -EINVAL;
	end = p->p_vaddr + p->p_memsz;
	if (PAGE_DOWN(p->p_vaddr) < img->lo)
		img->lo = PAGE_DOWN(p->p_vaddr);
	if (PAGE_UP(end) > img->hi)
		img->hi = PAGE_UP(end);
	if (end > img->end)
		img->end = end;
	/* Linux ignores alignments that are no power of two. */
	if (p->p_align > img->align && !(p->p_align & (p->p_align - 1)))
		img->align = p->p_align;
	return 0;
}

/* Pure check of img->eh and img->ph: fills lo, hi, align, end, exec_stack.
 * *interp: the PT_INTERP entry or NULL.  -ENOEXEC, -EINVAL, -ENOMEM. */
static int check_phdrs(struct elf_image *img, const Elf64_Phdr **interp)
{
	int e;

	*interp = NULL;
	img->lo = UINT64_MAX;
	img->hi = img->end = 0;
	img->align = PAGE_SIZE;
	for (unsigned i = 0; i < img->eh.e_phnum; i++) {
		const Elf64_Phdr *p = &img->ph[i];

		if (p->p_type == PT_GNU_STACK)
			img->exec_stack = p->p_flags & PF_X;
		else if (p->p_type == PT_INTERP && !*interp)
			*interp = p;
		else if (p->p_type == PT_LOAD && (e = check_load(p, img)))
			return e;
	}
	if (*interp && ((*interp)->p_filesz > PATH_MAX || (*interp)->p_filesz < 2))
		return -ENOEXEC;
	if (img->hi <= img->lo)
		return img->eh.e_type == ET_DYN ? -EINVAL : -ENOEXEC; /* nothing to load */
	if (img->align > TASK_SIZE / 4)
		return -ENOMEM;
	return 0;
}

/* Exactly n bytes: -EIO when the file is shorter. */
static int read_exact(const struct elf_file *f, void *buf, size_t n, uint64_t off)
{
	size_t done = 0;
	ssize_t r;

	if (off > INT64_MAX - n)
		return -EIO;
	for (; done < n; done += (size_t)r) {
		r = f->pread(f->priv, (char *)buf + done, n - done, (int64_t)(off + done));
		if (r <= 0)
			return r ? (int)r : -EIO;
	}
	return 0;
}

/* What the file begins with: mostly all that is asked for. */
struct head {
	uint8_t bytes[1024];
	size_t n;
};

static int read_head(const struct elf_file *f, struct head *h)
{
	ssize_t r = f->pread(f->priv, h->bytes, sizeof(h->bytes), 0);

	h->n = r < 0 ? 0 : (size_t)r;
	return r < 0 ? (int)r : 0;
}

static int read_part(const struct elf_file *f, const struct head *h, void *buf, size_t n, uint64_t off)
{
	if (off > h->n || n > h->n - off)
		return read_exact(f, buf, n, off);
	memcpy(buf, h->bytes + off, n);
	return 0;
}

static int read_interp(const struct elf_file *f, const struct head *h, const Elf64_Phdr *p, struct elf_image *img)
{
	int e;

	img->interp = malloc(p->p_filesz);
	if (!img->interp)
		return -ENOMEM;
	e = read_part(f, h, img->interp, p->p_filesz, p->p_offset);
	if (e)
		return e;
	return img->interp[p->p_filesz - 1] ? -ENOEXEC : 0;
}

int elf_read_image(const struct elf_file *f, struct elf_image *img)
{
	const Elf64_Phdr *interp;
	struct head head;
	int e = read_head(f, &head);

	memset(img, 0, sizeof(*img));
	e = e ? e : read_part(f, &head, &img->eh, sizeof(img->eh), 0);
	if (e)
		return e == -EIO ? -ENOEXEC : e;
	e = check_header(&img->eh);
	if (e)
		return e;
	img->ph = calloc(img->eh.e_phnum, sizeof(*img->ph));
	if (!img->ph)
		return -ENOMEM;
	e = read_part(f, &head, img->ph, img->eh.e_phnum * sizeof(*img->ph), img->eh.e_phoff);
	if (e == -EIO)
		e = -ENOEXEC;
	if (!e)
		e = check_phdrs(img, &interp);
	if (!e && interp)
		e = read_interp(f, &head, interp, img);
	if (e)
		elf_image_free(img);
	return e;
}

void elf_image_free(struct elf_image *img)
{
	free(img->ph);
	free(img->interp);
	img->ph = NULL;
	img->interp = NULL;
}

uint64_t elf_phdr_address(const struct elf_image *img)
{
	for (unsigned i = 0; i < img->eh.e_phnum; i++) {
		const Elf64_Phdr *p = &img->ph[i];

		if (p->p_type == PT_PHDR)
			return p->p_vaddr;
		if (p->p_type == PT_LOAD && p->p_offset <= img->eh.e_phoff && img->eh.e_phoff - p->p_offset < p->p_filesz)
			return img->eh.e_phoff - p->p_offset + p->p_vaddr;
	}
	return 0;
}
