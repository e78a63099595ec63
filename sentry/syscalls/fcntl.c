/*
 * fcntl.c - dup, dup2, dup3, fcntl, flock.
 */
#include "abi/resource.h"
#include "fs/pipe.h"
#include "fs/tmpfs/tmpfs.h"
#include "kernel/task_table.h"
#include "syscalls/fs_util.h"
#include "vfs/idmap.h"


static uint64_t fd_limit(struct task *t) { return rlimit_get(t, LINUX_RLIMIT_NOFILE); }

static int64_t dup_from(struct task *t, struct file *f, int min, bool cloexec)
{
	int fd;

	file_get(f);
	fd = fd_install(t->files, f, min, cloexec, fd_limit(t));
	if (fd < 0)
		file_put(f);
	return fd;
}

int64_t sys_dup(struct task *t, const uint64_t a[6])
{
	struct file *f = fd_get(t->files, (int)a[0]);
	int64_t r;

	if (!f)
		return -EBADF;
	r = dup_from(t, f, 0, false);
	file_put(f);
	return r;
}

static int64_t dup_to(struct task *t, int old, int new_fd, bool cloexec)
{
	struct file *f = fd_get(t->files, old);
	int r;

	if (!f)
		return -EBADF;
	r = fd_install_at(t->files, new_fd, f, cloexec, fd_limit(t));
	if (r < 0)
		file_put(f);
	return r;
}

int64_t sys_dup2(struct task *t, const uint64_t a[6])
{
	int old = (int)a[0], new_fd = (int)a[1];

	if (old == new_fd) {
		int r = fd_get_cloexec(t->files, old);

		return r < 0 ? r : old;
	}
	return dup_to(t, old, new_fd, false);
}

int64_t sys_dup3(struct task *t, const uint64_t a[6])
{
	int flags = (int)a[2];

	if (flags & ~LINUX_O_CLOEXEC || (int)a[0] == (int)a[1])
		return -EINVAL;
	return dup_to(t, (int)a[0], (int)a[1], flags & LINUX_O_CLOEXEC);
}

/* --- locks ------------------------------------------------------------------------- */

static int import_lock(struct file *f, const struct linux_flock *u, struct file_lock *l)
{
	int64_t start = u->start, end;

	if (u->type != LINUX_F_RDLCK && u->type != LINUX_F_WRLCK && u->type != LINUX_F_UNLCK)
		return -EINVAL;
	switch (u->whence) {
	case LINUX_SEEK_SET:
		break;
	case LINUX_SEEK_CUR:
		if (__builtin_add_overflow(start, file_pos(f), &start))
			return -EOVERFLOW;
		break;
	case LINUX_SEEK_END: {
		struct kstat k;
		int r = vfs_getattr(&f->path, &k);

		if (r)
			return r;
		if (__builtin_add_overflow(start, (int64_t)k.size, &start))
			return -EOVERFLOW;
		break;
	}
	default:
		return -EINVAL;
	}
	if (start < 0)
		return -EINVAL;
	if (u->len > 0) {
		if (__builtin_add_overflow(start, u->len - 1, &end))
			return -EOVERFLOW;
	} else if (u->len < 0) {
		if (start + u->len < 0)
			return -EINVAL;
		end = start - 1;
		start += u->len;
	} else {
		end = INT64_MAX;
	}
	l->type = u->type;
	l->start = start;
	l->end = end;
	return 0;
}

/* The holder's number as t sees it; 0: it does not. */
static pid_t number_of(struct task *t, pid_t tgid)
{
	struct thread_group *tg = tgid == t->tg->tgid ? NULL : tg_find(t->k->root_pids, tgid);
	pid_t nr = tg ? tg_nr(tg, task_pid_ns(t)) : tgid == t->tg->tgid ? t->tg->own_tgid : 0;

	tg_put(tg);
	return nr;
}

static void export_lock(struct task *t, const struct file_lock *l, struct linux_flock *u)
{
	u->type = l->type;
	if (l->type == LINUX_F_UNLCK)
		return;
	u->whence = LINUX_SEEK_SET;
	u->start = l->start;
	u->len = l->end == INT64_MAX ? 0 : l->end - l->start + 1;
	u->pid = l->ofd ? -1 : number_of(t, l->pid);
}

