/*
 * reading.h - which parts of a file a task is shown ahead, as its program will read there
 * next: in a window from which it reads by itself.  On the task's own thread.
 */
#ifndef SENTRY_SYSCALLS_READING_H
#define SENTRY_SYSCALLS_READING_H

#include "syscalls/syscall.h"

struct file;

/* The task is being told of f (t->told.size is known), which it has just opened. */
void reading_opened(struct task *t, struct file *f);
/* It has asked for n bytes at its position, and got r, up to pos.  Whether it reads on there in so short
 * pieces that it should be shown the next ones. */
bool reading_goes_on(struct task *t, struct file *f, uint64_t n, int64_t r, int64_t pos);
void reading_show(struct task *t, struct file *f); /* these; it was told of f */
/* len bytes from there on, wherever its position is. */
void reading_show_at(struct task *t, struct file *f, int64_t from, unsigned len);

#endif
