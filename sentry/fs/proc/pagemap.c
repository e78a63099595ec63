/*
 * pagemap.c - /proc/PID/pagemap: 8 bytes for each page of the address space, which tell whether it is there.
 * The frame's number is 0, as Linux shows it to who has not all capabilities: there are no frames here.
 *
 * On the reader's thread.  Who may read is asked as it is opened, and again at each read.
 */
#include "fs/proc/internal.h"

#include <errno.h>

#define PRESENT (UINT64_C(1) << 63)
#define SHARED_OR_FILE (UINT64_C(1) << 61)
#define EXCLUSIVE (UINT64_C(1) << 56)
#define ENTRY 8u
#define BATCH 256u /* pages */

static ssize_t pagemap_read(struct file *f, struct uio *u, int64_t *pos)
{
	ssize_t done = 0, n = 0;
	struct pctx c;
	struct mm *mm;

	if (*pos % ENTRY || u->resid % ENTRY)
		return -EINVAL;
	mm = proc_mem_begin(&c, f);
	if (!mm)
		return 0;
	while (u->resid && (uint64_t)*pos / ENTRY < TASK_SIZE >> PAGE_SHIFT) {
		uint64_t page = (uint64_t)*pos / ENTRY, left = (TASK_SIZE >> PAGE_SHIFT) - page, want = u->resid / ENTRY, out[BATCH];
		uint8_t there[BATCH];

		want = want < BATCH ? want : BATCH;
		want = want < left ? want : left;
		mm_pages(mm, page << PAGE_SHIFT, want, there);
		for (uint64_t i = 0; i < want; i++)
			out[i] = !there[i] ? 0 : PRESENT | (there[i] & MM_PAGE_OWN ? EXCLUSIVE : SHARED_OR_FILE);
		n = uio_copy_out(u, out, want * ENTRY);
		if (n <= 0)
			break;
		done += n;
		*pos += n;
	}
	proc_mem_end(&c, mm);
	return done ? done : n;
}

const struct file_ops proc_pagemap_ops = { .read = pagemap_read, .llseek = proc_mem_llseek };
