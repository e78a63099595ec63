/*
 * hooks.h - the configuration's hooks.
 *
 * startContainer runs inside, as one more process of the container before its
 * first; all others in the runtime's own namespaces, with the caller's
 * privileges: a host program cannot run in the guest's.
 *
 *   prestart, createRuntime, createContainer   the sandbox's processes are made,
 *                                              its root is not mounted inside yet;
 *                                              what they put into the network of the
 *                                              process that they are told of is the
 *                                              container's (network.h)
 *   startContainer                             before the program starts
 *   poststart                                  it runs; a failure is a warning
 *   poststop                                   everything is gone; a failure is a warning
 */
#ifndef REDOUBT_LAUNCHER_HOOKS_H
#define REDOUBT_LAUNCHER_HOOKS_H

#include "oci.h"
#include "state.h"

enum hook_kind { HOOK_PRESTART, HOOK_CREATE_RUNTIME, HOOK_CREATE_CONTAINER, HOOK_START_CONTAINER, HOOK_POSTSTART, HOOK_POSTSTOP };

/* Whether there are any of prestart, createRuntime and createContainer.  hooks: the configuration's, as JSON; NULL: none. */
struct err *hooks_come_early(const char *hooks, struct pool *p, bool *out) ERR_MUST_USE;
/* startContainer: inside. */
struct err *hooks_run_inside(const struct state_dir *d, const struct state *s, uint64_t pid) ERR_MUST_USE;
/* Any other kind in turn, each with the state on its standard input; the first
 * failure ends it. */
struct err *hooks_run(const struct state *s, enum hook_kind kind, const char *status, uint64_t pid) ERR_MUST_USE;
/* Runs all, whatever fails: a warning. */
void hooks_run_all(const struct state *s, enum hook_kind kind, const char *status, uint64_t pid);

#endif
