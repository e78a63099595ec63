/*
 * vfs.h - file systems, inodes, dentries, mounts and path walks.
 *
 * superblock  one instance of a file system type
 * inode       a file object; [i->mu] RANK_INODE guards contents of directories
 *             and tmpfs-like data; attributes have a_mu (RANK_LEAF)
 * dentry      a name in a directory, positive or negative, cached; the tree
 * mount       a superblock's tree attached to the namespace's tree
 *
 * Times are ns since the epoch.  All functions return 0 or negative errno
 * unless said otherwise.  "new reference" results must be put by the caller.
 */
#ifndef SENTRY_VFS_VFS_H
#define SENTRY_VFS_VFS_H

#include "abi/fs.h"
#include "lib/lock.h"
#include "lib/ref.h"
#include "lib/uaddr.h"
#include "lib/wait.h"
#include "mm/memobj.h"
#include "vfs/cred.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/tree.h>
#include <sys/types.h>

struct kernel;
struct file;
struct inode;
struct dentry;
struct mount;
struct superblock;
struct vfs;
struct uio;
struct dirent_sink;
struct told;

struct qstr {
	const char *name; /* not NUL-terminated */
	uint32_t len; /* 1..255 */
};

/* Attributes, as statx tells them. */
struct kstat {
	uint64_t ino, size, blocks;
	uint32_t mode, nlink, uid, gid, blksize;
	uint64_t dev, rdev; /* Linux dev_t encoding, 64 bit */
	int64_t atime, mtime, ctime, btime;
	uint32_t attributes; /* STATX_ATTR_* */
};

#define ATTR_MODE 1u
#define ATTR_UID 2u
#define ATTR_GID 4u
#define ATTR_SIZE 8u
#define ATTR_ATIME 16u
#define ATTR_MTIME 32u
#define ATTR_CTIME 64u
#define ATTR_OWNER 128u /* chown(2), of neither perhaps: set-id bits go */
#define TIME_NOW INT64_MIN
struct iattr {
	uint32_t valid;
	uint32_t mode, uid, gid;
	uint64_t size;
	int64_t atime, mtime; /* TIME_NOW: now */
};

struct kstatfs {
	uint64_t type, bsize, blocks, bfree, bavail, files, ffree, namelen, flags;
};

/* Operations of an inode.  d/dir arguments are borrowed.  Directory changing
 * operations are called with the directory inode's mu held (both for rename and
 * link), permissions checked, and the dentry looked up: negative for creation.
 * On success creation operations make the dentry positive (dentry_instantiate). */
