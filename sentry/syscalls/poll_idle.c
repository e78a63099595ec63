/*
 * poll_idle.c - calls that look at descriptors without waiting, and find nothing:
 * after a few of them the program may see that for itself (vfs/idle.h).
 */
#include "kernel/task_table.h"
#include "syscalls/poll_util.h"
#include "vfs/idle.h"

#define CALLS 8 /* before it is worth it */

bool idle_begin(struct task *t)
{
	if (t->idle_calls < CALLS) {
		t->idle_calls++;
		return false;
	}
	return !task_must_ask(t) && fdtable_idle_begin(t->files, t->ctx);
}

uint32_t idle_look(struct task *t, int fd, struct file *f, uint32_t want)
{
	uint32_t got;

	if (!fdtable_idle_note(t->files, fd, f, want))
		return 0;
	got = file_poll(f) & want;
	if (got)
		fdtable_idle_not(t->files, fd);
	return got;
}
