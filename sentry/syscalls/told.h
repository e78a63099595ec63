/*
 * told.h - calls that tell the program of a file, and those that leave it told: vfs/told.h.
 * On the task's own thread.
 */
#ifndef SENTRY_SYSCALLS_TOLD_H
#define SENTRY_SYSCALLS_TOLD_H

#include "syscalls/syscall.h"

struct fd_loan;

#define TELL_DATA_MOST 256u /* a read of more asks always */

/* The task is likely to ask about its descriptor fd, which is f's, next: it has just opened it, */
void tell_opened(struct task *t, struct file *f, int fd);
void tell_asked(struct task *t, struct file *f, int fd); /* asked about it, */
void tell_data(struct task *t, struct file *f, int fd, int64_t pos); /* read a few bytes there, whatever its position is */
/* read from it, with these arguments and that result (pos: where it stands after r bytes), */
void tell_read(struct task *t, struct file *f, const uint64_t a[6], int64_t r, int64_t pos);
void tell_listed(struct task *t, struct file *f, bool all); /* or listed; all: there is no more */
bool call_leaves_told(uint64_t nr);

#endif