struct inode_ops {
	/* Finds name in directory; makes *out the inode (new reference) or NULL
	 * with return 0 for "not there" (a negative dentry is cached). Called without dir->mu
	 * for INODE_LOOKUP_UNLOCKED file systems, else with it. */
	int (*lookup)(struct inode *dir, const struct qstr *name, struct inode **out);
	int (*create)(struct inode *dir, struct dentry *d, uint32_t mode, const struct cred *c); /* regular file */
	int (*mkdir)(struct inode *dir, struct dentry *d, uint32_t mode, const struct cred *c);
	int (*mknod)(struct inode *dir, struct dentry *d, uint32_t mode, uint64_t rdev, const struct cred *c);
	int (*symlink)(struct inode *dir, struct dentry *d, const char *target, const struct cred *c);
	int (*link)(struct inode *dir, struct dentry *d, struct inode *target);
	int (*unlink)(struct inode *dir, struct dentry *d);
	int (*rmdir)(struct inode *dir, struct dentry *d);
	int (*rename)(struct inode *old_dir, struct dentry *old, struct inode *new_dir, struct dentry *new_d, unsigned flags); /* the vfs moves the dentries */
	/* The target: malloc'ed in *out.  Magic links (proc) use follow instead. */
	int (*readlink)(struct inode *i, char **out);
	/* Magic link: where it leads (new references), e.g. /proc/PID/fd/N. May be NULL. */
	int (*follow)(struct inode *i, struct mount **mnt, struct dentry **d);
	/* Optional: without it vfs_getattr answers from the inode's fields. */
	int (*getattr)(struct inode *i, struct kstat *st);
	/* Optional: whether what getattr answers stays so until inode_changed() is called, or an age ends (age.c). [no] */
	bool (*steady)(const struct inode *i);
	/* Permission was checked, ATTR_SIZE included. */
	int (*setattr)(struct inode *i, const struct iattr *a);
	/* Completes an open: fills f->ops, f->wq, f->priv, maybe f->obj. */
	int (*open)(struct inode *i, struct file *f);
	ssize_t (*getxattr)(struct inode *i, const char *name, void *value, size_t size);
	int (*setxattr)(struct inode *i, const char *name, const void *value, size_t size, int flags); /* value NULL: remove */
	ssize_t (*listxattr)(struct inode *i, char *list, size_t size);
	/* Optional: a cached dentry's truth is asked before use (shared gofer trees, proc): 1 still good, 0 drop it, <0 error */
	int (*revalidate)(struct dentry *d);
	/* Optional: replaces the generic mode-bit permission check. */
	int (*permission)(struct inode *i, unsigned mask, const struct cred *c);
	/* Optional: a regular file without a name (O_TMPFILE), nlink 0. [EOPNOTSUPP] */
	int (*tmpfile)(struct inode *dir, uint32_t mode, const struct cred *c, struct inode **out);
	/* Optional: a whiteout without a name yet, which rename leaves (RENAME_WHITEOUT is in its flags then, and the vfs places
	 * it): in-memory file systems. [EINVAL] */
	int (*whiteout)(struct inode *dir, const struct cred *c, struct inode **out);
	/* Optional: several names below one another in one go, as far as they are
	 * there; stops after a symbolic link. out[0..ret): new references. A NULL in out[ret]
	 * (ret < n) says that that name is known not to be there when *negative is set.
	 * Called without locks. */
	int (*lookup_many)(struct inode *dir, const struct qstr *names, unsigned n, struct inode **out, bool *negative);
	/* Optional: a name that is not cached, or old (age.c), is about to be looked up: caches or renews it, with others of
	 * its directory that are likely to be next (dentry_mark_ahead). last: the path ends there;
	 * open: and the file is to be opened for reading. False: nothing is known that was not; the other operations are asked. Called without locks. */
	bool (*lookup_ahead)(struct dentry *dir, const struct qstr *name, bool last, bool open);
};
#define LOOKUP_MANY_MAX 32

struct inode {
	struct ref ref;
	struct superblock *sb; /* [I] */
	const struct inode_ops *ops; /* [I] */
	uint64_t ino; /* [I] */
	struct mutex mu; /* RANK_INODE */
	struct mutex a_mu; /* RANK_LEAF: the attributes below */
	_Atomic uint32_t mode, uid, gid; /* [a_mu to write] read without it, each for itself; the type bits of mode are immutable */
	_Atomic uint32_t nlink; /* [a_mu to write] */
	uint64_t size, rdev; /* [a_mu] */
	int64_t atime, mtime, ctime; /* [a_mu] */
	_Atomic int64_t btime; /* [a_mu to write] */
	struct memobj *obj; /* [I after open] what mmap maps; NULL: not mappable */
	void *priv; /* the file system's */
	char *link; /* [a_mu to set, once] a symbolic link's target, owned; may stay NULL: then readlink is asked */
	uint32_t iflags; /* [mu] INODE_* */
	void *locks; /* POSIX and flock locks: vfs/locks.c */
	_Atomic uint32_t watches; /* how many want to hear of it (notify.h), tested without their locks */
	_Atomic(struct told *) told; /* [a_mu to write] who may look at it without asking: told.h */
	_Atomic bool named; /* programs may have been told of its attributes by a name: named.h */
	LIST_HEAD(, dentry) names; /* [dcache lock] its dentries */
	struct unix_bound *bound; /* a bound UNIX socket (net/unix), [a_mu] */
	struct pipe *fifo; /* a named pipe's buffer, [a_mu] */
	int32_t write_count; /* [a_mu] >0 writers, <0 denied (running program: ETXTBSY) */
};

