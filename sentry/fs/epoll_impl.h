/*
 * epoll_impl.h - inside of epoll: shared by epoll.c and epoll_watch.c only.
 *
 * Locks, outermost first: nest lock (epoll_watch.c), ep->mu RANK_EPOLL (nested sets:
 * outer before inner), wait queues, watch->mu and ep->ready_mu RANK_LEAF.
 *
 * An item is on three lists: its set's tree [ep->mu], its file's watch
 * [watch->mu; removed with ep->mu held too] and maybe its set's ready list
 * [ready_mu].  It holds a reference to its set, none to its file: the last
 * file_put calls watch_gone, which removes the file's items first.  So with ep->mu
 * held the files of all its items are still whole.
 */
#ifndef SENTRY_FS_EPOLL_IMPL_H
#define SENTRY_FS_EPOLL_IMPL_H

#include "fs/epoll.h"
#include "lib/lock.h"
#include "lib/ref.h"
#include "lib/wait.h"
#include "vfs/file.h"

struct epoll;

struct watch { /* a file's, made at its first EPOLL_CTL_ADD */
	struct file_watch hook; /* first */
	struct mutex mu; /* RANK_LEAF */
	LIST_HEAD(, epitem) items; /* [mu] */
};

struct epitem {
	RB_ENTRY(epitem) tree; /* [ep->mu] by file, fd */
	LIST_ENTRY(epitem) watch_link; /* [watch->mu] */
	TAILQ_ENTRY(epitem) ready_link; /* [ready_mu] */
	bool ready; /* [ready_mu] on the list */
	int fd; /* [I] */
	struct file *file; /* [I] no reference */
	struct watch *watch; /* [I] the file's */
	struct epoll *ep; /* [I] referenced */
	uint32_t events; /* [ep->mu] wanted, with ERR and HUP; 0 but for flags after a one-shot */
	uint64_t data; /* [ep->mu] */
	struct waiter w;
};

RB_HEAD(eptree, epitem);
RB_PROTOTYPE(eptree, epitem, tree, epitem_cmp)

struct epoll {
	struct ref ref; /* its file and each item */
	struct mutex mu; /* RANK_EPOLL */
	struct file *file; /* [I] no reference; whole while items exist */
	uint64_t looked; /* [nest lock] nest_check's: when it was last looked into, and how deep it went */
	int depth;
	struct eptree items; /* [mu] */
	struct mutex ready_mu; /* RANK_LEAF */
	TAILQ_HEAD(, epitem) ready; /* [ready_mu] */
	_Atomic unsigned n_ready; /* [ready_mu to write] */
	struct waitq wq;
};

extern const struct file_ops epoll_file_ops;
void epoll_put(struct epoll *ep);
/* ep->mu held: takes the item off all lists and frees it; the caller drops the item's reference to ep afterwards. */
void epitem_remove(struct epitem *it);

struct watch *watch_get(struct file *f); /* the file's, made if need be; NULL: no memory. The caller holds a reference to f */
/* While held no set is put into another one. */
void nest_lock(void);
void nest_unlock(void);
/* -ELOOP if `inner` in `outer` would make a loop or too deep a nest. nest lock held, no set locked. */
int nest_check(struct epoll *outer, struct epoll *inner);
/* -EINVAL if by f, which has been put into a set, an event can come to sets by too many ways. The same locks; f has a watch,
 * and the caller a reference to it. */
int ways_check(struct file *f);

#endif
