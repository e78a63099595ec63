/*
 * ptrace_watch.c - debug registers, emulated: a task with a breakpoint or
 * watchpoint set in them is single-stepped, and after each step it is seen
 * whether it has come to the address, or what lies there has changed.
 *
 * That is slow, but much faster than a debugger's own stepping.  A watchpoint for
 * writing fires when a write has changed the bytes; one for reading cannot be
 * had.  The registers are under the task list lock while the task stands in a
 * stop, else its own thread's.
 */
#include "kernel/ptrace.h"

#include "kernel/task_table.h"

#include <errno.h>
#include <string.h>

#define DR_STATUS 6u
#define DR_CONTROL 7u
#define DR6_FIXED UINT64_C(0xffff0ff0)

enum watch_type { WATCH_EXECUTE, WATCH_WRITE, WATCH_IO, WATCH_READ_WRITE };

static bool enabled(const struct watches *w, unsigned i)
{
	return w->control >> (2 * i) & 3;
}

static enum watch_type type_of(uint64_t control, unsigned i)
{
	return (enum watch_type)(control >> (16 + 4 * i) & 3);
}

static unsigned length_of(uint64_t control, unsigned i)
{
	static const uint8_t lengths[] = { 1, 2, 8, 4 };

	return lengths[control >> (18 + 4 * i) & 3];
}

bool watch_active(const struct tracing *p)
{
	return p->watches.control & 0xff;
}

uint64_t watch_get_locked(const struct task *t, unsigned reg)
{
	const struct watches *w = &t->tracing->watches;

	if (reg < N_WATCHES)
		return w->addr[reg];
	if (reg == DR_STATUS)
		return w->status ^ DR6_FIXED;
	return reg == DR_CONTROL ? w->control : 0;
}

static bool fits(const struct watches *w, uint64_t control, unsigned i)
{
	enum watch_type type = type_of(control, i);
	unsigned len = length_of(control, i);

	if (type == WATCH_IO || type == WATCH_READ_WRITE || (type == WATCH_EXECUTE && len != 1))
		return false;
	return w->addr[i] < TASK_SIZE - len && !(w->addr[i] & (len - 1));
}

int watch_set_locked(struct task *t, unsigned reg, uint64_t value)
{
	struct watches *w = &t->tracing->watches;

	if (reg < N_WATCHES) {
		if (value >= TASK_SIZE)
			return -EINVAL;
		w->addr[reg] = value;
		return 0;
	}
	if (reg == DR_STATUS) {
		w->status = value ^ DR6_FIXED;
		return 0;
	}
	if (reg != DR_CONTROL)
		return -EIO;
	for (unsigned i = 0; i < N_WATCHES; i++)
		if (value >> (2 * i) & 3 && !fits(w, value, i))
			return -EINVAL;
	w->control = value;
	return 0;
}

static bool read_watched(struct task *t, unsigned i, uint64_t *value)
{
	const struct watches *w = &t->tracing->watches;
	unsigned len = length_of(w->control, i);

	*value = 0;
	return copy_remote(t->mm, w->addr[i], value, len, false) == (ssize_t)len;
}

void watch_begin(struct task *t)
{
	struct watches *w = &t->tracing->watches;

	for (unsigned i = 0; i < N_WATCHES; i++)
		if (enabled(w, i) && type_of(w->control, i) == WATCH_WRITE)
			(void)read_watched(t, i, &w->old[i]);
}

bool watch_hit(struct task *t)
{
	struct watches *w = &t->tracing->watches;
	bool hit = false;
	uint64_t now;

	for (unsigned i = 0; i < N_WATCHES; i++) {
		bool here = false;

		if (!enabled(w, i))
			continue;
		if (type_of(w->control, i) == WATCH_EXECUTE) {
			here = t->regs.rip == w->addr[i];
		} else if (read_watched(t, i, &now)) {
			here = now != w->old[i];
			w->old[i] = now;
		}
		if (here)
			w->status |= UINT64_C(1) << i;
		hit |= here;
	}
	return hit;
}