/* Permissions (the type stays) and owner, with a_mu held; who reads them without it needs no order among them. */
static inline void inode_take_owner(struct inode *i, uint32_t mode, uint32_t uid, uint32_t gid)
{
	atomic_store_explicit(&i->mode, (i->mode & LINUX_S_IFMT) | (mode & 07777), memory_order_relaxed);
	atomic_store_explicit(&i->uid, uid, memory_order_relaxed);
	atomic_store_explicit(&i->gid, gid, memory_order_relaxed);
}

/* inode.c: i's content was changed through real, a file of another file system: what the vfs looks at is taken over. */
void inode_written_through(struct inode *i, struct inode *real);
uint64_t inode_size(struct inode *i); /* inode.c: of who does not hold a_mu */

#define INODE_EMPTY 2u /* [I] a directory for mounting on, in which nothing can be made: what is mounted there hides nothing */
#define INODE_DEAD 1u /* a directory that was removed: nothing can be made in it */

struct dentry {
	/* what finding a name looks at, on its way past others' (in one or two cache lines): */
	struct ref ref; /* children and mounts hold references on their parent */
	uint32_t hash;
	LIST_ENTRY(dentry) hash_link;
	struct dentry *parent; /* [dcache lock to change]; root: itself */
	char *name; /* [dcache lock to change] NUL-terminated; may point to short_name */
	uint32_t name_len;
	_Atomic uint32_t flags; /* DENTRY_* */
	_Atomic uint32_t age; /* when it was known to hold: age.c */
	struct superblock *sb; /* [I] */
	struct inode *inode; /* NULL: negative. Set once while the directory's mu is held; stays after unlink (the dentry is unhashed then) */
	uint64_t cookie; /* position in its directory: dcache_readdir */
	LIST_ENTRY(dentry) name_link; /* inode's */
	TAILQ_ENTRY(dentry) lru_link, child_link;
	TAILQ_HEAD(, dentry) children;
	void *priv; /* the file system's */
	char short_name[32];
};
#define DENTRY_MOUNTED 1u /* something is mounted on it in some namespace */
#define DENTRY_UNHASHED 2u /* deleted: "(deleted)" in paths */
#define DENTRY_PINNED 4u /* in-memory file systems: not evictable, holds a reference on itself until dropped */
#define DENTRY_ONLRU 8u
#define DENTRY_HASHED 16u
#define DENTRY_AHEAD 32u /* brought by lookup_ahead, and not used yet */
#define DENTRY_KEEPS 64u /* a name below it is pinned, or was once (but in SUPER_IN_MEMORY) */

struct super_ops {
	int (*statfs)(struct superblock *sb, struct inode *i, struct kstatfs *out);
	void (*evict)(struct inode *i); /* last reference gone: free priv, and the data if nlink is 0 */
	void (*kill)(struct superblock *sb); /* last reference gone */
	int (*sync)(struct superblock *sb);
	int (*remount)(struct superblock *sb, unsigned flags, const char *options);
	int (*show_options)(struct superblock *sb, char *buf, size_t size); /* ",size=64k" for /proc/mounts */
	bool (*may_bind)(const struct inode *i); /* [no] may be bound though it is in no mount (nsfs) */
};

