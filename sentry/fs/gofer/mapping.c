/*
 * mapping.c - a node as memory: straight from the host's page cache.
 */
#include "libipc/hostcall.h"
#include "fs/gofer/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define AROUND (UINT64_C(2) << 20) /* of a host file mapped at once */

/* What a host file answers: its pages are the host's to bring in one by one, so
 * that more than was asked for costs nothing and saves later faults. */
static struct backing around(int fd, uint64_t off, uint64_t len, uint64_t end, bool read_only)
{
	uint64_t start = off & ~(AROUND - 1), stop = start + AROUND;

	if (stop - off < len)
		stop = off + len;
	if (stop > end)
		stop = end;
	return (struct backing){ .host_fd = fd, .off = start, .start = start, .len = stop - start, .read_only = read_only };
}

static int translate(struct memobj *o, uint64_t off, uint64_t len, unsigned access, struct backing *out)
{
	struct gnode *n = (struct gnode *)o;
	uint64_t end;
	struct stat st;
	int fd, r = 0;

	mutex_lock(&n->mu);
	fd = n->fd_rw >= 0 ? n->fd_rw : n->fd_ro;
	if (fd < 0 || (access & ACCESS_WRITE && n->fd_rw < 0))
		r = -EIO;
	else if (host_fstat(fd, &st))
		r = -EIO;
	if (!r) {
		end = PAGE_UP((uint64_t)st.st_size);
		if (off >= end)
			r = -EFAULT;
		else
			*out = around(fd, off, len, end, n->fd_rw < 0);
	}
	mutex_unlock(&n->mu);
	if (!r && access & ACCESS_WRITE)
		n->touched = n->dirty = true;
	return r;
}

static void close_fds(struct gnode *n)
{
	if (n->fd_ro >= 0)
		close(n->fd_ro);
	if (n->fd_rw >= 0)
		close(n->fd_rw);
	n->fd_ro = n->fd_rw = -1;
}

static void node_release(struct memobj *o)
{
	struct gnode *n = (struct gnode *)o;

	close_fds(n);
	memobj_destroy(&n->obj);
	mutex_destroy(&n->mu);
	free(n);
}

/* What was written through a mapping lies in the host's page cache: msync(2) has it written to the disk. */
static int sync_pages(struct memobj *o, uint64_t off, uint64_t len)
{
	struct gnode *n = (struct gnode *)o;
	int fd;

	mutex_lock(&n->mu);
	fd = n->fd_rw >= 0 ? n->fd_rw : n->fd_ro;
	mutex_unlock(&n->mu);
	return fd >= 0 && fdatasync(fd) ? -errno : 0;
}

const struct memobj_ops gofer_memobj_ops = { .translate = translate, .release = node_release, .sync = sync_pages };
