/*
 * ipc_shm.c - System V shared memory.  A segment is a memory object; who is
 * attached is not counted but seen: the areas that map the object.  A segment that
 * was removed while attached stays, without its key, until a sweep finds it unmapped.
 */
#include "abi/capability.h"
#include "abi/mman.h"
#include "abi/resource.h"
#include "kernel/ipc_impl.h"

#include <errno.h>
#include <stdlib.h>

#define CAP_IPC_LOCK 14

struct shm {
	struct ipc_object o; /* mode holds LINUX_SHM_DEST and _LOCKED too */
	struct memobj *obj; /* [I] owned reference */
	uint64_t size; /* [I] as asked for */
	int64_t atime, dtime, ctime;
	int32_t cpid, lpid;
	unsigned attaching; /* calls between finding and mapping it */
};

/* How mappings are shown in /proc/PID/maps, and known again. */
static const char area_name[] = "/SYSV00000000 (deleted)";

static uint64_t pages_of(uint64_t size)
{
	return PAGE_UP(size) >> PAGE_SHIFT;
}

void ipc_shm_free(struct ipc_ns *ns, struct ipc_object *o)
{
	struct shm *s = (struct shm *)o;

	ns->shm_pages -= pages_of(s->size);
	memobj_put(s->obj);
	free(s);
}

static int fits(const struct ipc_object *o, uint64_t size)
{
	return ((const struct shm *)o)->size < size ? -EINVAL : 0;
}

static int make(struct task *t, uint64_t size, struct ipc_object **out)
{
	struct ipc_ns *ns = ipc_of(t);
	struct shm *s;

	uint64_t all = ipc_limit(ns, IPC_SHMALL);

	if (size < 1 || size > ipc_limit(ns, IPC_SHMMAX))
		return -EINVAL;
	if (PAGE_UP(size) < size || ns->shm_pages > all || pages_of(size) > all - ns->shm_pages)
		return -ENOSPC;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->obj = memobj_anon_new(&t->k->mm_env, size);
	if (!s->obj) {
		free(s);
		return -ENOMEM;
	}
	s->size = size;
	s->cpid = t->tg->own_tgid;
	s->ctime = ipc_time();
	ns->shm_pages += pages_of(size);
	*out = &s->o;
	return 0;
}

int ipc_shm_get(struct task *t, int32_t key, uint64_t size, int flags)
{
	const struct ipc_get g = { .key = key, .flags = flags, .check = fits, .make = make, .arg = size };

	if (flags & LINUX_SHM_HUGETLB)
		return -ENOMEM; /* a system with no huge pages to give */
	return ipc_get(t, &ipc_of(t)->shm, &g);
}

/* --- attaching ------------------------------------------------------------------- */

static void sweep_locked(struct ipc_ns *ns)
{
	for (unsigned i = 0; ns->n_dest && i < ns->shm.n; i++) {
		struct shm *s = (struct shm *)ns->shm.slot[i];

		if (!s || !(s->o.mode & LINUX_SHM_DEST) || s->attaching || memobj_mappings(s->obj))
			continue;
		ns->n_dest--;
		ipc_remove_locked(ns, &ns->shm, &s->o);
	}
}

void ipc_shm_sweep(struct ipc_ns *ns)
{
	if (!ns || !ns->n_dest)
		return;
	mutex_lock(&ns->mu);
	sweep_locked(ns);
	mutex_unlock(&ns->mu);
}

static int check_address(uint64_t *addr, int flags)
{
	if (!*addr)
		return flags & LINUX_SHM_REMAP ? -EINVAL : 0;
	if (!(*addr & (PAGE_SIZE - 1)))
		return 0;
	if (!(flags & LINUX_SHM_RND))
		return -EINVAL;
	*addr = PAGE_DOWN(*addr);
	return !*addr && flags & LINUX_SHM_REMAP ? -EINVAL : 0;
}

static int64_t map_segment(struct task *t, struct shm *s, uint64_t addr, int flags)
{
	struct mm_mmap m = { .addr = addr, .len = s->size, .obj = s->obj, .name = area_name, .prot = LINUX_PROT_READ, .max_prot = LINUX_PROT_READ };
	int64_t r;

	m.flags = LINUX_MAP_SHARED | LINUX_MAP_ANONYMOUS; /* counted as shared memory, not as a file */
	if (!(flags & LINUX_SHM_RDONLY)) {
		m.prot |= LINUX_PROT_WRITE;
		m.max_prot |= LINUX_PROT_WRITE;
	}
	if (flags & LINUX_SHM_EXEC)
		m.prot |= LINUX_PROT_EXEC;
	m.max_prot |= LINUX_PROT_EXEC;
	if (addr)
		m.flags |= flags & LINUX_SHM_REMAP ? LINUX_MAP_FIXED : LINUX_MAP_FIXED_NOREPLACE;
	r = mm_mmap(t->mm, &m);
	return r == -EEXIST ? -EINVAL : r;
}

