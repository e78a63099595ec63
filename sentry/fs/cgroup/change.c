/*
 * change.c - what is written into a control group's files to move processes, enable controllers, and end or
 * stop who is in it.  The writer's thread; no locks held but the file's position.
 */
#include "fs/cgroup/cgroup.h"

#include "kernel/ns.h"
#include "kernel/task_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>


/* --- moving -------------------------------------------------------------------------------- */

/* To whom the file belongs that says who is in g, he may change that. */
static int may_write_procs(struct cgroup *g, const struct cred *c)
{
	static const struct qstr name = { "cgroup.procs", sizeof("cgroup.procs") - 1 };
	struct dentry *dir = cgroup_dir(g), *d = dir ? dcache_get(dir, &name) : NULL;
	int r = d ? inode_permission(d->inode, 2, c) : -ENODEV;

	dentry_put(d);
	dentry_put(dir);
	return r;
}

/* From one group to the other, as c may and t sees them. */
static int may_move(struct task *t, const struct cred *c, struct cgroup *from, struct cgroup *to)
{
	const struct cgroup_ns *ns = t->ns->cgroup;
	struct cgroup *common = from;

	if (from->root != to->root)
		return -ENOENT;
	if (ns && (!cgroup_is_below(from, ns->root) || !cgroup_is_below(to, ns->root)))
		return -ENOENT;
	while (!cgroup_is_below(to, common))
		common = common->parent;
	return may_write_procs(common, c);
}

static int move(struct file *f, struct task *t, struct task *who, struct cgroup *to)
{
	struct cgroup *from = cgroup_of(who->tg);
	int r = may_move(t, f->cred, from, to);

	cgroup_put(from);
	return r ? r : cgroup_move(who->tg, to);
}

/* The task of t's namespace that text names, a new reference; 0: t. */
static int find(struct task *t, const char *text, struct task **out)
{
	int nr, r = cgroup_read_int(text, &nr);

	if (r || nr < 0)
		return -EINVAL;
	if (!nr)
		task_get(*out = t);
	else
		*out = task_find(task_pid_ns(t), nr);
	return *out ? 0 : -ESRCH;
}

int cgroup_store_procs(struct file *f, struct task *t, struct cgroup *g, char *text)
{
	struct task *who;
	int r = find(t, text, &who);

	if (r)
		return r;
	r = move(f, t, who, g);
	task_put(who);
	return r;
}

/* A thread's process stays in its group: there are no threaded groups. */
int cgroup_store_threads(struct file *f, struct task *t, struct cgroup *g, char *text)
{
	struct cgroup *from;
	struct task *who;
	int r = find(t, text, &who);

	if (r)
		return r;
	from = cgroup_of(who->tg);
	r = may_move(t, f->cred, from, g);
	if (!r && from != g)
		r = -EOPNOTSUPP;
	cgroup_put(from);
	task_put(who);
	return r;
}

int cgroup_of_fd(struct task *t, int fd, struct cgroup **out)
{
	struct file *f = fd_get(t->files, fd);
	const struct fs_type *type = vfs_find_type(t->k->vfs, "cgroup2");
	int r = 0;

	if (!f)
		return -EBADF;
	if (f->inode && f->inode->sb->type == type && !cgroup_node(f->inode)->file)
		*out = cgroup_get(cgroup_node(f->inode)->g);
	else
		r = -EBADF;
	file_put(f);
	return r;
}

int cgroup_by_fd(struct task *t, int fd, struct cgroup **out)
{
	struct cgroup *g, *own;
	int r = cgroup_of_fd(t, fd, &g);

	if (r)
		return r;
	own = cgroup_of(t->tg);
	r = may_write_procs(g, t->cred);
	r = r == -ENODEV ? -ENOENT : r ? r : may_move(t, t->cred, own, g);
	if (!r)
		*out = g;
	else
		cgroup_put(g);
	cgroup_put(own);
	return r;
}

/* --- controllers ----------------------------------------------------------------------------- */

static const struct {
	const char *name;
	unsigned bit;
} controllers[] = { { "cpuset", CGROUP_CPUSET }, { "cpu", CGROUP_CPU }, { "memory", CGROUP_MEMORY }, { "pids", CGROUP_PIDS } };

