/*
 * completion.h - vfork(2): the parent waits until its child has exec'ed or exited.
 * Parent and child own a reference each.  Any thread; no locks needed.
 */
#ifndef SENTRY_KERNEL_COMPLETION_H
#define SENTRY_KERNEL_COMPLETION_H

struct completion;
struct task;

struct completion *completion_new(void); /* one reference; NULL: no memory */
void completion_get(struct completion *c);
void completion_put(struct completion *c); /* NULL is fine */
void completion_done(struct completion *c); /* wakes the parent and drops the child's reference; NULL is fine */
void completion_wait(struct task *t, struct completion *c); /* own thread of t: until done, or until t itself must end */

#endif
