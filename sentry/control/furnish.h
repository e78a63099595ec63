/*
 * furnish.h - what a specification puts into a container besides mounts.
 */
#ifndef SENTRY_CONTROL_FURNISH_H
#define SENTRY_CONTROL_FURNISH_H

#include "libipc/protocols.h"
#include "vfs/vfs.h"

struct ipc_ns;

/* cred has all capabilities: furnishing is the operator's wish, not the program's. */
struct err *furnish_devices(struct fs_context *fs, const struct cred *cred, const struct boot_spec *spec) ERR_MUST_USE;
/* ns: the container's IPC namespace. */
void furnish_sysctls(struct fs_context *fs, const struct cred *cred, struct ipc_ns *ns, const struct boot_spec *spec);
int furnish_same_mode(const struct cred *cred, const struct path *from, const struct path *to);
/* Copies the contents of `from` into the empty directory `to`. */
int furnish_copy_up(struct fs_context *fs, const struct cred *cred, const struct path *from, const struct path *to);

#endif
