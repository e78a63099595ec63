/*
 * internal.h - what the files of vfs/ share.  Nobody else includes it.
 */
#ifndef SENTRY_VFS_INTERNAL_H
#define SENTRY_VFS_INTERNAL_H

#include "abi/fcntl.h"
#include "abi/fs.h"
#include "vfs/file.h"
#include "vfs/named.h"
#include "vfs/notify.h"
#include "vfs/vfs.h"

#include <errno.h>

#define VFS_TYPES_MAX 32
#define VFS_CHRDEVS_MAX 64
#define DENTRIES_MAX 100000
#define MOUNT_BUCKETS 256
#define MOUNTS_MAX 100000
#define LINKS_MAX 40 /* symbolic links in one walk */

struct chrdev {
	unsigned major, first, count;
	int (*open)(struct inode *i, struct file *f);
};

LIST_HEAD(dentry_bucket, dentry);
TAILQ_HEAD(dentry_list, dentry);
LIST_HEAD(mount_bucket, mount);
TAILQ_HEAD(mount_list, mount);

/* One lock guards hash, tree links, LRU and the mount hash.  A walk through cached names
 * reads under it throughout and takes no references but at its end; walks do not hinder
 * each other.  What readers may change: counts, and the LRU under a lock of its own. */
struct dcache {
	struct brlock lock; /* RANK_DCACHE */
	struct dentry_bucket *buckets; /* [lock] */
	size_t n_buckets, count; /* [lock] */
	struct mutex lru_mu; /* RANK_DCACHE_LRU: for those who only read under lock */
	struct dentry_list lru; /* [lock, or lru_mu] oldest first; may hold used ones (lazily taken off) */
	uint64_t seed; /* [I] */
	uint64_t next_cookie; /* [lock] */
	uint64_t children_out; /* [lock] how often any was taken out of its directory: readdir.c */
	struct mount_bucket mounts[MOUNT_BUCKETS]; /* [lock] by (parent, point) */
	_Atomic unsigned n_mounts; /* [lock to change] */
};

struct vfs {
	const struct fs_type *types[VFS_TYPES_MAX]; /* [I after boot] */
	unsigned n_types;
	struct chrdev chrdevs[VFS_CHRDEVS_MAX]; /* [I after boot] */
	unsigned n_chrdevs;
	_Atomic uint32_t next_dev, next_mount_id, next_cookie;
	_Atomic uint64_t next_ino;
	_Atomic uint32_t age; /* age.c */
	_Atomic int64_t age_began; /* ns monotonic */
	struct kernel *kernel; /* [I after boot] */
	uint64_t host_files, host_memory; /* [I after boot] */
	struct mm_env *mm_env; /* [I after boot] */
	struct dcache dc;
	_Atomic uint64_t own_names[2], *names_changes, *names_roots; /* named.h; where they are: [I after boot] */
	struct mutex mounts_mu; /* RANK_MOUNT: changes of mounts' trees */
	struct mutex rename_mu; /* RANK_RENAME */
	struct mutex locks_mu; /* RANK_FILE: all record locks, vfs/locks.c */
	void *lock_waits; /* [locks_mu] vfs/locks.c: who waits for whom */
	LIST_HEAD(, inode_locks) locked; /* [locks_mu] vfs/locks.h: inodes with locks */
	struct superblock *anon_sb, *shm_sb; /* [I after boot] */
	int (*fifo_open)(struct inode *i, struct file *f); /* [I after boot] */
	void (*fifo_release)(struct inode *i);
	struct notifier notifiers[NOTIFIERS_MAX]; /* [I after boot] */
	unsigned n_notifiers; /* [I after boot] */
	void *notify_priv; /* [I after boot] inotify's own */
	vfs_device_asked_fn *_Atomic device_asked;
};

/* flags: LINUX_MS_MOUNT_FLAGS */
struct mount {
	struct ref ref; /* the last put happens under the dcache lock, as a writer */
	struct superblock *sb; /* [I] owned */
	struct dentry *root; /* [I] owned */
	struct mount *parent; /* [dcache] owned while attached; NULL: a namespace's root, or detached */
	struct dentry *point; /* [dcache] owned while attached */
	struct mount_ns *ns; /* [mounts_mu, dcache] not owned; NULL: in no tree */
	_Atomic unsigned flags;
	_Atomic(struct user_ns *) idmap; /* [mounts_mu to set, once] whose ids its files' are; referenced; NULL: they are as they are */
	/* what a less privileged namespace's programs may not undo: [mounts_mu] */
	bool locked; /* it stays where it is: it may hide something */
	bool flags_locked; /* its flags only get stricter */
	int id; /* [I] */
	LIST_ENTRY(mount) hash_link; /* [dcache] */
	TAILQ_ENTRY(mount) ns_link; /* [mounts_mu, dcache] */
	struct mount *copy; /* [mounts_mu] while a tree is gone through: its copy, or a mark */
	struct path was; /* [mounts_mu] what it was mounted on, until mounts_gone(); owned */
};