int64_t ipc_shm_attach(struct task *t, int id, uint64_t addr, int flags)
{
	unsigned mode = (flags & LINUX_SHM_RDONLY ? 0444u : 0666u) | (flags & LINUX_SHM_EXEC ? 0111u : 0);
	struct ipc_ns *ns = ipc_of(t);
	struct ipc_object *o;
	struct shm *s;
	int64_t r = check_address(&addr, flags);

	if (id < 0 || r)
		return -EINVAL;
	mutex_lock(&ns->mu);
	r = ipc_find_locked(&ns->shm, id, &o);
	r = r ? r : ipc_permission(t, o, mode);
	if (!r) {
		s = (struct shm *)o;
		s->attaching++;
	}
	mutex_unlock(&ns->mu);
	if (r)
		return r;
	s = (struct shm *)o;
	r = map_segment(t, s, addr, flags);
	mutex_lock(&ns->mu);
	s->attaching--;
	if (r >= 0) {
		s->atime = ipc_time();
		s->lpid = t->tg->own_tgid;
	}
	sweep_locked(ns);
	mutex_unlock(&ns->mu);
	return r;
}

int ipc_shm_detach(struct task *t, uint64_t addr)
{
	struct ipc_ns *ns = ipc_of(t);
	struct memobj *obj;
	int r;

	if (addr & (PAGE_SIZE - 1))
		return -EINVAL;
	r = mm_unmap_named(t->mm, addr, area_name, &obj);
	if (r)
		return r;
	mutex_lock(&ns->mu);
	for (unsigned i = 0; i < ns->shm.n; i++) {
		struct shm *s = (struct shm *)ns->shm.slot[i];

		if (!s || s->obj != obj)
			continue;
		s->dtime = ipc_time();
		s->lpid = t->tg->own_tgid;
		break;
	}
	sweep_locked(ns);
	mutex_unlock(&ns->mu);
	memobj_put(obj);
	return 0;
}

/* --- shmctl ------------------------------------------------------------------------ */

int ipc_shm_stat(struct task *t, int id, enum ipc_by by, struct linux_shmid_ds *out)
{
	struct ipc_ns *ns = ipc_of(t);
	struct ipc_object *o;
	int r;

	mutex_lock(&ns->mu);
	sweep_locked(ns);
	r = ipc_find_by_locked(t, &ns->shm, id, by, &o);
	if (!r) {
		struct shm *s = (struct shm *)o;

		*out = (struct linux_shmid_ds){ .segsz = s->size, .atime = s->atime, .dtime = s->dtime, .ctime = s->ctime, .cpid = s->cpid,
			.lpid = s->lpid, .nattch = memobj_mappings(s->obj) + s->attaching };
		ipc_stat_locked(t, o, &out->perm);
		r = by == IPC_BY_ID ? 0 : o->id;
	}
	mutex_unlock(&ns->mu);
	return r;
}

int ipc_shm_set(struct task *t, int id, const struct linux_ipc_perm *p)
{
	struct ipc_ns *ns = ipc_of(t);
	struct ipc_object *o;
	int r;

	mutex_lock(&ns->mu);
	r = ipc_find_owned_locked(t, &ns->shm, id, &o);
	r = r ? r : ipc_set_locked(t, o, p);
	if (!r)
		((struct shm *)o)->ctime = ipc_time();
	mutex_unlock(&ns->mu);
	return r;
}

int ipc_shm_remove(struct task *t, int id)
{
	struct ipc_ns *ns = ipc_of(t);
	struct ipc_object *o;
	int r;

	mutex_lock(&ns->mu);
	r = ipc_find_owned_locked(t, &ns->shm, id, &o);
	if (!r && !(o->mode & LINUX_SHM_DEST)) {
		o->mode |= LINUX_SHM_DEST;
		o->key = LINUX_IPC_PRIVATE; /* not found by key any more */
		ns->n_dest++;
	}
	sweep_locked(ns);
	mutex_unlock(&ns->mu);
	return r;
}

int ipc_shm_lock(struct task *t, int id, bool on)
{
	struct ipc_ns *ns = ipc_of(t);
	struct ipc_object *o;
	int r;

	mutex_lock(&ns->mu);
	r = ipc_find_locked(&ns->shm, id, &o);
	if (!r && !ns_capable(t, CAP_IPC_LOCK)) {
		uint32_t euid = t->cred->euid;

		if (euid != o->uid && euid != o->cuid)
			r = -EPERM;
		else if (on && !rlimit_get(t, LINUX_RLIMIT_MEMLOCK))
			r = -EPERM;
	}
	if (!r)
		o->mode = on ? o->mode | LINUX_SHM_LOCKED : o->mode & ~(unsigned)LINUX_SHM_LOCKED;
	mutex_unlock(&ns->mu);
	return r;
}

int ipc_shm_info(struct task *t, struct linux_shm_info *out)
{
	struct ipc_ns *ns = ipc_of(t);
	int r;

	mutex_lock(&ns->mu);
	*out = (struct linux_shm_info){ .used_ids = (int)ns->shm.in_use, .tot = ns->shm_pages, .rss = ns->shm_pages };
	r = ipc_max_slot_locked(&ns->shm);
	mutex_unlock(&ns->mu);
	return r;
}
