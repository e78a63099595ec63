/*
 * locks.c - /proc/locks: the locks that are held, each with those who wait for it, as lslocks(8) reads them.
 */
#include "fs/proc/internal.h"

#include "abi/fcntl.h"
#include "abi/fs.h"
#include "kernel/ns.h"
#include "vfs/vfs.h"

#include <inttypes.h>

/* Whose it is, as this /proc counts; 0: somebody whom it does not show. */
static pid_t owner_of(struct pctx *c, const struct file_lock *l)
{
	struct thread_group *tg;
	pid_t nr;

	if (l->ofd)
		return -1;
	tg = tg_find(c->k->root_pids, l->pid);
	nr = tg ? tg_nr(tg, c->ns) : 0;
	tg_put(tg);
	return nr;
}

static void show_one(struct pctx *c, struct pbuf *b, unsigned id, const struct lock_seen *s)
{
	const char *kind = s->flock ? "FLOCK" : s->l.ofd ? "OFDLCK" : "POSIX", *type = s->l.type == LINUX_F_WRLCK ? "WRITE" : "READ";
	pid_t pid = owner_of(c, &s->l);
	struct kstat st;

	if (!pid || inode_getattr(s->inode, &st))
		return;
	pprintf(b, "%u: %s%-6s ADVISORY  %s %d %02x:%02x:%" PRIu64 " %" PRId64 " ", id, s->waits ? "-> " : "", kind, type, pid, linux_major(st.dev),
		linux_minor(st.dev), st.ino, s->l.start);
	if (s->l.end == INT64_MAX)
		pprintf(b, "EOF\n");
	else
		pprintf(b, "%" PRId64 "\n", s->l.end);
}

SHOW(show_locks)
{
	struct lock_seen *all;
	unsigned n, id = 0;
	int r = vfs_locks(c->k->vfs, &all, &n);

	if (r)
		return r;
	for (unsigned i = 0; i < n; i++) {
		id += !all[i].waits;
		show_one(c, b, id, &all[i]);
	}
	vfs_locks_free(all, n);
	return 0;
}