/* --- idmap.c (see idmap.h) --- */
const struct cred *idmap_cred_slow(const struct mount *m, const struct cred *c, struct cred *buf);
/* Of c for what lies below m (NULL: nothing is mapped): c itself, or *buf, which holds as long as both. */
static inline bool idmap_is_none(const struct mount *m)
{
	return __builtin_expect(!m || !atomic_load_explicit(&m->idmap, memory_order_acquire), 1);
}
static inline const struct cred *idmap_cred(const struct mount *m, const struct cred *c, struct cred *buf)
{
	return idmap_is_none(m) ? c : idmap_cred_slow(m, c, buf);
}
#define IDMAP_BUF struct cred buf __attribute__((uninitialized)) /* most often nothing is in it */

struct mount_ns {
	struct ref ref;
	struct vfs *vfs; /* [I] */
	bool detached; /* [I] of a tree that is mounted nowhere: nobody is in it, nor refers to it but its mounts */
	struct user_ns *owner; /* [I] whose capabilities count; referenced; NULL: the container's */
	struct mount *root; /* [mounts_mu, dcache] owned */
	struct mount_list mounts; /* [mounts_mu, dcache] each owned; parents before children */
	_Atomic unsigned changes; /* how many there were */
	struct waitq wq; /* EVENT_PRI: there was one */
};

/* --- dcache_table.c --- */
int dcache_init(struct dcache *dc, unsigned cpus);
static inline struct dcache *dcache_of(const struct dentry *d) { return &d->sb->vfs->dc; }
struct dentry *dcache_find_locked(struct dcache *dc, const struct dentry *parent, const char *name, uint32_t len); /* borrowed */
/* As a writer: into and out of the hash (of its parent and name) and its parent's list of children. */
void dcache_hash_in(struct dcache *dc, struct dentry *d);
void dcache_hash_out(struct dentry *d);
void dcache_child_in(struct dcache *dc, struct dentry *d);
void dcache_child_out(struct dcache *dc, struct dentry *d);
void dcache_grow(struct dcache *dc); /* as a writer: more buckets, if there is memory for them */

/* --- dcache.c --- */
void dentry_get_locked(struct dentry *d); /* also from 0; to read under the lock suffices */
void dentry_ahead_used_slow(struct dentry *d);
static inline void dentry_ahead_used(struct dentry *d)
{
	if (__builtin_expect(d->flags & DENTRY_AHEAD, 0))
		dentry_ahead_used_slow(d);
}
void dcache_kill_tree(struct dentry *root); /* a superblock ends */
bool ref_put_unless_last(struct ref *r);

/* The age of what is asked now of sb, which only matters where names age. */
static inline uint32_t super_age(const struct superblock *sb) { return sb->sflags & SUPER_AGES ? vfs_age(sb->vfs) : 0; }

/* --- dcache_move.c --- */
bool dentry_is_below(struct dentry *d, const struct dentry *anc); /* d is anc or below it */
unsigned dentry_depth(struct dentry *d); /* directories above it in its file system */
void dcache_keep_above(struct dentry *d); /* as a writer: d's directories, if it is pinned or they lead to what is (DENTRY_KEEPS) */
/* Names of sb are being changed: lookup_many's answers of that time are not believed. */
void super_change_begin(struct superblock *sb);
void super_change_end(struct superblock *sb);

/* --- mount.c --- */
struct mount *mount_new(struct superblock *sb, struct dentry *root, unsigned flags); /* takes neither reference */
void mount_get_locked(struct mount *m);
void mount_get(struct mount *m);
void mount_put(struct mount *m);
struct mount *mount_at_locked(struct vfs *v, const struct mount *parent, const struct dentry *point); /* borrowed or NULL */
/* mounts_mu held; the _locked ones as a writer of the dcache lock. */
void mount_join_locked(struct mount *m, struct mount_ns *ns); /* becomes the last of ns's; takes m's reference */
void mount_hang_locked(struct mount *m, const struct path *at); /* takes references of its own */
struct path mount_unhang_locked(struct mount *m); /* what it was mounted on, whose references are the caller's; NULLs: nothing */
void mount_detach(struct mount *m, struct mount_list *gone); /* out of its tree and namespace */
void mounts_gone(struct mount_list *gone); /* puts what was detached: not under mounts_mu */

/* --- mount_ns.c --- */
struct mount_ns *mount_ns_alloc(struct vfs *v, struct user_ns *owner); /* without mounts; NULL: no memory */
void mount_ns_free(struct mount_ns *ns); /* without mounts */
void mount_ns_changed(struct mount_ns *ns);

