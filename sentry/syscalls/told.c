/*
 * told.c - telling a program of the file that it has opened, so that the questions that
 * follow an open (fstat, its flags, lseek, isatty, the read or getdents64 that finds the end, and
 * the close) are answered where they are asked; and of a file that lies in our own memory the bytes around those that
 * it reads again and again by pread.  vfs/told.h says how long that holds.
 */
#include "syscalls/told.h"

#include "kernel/task_table.h"
#include "platform/platform.h"
#include "syscalls/fs_util.h"
#include "syscalls/lend.h"
#include "syscalls/reading.h"
#include "syscalls/stat.h"
#include "vfs/notify.h"
#include "vfs/told.h"

#include <string.h>
#include <sys/syscall.h>

_Static_assert(sizeof(struct linux_stat) == PLATFORM_STAT_SIZE, "as programs want it");

#define DATA_SIZE 1024u
#define DATA_NS INT64_C(1000000000) /* bytes are told for that long: the time of access is due some day, or mounted otherwise */

static bool in_memory(const struct file *f)
{
	return f->inode->sb->sflags & SUPER_IN_MEMORY;
}

/* Its descriptor is this task's alone, and its attributes stay for a while. */
static int64_t may_tell(struct task *t, struct file *f)
{
	if (!f->ops->steady || f->mode & (FILE_STREAM | FILE_PATH) || !(LINUX_S_ISREG(f->inode->mode) || LINUX_S_ISDIR(f->inode->mode)))
		return 0;
	if (f->mode & FILE_WRITE && !in_memory(f))
		return 0;
	if (task_must_ask(t) || fdtable_is_shared(t->files) || ref_count(&f->ref) != 1)
		return 0;
	return f->ops->steady(f);
}

static enum platform_end end_of(const struct task *t, const struct file *f)
{
	return f->mode & FILE_READ && t->told.size && (uint64_t)f->pos >= t->told.size ? PLATFORM_READ_ENDS : PLATFORM_MORE;
}

/* Closing it changes nothing but the table of descriptors. */
static bool may_close(struct file *f)
{
	return !(f->mode & FILE_WRITE) && !f->inode->locks && f->inode->nlink && !notify_is_wanted(f->path.dentry);
}

enum why { OPENED, ASKED };

/* at: where the bytes begin that it is told, too; -1: none. */
static void tell(struct task *t, struct file *f, int fd, enum why why, int64_t at)
{
	struct platform_file p = { .fd = fd };
	_Atomic uint64_t *word;
	struct linux_stat s;
	struct kstat k;
	uint64_t until;

	told_begin(&t->told, f, fd);
	p.ns = may_tell(t, f);
	if (!p.ns || vfs_getattr(&f->path, &k)) {
		told_drop(&t->told);
		return;
	}
	stat_fill(&s, &k, t->cred->user_ns);
	memcpy(p.stat, &s, sizeof(s));
	t->told.size = k.blocks && LINUX_S_ISREG(f->inode->mode) ? k.size : 0;
	p.pos = f->pos;
	p.end = end_of(t, f);
	p.flags = f->flags;
	p.cloexec = fd_get_cloexec(t->files, fd) > 0;
	p.closes = t->told.closes = may_close(f);
	if (at >= 0 && p.ns > DATA_NS)
		p.ns = DATA_NS;
	word = platform_tell_file(t->ctx, &p, &until);
	if (!word) {
		told_drop(&t->told);
		return;
	}
	if (why == OPENED)
		reading_opened(t, f);
	else if (at >= 0)
		reading_show_at(t, f, at, DATA_SIZE);
	told_end(&t->told, word, until);
}

void tell_opened(struct task *t, struct file *f, int fd)
{
	if (!(f->mode & FILE_WRITE) && may_tell(t, f))
		tell(t, f, fd, OPENED, -1);
}

/* What it writes itself, it asks of once as a rule. */
void tell_asked(struct task *t, struct file *f, int fd)
{
	if (may_tell(t, f) && (!(f->mode & FILE_WRITE) || told_is_wanted(&t->told, f, -1)))
		tell(t, f, fd, ASKED, -1);
}

void tell_data(struct task *t, struct file *f, int fd, int64_t pos)
{
	int64_t at = pos - pos % DATA_SIZE;

	if (in_memory(f) && may_tell(t, f) && told_is_wanted(&t->told, f, at))
		tell(t, f, fd, ASKED, at);
}

void tell_read(struct task *t, struct file *f, const uint64_t a[6], int64_t r, int64_t pos)
{
	bool goes_on;

	if (t->told.window.file == f && platform_ring_faulted(t->ctx)) {
		map_for_copy(t, a[1], r, ACCESS_WRITE);
		t->told.window.moved = true; /* it has tried to */
	}
	goes_on = reading_goes_on(t, f, a[2], r, pos);
	if (goes_on && (t->told.file != f || !told_holds(&t->told)) && may_tell(t, f))
		tell(t, f, (int)a[0], ASKED, -1);
	if (t->told.file != f)
		return;
	platform_file_moved(t->ctx, f->pos, end_of(t, f));
	if (goes_on)
		reading_show(t, f);
}

void tell_listed(struct task *t, struct file *f, bool all)
{
	if (t->told.file == f)
		platform_file_moved(t->ctx, f->pos, all ? PLATFORM_LIST_ENDS : PLATFORM_MORE);
}

bool call_leaves_told(uint64_t nr)
{
	static const uint8_t leaves[] = {
		[SYS_read] = 1, [SYS_write] = 1, [SYS_stat] = 1, [SYS_fstat] = 1, [SYS_lstat] = 1, [SYS_mmap] = 1, [SYS_mprotect] = 1,
		[SYS_munmap] = 1, [SYS_brk] = 1, [SYS_rt_sigaction] = 1, [SYS_rt_sigprocmask] = 1, [SYS_pread64] = 1, [SYS_writev] = 1,
		[SYS_access] = 1, [SYS_getcwd] = 1, [SYS_readlink] = 1, [SYS_fadvise64] = 1, [SYS_newfstatat] = 1, [SYS_readlinkat] = 1,
		[SYS_faccessat] = 1, [SYS_getdents64] = 1,
	};

	return nr < sizeof(leaves) && leaves[nr];
}