struct superblock {
	struct ref ref;
	const struct super_ops *ops;
	const struct fs_type *type;
	struct vfs *vfs;
	struct dentry *root; /* owned */
	uint64_t dev; /* anonymous device number (0:N) */
	struct mutex two_mu; /* RANK_INODE, before its directories' mu: held by who locks two of those (rename.c) */
	unsigned flags; /* SB_* (MS_RDONLY ...) */
	uint32_t sflags; /* SUPER_* */
	char *source; /* for /proc/mounts */
	struct user_ns *owner; /* [I] whose capabilities count for it; referenced; NULL: the container's */
	_Atomic uint64_t change_seq; /* odd while names of this file system are being changed, or changed meanwhile: guards lookup_many */
	_Atomic uint32_t changing;
	_Atomic uint32_t ahead_used, ahead_used_files; /* names brought ahead that were used then; and those that are no directories. Their owner takes away from them */
	void *priv;
};
#define SUPER_LOOKUP_UNLOCKED 1u
#define SUPER_IN_MEMORY 2u /* positive dentries are pinned: the dentry tree is the directory (tmpfs, static proc/dev trees) */
#define SUPER_REVALIDATE 4u /* inode_ops.revalidate is to be asked */
#define SUPER_UNCACHED 16u /* dentries are dropped when unused (proc) */
#define SUPER_OWN_OPEN 32u /* inode_ops.open opens everything, devices and fifos too (host files) */
#define SUPER_AGES 64u /* the host changes it now and then: what is cached is asked again, see age.c */
#define SUPER_STEADY 128u /* names change by the vfs only, or with an age: programs may be told of them (named.h) */
#define SUPER_NO_NEGATIVE 8u /* negative answers are not cached */
#define SUPER_TELLS_EXISTS 512u /* create, mkdir and symlink answer -EEXIST by themselves: the name need not be looked up before */
#define SUPER_MOVES_DENTRIES 256u /* inode_ops.rename moves the dentries itself (dcache_move, dcache_exchange) */

struct fs_context;
struct fs_context_args { /* what mount(2) or the boot specification gives */
	const char *source, *options;
	unsigned flags; /* LINUX_MS_* */
	const struct cred *cred;
	struct fs_context *fs; /* of who mounts: where paths in options begin; NULL at boot */
	void (*say)(const struct fs_context_args *a, const char *why); /* what is wrong with the options; may be NULL */
	void *sayer; /* its own */
	void *extra; /* the type's own: the gofer connection and tree, overlay layers ... */
};
struct fs_type {
	const char *name;
	int (*mount)(struct vfs *v, const struct fs_type *t, const struct fs_context_args *a, struct superblock **out);
	bool user_mountable; /* by mount(2) from the program with CAP_SYS_ADMIN */
	/* Optional: whether a single option is one (fsconfig(2)); value NULL: it was given without; may be changed. -ENOENT: not known;
	 * -EINVAL: not its value. [-ENOENT] */
	int (*option)(const struct fs_context_args *a, const char *key, char *value);
	bool idmaps; /* mounts of it may map ids */
	bool escapes; /* a backslash in options makes a comma part of a value */
	/* Optional: what of it the running task mounts, a new reference; a directory. [its root] */
	struct dentry *(*seen_root)(struct superblock *sb);
};

struct path {
	struct mount *mnt;
	struct dentry *dentry;
};
void path_get(const struct path *p);
void path_put(struct path *p); /* and sets it to NULLs */

/* One per kernel: types, device numbers, dentry cache, devices. */
struct vfs *vfs_new(unsigned cpus); /* that walk at once */
int vfs_register(struct vfs *v, const struct fs_type *t);
const struct fs_type *vfs_find_type(struct vfs *v, const char *name);
uint64_t vfs_anon_dev(struct vfs *v);
/* Character devices: opened through any file system's device node. */
int vfs_register_chrdev(struct vfs *v, unsigned major, unsigned minor_first, unsigned minor_count, int (*open)(struct inode *i, struct file *f));
/* Named pipes (fs/pipe.c): how they are opened, and what ends i->fifo with the inode. Set once at boot. */
void vfs_set_fifo_ops(struct vfs *v, int (*open)(struct inode *i, struct file *f), void (*release)(struct inode *i));
/* The hidden tmpfs instance that holds memfds (fs/tmpfs); takes the reference. */
void vfs_set_shm(struct vfs *v, struct superblock *sb);
struct superblock *vfs_shm(struct vfs *v);
void vfs_kernel_set(struct vfs *v, struct kernel *k); /* for file systems above the kernel layer */
struct kernel *vfs_kernel(struct vfs *v);
void vfs_host_files_set(struct vfs *v, uint64_t n);
uint64_t vfs_host_files(const struct vfs *v); /* how many descriptors the sentry may have open */
void vfs_host_memory_set(struct vfs *v, uint64_t bytes);
uint64_t vfs_host_memory(const struct vfs *v); /* bytes that the host has */
struct mm_env *vfs_mm_env(struct vfs *v); /* set by vfs_mm_env_set at boot: tmpfs needs the memory file */
void vfs_mm_env_set(struct vfs *v, struct mm_env *e);

