/*
 * pid_links.c - the links of /proc/PID that lead to a place: cwd, root, exe, ns/.
 *
 * On the reader's thread; each hands out new references (struct pentry, follow).
 */
#include "fs/proc/internal.h"

#include "fs/nsfs.h"
#include "kernel/ns.h"

#include <errno.h>
#include <string.h>

static int follow_fs(struct pctx *c, bool root, struct mount **mnt, struct dentry **d)
{
	struct fs_context *fs = c->t ? task_get_fs(c->t) : NULL;
	struct path p;

	if (!fs)
		return -ENOENT;
	mutex_lock(&fs->mu);
	p = root ? fs->root : fs->cwd;
	path_get(&p);
	mutex_unlock(&fs->mu);
	fs_context_put(fs);
	*mnt = p.mnt;
	*d = p.dentry;
	return 0;
}

int follow_cwd(struct pctx *c, struct mount **mnt, struct dentry **d) { return follow_fs(c, false, mnt, d); }

int follow_root(struct pctx *c, struct mount **mnt, struct dentry **d) { return follow_fs(c, true, mnt, d); }

int follow_exe(struct pctx *c, struct mount **mnt, struct dentry **d)
{
	struct mm *mm = c->t ? task_get_mm(c->t) : NULL;
	struct mm_layout l;
	struct path p;

	if (!mm)
		return -ENOENT;
	mm_get_layout(mm, &l);
	mm_put(mm);
	if (!l.exe)
		return -ENOENT;
	p = l.exe->path;
	path_get(&p);
	file_put(l.exe);
	*mnt = p.mnt;
	*d = p.dentry;
	return 0;
}

int follow_ns(struct pctx *c, struct mount **mnt, struct dentry **d)
{
	static const char *const names[NS_KINDS] = { "cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts" };
	const char *name = c->node->e->name;
	size_t len = strcspn(name, "_");
	unsigned kind = 0;

	while (strlen(names[kind]) != len || memcmp(names[kind], name, len))
		kind++;
	*mnt = NULL;
	if (!c->t && kind == NS_PID && !name[len]) /* a zombie has its number still */
		return nsfs_of_pid_ns(c->k, c->tg->pid_ns, d);
	return c->t ? nsfs_of_task(c->t, kind, name[len], d) : -ENOENT;
}
