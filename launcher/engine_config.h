/*
 * engine_config.h - texts of engines' configuration files with a runtime put in
 * or taken out.  Pure: a text becomes another; cmd_install.c reads and writes.
 *
 * Everything else in a file stays as it is: in TOML ours is a block between two
 * comment lines that name it, behind all the rest; in Docker's JSON it is one
 * member of the object "runtimes".
 */
#ifndef REDOUBT_LAUNCHER_ENGINE_CONFIG_H
#define REDOUBT_LAUNCHER_ENGINE_CONFIG_H

#include "pool.h"

#include "libipc/err.h"

struct engine_runtime {
	const char *name; /* as the engine calls it */
	const char *path; /* of the launcher */
};

/* 1-63 of a-z 0-9 - _ that begin with a letter; a path that TOML and JSON take without escapes. */
struct err *engine_runtime_check(const struct engine_runtime *r) ERR_MUST_USE;

struct engine {
	const char *name;
	const char *file; /* of root's; %s: the runtime's name */
	const char *user_file; /* of another's, below $XDG_CONFIG_HOME; NULL: root only */
	const char *reload; /* what makes a running one read it */
	/* text: the file's, "" when there is none; *out "": there should be none any more */
	struct err *(*add)(const char *text, const struct engine_runtime *r, struct pool *p, const char **out);
	struct err *(*remove)(const char *text, const struct engine_runtime *r, struct pool *p, const char **out);
};

/* NULL: no such engine. */
const struct engine *engine_find(const char *name);

#endif
