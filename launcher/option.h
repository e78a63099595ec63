/*
 * option.h - command-line options, by tables.
 *
 * "--name VALUE", "--name=VALUE", "-n VALUE", "--flag", "--flag=false".
 * Parsing stops at the first argument that is not an option, or behind "--".
 */
#ifndef REDOUBT_LAUNCHER_OPTION_H
#define REDOUBT_LAUNCHER_OPTION_H

#include "libipc/err.h"
#include "pool.h"

#include <stdbool.h>
#include <stdio.h>

enum option_kind {
	OPTION_FLAG, /* bool */
	OPTION_TEXT, /* const char * */
	OPTION_TEXTS, /* struct texts: may be given several times */
};

struct texts {
	const char **v;
	size_t n, cap;
};

struct option_def {
	const char *name; /* NULL ends a table */
	char letter; /* 0: none */
	enum option_kind kind;
	size_t offset;
	const char *value; /* what the help calls the value */
	const char *help;
};

/* Fills the options struct; *used arguments of argv were consumed. */
struct err *option_parse(const struct option_def *defs, int argc, char **argv, struct pool *p, void *out, int *used) ERR_MUST_USE;
/* A time, "100ms", "5s", "1m" or seconds, not 0, in ms; text NULL: *ms stays as it is. */
struct err *option_ms(const char *name, const char *text, int max_ms, int *ms) ERR_MUST_USE;
void option_help(const struct option_def *defs, FILE *f);

#endif
