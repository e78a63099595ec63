/*
 * internal.h - what the files of the overlay share.
 *
 * The upper layer is memory only, so there is no upper tree on any file system: the overlay's
 * own dentries and inodes are it.
 *  - An inode that was changed stays (it holds a reference on itself) and is found again by its
 *    lower inode, under whichever name.  Its attributes are its own from then on; until then
 *    they are those of the lower inode, whenever somebody looks.
 *  - Names that were made or moved, and those by which a file was changed, are pinned dentries;
 *    removed lower names are pinned negative ones (whiteouts).  A directory with pinned children
 *    stays by their references.
 *  - All other names are cached as those of the lower tree are: for ever, or for an age
 *    (vfs/age.c), or only as long as they are in use, if the lower tree is shared.
 *  - Data of a changed file is a nameless tmpfs file.  Copied on the first opening for writing.
 */
#ifndef SENTRY_FS_OVERLAY_INTERNAL_H
#define SENTRY_FS_OVERLAY_INTERNAL_H

#include "abi/fcntl.h"
#include "abi/fs.h"
#include "fs/overlay/overlay.h"
#include "vfs/file.h"
#include "vfs/vfs.h"

#include <errno.h>

#define OVL_BUCKETS_MIN 1024u
#define OVL_NEW_INO (UINT64_C(1) << 52) /* numbers of files that the lower tree does not have */

LIST_HEAD(onode_bucket, onode);

struct ovl_super {
	struct superblock *lower, *upper; /* [I] owned; upper: tmpfs that holds data */
	struct cred *cred; /* [I] who opens files of the layers */
	struct mutex mu; /* RANK_LEAF */
	struct onode_bucket *buckets; /* [mu] by lower inode */
	uint32_t n_buckets, n_hashed; /* [mu] */
	struct kstatfs figures; /* [mu] the lower file system's, */
	int64_t figures_at; /* [mu] as they were then (ns monotonic); 0: not known */
};

struct onode {
	struct inode *inode; /* [I] not owned */
	struct dentry *lower; /* [I] owned; NULL: made here */
	struct dentry *upper; /* [inode mu to set, once] owned: the data of a regular file */
	struct inode *xattrs; /* [inode mu to set, once] owned: a tmpfs inode that holds changed xattrs */
	LIST_ENTRY(onode) link; /* [s->mu] */
	bool hashed, changed; /* [s->mu] changed: holds a reference on the inode */
	_Atomic bool own; /* [inode a_mu to set, once] the attributes are */
	/* [inode a_mu] of the lower file, as last seen: */
	int64_t atime; /* here it may have been read since */
	uint64_t blocks;
	uint32_t blksize;
};

static inline struct ovl_super *osuper(const struct superblock *sb) { return sb->priv; }
static inline struct onode *onode(const struct inode *i) { return i->priv; }

/* --- inode.c --- */
int ovl_init_table(struct ovl_super *s);
void ovl_drop_table(struct ovl_super *s); /* the tree ends: no inode has a name any more */
extern const struct inode_ops ovl_dir_inode_ops, ovl_inode_ops;
int ovl_inode_lower(struct superblock *sb, struct dentry *lower, struct inode **out); /* takes lower's reference */
struct inode *ovl_inode_new(struct superblock *sb, uint32_t mode); /* regular files with an empty upper */
/* i is about to change, or what is known of it anyway: its attributes are its own, and (changed) it and its names are kept. */
void ovl_own(struct inode *i);
void ovl_changed(struct inode *i);
void ovl_forget(struct inode *i); /* its last name is gone */
void ovl_evict(struct inode *i);
int ovl_getattr(struct inode *i, struct kstat *st);
bool ovl_attr_steady(const struct inode *i);
bool ovl_is_gone(int r); /* what the lower tree answers where the host has removed the directory */
int ovl_setattr(struct inode *i, const struct iattr *a);

/* --- copyup.c --- */
/* Gives a regular file its own data, the first `keep` bytes of the lower ones; i->mu held. */
int ovl_copy_up(struct inode *i, uint64_t keep);
int ovl_make_upper(struct onode *o); /* empty */
int ovl_open_layer(struct inode *i, struct dentry *d, int flags, struct file **out);

/* --- file.c --- */
extern const struct file_ops ovl_file_ops;
int ovl_open(struct inode *i, struct file *f);

/* --- readdir.c --- */
extern const struct file_ops ovl_dir_ops;
int ovl_open_dir(struct file *f);
int ovl_is_empty(struct dentry *d); /* 1, 0, -errno */

/* --- dir.c: ovl_dir_inode_ops; xattr.c --- */
ssize_t ovl_getxattr(struct inode *i, const char *name, void *value, size_t size);
int ovl_setxattr(struct inode *i, const char *name, const void *value, size_t size, int flags);
ssize_t ovl_listxattr(struct inode *i, char *list, size_t size);

#endif
