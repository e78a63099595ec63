/*
 * stacks.c - control.stacks: the call chains of the sentry's threads, and the system call that each task
 * is in.  Event thread; each task records its own call.
 */
#include "control/looking.h"

#include "kernel/task.h"
#include "lib/threads.h"
#include "libipc/protocols.h"
#include "syscalls/syscall.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A row's memory. */
struct text {
	uint64_t frames[THREAD_FRAMES], args[6];
	char command[16], call[32];
};

struct gathering {
	struct control_thread *rows;
	struct text *text;
	unsigned n, room;
	/* of the thread that is being asked: written by it */
	struct {
		pid_t task; /* as its pid namespace counts; 0: none */
		char command[16];
		bool in_call;
		uint64_t nr, args[6];
	} now;
};

/* On the thread itself, in a signal handler.  Whoever changes these fields is this thread. */
static void note(void *arg)
{
	struct gathering *g = arg;
	const struct task *t = task_current();

	if (!t)
		return;
	g->now.task = t->own_tid;
	memcpy(g->now.command, t->comm, sizeof(g->now.command) - 1);
	g->now.in_call = !task_in_program(&t->cpu) && (int64_t)t->regs.orig_rax >= 0;
	g->now.nr = regs_syscall_nr(&t->regs);
	memcpy(g->now.args, (const uint64_t[6]){ t->regs.rdi, t->regs.rsi, t->regs.rdx, t->regs.r10, t->regs.r8, t->regs.r9 }, sizeof(g->now.args));
}

static void name_call(char *buf, size_t size, uint64_t nr)
{
	if (nr < SYSCALL_MAX && syscall_table[nr].name)
		snprintf(buf, size, "%s", syscall_table[nr].name);
	else
		snprintf(buf, size, "%llu", (unsigned long long)nr);
}

static void found(const struct thread_sample *s, void *arg)
{
	struct gathering *g = arg;
	struct control_thread *r = &g->rows[g->n];
	struct text *x = &g->text[g->n];

	if (g->n == g->room)
		return;
	g->n++;
	memcpy(x->frames, s->frames, sizeof(x->frames));
	memcpy(x->args, g->now.args, sizeof(x->args));
	memcpy(x->command, g->now.command, sizeof(x->command));
	if (g->now.in_call)
		name_call(x->call, sizeof(x->call), g->now.nr);
	*r = (struct control_thread){
		.name = msg_str(s->name),
		.thread = (uint64_t)s->tid,
		.answered = s->answered,
		.task = (uint64_t)g->now.task,
		.command = msg_str(x->command),
		.call = msg_str(x->call),
		.args = x->args,
		.n_args = g->now.in_call ? 6 : 0,
		.frames = x->frames,
		.n_frames = s->n_frames,
	};
	memset(&g->now, 0, sizeof(g->now));
}

struct err *stacks_write(int out, uint64_t *length)
{
	struct gathering g = { .room = threads_count() + 16 };
	struct control_threads all = { 0 };
	struct err *e = NULL;
	int r;

	g.rows = calloc(g.room, sizeof(*g.rows));
	g.text = calloc(g.room, sizeof(*g.text));
	if (!g.rows || !g.text)
		e = err_new(ENOMEM, "stacks");
	else if ((r = threads_sample(&(struct thread_sampling){ .note = note, .found = found, .arg = &g })) < 0)
		e = err_new(-r, "stacks");
	all = (struct control_threads){ .threads = g.rows, .n_threads = g.n };
	if (!e)
		e = msg_answer_write(&control_threads_desc, &all, out, length);
	free(g.rows);
	free(g.text);
	return e;
}