static unsigned controller(const char *name)
{
	for (size_t i = 0; i < sizeof(controllers) / sizeof(controllers[0]); i++)
		if (!strcmp(controllers[i].name, name))
			return controllers[i].bit;
	return 0;
}

static int parse_control(char *text, unsigned *enable, unsigned *disable)
{
	char *word;

	while ((word = strsep(&text, " "))) {
		unsigned bit = *word ? controller(word + 1) : 0;

		if (!*word)
			continue;
		if (!bit || (*word != '+' && *word != '-'))
			return -EINVAL;
		*enable = *word == '+' ? *enable | bit : *enable & ~bit;
		*disable = *word == '-' ? *disable | bit : *disable & ~bit;
	}
	return 0;
}

/* The mu of g's directory's inode, and of that above it, are held, and so is [T]. */
static int check_control_locked(const struct cgroup *g, unsigned enable, unsigned disable)
{
	const struct cgroup *c;

	if (g->removed)
		return -ENODEV;
	if (enable & ~cgroup_controllers_locked(g))
		return -ENOENT;
	LIST_FOREACH(c, &g->children, link)
		if (c->control & disable)
			return -EBUSY;
	return enable & ~g->control && g->procs ? -EBUSY : 0; /* they would compete with groups */
}

/* The next one below g, a new reference; the groups below do not change meanwhile. */
static struct dentry *child_dir(struct cgroup *g, struct cgroup **child)
{
	struct dentry *d = NULL;

	tasks_lock(g->k);
	do
		*child = *child ? LIST_NEXT(*child, link) : LIST_FIRST(&g->children);
	while (*child && !(*child)->dir);
	if (*child)
		dentry_get(d = (*child)->dir);
	tasks_unlock(g->k);
	return d;
}

/* The groups below g had the files of `from`, and get those of `to`. */
static int change_files(struct cgroup *g, unsigned from, unsigned to)
{
	struct cgroup *child = NULL;
	struct dentry *d;
	int r = 0;

	while (!r && (d = child_dir(g, &child))) {
		mutex_lock_nested(&d->inode->mu);
		cgroup_drop_files(d, child, from, to);
		r = cgroup_add_files(d, child, from, to);
		mutex_unlock(&d->inode->mu);
		dentry_put(d);
	}
	return r;
}

static int set_control(struct cgroup *g, unsigned enable, unsigned disable)
{
	unsigned old, new;
	int r;

	tasks_lock(g->k);
	r = check_control_locked(g, enable, disable);
	old = g->control;
	new = (old | enable) & ~disable;
	if (!r)
		g->control = new;
	tasks_unlock(g->k);
	if (r || !(r = change_files(g, old, new)))
		return r;
	(void)change_files(g, new, old & new);
	tasks_lock(g->k);
	g->control = old & new;
	tasks_unlock(g->k);
	return r;
}

int cgroup_store_control(struct file *f, struct task *t, struct cgroup *g, char *text)
{
	unsigned enable = 0, disable = 0;
	struct dentry *above, *dir;
	int r = parse_control(text, &enable, &disable);

	if (r)
		return r;
	above = g->parent ? cgroup_dir(g->parent) : NULL;
	dir = cgroup_dir(g);
	if (!dir || (g->parent && !above)) {
		r = -ENODEV;
	} else {
		if (above)
			mutex_lock(&above->inode->mu);
		mutex_lock_nested(&dir->inode->mu);
		r = set_control(g, enable, disable);
		mutex_unlock(&dir->inode->mu);
		if (above)
			mutex_unlock(&above->inode->mu);
	}
	dentry_put(dir);
	dentry_put(above);
	return r;
}

/* --- an end, a stop ------------------------------------------------------------------------------ */

int cgroup_store_kill(struct file *f, struct task *t, struct cgroup *g, char *text)
{
	int v, r = cgroup_read_int(text, &v);

	return r ? r : v != 1 ? -ERANGE : cgroup_kill(g);
}

int cgroup_store_freeze(struct file *f, struct task *t, struct cgroup *g, char *text)
{
	int v, r = cgroup_read_int(text, &v);

	return r ? r : v < 0 || v > 1 ? -ERANGE : cgroup_freeze(g, v);
}