/* What is cached of trees that the host changes now and then (SUPER_AGES): vfs/age.c. */
uint32_t vfs_age(struct vfs *v);
void vfs_new_age(struct vfs *v); /* before a request from outside is carried out */
int64_t super_knows_for(const struct superblock *sb, int64_t when); /* and for how long from now, ns; INT64_MAX; 0: it does not */
bool super_knows_since(const struct superblock *sb, int64_t when); /* what was learned then (ns monotonic) still counts */
bool dentry_is_old(const struct dentry *d); /* it is to be asked again; never what is pinned, or has something pinned below it */
void dentry_renew(struct dentry *d, uint32_t age); /* it was asked about at that age */

/* --- inodes and dentries, for file systems --------------------------------- */
struct inode *inode_new(struct superblock *sb, const struct inode_ops *ops, uint64_t ino, uint32_t mode); /* times now, nlink 1 */
/* uid, gid and mode of what c makes in dir (setgid directories). */
void inode_init_owner(struct inode *i, const struct inode *dir, const struct cred *c);
void inode_get(struct inode *i);
void inode_put(struct inode *i);
void inode_touch(struct inode *i, uint32_t attr_mask); /* ATTR_ATIME/MTIME/CTIME: to now */
struct superblock *super_new(struct vfs *v, const struct fs_type *t, const struct super_ops *ops);
void super_put(struct superblock *sb);
/* An unhashed dentry of its own (memfds, O_TMPFILE); takes the inode's reference. vfs_path_name shows just its name. */
struct dentry *dentry_new_anon(struct superblock *sb, const char *name, struct inode *i);
struct dentry *dentry_make_root(struct superblock *sb, struct inode *i); /* takes the inode's reference */
void dentry_get(struct dentry *d);
void dentry_put(struct dentry *d);
void dentry_instantiate(struct dentry *d, struct inode *i); /* negative -> positive; takes the reference */
/* In-memory file systems building their trees: adds a positive, pinned child. */
struct dentry *dentry_add(struct dentry *parent, const char *name, struct inode *i);
void dentry_pin(struct dentry *d); /* keeps d, also a negative one, until dentry_drop; nothing, if that was before */
void inode_pin_names(struct inode *i); /* those that are cached; not a root */
void dcache_move(struct dentry *d, struct dentry *new_dir, const char *name, uint32_t len); /* rename */
/* d, of dentry_new_anon, gets its name in dir, where nothing is called so (in-memory file systems); dir's mu held. */
void dcache_place(struct dentry *d, struct dentry *dir);
void dcache_exchange(struct dentry *a, struct dentry *b);
/* A lookup's answer becomes a dentry (or the one already there wins); takes i's reference, NULL: negative. New reference. */
int dcache_enter(struct dentry *dir, const struct qstr *name, struct inode *i, struct dentry **out);
/* What is pinned of a name: 1 positive (its number and DT_* type), 0 negative, -ENOENT nothing. */
int dcache_peek_pinned(struct dentry *dir, const char *name, uint32_t len, uint64_t *ino, unsigned *type);
/* The pinned, positive children, in order; fn under the dcache lock. */
void dcache_each_pinned(struct dentry *dir, void (*fn)(const struct dentry *d, void *arg), void *arg);
/* The same name, only if it is cached: new reference or NULL. */
struct dentry *dcache_get(struct dentry *dir, const struct qstr *name);
/* A name by which i is reached (new reference), or NULL: all are gone. */
struct dentry *inode_dentry(struct inode *i);
/* d's directory (new reference; NULL: it has none) and its name there. */
struct dentry *dentry_parent(struct dentry *d, char name[256]);
void dentry_mark_ahead(struct dentry *d);
/* Asks the file system for those of several names below one another, the first in dir, of which the cache does not
 * know already (lookup_many), and caches them; no more than a hint. */
