/*
 * task_init.c - processes that no clone made: a container's first, and those of
 * control's exec.  Runs on a control thread; the task does not run before
 * task_start.
 */
#include "abi/capability.h"
#include "abi/resource.h"
#include "kernel/cgroup.h"
#include "kernel/exec.h"
#include "kernel/ns.h"
#include "kernel/oom.h"
#include "kernel/posix_timer.h"
#include "kernel/task_table.h"
#include "libipc/err.h"
#include "libipc/protocols.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INF LINUX_RLIM_INFINITY
/* What a process of a freshly booted Linux has. */
static const struct linux_rlimit default_limits[LINUX_RLIM_NLIMITS] = {
	[LINUX_RLIMIT_CPU] = { INF, INF },
	[LINUX_RLIMIT_FSIZE] = { INF, INF },
	[LINUX_RLIMIT_DATA] = { INF, INF },
	[LINUX_RLIMIT_STACK] = { 8 << 20, INF },
	[LINUX_RLIMIT_CORE] = { 0, INF },
	[LINUX_RLIMIT_RSS] = { INF, INF },
	[LINUX_RLIMIT_NPROC] = { INF, INF },
	[LINUX_RLIMIT_NOFILE] = { 1024, 1048576 },
	[LINUX_RLIMIT_MEMLOCK] = { 8 << 20, 8 << 20 },
	[LINUX_RLIMIT_AS] = { INF, INF },
	[LINUX_RLIMIT_LOCKS] = { INF, INF },
	[LINUX_RLIMIT_SIGPENDING] = { 31795, 31795 },
	[LINUX_RLIMIT_MSGQUEUE] = { 819200, 819200 },
	[LINUX_RLIMIT_NICE] = { 0, 0 },
	[LINUX_RLIMIT_RTPRIO] = { 0, 0 },
	[LINUX_RLIMIT_RTTIME] = { INF, INF },
};

