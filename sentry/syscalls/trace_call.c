/*
 * trace_call.c - see trace_call.h.  What is told of memory is read for it alone: the
 * call may find something else there.
 */
#include "syscalls/trace_call.h"

#include "kernel/trace.h"
#include "libipc/protocols.h"
#include "syscalls/strace/strace.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(SYSCALL_MAX <= TRACE_CALLS, "each call is a point");

/* A call that somebody wants to know of. */
struct telling {
	struct task *t;
	uint64_t nr;
	const char *name;
	uint64_t args[6];
	struct msg_str fd_path; /* of its first argument, before the call */
	struct strace_line line;
	char path[4096];
};

static struct msg_str path_of(struct telling *c)
{
	struct path root;
	struct file *f = c->t->files ? fd_get(c->t->files, (int)c->args[0]) : NULL;
	char *name;

	if (!f)
		return msg_str("");
	fs_context_root(c->t->fs, &root);
	name = vfs_path_name(&f->path, &root, c->path, sizeof(c->path));
	path_put(&root);
	file_put(f);
	return msg_str(name ? name : "");
}

static void blank_enter(void *body, unsigned fields)
{
	struct trace_enter *b = body;

	if (!(fields & TRACE_FD_PATH))
		b->fd_path = msg_str("");
	if (!(fields & TRACE_TEXT))
		b->text = msg_str("");
}

static void blank_exit(void *body, unsigned fields)
{
	struct trace_exit *b = body;

	if (!(fields & TRACE_FD_PATH))
		b->fd_path = msg_str("");
	if (!(fields & TRACE_TEXT))
		b->text = msg_str("");
}

static void tell_enter(struct telling *c)
{
	struct trace_enter body = {
		.number = c->nr, .name = msg_str(c->name), .args = c->args, .n_args = 6, .fd_path = c->fd_path, .text = msg_str(c->line.text),
	};

	trace_tell(c->t, &(struct trace_event){ TRACE_ENTER + (unsigned)c->nr, trace_enter_id, &trace_enter_desc, &body, blank_enter });
}

static void tell_exit(struct telling *c, int64_t ret)
{
	struct trace_exit body = {
		.number = c->nr, .name = msg_str(c->name), .args = c->args, .n_args = 6, .result = ret, .fd_path = c->fd_path, .text = msg_str(c->line.text),
	};

	trace_tell(c->t, &(struct trace_event){ TRACE_EXIT + (unsigned)c->nr, trace_exit_id, &trace_exit_desc, &body, blank_exit });
}

int64_t trace_call(struct task *t, uint64_t nr, const struct syscall_row *row, const uint64_t args[6], call_fn *make)
{
	const unsigned before = nr < TRACE_CALLS ? trace_wanted(t->k, TRACE_ENTER + (unsigned)nr) : 0;
	const unsigned after = nr < TRACE_CALLS ? trace_wanted(t->k, TRACE_EXIT + (unsigned)nr) : 0;
	struct telling *c = before | after ? calloc(1, sizeof(*c)) : NULL;
	int64_t ret;

	if (!c)
		return make(t, nr, row, args);
	c->t = t;
	c->nr = nr;
	c->name = row && row->name ? row->name : "";
	memcpy(c->args, args, sizeof(c->args));
	if ((before | after) & TRACE_FD_PATH && strace_begins_with_fd(nr))
		c->fd_path = path_of(c);
	else
		c->fd_path = msg_str("");
	if ((before | after) & TRACE_TEXT)
		strace_text_begin(&c->line, t, nr, row, c->args);
	if (before)
		tell_enter(c);
	ret = make(t, nr, row, args);
	if (after & TRACE_TEXT)
		strace_text_end(&c->line, nr, ret);
	if (after)
		tell_exit(c, ret);
	free(c);
	return ret;
}
