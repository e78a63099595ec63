/*
 * hooks.h - the configuration's hooks.
 *
 * All run in the runtime's own namespaces, with the caller's privileges: the
 * sandbox has no namespaces of the host's that a host program could run in.
 *
 *   prestart, createRuntime, createContainer   the sandbox's processes are made,
 *                                              its root is not mounted inside yet
 *   startContainer                             before the program starts
 *   poststart                                  it runs; a failure is a warning
 *   poststop                                   everything is gone; a failure is a warning
 */
#ifndef REDOUBT_LAUNCHER_HOOKS_H
#define REDOUBT_LAUNCHER_HOOKS_H

#include "oci.h"
#include "state.h"

enum hook_kind { HOOK_PRESTART, HOOK_CREATE_RUNTIME, HOOK_CREATE_CONTAINER, HOOK_START_CONTAINER, HOOK_POSTSTART, HOOK_POSTSTOP };

/* Runs the hooks of a kind in turn, each with the state on its standard input;
 * the first failure ends it. */
struct err *hooks_run(const struct state *s, enum hook_kind kind, const char *status, uint64_t pid) ERR_MUST_USE;
/* Runs all, whatever fails: a warning. */
void hooks_run_all(const struct state *s, enum hook_kind kind, const char *status, uint64_t pid);

#endif
