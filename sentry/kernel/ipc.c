/*
 * ipc.c - what the three kinds of System V objects have in common: numbers,
 * keys, owners, permission, the namespace itself.  Any task's thread; ns->mu.
 */
#include "kernel/ipc_impl.h"

#include "abi/capability.h"

#include <errno.h>
#include <stdlib.h>

#define CAP_IPC_OWNER 15

struct ipc_ns *ipc_ns_new(struct kernel *k, struct user_ns *owner)
{
	struct ipc_ns *ns = calloc(1, sizeof(*ns));

	if (!ns)
		return NULL;
	ref_init(&ns->ref);
	ns->k = k;
	ns->ino = ns_new_ino(k);
	user_ns_get(ns->owner = owner);
	mutex_init(&ns->mu, RANK_FILE);
	ipc_limits_init(ns);
	ns->shm = (struct ipc_table){ .limit = IPC_SHMMNI, .last = IPC_SLOTS, .free = ipc_shm_free };
	ns->sem = (struct ipc_table){ .limit = IPC_SEMMNI, .last = IPC_SLOTS, .free = ipc_sem_free };
	ns->msg = (struct ipc_table){ .limit = IPC_MSGMNI, .last = IPC_SLOTS, .free = ipc_msg_free };
	ns->mqueue = k->mqueue_new ? k->mqueue_new(k) : NULL;
	if (ns->mqueue || !k->mqueue_new)
		return ns;
	ipc_ns_put(ns);
	return NULL;
}

void ipc_ns_get(struct ipc_ns *ns)
{
	ref_get(&ns->ref);
}

static void drop_all(struct ipc_ns *ns, struct ipc_table *tb)
{
	for (unsigned i = 0; i < tb->n; i++)
		if (tb->slot[i])
			ipc_remove_locked(ns, tb, tb->slot[i]);
	free(tb->slot);
}

/* Nobody is in it any more, so nobody waits; what is mapped stays mapped. */
void ipc_ns_put(struct ipc_ns *ns)
{
	if (!ns || !ref_put(&ns->ref))
		return;
	drop_all(ns, &ns->shm);
	drop_all(ns, &ns->sem);
	drop_all(ns, &ns->msg);
	user_ns_put(ns->owner);
	mutex_destroy(&ns->mu);
	if (ns->mqueue)
		ns->k->mqueue_free(ns->mqueue);
	free(ns);
}

struct mqueue_fs *ipc_ns_mqueue(const struct ipc_ns *ns)
{
	return ns->mqueue;
}

struct user_ns *ipc_ns_owner(const struct ipc_ns *ns)
{
	return ns->owner;
}

uint64_t ipc_ns_ino(const struct ipc_ns *ns)
{
	return ns->ino;
}

void ipc_process_exit(struct ipc_ns *ns, struct thread_group *tg)
{
	if (ns->n_undo)
		ipc_sem_undo_all(ns, tg);
	ipc_shm_sweep(ns);
}

/* --- finding ------------------------------------------------------------------ */

int ipc_find_locked(struct ipc_table *tb, int id, struct ipc_object **out)
{
	unsigned slot = (unsigned)id & (IPC_SLOTS - 1);

	if (id < 0 || slot >= tb->n || !tb->slot[slot])
		return -EINVAL;
	if (tb->slot[slot]->id != id)
		return -EIDRM;
	*out = tb->slot[slot];
	return 0;
}

int ipc_find_by_locked(struct task *t, struct ipc_table *tb, int id, enum ipc_by by, struct ipc_object **out)
{
	int r = 0;

	if (by == IPC_BY_ID) {
		r = ipc_find_locked(tb, id, out);
	} else {
		unsigned slot = (unsigned)id & (IPC_SLOTS - 1); /* Linux looks at these bits only */

		if (id < 0 || slot >= tb->n || !tb->slot[slot])
			return -EINVAL;
		*out = tb->slot[slot];
	}
	if (!r && by != IPC_BY_SLOT_ANY)
		r = ipc_permission(t, *out, 0444);
	return r;
}

static struct ipc_object *find_key_locked(struct ipc_table *tb, int32_t key)
{
	for (unsigned i = 0; i < tb->n; i++)
		if (tb->slot[i] && tb->slot[i]->key == key)
			return tb->slot[i];
	return NULL;
}

int ipc_max_slot_locked(const struct ipc_table *tb)
{
	for (unsigned i = tb->n; i > 0; i--)
		if (tb->slot[i - 1])
			return (int)i - 1;
	return 0;
}

/* --- permission ---------------------------------------------------------------- */

int ipc_permission(struct task *t, const struct ipc_object *o, unsigned mode)
{
	unsigned wanted = (mode >> 6 | mode >> 3 | mode) & 7, granted = o->mode;
	const struct cred *c = t->cred;

	if (c->euid == o->cuid || c->euid == o->uid)
		granted >>= 6;
	else if (cred_in_group(c, o->cgid) || cred_in_group(c, o->gid))
		granted >>= 3;
	return wanted & ~granted && !cred_capable_in(c, t->ns->ipc->owner, CAP_IPC_OWNER) ? -EACCES : 0;
}

