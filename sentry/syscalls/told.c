/*
 * told.c - telling a program of the file that it has opened, so that the questions that
 * follow an open (fstat, lseek, isatty, the read that finds the end) are answered where
 * they are asked.  vfs/told.h says how long that holds.
 */
#include "syscalls/told.h"

#include "kernel/task_table.h"
#include "platform/platform.h"
#include "syscalls/stat.h"
#include "vfs/told.h"

#include <string.h>
#include <sys/syscall.h>

_Static_assert(sizeof(struct linux_stat) == PLATFORM_STAT_SIZE, "as programs want it");

/* Its descriptor is this task's alone, and its attributes stay for a while. */
static int64_t may_tell(struct task *t, struct file *f)
{
	if (!f->ops->steady || f->mode & (FILE_WRITE | FILE_STREAM | FILE_PATH) || !LINUX_S_ISREG(f->inode->mode))
		return 0;
	if (task_must_ask(t) || fdtable_is_shared(t->files) || ref_count(&f->ref) != 1)
		return 0;
	return f->ops->steady(f);
}

void tell_file(struct task *t, struct file *f, int fd)
{
	struct platform_file p = { .fd = fd };
	_Atomic uint64_t *word;
	struct linux_stat s;
	struct kstat k;
	uint64_t until;

	if (!may_tell(t, f))
		return;
	told_begin(&t->told, f, fd);
	p.ns = may_tell(t, f);
	if (!p.ns || vfs_getattr(&f->path, &k)) {
		told_drop(&t->told);
		return;
	}
	stat_fill(&s, &k, t->cred->user_ns);
	memcpy(p.stat, &s, sizeof(s));
	t->told.size = k.blocks ? k.size : 0;
	p.pos = f->pos;
	p.at_end = t->told.size && (uint64_t)f->pos >= t->told.size;
	word = platform_tell_file(t->ctx, &p, &until);
	if (word)
		told_end(&t->told, word, until);
	else
		told_drop(&t->told);
}

void tell_position(struct task *t, struct file *f)
{
	if (t->told.file == f)
		platform_file_moved(t->ctx, f->pos, t->told.size && (uint64_t)f->pos >= t->told.size);
}

bool call_leaves_told(uint64_t nr)
{
	static const uint8_t leaves[] = {
		[SYS_read] = 1, [SYS_write] = 1, [SYS_stat] = 1, [SYS_fstat] = 1, [SYS_lstat] = 1, [SYS_mmap] = 1, [SYS_mprotect] = 1,
		[SYS_munmap] = 1, [SYS_brk] = 1, [SYS_rt_sigaction] = 1, [SYS_rt_sigprocmask] = 1, [SYS_pread64] = 1, [SYS_writev] = 1,
		[SYS_access] = 1, [SYS_getcwd] = 1, [SYS_readlink] = 1, [SYS_fadvise64] = 1, [SYS_newfstatat] = 1, [SYS_readlinkat] = 1,
		[SYS_faccessat] = 1,
	};

	return nr < sizeof(leaves) && leaves[nr];
}
