/*
 * mem.c - /proc/PID/mem: another process's memory as a file.  Access was
 * checked at open; the process is found again at each transfer.
 */
#include "fs/proc/internal.h"

#include <errno.h>

#define CHUNK 1024

struct mm *proc_mem_begin(struct pctx *c, struct file *f)
{
	struct mm *mm;

	if (pctx_begin(c, f->inode->sb, pnode_of(f->inode)))
		return NULL;
	mm = proc_may_access(c) || !c->t ? NULL : task_get_mm(c->t);
	if (!mm)
		pctx_end(c);
	return mm;
}

void proc_mem_end(struct pctx *c, struct mm *mm)
{
	mm_put(mm);
	pctx_end(c);
}

static ssize_t transfer(struct file *f, struct uio *u, int64_t *pos, bool write)
{
	struct pctx c;
	struct mm *mm = proc_mem_begin(&c, f);
	ssize_t done = 0, n = 0;

	if (!mm)
		return 0;
	while (u->resid) {
		char chunk[CHUNK];
		size_t want = u->resid < CHUNK ? u->resid : CHUNK;

		if (write && (n = uio_copy_in(u, chunk, want)) <= 0)
			break;
		n = copy_remote(mm, (uint64_t)*pos, chunk, write ? (size_t)n : want, write);
		if (n <= 0) {
			n = -EIO;
			break;
		}
		if (!write && (n = uio_copy_out(u, chunk, (size_t)n)) <= 0)
			break;
		done += n;
		*pos += n;
	}
	proc_mem_end(&c, mm);
	return done ? done : n;
}

static ssize_t mem_read(struct file *f, struct uio *u, int64_t *pos)
{
	return transfer(f, u, pos, false);
}

static ssize_t mem_write(struct file *f, struct uio *u, int64_t *pos)
{
	return transfer(f, u, pos, true);
}

int64_t proc_mem_llseek(struct file *f, int64_t off, int whence)
{
	if (whence == 1)
		off = (int64_t)((uint64_t)off + (uint64_t)f->pos);
	else if (whence)
		return -EINVAL;
	f->pos = off;
	return off;
}

const struct file_ops proc_mem_ops = { .read = mem_read, .write = mem_write, .llseek = proc_mem_llseek, .unsigned_pos = true };
