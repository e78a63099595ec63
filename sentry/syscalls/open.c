/*
 * open.c - open, openat, openat2, creat, close, close_range.
 */
#include "abi/resource.h"
#include "syscalls/fd_util.h"
#include "syscalls/fs_util.h"
#include "syscalls/told.h"

static int64_t do_open(struct task *t, int dirfd, uint64_t name, int flags, uint32_t mode, unsigned walk)
{
	struct at a UNINITIALIZED;
	struct file *f;
	int r = at_begin(t, &a, dirfd, name, walk);

	if (r)
		return r;
	r = vfs_open(&a.w, a.name, flags, mode, &f);
	at_end(&a);
	if (r)
		return r;
	r = install_new(t, f, flags & LINUX_O_CLOEXEC);
	if (r >= 0 && !fdtable_is_shared(t->files)) /* nobody else can have closed it */
		tell_opened(t, f, r);
	return r;
}

/* What open and openat make of flags they do not understand: they ignore them. */
static int lenient(int flags)
{
	flags &= LINUX_O_ALL;
	if (flags & LINUX_O_PATH)
		flags &= LINUX_O_PATH | LINUX_O_DIRECTORY | LINUX_O_NOFOLLOW | LINUX_O_CLOEXEC;
	/* __O_TMPFILE alone is not O_TMPFILE */
	return flags;
}

static int64_t open_lenient(struct task *t, int dirfd, uint64_t name, uint64_t flags, uint64_t mode)
{
	int f = lenient((int)flags);

	if (f & LINUX_O_TMPFILE_BIT && !(f & LINUX_O_DIRECTORY))
		return -EINVAL;
	return do_open(t, dirfd, name, f, (uint32_t)mode & 07777, 0);
}

int64_t sys_open(struct task *t, const uint64_t a[6]) { return open_lenient(t, LINUX_AT_FDCWD, a[0], a[1], a[2]); }

int64_t sys_openat(struct task *t, const uint64_t a[6]) { return open_lenient(t, (int)a[0], a[1], a[2], a[3]); }

int64_t sys_creat(struct task *t, const uint64_t a[6])
{
	return open_lenient(t, LINUX_AT_FDCWD, a[0], LINUX_O_CREAT | LINUX_O_WRONLY | LINUX_O_TRUNC, a[1]);
}

static unsigned resolve_flags(uint64_t resolve)
{
	static const struct {
		unsigned resolve, walk;
	} map[] = {
		{ LINUX_RESOLVE_NO_XDEV, WALK_NO_XDEV },       { LINUX_RESOLVE_NO_MAGICLINKS, WALK_NO_MAGICLINKS },
		{ LINUX_RESOLVE_NO_SYMLINKS, WALK_NO_SYMLINKS }, { LINUX_RESOLVE_BENEATH, WALK_BENEATH },
		{ LINUX_RESOLVE_IN_ROOT, WALK_IN_ROOT },       { LINUX_RESOLVE_CACHED, WALK_CACHED },
	};
	unsigned walk = 0;

	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if (resolve & map[i].resolve)
			walk |= map[i].walk;
	return walk;
}

/* openat2 refuses what open ignores. */
static int check_how(const struct linux_open_how *h)
{
	const uint64_t path_flags = LINUX_O_PATH | LINUX_O_DIRECTORY | LINUX_O_NOFOLLOW | LINUX_O_CLOEXEC;
	bool creates = h->flags & (LINUX_O_CREAT | LINUX_O_TMPFILE_BIT);

	if (h->flags & ~(uint64_t)LINUX_O_ALL || h->resolve & ~UINT64_C(0x3f))
		return -EINVAL;
	if ((h->resolve & (LINUX_RESOLVE_BENEATH | LINUX_RESOLVE_IN_ROOT)) == (LINUX_RESOLVE_BENEATH | LINUX_RESOLVE_IN_ROOT))
		return -EINVAL;
	if (creates ? h->mode & ~UINT64_C(07777) : h->mode != 0)
		return -EINVAL;
	if (h->flags & LINUX_O_TMPFILE_BIT && !(h->flags & LINUX_O_DIRECTORY))
		return -EINVAL;
	if (h->flags & LINUX_O_PATH && h->flags & ~path_flags)
		return -EINVAL;
	if (h->resolve & LINUX_RESOLVE_CACHED && h->flags & (LINUX_O_TRUNC | LINUX_O_CREAT | LINUX_O_TMPFILE_BIT))
		return -EAGAIN;
	return 0;
}

int64_t sys_openat2(struct task *t, const uint64_t a[6])
{
	struct linux_open_how h;
	uint64_t size = a[3];
	int r;

	if (size < sizeof(h))
		return -EINVAL;
	r = copy_struct_from_user(t->mm, &h, sizeof(h), UADDR(a[2]), size);
	if (r)
		return r;
	r = check_how(&h);
	if (r)
		return r;
	return do_open(t, (int)a[0], a[1], (int)h.flags, (uint32_t)h.mode, resolve_flags(h.resolve));
}

int64_t sys_close(struct task *t, const uint64_t a[6]) { return fd_close_one(t->files, (int)a[0], t->files); }

#define CLOSE_RANGE_UNSHARE 2u
#define CLOSE_RANGE_CLOEXEC 4u

int64_t sys_close_range(struct task *t, const uint64_t a[6])
{
	unsigned first = (unsigned)a[0], last = (unsigned)a[1], flags = (unsigned)a[2];

	if (flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC) || first > last)
		return -EINVAL;
	if (flags & CLOSE_RANGE_UNSHARE) {
		struct fdtable *own = fdtable_dup(t->files), *old = t->files;

		if (!own)
			return -ENOMEM;
		tasks_lock(t->k);
		t->files = own;
		tasks_unlock(t->k);
		(void)platform_records_use(t->ctx, NULL);
		fdtable_put_table(old);
	}
	return fd_close_range(t->files, first, last, flags & CLOSE_RANGE_CLOEXEC);
}
