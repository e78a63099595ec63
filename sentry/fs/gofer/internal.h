/*
 * internal.h - what the files of the gofer file system share.
 *
 * A node is an inode's private half: the gofer's handles for it and the host
 * descriptors that reads, writes and mappings use.  It belongs to its memobj's count, so
 * that mappings may outlive the inode.  One inode a host file, however many names.
 */
#ifndef SENTRY_FS_GOFER_INTERNAL_H
#define SENTRY_FS_GOFER_INTERNAL_H

#include "abi/fcntl.h"
#include "abi/fs.h"
#include "fs/gofer/gofer_fs.h"
#include "libipc/protocols.h"
#include "libipc/rpc.h"
#include "vfs/file.h"

#include <errno.h>

#define NODE_BUCKETS_MIN 1024u
#define NODE_HANDLES 4u /* names of a file that are remembered */
#define IDLE_FDS_MAX 256u /* host descriptors of files that nobody has open */
#define RELEASE_BATCH 256u

LIST_HEAD(gnode_bucket, gnode);
TAILQ_HEAD(gnode_list, gnode);

struct gofer_conn {
	struct ref ref;
	struct rpc_client *client; /* [I] */
};

struct gofer_super {
	struct gofer_conn *conn; /* [I] referenced */
	struct rpc_client *client; /* [I] conn's */
	unsigned tree;
	bool shared;
	uint64_t root_dev; /* host's */
	struct mutex mu; /* RANK_LEAF */
	struct gnode_bucket *buckets; /* [mu] by host dev and ino */
	uint32_t n_buckets, n_nodes; /* [mu] */
	struct gnode_list idle; /* [mu] nodes with descriptors but no opener, oldest first */
	unsigned n_idle; /* [mu] */
	uint64_t release[RELEASE_BATCH]; /* [mu] handles to give back */
	unsigned n_release; /* [mu] */
};

struct gnode {
	struct memobj obj; /* first */
	struct superblock *sb; /* [I] not owned: mounts hold it, and files and areas hold mounts */
	struct inode *inode; /* [s->mu] not owned; NULL once evicted */
	uint64_t dev, ino; /* [I] host's */
	LIST_ENTRY(gnode) link; /* [s->mu] */
	TAILQ_ENTRY(gnode) idle_link; /* [s->mu] */
	bool hashed, idle; /* [s->mu] */
	uint64_t handles[NODE_HANDLES]; /* [s->mu] newest first; 0: none */
	unsigned users; /* [s->mu] open files */
	_Atomic unsigned writers; /* open for writing */
	_Atomic bool dirty; /* the host knows newer attributes */
	_Atomic int64_t fresh; /* when the attributes came, ns monotonic */
	struct mutex mu; /* RANK_MEMOBJ */
	int fd_ro, fd_rw; /* [mu] host descriptors; -1 */
	uint64_t blocks; /* [inode a_mu] */
	uint32_t blksize; /* [inode a_mu] */
};

static inline struct gofer_super *gsuper(const struct superblock *sb) { return sb->priv; }
static inline struct gnode *gnode(const struct inode *i) { return i->priv; }

/* One request.  The arena must be zero; the reply is freed with GREPLY_FREE. */
#define GCALL(s, M, req, rep, a) rpc_client_call_errno((s)->client, gofer_##M##_id, &gofer_##M##_desc, req, &gofer_##M##_reply_desc, rep, a)
#define GREPLY_FREE(M, rep, a) msg_free(&gofer_##M##_reply_desc, rep, a)
/* The same for a request about a node, whose member `field` is its handle: a
 * handle whose name is gone (ESTALE) is dropped and the next one tried. */
#define GCALL_NODE(n, M, req, field, rep, a)                                                                                                         \
	__extension__({                                                                                                                              \
		int r_;                                                                                                                              \
		do {                                                                                                                                 \
			(req)->field = gnode_handle(n);                                                                                              \
			r_ = (req)->field ? GCALL(gsuper((n)->sb), M, req, rep, a) : -ESTALE;                                                        \
		} while (r_ == -ESTALE && gnode_drop_handle(n, (req)->field));                                                                       \
		r_;                                                                                                                                  \
	})

/* --- node.c --- */
extern const struct memobj_ops gofer_memobj_ops;
/* The inode for what the gofer answered; takes over the handle.  New reference. */
int gofer_inode(struct superblock *sb, const struct gofer_node *w, struct inode **out);
void gofer_evict(struct inode *i);
void gofer_set_attr(struct inode *i, const struct gofer_attr *a);
uint64_t gnode_handle(struct gnode *n);
bool gnode_drop_handle(struct gnode *n, uint64_t handle); /* true: there is another to try */
void gofer_release(struct gofer_super *s, uint64_t handle);
void gofer_flush_releases(struct gofer_super *s);
void gofer_idle_trim(struct gofer_super *s, unsigned keep);
int gofer_getattr(struct inode *i, struct kstat *st);
int gofer_setattr(struct inode *i, const struct iattr *a);
/* Asks the host for what it knows of a file being written. */
void gofer_refresh(struct inode *i);

/* --- dir.c --- */
extern const struct inode_ops gofer_dir_inode_ops, gofer_inode_ops;

/* --- readdir.c --- */
extern const struct file_ops gofer_dir_ops;

/* --- file.c --- */
extern const struct file_ops gofer_file_ops;
int gofer_open(struct inode *i, struct file *f);
/* A host descriptor for reading or for both, borrowed while the node has a user; -errno. */
int gnode_fd(struct gnode *n, bool write);

/* --- xattr.c --- */
ssize_t gofer_getxattr(struct inode *i, const char *name, void *value, size_t size);
int gofer_setxattr(struct inode *i, const char *name, const void *value, size_t size, int flags);
ssize_t gofer_listxattr(struct inode *i, char *list, size_t size);

#endif