static int cmp_gid(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static struct cred *boot_cred(const struct boot_process *p)
{
	struct cred *c = cred_new();

	if (!c)
		return NULL;
	c->ruid = c->euid = c->suid = c->fsuid = (uint32_t)p->uid;
	c->rgid = c->egid = c->sgid = c->fsgid = (uint32_t)p->gid;
	if (p->n_groups) {
		c->groups = calloc(p->n_groups, sizeof(*c->groups));
		if (!c->groups) {
			cred_put(c);
			return NULL;
		}
		for (uint32_t i = 0; i < p->n_groups; i++)
			c->groups[i] = (uint32_t)p->groups[i];
		c->n_groups = p->n_groups;
		qsort(c->groups, c->n_groups, sizeof(*c->groups), cmp_gid);
	}
	c->cap_bounding = p->cap_bounding & LINUX_CAP_ALL;
	c->cap_permitted = p->cap_permitted & LINUX_CAP_ALL;
	c->cap_effective = p->cap_effective & c->cap_permitted;
	c->cap_inheritable = p->cap_inheritable & LINUX_CAP_ALL;
	c->cap_ambient = p->cap_ambient & c->cap_permitted & c->cap_inheritable;
	return c;
}

static struct err *boot_strings(const struct boot_process *p, struct exec_request *q)
{
	for (uint32_t i = 0; i < p->n_args; i++)
		if (str_list_add(&q->argv, p->args[i].p))
			return err_new(ENOMEM, "arguments");
	for (uint32_t i = 0; i < p->n_env; i++)
		if (str_list_add(&q->envp, p->env[i].p))
			return err_new(ENOMEM, "environment");
	return NULL;
}

static struct err *enter_cwd(struct fs_context *fs, const struct cred *c, const char *cwd)
{
	struct walk w = { .fs = fs, .cred = c, .flags = WALK_FOLLOW | WALK_DIRECTORY };
	struct path p = { 0 };
	int r = vfs_walk(&w, cwd, &p);

	if (!r) {
		r = vfs_permission(&p, 1, c);
		if (!r)
			fs_context_set(fs, NULL, &p);
		path_put(&p);
	}
	return r ? err_new(-r, "working directory %s", cwd) : NULL;
}

static const char *env_path(const struct exec_request *q)
{
	for (size_t i = 0; i < q->envp.n; i++)
		if (!strncmp(q->envp.s[i], "PATH=", 5))
			return q->envp.s[i] + 5;
	return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

/* Tries name in each directory of PATH, as execvp does. */
static int load_by_path(struct exec_request *q, const char *name, struct exec_image *img)
{
	const char *dir = env_path(q), *end;
	char *full = malloc(4096);
	int r = -ENOENT, denied = 0, n;

	if (!full)
		return -ENOMEM;
	for (;; dir = end + 1) {
		end = strchrnul(dir, ':');
		n = snprintf(full, 4096, "%.*s%s%s", (int)(end - dir), dir, end > dir ? "/" : "", name);
		if (n < 4096) {
			q->filename = full;
			r = exec_load(q, img);
			if (r == -EACCES)
				denied = r;
			else if (r != -ENOENT && r != -ENOTDIR)
				break;
		}
		if (!*end)
			break;
	}
	free(full);
	q->filename = name;
	return (r == -ENOENT || r == -ENOTDIR) && denied ? denied : r;
}

/* In the words that engines look for (Docker's exit statuses 126 and 127 come from them). */
static struct err *no_program(const char *name, int error)
{
	char buf[64], text[64];

	if (error == ENOENT && !strchr(name, '/'))
		return err_with_text(error, "exec: \"%s\": executable file not found in $PATH", name);
	snprintf(text, sizeof(text), "%s", strerror_r(error, buf, sizeof(buf)));
	text[0] = (char)tolower((unsigned char)text[0]);
	return err_with_text(error, "exec: \"%s\": %s", name, text);
}

static struct err *load_program(struct exec_request *q, struct exec_image *img)
{
	const char *name = q->argv.n ? q->argv.s[0] : "";
	char *copy;
	int r;

	if (!*name)
		return err_new(EINVAL, "exec: no program named");
	copy = strdup(name); /* a script changes argv */
	if (!copy)
		return err_new(ENOMEM, "exec %s", name);
	q->filename = copy;
	r = strchr(copy, '/') ? exec_load(q, img) : load_by_path(q, copy, img);
	struct err *e = r ? no_program(copy, -r) : NULL;
	free(copy);
	return e;
}

/* The container's init is the first process that it has. */
static bool is_first_locked(struct kernel *k, const struct container *c)
{
	struct thread_group *tg;

	LIST_FOREACH(tg, &k->tasks->all, all_link)
		if (tg->container == c && tg->is_init)
			return false;
	return true;
}

/* Number, family, session: the process exists. */
static int publish(struct task *t, bool ordinary)
{
	struct thread_group *tg = t->tg;
	struct pid *p;
	int r;

	tasks_lock(t->k);
	tg->is_init = is_first_locked(t->k, tg->container);
	r = cgroup_full_locked(tg->quota->cgroup) ? -EAGAIN : pid_alloc_locked(tg->pid_ns, NULL, &p);
	if (r) {
		tasks_unlock(t->k);
		return r;
	}
	cgroup_enter_locked(tg, tg->quota->cgroup);
	task_link_locked(t, p);
	tg->unkillable = tg->pid_ns->init == tg && !ordinary;
	r = session_create_locked(tg);
	if (r)
		tg_release_locked(tg);
	tasks_unlock(t->k);
	return r;
}

static int build_task(struct exec_request *q, struct exec_image *img, struct task *t)
{
	struct fpstate *fp = task_fp(t);

	if (!fp)
		return -ENOMEM;
	t->tg->sighand = sighand_new(NULL);
	if (!t->tg->sighand)
		return -ENOMEM;
	t->ctx = platform_ctx_new(q->k->platform, mm_as_new(img->mm));
	if (!t->ctx)
		return -EAGAIN;
	t->mm = img->mm;
	t->cred = img->cred;
	img->mm = NULL;
	img->cred = NULL;
	memcpy(t->comm, img->comm, sizeof(t->comm));
	regs_exec(&t->regs, img->entry, img->sp);
	t->regs.orig_rax = UINT64_MAX;
	fpstate_init(fp);
	t->fp_load = true;
	return 0;
}

static void set_limits(const struct boot_process *p, struct linux_rlimit *rl)
{
	memcpy(rl, default_limits, sizeof(default_limits));
	for (uint32_t i = 0; i < p->n_rlimits; i++)
		if (p->rlimits[i].resource < LINUX_RLIM_NLIMITS)
			rl[p->rlimits[i].resource] = (struct linux_rlimit){ p->rlimits[i].soft, p->rlimits[i].hard };
}

/* A capability set that the specification gives is the program's own: exec of
 * a plain file by root would else give the whole bounding set. */
static void keep_given_caps(struct cred *c, const struct cred *given)
{
	if (c->euid != 0 || given->euid != 0)
		return; /* others keep what is ambient, as after any exec */
	c->cap_permitted = given->cap_permitted;
	c->cap_effective = given->cap_effective;
	c->cap_inheritable = given->cap_inheritable;
	c->cap_ambient = given->cap_ambient;
}

static struct task *new_process(struct kernel *k, struct container *c, struct nsproxy *ns, struct task_quota *quota)
{
	struct task *t = task_alloc(k);

	if (!t)
		return NULL;
	t->tg = tg_alloc(k);
	if (!t->tg) {
		task_put(t);
		return NULL;
	}
	nsproxy_get(ns);
	t->ns = ns;
	pid_ns_get(ns->pid_for_children);
	t->tg->pid_ns = ns->pid_for_children;
	t->tg->container = c;
	t->tg->quota = quota;
	t->tg->exit_signal = LINUX_SIGCHLD;
	t->tg->from_control = true;
	return t;
}

static void discard(struct task *t)
{
	if (t->ctx)
		platform_ctx_free(t->ctx);
	if (t->mm)
		mm_put(t->mm);
	t->ctx = NULL;
	t->mm = NULL;
	task_put(t);
}

static struct err *make(struct exec_request *q, const struct boot_process *p, struct exec_image *img, struct task *t)
{
	struct err *e = boot_strings(p, q);
	int r;

	e = e ? e : enter_cwd(q->fs, q->cred, p->cwd.p && p->cwd.len ? p->cwd.p : "/");
	e = e ? e : load_program(q, img);
	if (e)
		return e;
	keep_given_caps(img->cred, q->cred);
	r = build_task(q, img, t);
	if (!r)
		r = publish(t, p->ordinary);
	return r ? err_new(-r, "making the process") : NULL;
}

int task_create_init(struct kernel *k, struct container *c, const struct boot_process *p, struct fs_context *fs, struct fdtable *files,
	struct nsproxy *ns, struct task_quota *quota, struct task **out, struct err **why)
{
	struct exec_request q = { .k = k, .fs = fs, .no_new_privs = p->no_new_privs, .time = ns->time, .walk_flags = WALK_FOLLOW };
	struct exec_image img = { 0 };
	struct task *t = new_process(k, c, ns, quota);
	int r;

	*why = NULL;
	q.cred = boot_cred(p);
	if (!t || !q.cred) {
		*why = err_new(ENOMEM, "making the process");
	} else {
		fs->umask = (uint32_t)p->umask & 0777;
		set_limits(p, t->tg->rlimits);
		q.rlimits = t->tg->rlimits;
		t->no_new_privs = p->no_new_privs;
		t->tg->oom_score_adj = (int)p->oom_score_adj;
		oom_charge(quota);
		*why = make(&q, p, &img, t);
		oom_charge(NULL);
	}
	str_list_free(&q.argv);
	str_list_free(&q.envp);
	exec_image_free(&img);
	cred_put(q.cred);
	if (*why) {
		r = -err_errno(*why);
		if (t)
			discard(t);
		return r;
	}
	/* from here on the task's own */
	ref_get(&fs->ref);
	fdtable_get_table(files);
	tasks_lock(k);
	t->fs = fs;
	t->files = files;
	tasks_unlock(k);
	*out = t;
	return 0;
}

void task_start(struct task *t)
{
	struct task_host *h;
	int r;

	tasks_lock(t->k);
	cpu_limit_set_locked(t->tg);
	r = task_spawn_locked(t, &h);
	tasks_unlock(t->k);
	task_host_wake(h);
	if (r) /* the caller sees the process end */
		task_abort_unstarted(t);
}