/* --- mount_tree.c: mounts_mu held --- */
struct mount *mount_copy(const struct mount *m, struct dentry *root); /* in no tree yet; NULL: no memory, or MOUNTS_MAX */
/* Marks (`copy`) m and all below it, the rest of its namespace not. */
void mount_mark_tree(struct mount *m);
/* A detached tree, given by its root, is mounted on at, in ns. */
void mount_attach_tree(struct mount *root, const struct path *at, struct mount_ns *ns);
void mount_detach_tree(struct mount *m, struct mount_list *gone);
void mount_tree_last(struct mount *m); /* it and what is below it go to the end of their namespace's list, in order */
bool mount_has_locked_below(struct mount_ns *ns, const struct path *p);
/* A detached tree of one mount, whose reference is taken. NULL: no memory. */
struct mount_ns *mount_tree_begin(struct mount_ns *by, struct mount *root);
void mount_tree_end(struct mount_ns *tree, struct mount_list *gone); /* a detached one, with all that is in it */
/* What is at `from` in a detached tree: its root in *out. by: whose owner may do with it what he wants. */
int mount_tree_copy(struct mount_ns *by, const struct path *from, bool recursive, struct mount **out, struct mount_list *gone);

/* --- mount_attr.c: mounts_mu held --- */
bool mount_loosens(const struct mount *m, unsigned flags); /* its locked flags would be taken back */
bool mount_may_be_made_again(const struct mount *m, unsigned flags); /* of one that there is, as that does not let it be made otherwise */

/* --- walk_ask.c --- */
/* Asks the file system for name, which is at hand in dir, and for what the path has below it,
 * and caches the answers; again: name is cached, but old; flags: WALK_*.  Up to where in name
 * the answer reaches, or NULL: nothing was asked.  Not locked; dir referenced. */
const char *dentry_ask_ahead(struct dentry *dir, const char *name, bool again, unsigned flags);

/* --- permission.c --- */
int inode_permission_idmapped(const struct mount *m, struct inode *i, unsigned mask, const struct cred *c);
static inline int inode_permission_at(const struct mount *m, struct inode *i, unsigned mask, const struct cred *c)
{
	return idmap_is_none(m) ? inode_permission(i, mask, c) : inode_permission_idmapped(m, i, mask, c);
}
int dir_may_create(const struct path *dir, const struct cred *c); /* dir's mu held */
int dir_may_delete(const struct path *dir, struct dentry *victim, bool directory, const struct cred *c);
int may_make_device(struct vfs *v, uint32_t mode, uint64_t rdev, const struct cred *c); /* a node of any type. 0 or -EPERM */
bool inode_owner_or_capable(struct inode *i, const struct cred *c); /* c of idmap_cred(), where there is a path */
bool path_owner_or_capable(const struct path *p, const struct cred *c);

/* --- attr.c --- */
int path_truncate(const struct path *p, uint64_t size, const struct cred *c); /* permission was checked */

/* --- rename.c --- */
/* Two directories of a superblock, which may be the same: their mu, perhaps below those of a file system that lies over it. */
void dirs_lock(struct dentry *a, struct dentry *b);
void dirs_unlock(struct dentry *a, struct dentry *b);

/* --- namei.c --- */
/* dir's mu held: removes d, if c's owner may; nobody is notified. */
int dir_remove(const struct path *dir, struct dentry *d, bool directory, const struct cred *c);
/* dir's mu held: as dentry_lookup_locked, for a name that c's owner is to make by create, mkdir or symlink.  Where the
 * file system sees by itself that it is there already, and nothing is known of it, it is taken to be missing:
 * name_not_made() then, if it was not made. */
int name_to_make(const struct path *dir, const struct qstr *name, const struct cred *c, struct dentry **out);
void name_not_made(struct dentry *d);
uint32_t walk_mode(struct walk *w, const struct inode *dir, uint32_t mode, const struct cred *c); /* of a new file in dir: umask applied, who may set the group bit seen to */

/* --- locks.c --- */
void locks_release_inode(struct inode *i); /* evicted */
void locks_release_file(struct file *f); /* last reference gone: flock and OFD locks */
void locks_release_owner(struct inode *i, const void *owner); /* a descriptor was closed: POSIX locks */

/* --- descriptor tables: fdtable.c, idle.c --- */
struct fd_entry {
	struct file *file; /* owned */
	bool cloexec;
};

struct fdtable {
	struct ref ref;
	struct mutex mu;
	struct fd_entry *e; /* [mu] */
	unsigned size; /* [mu] */
	unsigned first_free; /* [mu] nothing below it is free */
	struct fd_idle *idle; /* [mu] to change: what programs may know without asking; NULL: nothing */
};

void idle_drop_locked(struct fdtable *t, unsigned fd); /* it gets another file, or none */

#endif
