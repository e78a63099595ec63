/*
 * eventfd.h - counters as files (eventfd(2)).
 */
#ifndef SENTRY_FS_EVENTFD_H
#define SENTRY_FS_EVENTFD_H

#include <stdbool.h>
#include <stdint.h>

struct cred;
struct file;
struct vfs;

/* flags: LINUX_O_NONBLOCK or 0. 0 or -errno. */
int eventfd_create(struct vfs *v, uint32_t count, bool semaphore, int flags, const struct cred *c, struct file **out);
bool eventfd_is(const struct file *f);
void eventfd_count(struct file *f, uint64_t n); /* as a write that never waits: no further than a counter goes */

#endif
