/*
 * mm.c - system calls about the caller's own memory.
 */
#include "syscalls/syscall.h"

#include "abi/mman.h"
#include "mm/mm.h"
#include "vfs/file.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>

/* Flags that MAP_SHARED_VALIDATE accepts (Linux's LEGACY_MAP_MASK). */
#define LEGACY_MAP_MASK                                                                                                                              \
	(LINUX_MAP_SHARED | LINUX_MAP_PRIVATE | LINUX_MAP_FIXED | LINUX_MAP_ANONYMOUS | LINUX_MAP_DENYWRITE | LINUX_MAP_EXECUTABLE |                 \
		LINUX_MAP_UNINITIALIZED | LINUX_MAP_GROWSDOWN | LINUX_MAP_LOCKED | LINUX_MAP_NORESERVE | LINUX_MAP_POPULATE |                        \
		LINUX_MAP_NONBLOCK | LINUX_MAP_STACK | LINUX_MAP_HUGETLB | LINUX_MAP_32BIT)
#define PERSONALITY_READ_IMPLIES_EXEC 0x0400000

/* Resource limits may have changed since exec, by any process: what makes areas looks anew. */
static void refresh_limits(struct task *t)
{
	enum { DATA = 2, STACK = 3, MEMLOCK = 8, AS = 9 };

	mm_set_limits(t->mm, rlimit_get(t, AS), rlimit_get(t, DATA), rlimit_get(t, STACK),
		ns_capable(t, CAP_IPC_LOCK) ? UINT64_MAX : rlimit_get(t, MEMLOCK));
}

/* Memory with no file's bytes: an object of its own where it is shared. */
static int anon_object(struct task *t, struct mm_mmap *m, bool shared)
{
	uint64_t len = PAGE_UP(m->len);

	m->off = 0;
	if (!shared || !len)
		return 0; /* mm_mmap has the error */
	m->obj = memobj_anon_new(&t->k->mm_env, len);
	return m->obj ? 0 : -ENOMEM;
}

static int file_mapping(struct task *t, struct file *f, struct mm_mmap *m)
{
	int type = m->flags & LINUX_MAP_TYPE;
	bool shared = type != LINUX_MAP_PRIVATE;
	int r;

	if (m->flags & LINUX_MAP_HUGETLB)
		return -EINVAL;
	if (type == LINUX_MAP_SHARED_VALIDATE && (m->flags & ~LEGACY_MAP_MASK & ~LINUX_MAP_SHARED_VALIDATE))
		return -EOPNOTSUPP;
	if (type < LINUX_MAP_SHARED || type > LINUX_MAP_SHARED_VALIDATE)
		return -EINVAL;
	if (shared && (m->prot & LINUX_PROT_WRITE) && !(f->mode & FILE_WRITE))
		return -EACCES;
	if (!(f->mode & FILE_READ))
		return -EACCES;
	if (shared && !(f->mode & FILE_WRITE))
		m->max_prot &= ~LINUX_PROT_WRITE;
	m->file = f;
	if (f->ops->mmap) {
		r = f->ops->mmap(f, m->prot, shared, &m->obj);
		if (!r && m->obj && shared && atomic_load(&m->obj->sealed))
			m->max_prot &= ~LINUX_PROT_WRITE;
		return r || m->obj ? r : anon_object(t, m, shared);
	}
	if (!f->inode || !f->inode->obj)
		return -ENODEV;
	if (m->flags & LINUX_MAP_GROWSDOWN)
		return -EINVAL;
	m->obj = f->inode->obj;
	memobj_get(m->obj);
	return 0;
}

static int anon_mapping(struct task *t, struct mm_mmap *m)
{
	if (m->flags & LINUX_MAP_HUGETLB)
		return -ENOMEM; /* none are reserved */
	switch (m->flags & LINUX_MAP_TYPE) {
	case LINUX_MAP_PRIVATE:
		return anon_object(t, m, false);
	case LINUX_MAP_SHARED:
		return m->flags & LINUX_MAP_GROWSDOWN ? -EINVAL : anon_object(t, m, true);
	default:
		return -EINVAL;
	}
}

int64_t sys_mmap(struct task *t, const uint64_t a[6])
{
	struct mm_mmap m = { .addr = a[0], .len = a[1], .prot = (int)a[2], .flags = (int)a[3], .off = a[5], .max_prot = 7 };
	struct file *f = NULL;
	int64_t r;

	if (a[5] & (PAGE_SIZE - 1))
		return -EINVAL;
	if (!(m.flags & LINUX_MAP_ANONYMOUS) && !(f = fd_get_io(t->files, (int)a[4])))
		return -EBADF;
	if (!m.len)
		r = -EINVAL;
	else
		r = f ? file_mapping(t, f, &m) : anon_mapping(t, &m);
	if (!r) {
		if ((m.prot & LINUX_PROT_READ) && (t->personality & PERSONALITY_READ_IMPLIES_EXEC))
			m.prot |= LINUX_PROT_EXEC;
		refresh_limits(t);
		r = mm_mmap(t->mm, &m);
	}
	if (m.obj)
		memobj_put(m.obj);
	if (f)
		file_put(f);
	return r;
}

