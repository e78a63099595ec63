/*
 * lifecycle.h - what create, run and do have in common: stdio or a terminal
 * into a plan, the sandbox from it, the program's end.
 */
#ifndef REDOUBT_LAUNCHER_LIFECYCLE_H
#define REDOUBT_LAUNCHER_LIFECYCLE_H

#include "command.h"
#include "plan.h"
#include "sandbox.h"

#define PRESERVE_MAX 45
/* The program's stdio: the caller's three, or the slave of a new pty; then
 * those of the caller's descriptors 3 and up that it gets too. */
struct stdio {
	int fds[3 + PRESERVE_MAX];
	unsigned n;
	int master; /* -1: no terminal */
	int slave; /* owned; closed once it was donated */
};
#define STDIO_NONE { .master = -1, .slave = -1 }
/* terminal: the process asks for one.  console_socket: NULL, or where the
 * master is sent.  attached: without a console socket the caller's terminal is
 * used, which standard input must then be. */
struct err *stdio_make(bool terminal, const char *console_socket, bool attached, const struct boot_process *p, struct stdio *out) ERR_MUST_USE;
void stdio_close(struct stdio *s);
/* --preserve-fds: adds descriptors 3 .. 3 + N - 1; text NULL: none. */
struct err *stdio_preserve(const char *text, struct stdio *s) ERR_MUST_USE;

struct err *write_pid_file(const char *path, uint64_t pid) ERR_MUST_USE;

/* Everything behind the plan of an attached run: create, start, wait, destroy (or, to
 * keep it, leave the stopped container to `delete`).  *boot_errno as sandbox_create tells. */
struct run_options {
	const char *pid_file; /* NULL: none */
	bool keep;
};
struct err *run_attached(struct context *c, struct plan *plan, struct stdio *io, const struct run_options *o, int *status, int *boot_errno)
	ERR_MUST_USE;

/* Sends start and waits for its answer, with the hooks before and after it. */
struct err *start_container(struct sandbox *s) ERR_MUST_USE;

#endif
