/*
 * node.c - finds the task or process that a node of /proc is about, and checks who may look.
 */
#include "fs/proc/options.h"

#include "abi/capability.h"
#include "abi/fs.h"
#include "kernel/ptrace.h"

#include <errno.h>

const struct pnode *pnode_of(const struct inode *i)
{
	return i->priv;
}

int pctx_begin(struct pctx *c, const struct superblock *sb, const struct pnode *n)
{
	const struct proc_super *s = sb->priv;
	int r = pctx_begin_in(c, vfs_kernel(sb->vfs), s->ns, n);

	c->super = s;
	return r;
}

int pctx_begin_in(struct pctx *c, struct kernel *k, struct pid_ns *ns, const struct pnode *n)
{
	*c = (struct pctx){ .k = k, .ns = ns, .node = n, .thread = n->tid != 0 };
	if (!n->pid)
		return 0;
	c->tg = tg_find(k->root_pids, n->pid);
	if (c->tg && c->tg->start_time == n->start)
		c->t = n->tid ? task_find(k->root_pids, n->tid) : tg_any_task(c->tg);
	if (!c->tg || c->tg->start_time != n->start || (n->tid && (!c->t || c->t->tg != c->tg))) {
		pctx_end(c);
		return -ESRCH;
	}
	return 0;
}

void pctx_end(struct pctx *c)
{
	if (c->t)
		task_put(c->t);
	if (c->tg)
		tg_put(c->tg);
	c->t = NULL;
	c->tg = NULL;
}

struct cred *pctx_cred(struct pctx *c)
{
	struct cred *cr = NULL;
	struct task *t;

	if (!c->tg)
		return NULL;
	tasks_lock(c->k);
	if ((t = c->t ? c->t : TAILQ_FIRST(&c->tg->tasks)) && (cr = t->cred))
		cred_get(cr);
	tasks_unlock(c->k);
	return cr;
}

int proc_may_access(struct pctx *c)
{
	struct task *me = task_current();
	struct cred *target;
	struct mm *mm;
	bool ok;

	if (!c->tg || !me || me->tg == c->tg)
		return 0;
	if (!(target = pctx_cred(c)))
		return cred_capable(me->cred, LINUX_CAP_SYS_PTRACE) ? 0 : -EACCES;
	mm = c->t ? task_get_mm(c->t) : NULL;
	ok = ptrace_creds_may_access(me->cred, target, mm, PTRACE_ACCESS_FSCREDS);
	if (mm)
		mm_put(mm);
	cred_put(target);
	return ok ? 0 : -EACCES;
}

uint64_t pnode_ino(const struct pnode *n)
{
	/* stable numbers for a node, unlike any other's in practice */
	uint64_t h = (uint64_t)(uintptr_t)n->e * 0x9e3779b97f4a7c15u;

	h ^= ((uint64_t)(uint32_t)n->pid << 32 | (uint32_t)n->tid) * 0xff51afd7ed558ccdu;
	h ^= (uint64_t)(uint32_t)n->fd * 0xc4ceb9fe1a85ec53u ^ (n->from >> 12) * 0x94d049bb133111ebu;
	return (h >> 16 & 0xffffffff) | 0x1000;
}

static uint32_t type_bits(enum pkind k)
{
	return k == P_DIR ? LINUX_S_IFDIR : k == P_FILE ? LINUX_S_IFREG : LINUX_S_IFLNK;
}

uint32_t pnode_mode(const struct pnode *n)
{
	return type_bits(n->e->kind) | (n->mode ? n->mode : n->e->mode);
}

static uint32_t or_root(uint32_t id) { return id == ID_NONE ? 0 : id; }

void proc_setting_owner(struct kernel *k, const struct pentry *e, uint32_t *uid, uint32_t *gid)
{
	*uid = e->flags & PE_NET ? or_root(user_ns_kernel_id(proc_net_owner(k), false, 0)) : 0;
	*gid = e->flags & PE_NET ? or_root(user_ns_kernel_id(proc_net_owner(k), true, 0)) : 0;
}

/* Linux: task_dump_owner(). Who the process runs as; what not everybody may read is root's when it is not dumpable,
 * the root of the user namespace where its program was started. */
void pnode_owner(struct pctx *c, uint32_t *uid, uint32_t *gid)
{
	struct cred *cr = pctx_cred(c);
	struct mm *mm = c->t ? task_get_mm(c->t) : NULL;

	*uid = *gid = 0;
	if (cr && (pnode_mode(c->node) == (LINUX_S_IFDIR | 0555) || (mm && mm_dumpable(mm)))) {
		*uid = cr->euid;
		*gid = cr->egid;
	} else if (mm) {
		*uid = or_root(user_ns_kernel_id(mm_user_ns(mm), false, 0));
		*gid = or_root(user_ns_kernel_id(mm_user_ns(mm), true, 0));
	}
	if (mm)
		mm_put(mm);
	if (cr)
		cred_put(cr);
}
