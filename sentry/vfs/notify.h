/*
 * notify.h - where the vfs tells of changes, for inotify (fs/inotify) and F_NOTIFY (fs/dnotify).
 *
 * The functions below cost two loads when nobody watches.  A watcher counts
 * itself in inode->watches and registers its notifier at boot; that is
 * called with no locks but perhaps f->pos_mu and directory mu's held, so it may
 * take only RANK_FILE and higher locks and must not sleep or touch program memory.
 */
#ifndef SENTRY_VFS_NOTIFY_H
#define SENTRY_VFS_NOTIFY_H

#include "vfs/vfs.h"

struct fdtable;
struct file;

#define NOTIFY_ACCESS 0x1u /* IN_* of inotify(7) */
#define NOTIFY_MODIFY 0x2u
#define NOTIFY_ATTRIB 0x4u
#define NOTIFY_CLOSE_WRITE 0x8u
#define NOTIFY_CLOSE_NOWRITE 0x10u
#define NOTIFY_OPEN 0x20u
#define NOTIFY_MOVED_FROM 0x40u
#define NOTIFY_MOVED_TO 0x80u
#define NOTIFY_CREATE 0x100u
#define NOTIFY_DELETE 0x200u
#define NOTIFY_DELETE_SELF 0x400u
#define NOTIFY_MOVE_SELF 0x800u
#define NOTIFY_UNMOUNT 0x2000u
#define NOTIFY_RENAME 0x10000000u /* of a directory: a name in it has got another one there; inotify has no such event */
#define NOTIFY_ISDIR 0x40000000u

/* i: the watched inode (i->watches was seen not to be 0).  name: the child it
 * is about, for events of a directory, else NULL.  cookie pairs the two halves of a move. */
typedef void notify_fn(struct inode *i, uint32_t event, const char *name, uint32_t cookie);
/* A descriptor for f, whose inode somebody watches, is gone from the table owner, or (NULL) the last one from anywhere. */
typedef void notify_closed_fn(struct file *f, const struct fdtable *owner);
#define NOTIFIERS_MAX 2
struct notifier {
	notify_fn *event;
	notify_closed_fn *closed; /* NULL: it does not mind */
};
void vfs_add_notifier(struct vfs *v, struct notifier n); /* at boot; there is room */
void vfs_notify_priv_set(struct vfs *v, void *p); /* inotify's own; set once at boot */
void *vfs_notify_priv(struct vfs *v);

/* On the inode itself and, with the dentry's name, on its parent directory. */
void notify_dentry_slow(struct dentry *d, uint32_t event);
static inline bool notify_is_wanted(const struct dentry *d)
{
	return d->inode && (d->inode->watches || (d->parent->inode && d->parent->inode->watches));
}
static inline void notify_dentry(struct dentry *d, uint32_t event)
{
	if (__builtin_expect(notify_is_wanted(d), 0))
		notify_dentry_slow(d, event);
}
/* Only on the inode, without a name (DELETE_SELF, MOVE_SELF). */
void notify_inode(struct inode *i, uint32_t event);
/* Only on the directory, about a name in it (CREATE, DELETE, MOVED_*). */
void notify_name(struct inode *dir, const char *name, bool is_dir, uint32_t event, uint32_t cookie);
uint32_t notify_cookie(struct vfs *v);
void notify_closed_slow(struct file *f, const struct fdtable *owner);

#endif
