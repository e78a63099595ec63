/*
 * internal.h - what the files of the union share.
 *
 * A node is a union's inode: one file of the upper layer or of a lower one, or directories of
 * several layers.  It shows what those hold, whenever somebody looks.  Before a file that
 * has no upper one is changed it gets one (copyup.c), and its directories before it.
 *
 * Layers are changed only through vfs/below.h, with the rights of who mounted them, and are
 * their superblocks' and dentries': the mounts that led to them may go.  Whoever changes a
 * layer directly meanwhile may see anything in the union, as on Linux, but harms nothing.
 *
 * Locks, outermost first: the vfs's (rename_mu, directories' mu), a node's copy_mu (of one node at
 * a time), the layers' two_mu, their inodes' mu.  All but rename_mu are of
 * RANK_INODE, each union's below those of one that lies over it.
 */
#ifndef SENTRY_FS_UNION_INTERNAL_H
#define SENTRY_FS_UNION_INTERNAL_H

#include "abi/fcntl.h"
#include "abi/fs.h"
#include "fs/union/union.h"
#include "vfs/below.h"
#include "vfs/file.h"
#include "vfs/told.h"
#include "vfs/vfs.h"

#include <errno.h>

#define UNION_LOWERS_MAX 500u /* as Linux's OVL_MAX_STACK */
#define UNION_DEPTH_MAX 2u /* of unions over unions: FILESYSTEM_MAX_STACK_DEPTH */
#define UNION_BUCKETS 1024u
#define UNION_XATTR_MAX 65536u /* bytes of a value, or of a list of names */

LIST_HEAD(unode_bucket, unode);

struct ulayer {
	struct superblock *sb; /* [I] owned; NULL: there is no upper layer */
	struct dentry *root; /* [I] owned */
	uint64_t dev; /* [I] what files of it show, if the layers are of different file systems */
};

struct usuper {
	struct superblock *sb; /* [I] its own */
	struct cred *cred; /* [I] who mounted it */
	struct ulayer *layers; /* [I] 0: the upper one; lowers from the top down */
	unsigned n_layers; /* [I] */
	struct dentry *work; /* [I] owned: where names are made ready, an empty directory beside the upper one; NULL: read-only */
	bool same_fs; /* [I] all layers are of one file system */
	bool user_xattrs; /* [I] its own attributes are user.overlay.*, not trusted.overlay.* */
	bool no_xattrs; /* [I] the upper layer takes none of them */
	bool no_sync; /* [I] volatile */
	bool no_devices; /* [I] mounted in a user namespace */
	unsigned depth; /* [I] 1: over none of its kind */
	char *options; /* [I] as /proc/mounts shows them; owned */
	_Atomic uint64_t last_temp; /* names in work */
	struct mutex mu; /* RANK_LEAF */
	struct unode_bucket *buckets; /* [mu] by what is on top */
};

struct ubelow {
	struct dentry *d; /* owned, positive */
	unsigned layer;
};

struct unode {
	struct inode *inode; /* [I] not owned */
	struct mutex copy_mu; /* RANK_INODE: it gets an upper file, or its name goes */
	struct dentry *upper; /* [copy_mu to set, once; read by node_upper] owned */
	uint64_t ino; /* [copy_mu to set] its number in the layer that gave it one, */
	unsigned ino_layer; /* [copy_mu to set] and which that is */
	bool ino_is_lowers; /* [I] that of the first below, also once there is an upper one */
	bool gone; /* [copy_mu] it has no name any more */
	LIST_ENTRY(unode) link; /* [s->mu] */
	bool hashed; /* [s->mu] */
	unsigned n_lower; /* [I] directories: those that are merged; other files: 0 or 1 */
	struct ubelow lower[]; /* [I] from the top down */
};

extern const struct super_ops union_super_ops;

static inline struct usuper *usuper(const struct superblock *sb) { return sb->priv; }
static inline struct unode *unode(const struct inode *i) { return i->priv; }
static inline struct dentry *node_upper(const struct unode *n) { return __atomic_load_n(&n->upper, __ATOMIC_ACQUIRE); }
/* The topmost, whose attributes and data it has; borrowed. */
static inline struct dentry *node_real(const struct unode *n)
{
	struct dentry *u = node_upper(n);

	return u ? u : n->lower[0].d;
}
/* In a layer; none comes out of a union. */
static inline bool is_whiteout(const struct inode *i)
{
	return LINUX_S_ISCHR(i->mode) && !i->rdev && i->sb->ops != &union_super_ops;
}
static inline struct qstr name_of(const struct dentry *d) { return (struct qstr){ d->name, d->name_len }; }

