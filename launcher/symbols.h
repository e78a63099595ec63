/*
 * symbols.h - names of functions, from an executable file's symbol table.
 */
#ifndef REDOUBT_LAUNCHER_SYMBOLS_H
#define REDOUBT_LAUNCHER_SYMBOLS_H

#include "pool.h"

#include "libipc/err.h"

#include <stdint.h>

struct symbol {
	uint64_t address, size; /* size 0: not known */
	const char *name;
};

struct symbols {
	struct symbol *v; /* by address */
	size_t n, cap;
};

/* Of an open file.  One without symbols (stripped) has none: no error. */
struct err *symbols_read(int fd, struct pool *p, struct symbols *out) ERR_MUST_USE;
/* The function that address is in; NULL: not known. */
const struct symbol *symbol_at(const struct symbols *s, uint64_t address);

#endif