static int check_owner(struct task *t, const struct ipc_object *o)
{
	uint32_t euid = t->cred->euid;

	return euid == o->cuid || euid == o->uid || cred_capable_in(t->cred, t->ns->ipc->owner, LINUX_CAP_SYS_ADMIN) ? 0 : -EPERM;
}

int ipc_find_owned_locked(struct task *t, struct ipc_table *tb, int id, struct ipc_object **out)
{
	int r = ipc_find_locked(tb, id, out);

	return r ? r : check_owner(t, *out);
}

void ipc_stat_locked(struct task *t, const struct ipc_object *o, struct linux_ipc_perm *out)
{
	const struct user_ns *ns = t->cred->user_ns;

	*out = (struct linux_ipc_perm){ .key = o->key, .uid = uid_shown(ns, o->uid), .gid = gid_shown(ns, o->gid), .cuid = uid_shown(ns, o->cuid),
		.cgid = gid_shown(ns, o->cgid), .mode = o->mode, .seq = (uint16_t)(o->id >> IPC_SLOT_BITS) };
}

int ipc_set_locked(struct task *t, struct ipc_object *o, const struct linux_ipc_perm *in)
{
	uint32_t uid = user_ns_kernel_id(t->cred->user_ns, false, in->uid), gid = user_ns_kernel_id(t->cred->user_ns, true, in->gid);

	if (uid == ID_NONE || gid == ID_NONE)
		return -EINVAL;
	o->uid = uid;
	o->gid = gid;
	o->mode = (o->mode & ~0777u) | (in->mode & 0777);
	return 0;
}

/* --- making and removing ---------------------------------------------------------- */

/* The lowest free slot, growing the table: its index, -ENOSPC, -ENOMEM. */
static int free_slot_locked(const struct ipc_ns *ns, struct ipc_table *tb)
{
	struct ipc_object **bigger;
	unsigned i, n;

	if (tb->in_use >= ipc_limit(ns, tb->limit))
		return -ENOSPC;
	for (i = 0; i < tb->n; i++)
		if (!tb->slot[i])
			return (int)i;
	n = tb->n ? tb->n * 2 : 16;
	bigger = realloc(tb->slot, n * sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	for (i = tb->n; i < n; i++)
		bigger[i] = NULL;
	i = tb->n;
	tb->slot = bigger;
	tb->n = n;
	return (int)i;
}

static int add_locked(struct task *t, struct ipc_table *tb, const struct ipc_get *g)
{
	struct ipc_object *o;
	int slot = free_slot_locked(ipc_of(t), tb), r;

	if (slot < 0)
		return slot;
	r = g->make(t, g->arg, &o);
	if (r)
		return r;
	o->refs = 1;
	o->key = g->key;
	o->uid = o->cuid = t->cred->euid;
	o->gid = o->cgid = t->cred->egid;
	o->mode = (unsigned)g->flags & 0777;
	/* numbers are not used again soon: a new generation whenever slots start over */
	if ((unsigned)slot <= tb->last && tb->last != IPC_SLOTS)
		tb->generation = (tb->generation + 1) & 0xffff;
	tb->last = (unsigned)slot;
	o->id = (int)(tb->generation << IPC_SLOT_BITS | (unsigned)slot);
	tb->slot[slot] = o;
	tb->in_use++;
	return o->id;
}

static int get_locked(struct task *t, struct ipc_table *tb, const struct ipc_get *g)
{
	struct ipc_object *o = g->key == LINUX_IPC_PRIVATE ? NULL : find_key_locked(tb, g->key);
	int r;

	if (!o)
		return g->key == LINUX_IPC_PRIVATE || g->flags & LINUX_IPC_CREAT ? add_locked(t, tb, g) : -ENOENT;
	if (g->flags & LINUX_IPC_CREAT && g->flags & LINUX_IPC_EXCL)
		return -EEXIST;
	r = g->check ? g->check(o, g->arg) : 0;
	r = r ? r : ipc_permission(t, o, (unsigned)g->flags);
	return r ? r : o->id;
}

int ipc_get(struct task *t, struct ipc_table *tb, const struct ipc_get *g)
{
	int r;

	mutex_lock(&ipc_of(t)->mu);
	r = get_locked(t, tb, g);
	mutex_unlock(&ipc_of(t)->mu);
	return r;
}

void ipc_put_locked(struct ipc_ns *ns, struct ipc_table *tb, struct ipc_object *o)
{
	if (--o->refs == 0)
		tb->free(ns, o);
}

void ipc_remove_locked(struct ipc_ns *ns, struct ipc_table *tb, struct ipc_object *o)
{
	o->removed = true;
	tb->slot[(unsigned)o->id & (IPC_SLOTS - 1)] = NULL;
	tb->in_use--;
	ipc_put_locked(ns, tb, o);
}
