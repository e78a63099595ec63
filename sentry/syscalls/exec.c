/*
 * exec.c - execve, execveat: the arguments are copied once, within Linux's limits.
 */
#include "syscalls/syscall.h"

#include "abi/fcntl.h"
#include "abi/resource.h"
#include "kernel/exec.h"
#include "kernel/ns.h"
#include "kernel/ptrace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARG_MAX_FLOOR (32 * PAGE_SIZE)
#define ARG_MAX_CEILING (6ul << 20) /* three quarters of the default stack limit */

/* Bytes that strings and their pointers may take. */
static size_t argument_room(struct task *t)
{
	uint64_t room = rlimit_get(t, LINUX_RLIMIT_STACK) / 4;

	if (room > ARG_MAX_CEILING)
		room = ARG_MAX_CEILING;
	return room < ARG_MAX_FLOOR ? ARG_MAX_FLOOR : room;
}

/* A string vector of the program's. *room is what is left. */
static int copy_strings(struct task *t, uaddr v, struct str_list *out, size_t *room)
{
	char *buf = malloc(EXEC_STRING_MAX);
	int r = buf ? 0 : -ENOMEM;

	for (uint64_t i = 0; v.v && !r; i++) {
		uint64_t p;
		ssize_t n;

		if (copy_from_user(t->mm, &p, uaddr_add(v, i * 8), sizeof(p))) {
			r = -EFAULT;
			break;
		}
		if (!p)
			break;
		n = copy_str_from_user(t->mm, buf, UADDR(p), EXEC_STRING_MAX);
		if (n < 0)
			r = n == -ENAMETOOLONG ? -E2BIG : (int)n;
		else if ((size_t)n + 1 + 8 > *room)
			r = -E2BIG;
		else
			r = str_list_add(out, buf);
		if (!r)
			*room -= (size_t)n + 1 + 8;
		if (!r && task_interrupted(t) && t->tg->exiting)
			r = -ERESTARTNOINTR;
	}
	free(buf);
	return r;
}

/* What a script's interpreter opens for a program named by descriptor. */
static char *fd_name(int fd, const char *name)
{
	char *s = NULL;
	int n = *name ? asprintf(&s, "/dev/fd/%d/%s", fd, name) : asprintf(&s, "/dev/fd/%d", fd);

	return n < 0 ? NULL : s;
}

static int64_t exec_common(struct task *t, int dirfd, uaddr name_at, uaddr argv, uaddr envp, int flags)
{
	struct linux_rlimit rl[LINUX_RLIM_NLIMITS];
	struct exec_request q = { .k = t->k, .fs = t->fs, .cred = t->cred, .no_new_privs = t->no_new_privs || ptrace_holds_rights(t), .personality = t->personality, .time = t->ns->time_for_children };
	size_t room = argument_room(t);
	struct file *base = NULL;
	char *name = malloc(4096), *shown = NULL;
	int r = name ? copy_path_from_user(t, name_at, name) : -ENOMEM;

	q.rlimits = rl;
	q.filename = name;
	q.walk_flags = (flags & LINUX_AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) | (flags & LINUX_AT_EMPTY_PATH ? WALK_EMPTY : 0);
	if (!r)
		r = at_base(t, dirfd, name, &base, &q.base);
	if (!r && base) {
		q.display = shown = fd_name(dirfd, name);
		q.inaccessible = fd_get_cloexec(t->files, dirfd) == 1;
		r = shown ? 0 : -ENOMEM;
	}
	r = r ? r : copy_strings(t, argv, &q.argv, &room);
	r = r ? r : copy_strings(t, envp, &q.envp, &room);
	if (!r) {
		tasks_lock(t->k);
		memcpy(rl, t->tg->rlimits, sizeof(rl));
		tasks_unlock(t->k);
		cred_get(q.cred); /* the task's may be replaced while q uses it */
		r = task_exec(t, &q);
		cred_put(q.cred);
	}
	str_list_free(&q.argv);
	str_list_free(&q.envp);
	if (base)
		file_put(base);
	free(shown);
	free(name);
	return r;
}

int64_t sys_execve(struct task *t, const uint64_t a[6])
{
	return exec_common(t, LINUX_AT_FDCWD, UADDR(a[0]), UADDR(a[1]), UADDR(a[2]), 0);
}

int64_t sys_execveat(struct task *t, const uint64_t a[6])
{
	int flags = (int)a[4];

	if (flags & ~(LINUX_AT_EMPTY_PATH | LINUX_AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	return exec_common(t, (int)a[0], UADDR(a[1]), UADDR(a[2]), UADDR(a[3]), flags);
}