void dentry_prefetch(struct dentry *dir, const struct qstr *names, unsigned n);
void dentry_drop(struct dentry *d); /* unhash: the name is gone (also drops the pin) */
/* The child of dir called name: cached or looked up, maybe negative; new reference. Takes dir's inode's mu; for
 * the _locked form the caller holds it. -ENOTDIR, -ENAMETOOLONG, or the lookup's error. */
int dentry_lookup(struct dentry *dir, const struct qstr *name, struct dentry **out);
int dentry_lookup_locked(struct dentry *dir, const struct qstr *name, struct dentry **out);
bool dentry_has_children(struct dentry *dir); /* positive ones, cached: for in-memory file systems, with dir's mu held */
/* A file_ops.readdir for in-memory file systems: lists the positive children. */
int dcache_readdir(struct file *f, struct dirent_sink *s);
/* Write access to a regular file as a whole: ETXTBSY between writers and running programs. */
int inode_get_write(struct inode *i);
void inode_put_write(struct inode *i);
int inode_deny_write(struct inode *i);
void inode_allow_write(struct inode *i);
/* A file system's own file on a dentry: opened without checks. */
int file_alloc(const struct path *p, int flags, const struct cred *c, struct file **out);
uint64_t inode_next_ino(struct vfs *v); /* numbers for in-memory file systems */

/* --- mounts ------------------------------------------------------------------ */
struct mount_ns;
struct mount_ns *mount_ns_new(struct superblock *root, unsigned flags); /* takes the sb's reference */
void mount_ns_get(struct mount_ns *ns);
/* How often its mounts have changed, and who is woken then; as long as ns is. */
const _Atomic unsigned *mount_ns_changes(struct mount_ns *ns, struct waitq **wq);
void mount_ns_put(struct mount_ns *ns);
uint64_t mount_ns_ino(const struct mount_ns *ns); /* as /proc/PID/ns/mnt shows it */
/* CLONE_NEWNS: root and cwd are moved to the same places in the copy, but if there is no memory (NULL).
 * With another owner than ns has its programs cannot undo what was mounted before. */
struct mount_ns *mount_ns_dup(struct mount_ns *ns, struct user_ns *owner, struct path *root, struct path *cwd);
struct user_ns *mount_ns_owner(const struct mount_ns *ns); /* borrowed; NULL: the container's */
/* Whether a file system of the type is mounted there, whole and with nothing locked on it, and not stricter than flags. */
bool mount_ns_shows(struct mount_ns *ns, const struct fs_type *type, unsigned flags);
void mount_ns_root(struct mount_ns *ns, struct path *out); /* new references */
/* Whether p can be looked at without what is mounted on it, and below: 0; -EINVAL, where a less privileged namespace's
 * programs would see what is hidden from them, or that is none of ns. */
int mount_ns_may_uncover(struct mount_ns *ns, const struct path *p);
int vfs_mount(struct mount_ns *ns, const struct path *at, struct superblock *sb, unsigned flags); /* takes the reference of sb on success */
int vfs_bind(struct mount_ns *ns, const struct path *from, const struct path *at, bool recursive);
int vfs_remount(struct mount_ns *ns, const struct path *at, unsigned flags, const char *options, bool bind_only);
/* from: a mount of ns, or the root of a detached tree. beneath_in: what is mounted at `at` comes to lie on it; the caller's
 * root, NULL: on top. */
int vfs_mount_move(struct mount_ns *ns, const struct path *from, const struct path *at, const struct path *beneath_in);
/* Detached trees, which end with the file (FILE_UNMOUNT), or by vfs_tree_dissolve(), unless they were attached: a copy of
 * what is mounted at `from`; a mount of sb.  *out: the root, a new reference. */