static int64_t record_lock(struct task *t, struct file *f, int cmd, uint64_t arg)
{
	bool ofd = cmd >= LINUX_F_OFD_GETLK, get = cmd == LINUX_F_GETLK || cmd == LINUX_F_OFD_GETLK;
	bool wait = cmd == LINUX_F_SETLKW || cmd == LINUX_F_OFD_SETLKW;
	struct file_lock l = { .owner = ofd ? (const void *)f : (const void *)t->files, .ofd = ofd, .pid = t->tg->tgid };
	struct linux_flock u;
	int r;

	if (copy_from_user(t->mm, &u, UADDR(arg), sizeof(u)))
		return -EFAULT;
	r = import_lock(f, &u, &l);
	if (r)
		return r;
	if (ofd && u.pid)
		return -EINVAL;
	if (get) {
		if (l.type == LINUX_F_UNLCK && !ofd)
			return -EINVAL;
		file_lock_get(f, &l);
		export_lock(t, &l, &u);
		return copy_to_user(t->mm, UADDR(arg), &u, sizeof(u));
	}
	if ((l.type == LINUX_F_RDLCK && !(f->mode & FILE_READ)) || (l.type == LINUX_F_WRLCK && !(f->mode & FILE_WRITE)))
		return -EBADF;
	return file_lock_set(f, &l, wait);
}

int64_t sys_flock(struct task *t, const uint64_t a[6])
{
	int op = (int)a[1], kind = op & ~LINUX_LOCK_NB;
	struct file *f;
	int64_t r;

	if (kind != LINUX_LOCK_SH && kind != LINUX_LOCK_EX && kind != LINUX_LOCK_UN)
		return -EINVAL;
	f = fd_get_io(t->files, (int)a[0]);
	if (!f)
		return -EBADF;
	r = file_flock(f, op, t->tg->tgid);
	file_put(f);
	return r;
}

/* --- flags and leases ------------------------------------------------------------------ */

static int64_t set_flags(struct task *t, struct file *f, int fd, uint32_t flags)
{
	uint32_t now = f->flags, want = (now & ~(uint32_t)LINUX_O_SETFL) | (flags & LINUX_O_SETFL);

	if (want & ~now & LINUX_O_NOATIME && idmap_stored(f->path.mnt, false, t->cred->fsuid) != f->inode->uid && !cred_capable(t->cred, LINUX_CAP_FOWNER))
		return -EPERM;
	return file_set_flags(t, f, fd, want);
}

static int64_t lease(struct file *f, int cmd, int arg)
{
	if (cmd == LINUX_F_GETLEASE)
		return LINUX_F_UNLCK;
	return arg == LINUX_F_UNLCK ? -EAGAIN : -EINVAL;
}

static int64_t fcntl_file(struct task *t, struct file *f, int fd, int cmd, uint64_t arg)
{
	switch (cmd) {
	case LINUX_F_SETFL:
		return set_flags(t, f, fd, (uint32_t)arg);
	case LINUX_F_GETLK:
	case LINUX_F_SETLK:
	case LINUX_F_SETLKW:
	case LINUX_F_OFD_GETLK:
	case LINUX_F_OFD_SETLK:
	case LINUX_F_OFD_SETLKW:
		return record_lock(t, f, cmd, arg);
	case LINUX_F_SETOWN:
	case LINUX_F_GETOWN:
	case LINUX_F_SETSIG:
	case LINUX_F_GETSIG:
	case LINUX_F_SETOWN_EX:
	case LINUX_F_GETOWN_EX:
		return fcntl_owner(t, f, cmd, arg);
	case LINUX_F_ADD_SEALS:
		return tmpfs_add_seals(f, (unsigned)arg);
	case LINUX_F_GET_SEALS:
		return tmpfs_get_seals(f);
	case LINUX_F_GETPIPE_SZ:
		return pipe_of(f) ? pipe_get_size(f) : -EBADF;
	case LINUX_F_SETPIPE_SZ:
		return !pipe_of(f) ? -EBADF : pipe_set_size(f, (unsigned)arg, cred_capable(t->cred, LINUX_CAP_SYS_RESOURCE));
	case LINUX_F_NOTIFY:
		return fcntl_notify(t, f, fd, (uint32_t)arg);
	case LINUX_F_GETLEASE:
	case LINUX_F_SETLEASE:
		return lease(f, cmd, (int)arg);
	default:
		return -EINVAL;
	}
}

int64_t sys_fcntl(struct task *t, const uint64_t a[6])
{
	int fd = (int)a[0], cmd = (int)a[1];
	struct file *f = fd_get(t->files, fd);
	int64_t r;

	if (!f)
		return -EBADF;
	switch (cmd) { /* what O_PATH files can do too */
	case LINUX_F_DUPFD:
	case LINUX_F_DUPFD_CLOEXEC:
		r = (int)a[2] < 0 || (uint64_t)(int)a[2] >= fd_limit(t) ? -EINVAL : dup_from(t, f, (int)a[2], cmd == LINUX_F_DUPFD_CLOEXEC);
		break;
	case LINUX_F_GETFD:
		r = fd_get_cloexec(t->files, fd);
		break;
	case LINUX_F_SETFD:
		r = fd_set_cloexec(t->files, fd, a[2] & LINUX_FD_CLOEXEC);
		break;
	case LINUX_F_GETFL:
		r = f->flags;
		break;
	default:
		r = f->mode & FILE_PATH ? -EBADF : fcntl_file(t, f, fd, cmd, a[2]);
		break;
	}
	file_put(f);
	return r;
}