int64_t sys_munmap(struct task *t, const uint64_t a[6])
{
	return mm_munmap(t->mm, a[0], a[1]);
}

int64_t sys_mprotect(struct task *t, const uint64_t a[6])
{
	int prot = (int)a[2];

	if ((prot & LINUX_PROT_READ) && (t->personality & PERSONALITY_READ_IMPLIES_EXEC))
		prot |= LINUX_PROT_EXEC;
	return mm_mprotect(t->mm, a[0], a[1], prot);
}

/* Without protection keys only the key -1 exists: plain mprotect. */
int64_t sys_pkey_mprotect(struct task *t, const uint64_t a[6])
{
	return (int)a[3] == -1 ? sys_mprotect(t, a) : -EINVAL;
}

int64_t sys_mremap(struct task *t, const uint64_t a[6])
{
	refresh_limits(t);
	return mm_mremap(t->mm, a[0], a[1], a[2], (int)a[3], a[4]);
}

/* The protection given must be 0: the pages keep theirs. */
int64_t sys_remap_file_pages(struct task *t, const uint64_t a[6])
{
	if (a[2])
		return -EINVAL;
	refresh_limits(t);
	return mm_remap_pages(t->mm, a[0], a[1], a[3], (int)a[4]);
}

int64_t sys_brk(struct task *t, const uint64_t a[6])
{
	refresh_limits(t);
	return mm_brk(t->mm, a[0]);
}

int64_t sys_madvise(struct task *t, const uint64_t a[6])
{
	return mm_madvise(t->mm, a[0], a[1], (int)a[2]);
}

int64_t sys_msync(struct task *t, const uint64_t a[6])
{
	return mm_msync(t->mm, a[0], a[1], (int)a[2]);
}

int64_t sys_mincore(struct task *t, const uint64_t a[6])
{
	enum { STEP = 4096 };
	uint64_t addr = a[0], pages = PAGE_UP(a[1]) >> PAGE_SHIFT, n;
	uaddr vec = UADDR(a[2]);
	uint8_t *buf;
	int e = 0;

	if (addr & (PAGE_SIZE - 1))
		return -EINVAL;
	if (addr > TASK_SIZE || a[1] > TASK_SIZE - addr)
		return -ENOMEM;
	if (vec.v > TASK_SIZE || pages > TASK_SIZE - vec.v)
		return -EFAULT;
	buf = malloc(STEP);
	if (!buf)
		return -EAGAIN;
	for (; !e && pages; pages -= n, addr += n << PAGE_SHIFT, vec = uaddr_add(vec, n)) {
		n = pages < STEP ? pages : STEP;
		e = mm_mincore(t->mm, addr, n << PAGE_SHIFT, buf);
		if (!e)
			e = copy_to_user(t->mm, vec, buf, n);
	}
	free(buf);
	return e;
}

static int64_t lock(struct task *t, uint64_t addr, uint64_t len, unsigned how)
{
	refresh_limits(t);
	return mm_mlock(t->mm, addr, len, how);
}

int64_t sys_mlock(struct task *t, const uint64_t a[6])
{
	return lock(t, a[0], a[1], MM_LOCK_ON);
}

int64_t sys_mlock2(struct task *t, const uint64_t a[6])
{
	if ((int)a[2] & ~LINUX_MLOCK_ONFAULT)
		return -EINVAL;
	return lock(t, a[0], a[1], MM_LOCK_ON | ((int)a[2] ? MM_LOCK_ONFAULT : 0));
}

int64_t sys_munlock(struct task *t, const uint64_t a[6])
{
	return mm_mlock(t->mm, a[0], a[1], 0);
}

int64_t sys_mlockall(struct task *t, const uint64_t a[6])
{
	int flags = (int)a[0];

	if (!flags || (flags & ~(LINUX_MCL_CURRENT | LINUX_MCL_FUTURE | LINUX_MCL_ONFAULT)) || flags == LINUX_MCL_ONFAULT)
		return -EINVAL;
	if (!ns_capable(t, CAP_IPC_LOCK) && !rlimit_get(t, 8))
		return -EPERM;
	refresh_limits(t);
	return mm_mlockall(t->mm, flags, ns_capable(t, CAP_IPC_LOCK));
}

int64_t sys_munlockall(struct task *t, const uint64_t a[6])
{
	return mm_mlockall(t->mm, 0, true);
}