int vfs_tree_copy(struct mount_ns *ns, const struct path *from, bool recursive, struct path *out);
int vfs_tree_new(struct mount_ns *ns, struct superblock *sb, unsigned flags, struct path *out);
void vfs_tree_dissolve(struct mount *m); /* nothing, if it is not the root of such a tree (any more) */
/* mount_setattr(2): LINUX_MS_* of LINUX_MS_MOUNT_FLAGS. -EPERM: locked. */
struct mount_change {
	unsigned set, clear;
	struct user_ns *idmap; /* whose ids the files' become: only of what is in a detached tree; NULL: as they are */
	const struct cred *cred; /* who changes it */
};
int vfs_mount_setattr(struct mount_ns *ns, const struct path *at, const struct mount_change *c, bool recursive);
/* A file system's own flags (MS_RDONLY), those of mask, and options. */
int vfs_reconfigure(struct superblock *sb, unsigned flags, unsigned mask, const char *options);
int vfs_umount(struct mount_ns *ns, const struct path *at, int flags);
int vfs_pivot_root(struct mount_ns *ns, const struct path *new_root, const struct path *put_old);
/* /proc/PID/mounts, mountinfo: lines in order into fn. */
struct mount_info {
	int id, parent_id;
	uint64_t dev;
	char *root, *point; /* paths as seen from `seen_from`; valid during the callback */
	unsigned flags;
	struct superblock *sb;
};
int mount_ns_for_each(struct mount_ns *ns, const struct path *seen_from, int (*fn)(const struct mount_info *m, void *arg), void *arg);

/* --- walking ----------------------------------------------------------------- */
/* A task's (shared by CLONE_FS). */
struct fs_context {
	struct ref ref;
	struct mutex mu; /* RANK_FDTABLE */
	struct path root, cwd;
	uint32_t umask;
	struct mount_ns *ns;
};
struct fs_context *fs_context_new(struct mount_ns *ns); /* root and cwd at the namespace's root, umask 022 */
struct fs_context *fs_context_dup(struct fs_context *f);
void fs_context_put(struct fs_context *f);
void fs_context_set(struct fs_context *f, const struct path *root, const struct path *cwd); /* either may be NULL: unchanged; takes own references */
void fs_context_root(struct fs_context *f, struct path *out); /* new references */
void fs_context_cwd(struct fs_context *f, struct path *out);
struct mount_ns *fs_context_get_ns(struct fs_context *f); /* any thread; a new reference */
void fs_context_enter_ns(struct fs_context *f, struct mount_ns *ns); /* setns: root and working directory are ns's root; f must not be shared */
int fs_context_unshare_ns(struct fs_context *f, struct user_ns *owner); /* CLONE_NEWNS: a namespace of its own; f must not be shared */

#define WALK_FOLLOW 1u /* follow a last symbolic link */
#define WALK_DIRECTORY 2u /* ENOTDIR unless it is one */
#define WALK_PARENT 4u /* stop at the parent; the last component is returned */
#define WALK_EMPTY 8u /* an empty name means base (AT_EMPTY_PATH) */
#define WALK_NO_XDEV 16u /* openat2 RESOLVE_* */
#define WALK_NO_MAGICLINKS 32u
#define WALK_NO_SYMLINKS 64u
#define WALK_BENEATH 128u
#define WALK_IN_ROOT 256u
#define WALK_NO_AUTOMOUNT 512u
#define WALK_CACHED 1024u /* only what is cached: -EAGAIN */
#define WALK_CREATE 2048u /* internal: the last component may be missing */
#define WALK_OPEN 4096u /* internal, a hint: what is found will be opened for reading */

struct walk {
	struct fs_context *fs;
	const struct cred *cred;
	const struct path *base; /* where a relative name starts; NULL: cwd */
	unsigned flags;
	uint32_t sflags; /* result: of all superblocks on the way */
	/* results of WALK_PARENT */
	char last[256];
	uint32_t last_len;
	bool last_special; /* ".", "..", or "/" */
	bool trailing_slash;
};
/* name: NUL-terminated, < 4096. *out: new references. */
int vfs_walk(struct walk *w, const char *name, struct path *out);

