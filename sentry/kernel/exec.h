/*
 * exec.h - finding and loading a program: what execve and a container's first
 * process have in common.
 */
#ifndef SENTRY_KERNEL_EXEC_H
#define SENTRY_KERNEL_EXEC_H

#include "kernel/task.h"

#define EXEC_STRING_MAX (32 * 4096ul) /* Linux's MAX_ARG_STRLEN */
#define EXEC_SCRIPT_DEPTH 5

/* Strings in kernel memory, each malloc'ed. */
struct str_list {
	char **s;
	size_t n, room;
	size_t bytes; /* with their NULs */
};
int str_list_add(struct str_list *l, const char *s); /* copies; -ENOMEM */
void str_list_free(struct str_list *l);

struct exec_request {
	struct kernel *k;
	struct fs_context *fs;
	struct cred *cred; /* of the caller */
	bool no_new_privs;
	uint64_t personality;
	struct time_ns *time; /* that the program is to be in; NULL: the first one */
	const struct linux_rlimit *rlimits; /* LINUX_RLIM_NLIMITS, a private copy */
	const struct path *base; /* where a relative name starts; NULL: cwd */
	unsigned walk_flags; /* WALK_FOLLOW, WALK_EMPTY */
	const char *filename; /* what is walked */
	const char *display; /* what the program and a script's interpreter are told; NULL: filename */
	bool inaccessible; /* a script could not open it again: the descriptor is close-on-exec */
	struct str_list argv, envp; /* changed for scripts; the caller frees */
};

/* A program ready to run. */
struct exec_image {
	struct mm *mm; /* owned */
	struct cred *cred; /* owned: the new credentials */
	uint64_t entry, sp;
	bool secure; /* privileges were gained: AT_SECURE, not dumpable */
	char comm[16];
};

/* Loads; changes nothing of the caller. -errno as execve(2). */
int exec_load(struct exec_request *q, struct exec_image *img);
void exec_image_free(struct exec_image *img);

/* execve of task t; on success never looks back: 0. Own thread. */
int task_exec(struct task *t, struct exec_request *q);

/* Credentials after exec of a file with that status and file capabilities
 * (exec_cred.c). NULL: no memory. *gained: more than before; AT_SECURE. */
struct file_caps {
	bool present, effective;
	uint64_t permitted, inheritable;
};
bool file_caps_parse(const void *attr, size_t n, struct file_caps *out); /* security.capability */
struct cred *exec_cred(const struct cred *old, uint32_t mode, uint32_t uid, uint32_t gid, const struct file_caps *fc, bool may_gain, int *err,
	bool *secure);

#endif
