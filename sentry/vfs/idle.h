/*
 * idle.h - lets a stub answer by itself that a descriptor has nothing to read: it
 * looks at the platform's records, one for each descriptor.  A record is withdrawn
 * at the next event of any kind on the file's wait queue.
 *
 * A record is made for a program that polls again and again without waiting:
 *
 *	if (fdtable_idle_begin(t, ctx) && fdtable_idle_note(t, fd, f, events) && file_poll(f) & events)
 *		fdtable_idle_not(t, fd);
 *
 * in this order: what happens after the note withdraws it.
 */
#ifndef SENTRY_VFS_IDLE_H
#define SENTRY_VFS_IDLE_H

#include "lib/wait.h"

#include <stdbool.h>
#include <stdint.h>

struct fdtable;
struct file;
struct platform_ctx;

/* The events that a record may be about, besides PLATFORM_EMPTY_SET. */
#define IDLE_EVENTS (EVENT_IN | EVENT_PRI | EVENT_RDNORM | EVENT_RDBAND | EVENT_RDHUP | EVENT_ERR | EVENT_HUP)

bool file_may_idle(const struct file *f, uint32_t events); /* a record can be about these events of f */
/* Own thread of a task with this table: its program looks at t's records from now on.  False: it cannot. */
bool fdtable_idle_begin(struct fdtable *t, struct platform_ctx *c);
/* f has none of these events until its queue is told otherwise.  False: that cannot be noted, or fd is not f's. */
bool fdtable_idle_note(struct fdtable *t, int fd, struct file *f, uint32_t events);
void fdtable_idle_not(struct fdtable *t, int fd); /* what was noted was wrong */
void fdtable_idle_end(struct fdtable *t); /* no program looks at its records any more */

#endif