/* The path of p as seen from root, into buf: pointer into buf, or NULL with ENAMETOOLONG.
 * " (deleted)" appended when unlinked; "(unreachable)" prefixed when outside root. */
char *vfs_path_name(const struct path *p, const struct path *root, char *buf, size_t size);
/* The same, but where it is outside root: from the top of its mounts, as if that were root (Linux: d_path). */
char *vfs_path_from_top(const struct path *p, const struct path *root, char *buf, size_t size);

/* Checks mask (4 read, 2 write, 1 exec) with fsuid/fsgid/capabilities; EROFS for writing on a read-only mount. */
int vfs_permission(const struct path *p, unsigned mask, const struct cred *c);
int inode_permission(struct inode *i, unsigned mask, const struct cred *c);
/* May the calling task use a device (S_IFCHR or S_IFBLK of mode) so: 1 make it, 2 read, 4 write, 0 ask for it. 0 or -EPERM.
 * Nobody is asked before this is set, which may be at any time. */
typedef int vfs_device_asked_fn(uint32_t mode, uint64_t rdev, unsigned access);
void vfs_set_device_asked(struct vfs *v, vfs_device_asked_fn *fn);
int inode_mode_permission(struct inode *i, unsigned mask, const struct cred *c); /* by mode, owners and capabilities alone */
/* The set-id bits that a file loses when c gives it another owner; and when c writes to it. */
uint32_t inode_set_id_lost(const struct inode *i, const struct cred *c);
uint32_t inode_set_id_lost_to_write(const struct inode *i, const struct cred *c);
/* What setattr does to an inode that has nothing behind it (in-memory file systems), but for the size. */
void inode_setattr_copy(struct inode *i, const struct iattr *a);
int vfs_getattr(const struct path *p, struct kstat *out);
int inode_getattr(struct inode *i, struct kstat *out);
int vfs_setattr(const struct path *p, const struct iattr *a, const struct cred *c); /* checks permission */

/* name is relative to base as for vfs_walk. open flags are LINUX_O_*. */
int vfs_open(struct walk *w, const char *name, int flags, uint32_t mode, struct file **out);
int vfs_open_path(const struct path *p, int flags, const struct cred *c, struct file **out); /* existing, no permission check */
int vfs_mknod(struct walk *w, const char *name, uint32_t mode, uint64_t rdev, struct path *made /* or NULL */);
int vfs_mkdir(struct walk *w, const char *name, uint32_t mode);
int vfs_symlink(struct walk *w, const char *name, const char *target);
int vfs_link(const struct path *old, struct walk *w, const char *name);
int vfs_unlink(struct walk *w, const char *name, bool directory);
int vfs_rename(struct walk *ow, const char *old, struct walk *nw, const char *new_name, unsigned flags);
int vfs_readlink(const struct path *p, char **out); /* malloc'ed; also of magic links */
int vfs_truncate(const struct path *p, uint64_t size, const struct cred *c); /* checks write permission */
int vfs_truncate_inode(struct inode *i, uint64_t size, const struct cred *c); /* of an open file: none */
int vfs_statfs(const struct path *p, struct kstatfs *out);
/* Extended attributes, with Linux's permission rules. size 0 asks for the length. */
ssize_t vfs_getxattr(const struct path *p, const char *name, void *value, size_t size, const struct cred *c);
int vfs_setxattr(const struct path *p, const char *name, const void *value, size_t size, int flags, const struct cred *c);
ssize_t vfs_listxattr(const struct path *p, char *list, size_t size, const struct cred *c);
/* mount flags (MNT_*: LINUX_MS_RDONLY|NOSUID|NODEV|NOEXEC|NOATIME ...) of a mount */
int mount_id(const struct mount *m);
unsigned mount_flags(const struct mount *m);
bool path_is_mount_root(const struct path *p);
void path_cross_mounts(struct path *p); /* follows what is mounted on p (references move along) */
int path_want_write(const struct path *p); /* -EROFS on a read-only mount or file system */

#endif
