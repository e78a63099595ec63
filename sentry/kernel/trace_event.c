/*
 * trace_event.c - the events of trace sessions: who did it, and what is known of
 * tasks that come, go and become other programs.  On the thread that it is about; the
 * start of a container on the event thread, of a task that does not run yet.
 */
#include "kernel/trace.h"

#include "abi/wait.h"
#include "kernel/task_table.h"
#include "libipc/protocols.h"

#include <stdlib.h>
#include <string.h>

#define PATH_ROOM 4096
#define STRINGS_ROOM 16384 /* of the arguments, and of the environment: what is longer is cut */
#define STRINGS_MAX 256

/* --- who ------------------------------------------------------------------------------- */

/* Its directory, as it sees it; nothing where it is too long to tell. */
static struct msg_str cwd_of(struct task *t, char room[PATH_ROOM])
{
	struct path root, cwd;
	char *name;

	if (!t->fs)
		return msg_str("");
	fs_context_root(t->fs, &root);
	fs_context_cwd(t->fs, &cwd);
	name = vfs_path_name(&cwd, &root, room, PATH_ROOM);
	path_put(&root);
	path_put(&cwd);
	return msg_str(name ? name : "");
}

static struct trace_ids ids(uint32_t real, uint32_t effective, uint32_t saved, uint32_t fs)
{
	return (struct trace_ids){ real, effective, saved, fs };
}

static void fill_context(struct task *t, struct trace_context *x, char *room)
{
	const struct cred *c = t->cred;
	const int64_t to_realtime = t->tg->start_realtime - t->tg->start_time;

	*x = (struct trace_context){
		.time = now_realtime(),
		.thread = (uint64_t)t->own_tid,
		.thread_start = t->start_time + to_realtime,
		.group = (uint64_t)t->tg->own_tgid,
		.group_start = t->tg->start_realtime,
		.container = msg_str(t->tg->quota && t->tg->quota->container ? t->tg->quota->container : ""),
		.uid = ids(c->ruid, c->euid, c->suid, c->fsuid),
		.gid = ids(c->rgid, c->egid, c->sgid, c->fsgid),
		.cap_effective = c->cap_effective,
		.cap_permitted = c->cap_permitted,
		.cwd = room ? cwd_of(t, room) : msg_str(""),
		.process = msg_str(t->comm),
	};
}

void trace_tell(struct task *t, const struct trace_event *e)
{
	/* a task's stack is small */
	char *room = trace_wanted(t->k, e->point) & TRACE_CWD ? malloc(PATH_ROOM) : NULL;

	fill_context(t, e->body, room);
	trace_send(t->k, e);
	free(room);
}

/* --- programs ----------------------------------------------------------------------------- */

/* What exec left on the new program's stack. */
struct program {
	char args_text[STRINGS_ROOM], env_text[STRINGS_ROOM], path[PATH_ROOM];
	struct msg_str args[STRINGS_MAX], env[STRINGS_MAX];
	uint32_t n_args, n_env;
	struct msg_str name;
};

/* The strings that lie one behind another in [start, end) of a program's memory. */
static uint32_t read_strings(struct mm *mm, uint64_t start, uint64_t end, char text[STRINGS_ROOM], struct msg_str out[STRINGS_MAX])
{
	size_t n = end > start ? end - start : 0, got, at = 0;
	uint32_t count = 0;

	got = copy_from_user_partial(mm, text, UADDR(start), n < STRINGS_ROOM ? n : STRINGS_ROOM - 1);
	text[got] = 0;
	while (at < got && count < STRINGS_MAX) {
		size_t len = strlen(text + at);

		out[count++] = (struct msg_str){ text + at, (uint32_t)(len < 4095 ? len : 4095) };
		at += len + 1;
	}
	return count;
}

static struct program *program_of(struct task *t)
{
	struct program *p = calloc(1, sizeof(*p));
	struct mm_layout l;
	struct path root;
	char *name = NULL;

	if (!p)
		return NULL;
	mm_get_layout(t->mm, &l);
	p->n_args = read_strings(t->mm, l.arg_start, l.arg_end, p->args_text, p->args);
	p->n_env = read_strings(t->mm, l.env_start, l.env_end, p->env_text, p->env);
	if (l.exe) {
		fs_context_root(t->fs, &root);
		name = vfs_path_name(&l.exe->path, &root, p->path, sizeof(p->path));
		path_put(&root);
		file_put(l.exe);
	}
	p->name = msg_str(name ? name : "");
	return p;
}

static void blank_start(void *body, unsigned fields)
{
	if (!(fields & TRACE_ENV))
		((struct trace_container_start *)body)->n_env = 0;
}

void trace_container_start(struct task *t, const char *id, bool terminal)
{
	struct program *p = trace_wanted(t->k, TRACE_CONTAINER_START) ? program_of(t) : NULL;
	struct trace_container_start body;

	if (!p)
		return;
	body = (struct trace_container_start){
		.id = msg_str(id), .args = p->args, .n_args = p->n_args, .env = p->env, .n_env = p->n_env, .terminal = terminal,
	};
	trace_tell(t, &(struct trace_event){ TRACE_CONTAINER_START, trace_container_start_id, &trace_container_start_desc, &body, blank_start });
	free(p);
}

static void blank_exec(void *body, unsigned fields)
{
	if (!(fields & TRACE_ENV))
		((struct trace_exec *)body)->n_env = 0;
}

void trace_execed(struct task *t)
{
	struct program *p = trace_wanted(t->k, TRACE_EXEC) ? program_of(t) : NULL;
	struct trace_exec body;

	if (!p)
		return;
	body = (struct trace_exec){ .path = p->name, .args = p->args, .n_args = p->n_args, .env = p->env, .n_env = p->n_env };
	trace_tell(t, &(struct trace_event){ TRACE_EXEC, trace_exec_id, &trace_exec_desc, &body, blank_exec });
	free(p);
}

/* --- tasks that come and go ------------------------------------------------------------------- */

void trace_cloned(struct task *t, const struct task *child, uint64_t flags)
{
	struct trace_clone body;

	if (!trace_wanted(t->k, TRACE_CLONE))
		return;
	body = (struct trace_clone){
		.thread = (uint64_t)child->own_tid,
		.group = (uint64_t)child->tg->own_tgid,
		.start = child->start_time + child->tg->start_realtime - child->tg->start_time,
		.flags = flags,
	};
	trace_tell(t, &(struct trace_event){ TRACE_CLONE, trace_clone_id, &trace_clone_desc, &body, NULL });
}

void trace_exiting(struct task *t, unsigned status)
{
	struct trace_task_exit body = { .status = status & 0xffff };

	if (trace_wanted(t->k, TRACE_TASK_EXIT))
		trace_tell(t, &(struct trace_event){ TRACE_TASK_EXIT, trace_task_exit_id, &trace_task_exit_desc, &body, NULL });
}

void trace_parent_is_told(struct task *t, unsigned status)
{
	struct trace_exit_notify_parent body = { .status = status & 0xffff };

	if (trace_wanted(t->k, TRACE_EXIT_NOTIFY))
		trace_tell(t, &(struct trace_event){ TRACE_EXIT_NOTIFY, trace_exit_notify_parent_id, &trace_exit_notify_parent_desc, &body, NULL });
}
