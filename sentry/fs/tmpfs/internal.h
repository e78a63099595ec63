/*
 * internal.h - what the files of tmpfs share.
 *
 * A node holds a regular file's pages and everybody's xattrs.  It belongs to its
 * memobj's reference count: the inode has one reference, mappings have others, so
 * pages outlive the inode while they are mapped.
 */
#ifndef SENTRY_FS_TMPFS_INTERNAL_H
#define SENTRY_FS_TMPFS_INTERNAL_H

#include "abi/fcntl.h"
#include "abi/fs.h"
#include "fs/tmpfs/tmpfs.h"
#include "mm/memfile.h"
#include "mm/mm.h"

#include <errno.h>

#define LEAF_PAGES 512u
#define MID_LEAVES 512u
#define FEW_PAGES 8u
#define MIDS_MAX 65536u /* of 1 GiB each */

struct tmpfs_leaf {
	uint64_t page[LEAF_PAGES]; /* offset in the memory file | 1; 0: a hole */
};
struct tmpfs_mid {
	struct tmpfs_leaf *leaf[MID_LEAVES];
};

struct tmpfs_super {
	_Atomic uint64_t pages, inodes; /* in use */
	uint64_t max_pages, max_inodes; /* 0: no limit */
	uint64_t host_memory; /* bytes [I] */
	uint32_t mode, uid, gid;
	struct memfile *mf;
};

struct tmpfs_xattr {
	LIST_ENTRY(tmpfs_xattr) link;
	char *name;
	void *value;
	size_t size;
};

struct tmpfs_node {
	struct memobj obj;
	struct mutex mu; /* RANK_MEMOBJ */
	struct superblock *sb; /* held while pages exist */
	uint64_t few[FEW_PAGES]; /* [mu] the first pages */
	struct tmpfs_mid **mids; /* [mu] the others, */
	uint32_t n_mids; /* [mu] */
	uint64_t size; /* [mu] the inode's, for faults */
	uint64_t n_pages; /* [mu] */
	_Atomic uint32_t seals; /* LINUX_F_SEAL_* */
	bool memfd;
	_Atomic bool mapped; /* was it ever: then its pages change without a call */
	LIST_HEAD(, tmpfs_xattr) xattrs; /* [inode a_mu] */
};

static inline struct tmpfs_super *tmpfs_sb(const struct superblock *sb) { return sb->priv; }
static inline struct tmpfs_node *tmpfs_node(const struct inode *i) { return i->priv; }

/* super.c */
struct inode *tmpfs_inode(struct superblock *sb, uint32_t mode);

/* dir.c */
extern const struct inode_ops tmpfs_dir_inode_ops, tmpfs_inode_ops;
extern const struct file_ops tmpfs_dir_ops;

/* file.c */
extern const struct file_ops tmpfs_file_ops;
int tmpfs_setattr(struct inode *i, const struct iattr *a);
int tmpfs_getattr(struct inode *i, struct kstat *st);

/* pages.c: data by page. */
extern const struct memobj_ops tmpfs_memobj_ops;
/* The longest run of pages from idx, at most n, that is contiguous in the memory file (pinned: memfile_put when
 * done) or a hole (*off = HOLE). make: holes are filled. Pages, or -ENOSPC, -ENOMEM, -EFBIG. */
#define TMPFS_HOLE UINT64_MAX
int64_t tmpfs_run(struct tmpfs_node *n, uint64_t idx, uint64_t max, bool make, uint64_t *off);
uint64_t tmpfs_room(struct tmpfs_node *n); /* pages that the file may come to have, as it seems now */
/* Frees the whole pages [first, end) and zeroes what is named by bytes around them. */
void tmpfs_drop(struct tmpfs_node *n, uint64_t first, uint64_t end);
void tmpfs_zero(struct tmpfs_node *n, uint64_t from, uint64_t to); /* within one page */
void tmpfs_set_size(struct tmpfs_node *n, uint64_t size);
/* The first page >= idx that is there (data) or is not, below end; end if none. */
uint64_t tmpfs_seek(struct tmpfs_node *n, uint64_t idx, uint64_t end, bool data);

/* xattr.c */
ssize_t tmpfs_getxattr(struct inode *i, const char *name, void *value, size_t size);
int tmpfs_setxattr(struct inode *i, const char *name, const void *value, size_t size, int flags);
ssize_t tmpfs_listxattr(struct inode *i, char *list, size_t size);
void tmpfs_free_xattrs(struct tmpfs_node *n);

#define ENTRY_SIZE 20 /* what Linux's tmpfs adds to a directory's size for a name; an empty one has two */

#endif
