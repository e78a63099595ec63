/*
 * json_read.h - JSON into typed structs, by tables.
 *
 * A struct jobject describes a C struct's members; one reader fills it and
 * checks types, ranges and lengths.  Every error is one line that names the
 * place: "process.rlimits[2].soft: is a string, must be an integer".
 * Unknown members are passed over (the OCI specification wants it so); null is
 * the same as absent.  Used for config.json, process.json and state.json.
 */
#ifndef REDOUBT_LAUNCHER_JSON_READ_H
#define REDOUBT_LAUNCHER_JSON_READ_H

#include "libipc/err.h"
#include "pool.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum jkind {
	J_STR, /* const char *; max: bytes */
	J_BOOL, /* bool */
	J_INT, /* int64_t; min..max */
	J_U64, /* uint64_t; 0..max */
	J_STRS, /* struct jstrs; max: bytes of one */
	J_U64S, /* struct ju64s; max: value of one */
	J_OBJECT, /* struct T *, NULL when absent; of */
	J_LIST, /* struct { T *v; size_t n; }; of */
	J_MAP, /* struct jmap: strings by name; max: bytes of a value */
	J_ANY, /* json_t *, borrowed from the document: only its presence matters */
};

struct jstrs {
	const char **v;
	size_t n;
};
struct ju64s {
	uint64_t *v;
	size_t n;
};
struct jpair {
	const char *name, *value;
};
struct jmap {
	struct jpair *v;
	size_t n;
};

struct jfield {
	const char *name;
	enum jkind kind;
	size_t offset;
	bool required; /* must be there; a string must not be empty */
	int64_t min;
	uint64_t max;
	const struct jobject *of;
};
struct jobject {
	size_t size;
	size_t n;
	const struct jfield *fields;
};

/* JFIELD(struct x, member, J_INT, "jsonName", .min = 0, .max = 5) */
#define JFIELD(T, M, KIND, NAME, ...) { .name = (NAME), .kind = (KIND), .offset = offsetof(T, M), ##__VA_ARGS__ }
#define JOBJECT(T, FIELDS) { sizeof(T), sizeof(FIELDS) / sizeof((FIELDS)[0]), (FIELDS) }

/* Reads and parses a file (of at most 16 MiB).  The caller json_decref's. */
struct err *json_load_fd(int fd, json_t **out) ERR_MUST_USE;
struct err *json_load_path(const char *path, json_t **out) ERR_MUST_USE;

/* out (zeroed, of->size bytes) is filled with memory of the pool. */
struct err *json_read(const struct jobject *of, const json_t *in, struct pool *p, void *out) ERR_MUST_USE;

#define _cleanup_json_ __attribute__((cleanup(json_decrefp))) /* jansson's own */

#endif
