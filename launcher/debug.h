/*
 * debug.h - what the command `debug` can request of a live sandbox: each function makes a request and
 * prints the answer.
 */
#ifndef REDOUBT_LAUNCHER_DEBUG_H
#define REDOUBT_LAUNCHER_DEBUG_H

#include "client.h"
#include "sandbox.h"

struct debug {
	struct context *c;
	struct sandbox *s;
	struct rpc_client *rpc;
};

/* The sentry's threads and their call chains, to standard output. */
struct err *debug_stacks(const struct debug *d) ERR_MUST_USE;

/* Chains with counts, "outermost;...;innermost COUNT" a line, to a file. */
enum debug_profile { DEBUG_PROFILE_CPU, DEBUG_PROFILE_BLOCK, DEBUG_PROFILE_MUTEX, DEBUG_PROFILE_HEAP };
#define DEBUG_PROFILES 4
struct err *debug_profile(const struct debug *d, enum debug_profile kind, const char *file, int ms) ERR_MUST_USE;

/* What the container's programs do for so many ms (or until the sandbox ends): a JSON array of
 * events of the Trace Event Format, which Perfetto and chrome://tracing show as a timeline. */
struct err *debug_trace(const struct debug *d, const char *file, int ms) ERR_MUST_USE;

/* What /proc shows of each process, as JSON. */
struct err *debug_procfs(const struct debug *d) ERR_MUST_USE;
/* Network interfaces and routes, as JSON. */
struct err *debug_network(const struct debug *d) ERR_MUST_USE;

/* A JSON string of n bytes that the sandbox told; where they are not UTF-8, '?' for each that
 * is not ASCII.  The caller's; NULL: no memory. */
json_t *debug_text(const char *s, size_t n);

#endif
