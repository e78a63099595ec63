/*
 * symbols.c - see symbols.h.  The file is mapped; nothing in it is believed
 * to lie within it before that is checked.
 */
#include "symbols.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

struct image {
	const unsigned char *at;
	size_t size;
};

/* n things of a size at an offset, or NULL. */
static const void *part(const struct image *f, uint64_t offset, uint64_t n, uint64_t size)
{
	uint64_t bytes, end;

	if (__builtin_mul_overflow(n, size, &bytes) || __builtin_add_overflow(offset, bytes, &end) || end > f->size || offset % 8)
		return NULL;
	return f->at + offset;
}

static const Elf64_Shdr *sections(const struct image *f, unsigned *n)
{
	const Elf64_Ehdr *h = part(f, 0, 1, sizeof(*h));

	if (!h || memcmp(h->e_ident, ELFMAG, SELFMAG) || h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_shentsize != sizeof(Elf64_Shdr))
		return NULL;
	*n = h->e_shnum;
	return part(f, h->e_shoff, h->e_shnum, sizeof(Elf64_Shdr));
}

static void add_table(const struct image *f, const Elf64_Shdr *table, const Elf64_Shdr *strings, struct pool *p, struct symbols *out)
{
	const uint64_t n = table->sh_size / sizeof(Elf64_Sym);
	const Elf64_Sym *s = part(f, table->sh_offset, n, sizeof(*s));
	const char *names = strings->sh_offset < f->size && strings->sh_size <= f->size - strings->sh_offset ? (const char *)f->at + strings->sh_offset : NULL;

	for (uint64_t i = 0; s && names && i < n; i++) {
		if (ELF64_ST_TYPE(s[i].st_info) != STT_FUNC || !s[i].st_value || s[i].st_name >= strings->sh_size ||
			!memchr(names + s[i].st_name, 0, strings->sh_size - s[i].st_name))
			continue;
		LIST_ADD(p, out, { s[i].st_value, s[i].st_size, pool_strdup(p, names + s[i].st_name) });
	}
}

static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

struct err *symbols_read(int fd, struct pool *p, struct symbols *out)
{
	struct image f = { 0 };
	const Elf64_Shdr *s;
	struct stat st;
	unsigned n = 0;
	void *at;

	*out = (struct symbols){ 0 };
	if (fstat(fd, &st) < 0)
		return err_new(errno, "symbols");
	f.size = (size_t)st.st_size;
	if ((at = mmap(NULL, f.size, PROT_READ, MAP_PRIVATE, fd, 0)) == MAP_FAILED)
		return err_new(errno, "symbols");
	f.at = at;
	s = sections(&f, &n);
	for (unsigned i = 0; s && i < n; i++) {
		if (s[i].sh_type == SHT_SYMTAB && s[i].sh_link < n)
			add_table(&f, &s[i], &s[s[i].sh_link], p, out);
	}
	munmap(at, f.size);
	if (out->n)
		qsort(out->v, out->n, sizeof(*out->v), by_address);
	return NULL;
}

const struct symbol *symbol_at(const struct symbols *s, uint64_t address)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->v[mid].address <= address)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		return NULL;
	return !s->v[low - 1].size || address - s->v[low - 1].address < s->v[low - 1].size ? &s->v[low - 1] : NULL;
}
