/*
 * lend.c - which pipes are lent to which tasks: those that a task has read or written some
 * times without sleeping much in between; or with sleeping each time, if it takes turns with
 * another: then that is woken when this one sleeps, so that its writes need not ask.  What was lent in vain, or taken away by others, is lent again
 * less and less readily.  On the task's own thread.
 */
#include "syscalls/lend.h"

#include "fs/pipe.h"
#include "kernel/task_table.h"
#include "mm/mm.h"
#include "vfs/file.h"

#define FIRST 8u /* calls */
#define MOST 4096u
#define REST_COSTS 2u /* calls that one sleep outweighs */

void map_for_copy(struct task *t, uint64_t addr, int64_t n, unsigned access)
{
	uint64_t len = n > 0 ? (uint64_t)n : 0;
	int code;

	for (uint64_t at = addr & ~(uint64_t)(PAGE_SIZE - 1); at < addr + len; at += PAGE_SIZE)
		if (mm_fault(t->mm, at, access, &code))
			return;
}

static bool is_due(struct lend_streak *s, const struct file *f, const struct task *t)
{
	bool rested = s->rests != t->rests && !platform_takes_turns(t->ctx);

	if (s->file != f)
		*s = (struct lend_streak){ .file = f, .wanted = FIRST };
	s->rests = t->rests;
	if (rested)
		s->n = s->n > REST_COSTS ? s->n - REST_COSTS : 0;
	else
		s->n++;
	if (s->n < s->wanted)
		return false;
	s->n = 0;
	s->wanted = s->wanted < MOST ? 2 * s->wanted : MOST;
	return true;
}

void lend_after(struct task *t, struct file *f, const uint64_t a[6], bool write, uint64_t n)
{
	enum platform_side side = write ? PLATFORM_WRITES : PLATFORM_READS;
	int fd = (int)a[0];
	struct file *now;

	if (!pipe_of(f))
		return;
	if (platform_ring_faulted(t->ctx))
		map_for_copy(t, a[1], (int64_t)n, write ? ACCESS_READ : ACCESS_WRITE);
	if (!is_due(&t->lending[side], f, t) || task_must_ask(t) || !pipe_lend(f, fd, side, t->ctx))
		return;
	t->lent = true;
	now = fd_get(t->files, fd); /* who has closed it meanwhile has found nothing lent */
	if (now != f)
		pipe_end_lending(f);
	if (now)
		file_put(now);
}
