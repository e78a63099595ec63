/*
 * program.h - one program to exec: its path, arguments and donated descriptors,
 * and the user namespace and process tree that it is born into.
 */
#ifndef REDOUBT_LAUNCHER_PROGRAM_H
#define REDOUBT_LAUNCHER_PROGRAM_H

#include "idmap.h"
#include "pool.h"
#include "state.h"

struct program {
	const char *path;
	struct {
		char **v;
		size_t n, cap;
	} args;
	struct {
		int *v;
		size_t n, cap;
	} keep; /* descriptors that it gets */
	bool sibling; /* our parent's child, not ours */
	enum {
		USER_NS_OURS, /* none of its own */
		USER_NS_OWN_ID, /* one id, the caller's, as itself */
		USER_NS_OWN_ID_CAPABLE, /* ... and with all capabilities there */
		USER_NS_MAPPED, /* ids; root in it */
	} user_ns;
	const struct id_maps *ids; /* USER_NS_MAPPED */
	char *const *env;
};

/* Beside the launcher when installed, in the neighbour folder in the tree. */
struct err *program_find(const char *name, struct pool *p, const char **out) ERR_MUST_USE;
void program_arg(struct program *g, struct pool *p, const char *arg);
/* The option with the descriptor's number; it is kept open. */
void program_fd(struct program *g, struct pool *p, const char *option, int fd);

/* In this process; returns only with an error. */
struct err *program_exec(const struct program *g) ERR_MUST_USE;
/* In a new process, first of a pid namespace.  Returns once it has been exec'ed. */
struct err *program_start(const struct program *g, struct pool *p, int *pidfd, struct proc_id *id) ERR_MUST_USE;

#endif