/* --- options.c --- */
struct uoptions {
	struct vfs *vfs; /* not owned, as args: */
	const struct fs_context_args *args; /* whose they are */
	char **lower; /* owned, paths */
	unsigned n_lower;
	char *upper, *work; /* owned; NULL: not said */
	char *lower_said, *upper_said, *work_said; /* owned: as /proc/mounts shows them */
	bool user_xattrs, no_sync;
};
/* -EINVAL, having said why. */
int uoptions_parse(struct vfs *v, const struct fs_context_args *a, struct uoptions *out);
int union_option(const struct fs_context_args *a, const char *key, char *value); /* fs_type.option */
void uoptions_free(struct uoptions *o);
char *uoptions_shown(const struct uoptions *o); /* malloc'ed; NULL: no memory */
void union_says(struct vfs *v, const char *why); /* a line of the kernel's log */
void union_tells(struct vfs *v, const struct fs_context_args *a, const char *why); /* and to who mounts */

/* --- work.c --- */
/* Makes the directory "work" in workdir, removing what is left of an earlier one. */
int union_make_work(struct usuper *s, struct dentry *workdir, struct dentry **out);
int union_mark_volatile(struct usuper *s);
struct temp_name {
	char text[24];
	struct qstr q;
};
void union_temp_name(struct usuper *s, struct temp_name *out);
/* Removes what an operation left there: a file, or a directory with nothing but whiteouts. */
void union_discard(struct usuper *s, const struct qstr *name);

/* --- node.c --- */
int union_init_table(struct usuper *s);
/* What a name led to: out of a lookup, or the roots. */
struct ustack {
	struct dentry *upper; /* owned; may be NULL */
	struct ubelow *lower; /* owned, each too */
	unsigned n_lower, room;
};
int ustack_push(struct ustack *k, struct dentry *d, unsigned layer); /* takes d */
void ustack_free(struct ustack *k);
int union_inode(struct superblock *sb, struct ustack *k, struct inode **out); /* k is emptied */
/* It has an upper file from now on (takes it): n->copy_mu is held. */
void union_has_upper(struct unode *n, struct dentry *upper);
void union_evict(struct inode *i);
void union_refresh(struct inode *i); /* attributes, from the layer */

/* --- lookup.c --- */
const char *union_xattr(const struct usuper *s, const char *last, char buf[64]); /* its own attribute's whole name */
int union_lookup(struct inode *dir, const struct qstr *name, struct inode **out);
/* Whether a name of dir would lead somewhere in the lower layers: 1, 0, -errno. */
int union_below(struct inode *dir, const struct qstr *name);
int union_is_opaque(struct usuper *s, struct dentry *d);
int union_set_opaque(struct usuper *s, struct dentry *d, int otherwise); /* otherwise: the error where it cannot be kept */

/* --- inode.c --- */
extern const struct inode_ops union_dir_inode_ops, union_inode_ops;
bool union_is_own_xattr(const struct usuper *s, const char *name);

/* --- copyup.c --- */
/* i gets an upper file, with the first `keep` bytes of the lower one, and so do its directories.  No copy_mu is held. */
int union_copy_up(struct inode *i, uint64_t keep);

/* --- dir.c, rename.c --- */
int union_create(struct inode *dir, struct dentry *d, uint32_t mode, const struct cred *c);
int union_mkdir(struct inode *dir, struct dentry *d, uint32_t mode, const struct cred *c);
int union_mknod(struct inode *dir, struct dentry *d, uint32_t mode, uint64_t rdev, const struct cred *c);
int union_symlink(struct inode *dir, struct dentry *d, const char *target, const struct cred *c);
int union_link(struct inode *dir, struct dentry *d, struct inode *target);
int union_tmpfile(struct inode *dir, uint32_t mode, const struct cred *c, struct inode **out);
int union_unlink(struct inode *dir, struct dentry *d);
int union_rmdir(struct inode *dir, struct dentry *d);
int union_rename(struct inode *old_dir, struct dentry *old, struct inode *new_dir, struct dentry *nd, unsigned flags);
void union_dir_changed(struct inode *dir); /* its times */
void union_lost_name(struct inode *i); /* one of them; copy_mu is held */
int union_whiteout(struct usuper *s, struct dentry *dir, const struct qstr *name); /* where nothing is */
/* Takes a name out of an upper directory, whatever its whiteouts; a whiteout takes its place, if that is wanted. */
int union_take_out(struct usuper *s, struct dentry *dir, const struct qstr *name, const struct inode *what, bool leave_whiteout);

/* --- file.c --- */
int union_open(struct inode *i, struct file *f);

/* --- readdir.c --- */
int union_open_dir(struct file *f);
int union_is_empty(struct inode *dir); /* 1, 0, -errno */
int union_clear_whiteouts(struct usuper *s, struct dentry *dir); /* removes them from a layer's directory; -ENOTEMPTY: there is more */

#endif
