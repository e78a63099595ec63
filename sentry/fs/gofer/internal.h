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
#include "lib/counters.h"
#include "libipc/frame.h"
#include "libipc/protocols.h"
#include "libipc/rpc.h"
#include "vfs/file.h"
#include "vfs/told.h"

#include <errno.h>

#define NODE_BUCKETS_MIN 1024u
#define NODE_HANDLES 4u /* names of a file that are remembered */
#define IDLE_FDS_MAX 4096u /* host descriptors of files that nobody has open, of one tree; */
#define IDLE_FDS_PART 8u /* and at most this part of what the sentry may have */
#define RELEASE_BATCH 256u

LIST_HEAD(gnode_bucket, gnode);
TAILQ_HEAD(gnode_list, gnode);
TAILQ_HEAD(glist_list, glist);

/* How far to ask ahead, and how often it was right. */
struct ahead {
	_Atomic unsigned window;
	_Atomic uint32_t asked;
};

/* Extended attributes of which is known who lacks them: those that a program may not set, and all together. */
enum { XATTR_CAPABILITY, XATTR_ACL_ACCESS, XATTR_ACL_DEFAULT, XATTR_ANY, GNODE_XATTRS };

struct gxattr {
	struct ahead ahead;
	_Atomic uint32_t used;
	_Atomic uint32_t missed; /* the node's number; 0: none was */
};

/* Where the gofer runs: near.c. */
struct gnear {
	_Atomic unsigned held; /* the processor that it was told, counted from 1; 0: none */
	_Atomic int64_t asked; /* when it was last, ns monotonic, */
	_Atomic int cpu; /* and from which processor */
	_Atomic int close; /* requests on end from there; negative: as many do not count yet */
};

struct gofer_conn {
	struct ref ref;
	struct rpc_client *client; /* [I] */
	_Atomic unsigned start; /* which process serves: restart.c */
	struct gnear near;
	int far; /* [event thread] the gofer's own end, held and never used: conn.c; -1: not */
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
	struct gnode_list come; /* [mu] those in buckets, in the order of their coming */
	uint32_t last_number; /* [mu] */
	struct gnode_list idle; /* [mu] nodes with descriptors but no opener, oldest first */
	unsigned n_idle; /* [mu] */
	unsigned idle_max; /* [I] */
	uint64_t release[RELEASE_BATCH]; /* [mu] handles to give back */
	unsigned n_release; /* [mu] */
	struct glist_list lists; /* [mu] published listings, oldest use first */
	size_t lists_bytes; /* [mu] */
	struct ahead lookups, opens; /* used: sb->ahead_used, opens_used */
	_Atomic uint32_t opens_used;
	struct ahead lists_ahead;
	_Atomic uint32_t lists_used;
	struct gxattr xattrs[GNODE_XATTRS]; /* xattr_known.c */
	uint32_t xattr_sets; /* [mu] begun or ended ever */
	_Atomic uint32_t files_asked; /* of lookups.asked: by list_ahead.c, and no directories */
	_Atomic bool want_files; /* lookups in listed directories are not of directories only */
	struct gpending *pending; /* [mu] owned */
	_Atomic uint32_t forgotten; /* inodes evicted that were changed here: pending.c */
	struct superblock *sb; /* [I] its own */
};

struct gnode {
	struct memobj obj; /* first */
	struct superblock *sb; /* [I] not owned: mounts hold it, and files and areas hold mounts */
	struct inode *inode; /* [s->mu] not owned; NULL once evicted */
	uint64_t dev, ino; /* [I] host's */
	LIST_ENTRY(gnode) link; /* [s->mu] */
	TAILQ_ENTRY(gnode) idle_link; /* [s->mu] */
	bool hashed, idle; /* [s->mu] */
	TAILQ_ENTRY(gnode) come; /* [s->mu] */
	uint32_t number; /* [I] in that order, from 1 on */
	struct glist *list; /* [s->mu] a directory's listing, owned */
	_Atomic uint32_t changing, changes; /* of a directory's names: under way; begun or ended ever */
	_Atomic bool ahead; /* opened ahead, and not used yet */
	_Atomic bool touched; /* changed here at some time: what was asked for before may be older */
	_Atomic uint64_t xattrs; /* xattr_known.c */
	uint64_t handles[NODE_HANDLES]; /* [s->mu] newest first; 0: none */
	unsigned users; /* [s->mu] open files */
	_Atomic unsigned writers; /* open for writing */
	_Atomic bool dirty; /* the host knows newer attributes */
	_Atomic int64_t fresh; /* [inode a_mu to write] since when the attributes are known, ns monotonic */
	struct mutex mu; /* RANK_MEMOBJ */
	int fd_ro, fd_rw; /* [mu] host descriptors; -1 */
	uint64_t blocks; /* [inode a_mu] */
	uint32_t blksize; /* [inode a_mu] */
};

static inline struct gofer_super *gsuper(const struct superblock *sb) { return sb->priv; }
static inline struct gnode *gnode(const struct inode *i) { return i->priv; }

/* Of what is known of the tree; 0: it does not age. */
static inline uint32_t gofer_age(const struct gofer_super *s) { return s->sb->sflags & SUPER_AGES ? vfs_age(s->sb->vfs) : 0; }

/* The host knows newer attributes from now on. */
static inline void gnode_dirty(struct inode *i)
{
	gnode(i)->touched = true;
	gnode(i)->dirty = true;
	inode_changed(i);
}

/* --- near.c --- */
void gofer_near_ask(struct gofer_conn *c); /* before each request that is waited for, in such a tree as gofer_asks() says */
void gofer_near_ahead(struct gofer_conn *c); /* before one that is not */

/* In a tree that the host may change, a request is made for each name that is used: there it pays to be near. */
static inline void gofer_asks(struct gofer_super *s)
{
	count(COUNT_GOFER_REQUESTS);
	lock_wake_owed();
	if (s->shared)
		gofer_near_ask(s->conn);
}

/* One request.  The arena must be zero; the reply is freed with GREPLY_FREE. */
#define GCALL(s, M, req, rep, a) (gofer_asks(s), rpc_client_call_errno((s)->client, gofer_##M##_id, &gofer_##M##_desc, req, &gofer_##M##_reply_desc, rep, a))
#define GREPLY_FREE(M, rep, a) msg_free(&gofer_##M##_reply_desc, rep, a)
/* The same for a request about a node, whose member `field` is its handle: a
 * handle whose name is gone (ESTALE) is dropped and the next one tried; a request that a
 * killed gofer had is sent again.  It must not matter that it may be carried out twice,
 * or else *t says whether it may have been. */
#define GCALL_NODE_TELL(n, M, req, field, rep, a, t)                                                                                                 \
	__extension__({                                                                                                                              \
		int r_;                                                                                                                              \
		do {                                                                                                                                 \
			(req)->field = gnode_handle(n);                                                                                              \
			r_ = (req)->field ? GCALL(gsuper((n)->sb), M, req, rep, a) : -ESTALE;                                                        \
		} while (gnode_retry(n, (req)->field, &r_, t));                                                                                      \
		r_;                                                                                                                                  \
	})
#define GCALL_NODE(n, M, req, field, rep, a)                                                                                                         \
	__extension__({                                                                                                                              \
		struct gretry t_ = { 0 };                                                                                                            \
		GCALL_NODE_TELL(n, M, req, field, rep, a, &t_);                                                                                      \
	})

/* --- node.c --- */
/* The inode for what the gofer answered; takes over the handle.  New reference. */
int gofer_inode(struct superblock *sb, const struct gofer_node *w, struct inode **out);
/* When something was asked for. */
struct gasked {
	uint32_t forgotten; /* of the tree */
	uint32_t age; /* vfs/age.c; 0: the tree does not age */
	int64_t when; /* ns monotonic */
};
struct gasked gofer_asking(struct gofer_super *s); /* before asking */
/* The same for what may have been answered a while ago: what is known of an inode is newer, but
 * for what was known before asking in a tree that ages.  -ESTALE: something newer was known. */
int gofer_inode_ahead(struct superblock *sb, const struct gofer_node *w, const struct gasked *asked, struct inode **out);
void gofer_evict(struct inode *i);
void gofer_set_attr(struct inode *i, const struct gofer_attr *a);
/* The file has got another number on the host: an overlay there has copied it up. */
void gofer_renumber(struct inode *i, const struct gofer_attr *a);
int gofer_getattr(struct inode *i, struct kstat *st);
bool gofer_attr_steady(const struct inode *i); /* nobody changes it but by gnode_dirty() */
int gofer_setattr(struct inode *i, const struct iattr *a);
void gofer_keep_set_id(struct inode *i); /* after a write; i->mu is held */
/* Asks the host for what it knows of a file being written. */
void gofer_refresh(struct inode *i);

/* --- handle.c --- */
uint64_t gnode_handle(struct gnode *n);
bool gnode_drop_handle(struct gnode *n, uint64_t handle); /* true: there is another to try */
/* A new name of a known file; s->mu is held.  The handle that is to be released, or 0. */
uint64_t gnode_push_handle(struct gnode *n, uint64_t handle);
void gofer_release(struct gofer_super *s, uint64_t handle);
void gofer_flush_releases(struct gofer_super *s);

/* --- mapping.c --- */
extern const struct memobj_ops gofer_memobj_ops;

/* --- descriptor.c --- */
/* A host descriptor for reading or for both, borrowed while the node has a user; -errno. */
int gnode_fd(struct gnode *n, bool write);
bool gnode_has_fd(struct gnode *n); /* one for reading, at least */
/* A descriptor for reading that nobody asked for yet; takes it (*fd becomes -1) if there is none. */
bool gnode_take_fd(struct gnode *n, int *fd, bool ahead);
void gnode_add_user(struct gnode *n, bool write);
void gnode_drop_user(struct gnode *n, bool write);
/* Closes the descriptors of the files not open for the longest time. */
void gofer_idle_trim(struct gofer_super *s, unsigned keep);

/* --- restart.c --- */
struct gretry {
	unsigned tries;
	int64_t lost; /* realtime: since then one may have been carried out before the one that was answered; 0: none was */
};
bool gnode_retry(struct gnode *n, uint64_t handle, int *r, struct gretry *t); /* is a request that failed with *r to be sent again? */
bool gofer_on_restart(void *conn, struct frame *f);
bool gofer_handle_is_old(const struct gofer_super *s, uint64_t handle);
uint64_t gnode_find_again(struct gnode *n); /* a good handle, or 0: it has none any more */
int gofer_attach_root(struct gofer_super *s, struct gofer_attach_reply *rep, struct msg_arena *a);
/* For a request that may have been carried out twice.  Whether the name in dir is target's now. */
bool gofer_leads_to(struct inode *dir, struct msg_str name, const struct inode *target);
/* What was to be made is there: gives it owner and mode.  New reference. */
int gofer_made_before(struct inode *dir, struct msg_str name, const struct gretry *t, uint32_t mode, uint32_t uid, uint32_t gid, struct inode **out);

/* --- dir.c --- */
extern const struct inode_ops gofer_dir_inode_ops, gofer_inode_ops;

/* --- readdir.c --- */
extern const struct file_ops gofer_dir_ops;

/* --- file.c --- */
extern const struct file_ops gofer_file_ops;
int gofer_open(struct inode *i, struct file *f);

/* --- listing.c --- */
enum glist_order { ORDER_INO, ORDER_NAME, ORDER_LISTING, ORDER_NONE };
struct glist_sorted;
struct glist_entry {
	uint64_t ino;
	uint32_t name; /* offset */
	uint8_t len, type; /* DT_* */
};
struct glist {
	struct ref ref;
	struct gnode *dir; /* [s->mu] where it is published */
	TAILQ_ENTRY(glist) link; /* [s->mu] */
	/* what follows is its reader's until it is published, and immutable then */
	struct glist_entry *entries;
	uint32_t n, cap;
	char *names;
	size_t names_len, names_cap;
	uint32_t *index, index_mask; /* by name: entry + 1 */
	uint64_t next_cookie;
	uint32_t changes; /* of the directory, before it was read */
	bool unsure, end; /* names were changing; there is no more to read */
	int64_t since; /* ns monotonic; when it was begun to be read */
	_Atomic(struct glist_sorted *) sorted[ORDER_LISTING]; /* listing_order.c */
	_Atomic uint32_t looked, opened; /* ahead.c: the entries last missed by lookups and opens, + 1 */
	_Atomic uint32_t reach; /* ahead.c: the entry asked for last, + 1 */
	_Atomic uint32_t read; /* list_ahead.c: the directory listed last, + 1 */
	_Atomic bool ahead; /* brought by list_ahead.c, and not used yet */
};
struct glist *glist_new(const struct gnode *dir);
void glist_put(struct glist *l);
int glist_append_entries(struct glist *l, const struct gofer_dirent *entries, uint32_t n, bool end);
int glist_append(struct glist *l, const struct gofer_readdir_reply *rep);
size_t glist_bytes(const struct glist *l);
struct qstr glist_name(const struct glist *l, uint32_t i);
void glist_publish(struct gnode *n, struct glist *l); /* if it is complete and true */
struct glist *glist_get(struct gnode *n); /* what is published: new reference or NULL */
int64_t glist_find(const struct glist *l, const struct qstr *name); /* of a published one; -1: not there */
void glist_drop(struct gnode *n);

/* --- listing_order.c --- */
/* In which order entry i comes after entry `before`, soon after it or after entry `reach`: up to there nobody had to ask. */
enum glist_order glist_order_of(struct glist *l, uint32_t before, uint32_t reach, uint32_t i);
int64_t glist_after(struct glist *l, enum glist_order o, uint32_t i); /* the next entry; -1: none */
void glist_sorted_free(struct glist_sorted *s); /* NULL is fine */

/* --- pending.c --- */
struct gpending {
	const struct gpending_ops *ops; /* [I] what follows is set by gpending_send */
	struct rpc_ahead *call;
	struct gasked asked;
	bool wanted; /* [taker] it brings what was missed */
};
struct gpending_ops {
	bool (*brings)(const struct gpending *p, const struct gnode *dir, const struct qstr *name); /* was that asked for? */
	void (*enter)(struct gofer_super *s, struct gpending *p); /* waits for the answer (taking p->call), and caches it; if it is wanted, calls go_on as early as can be */
	void (*go_on)(struct gofer_super *s, struct gpending *p); /* it was wanted: asks for what follows it */
	void (*free)(struct gpending *p);
};
void gpending_send(struct gofer_super *s, struct gpending *p, uint32_t method, const struct msg_desc *request, const void *body); /* takes p */
#define GPENDING_SEND(s, p, M, req) gpending_send(s, p, gofer_##M##_id, &gofer_##M##_desc, req)
#define GPENDING_ANSWER(s, p, M, rep, a) rpc_client_take((s)->client, (p)->call, &gofer_##M##_reply_desc, rep, a)
bool gpending_free(struct gofer_super *s); /* none is under way */
/* What it brings is cached then, and if that includes `name` of dir, what follows is asked for.  dir NULL: of no
 * interest; name NULL: its listing.  NULL: none was under way. */
struct gpending *gpending_take(struct gofer_super *s, const struct gnode *dir, const struct qstr *name);
void gpending_done(struct gofer_super *s, struct gpending *p, bool right); /* after a take; right: it brought what was missed */
struct dentry *gnode_dentry(struct gnode *n); /* new reference; NULL: it has no inode or name any more */
struct dentry *gpending_dir(struct gofer_super *s, const struct gpending *p, struct gnode *n); /* n's; NULL: nothing that was asked counts */

/* --- ahead_enter.c --- */
void gofer_take_link(struct inode *i, const struct msg_str *target); /* kept, if i is a link and it is not known yet */
/* Cache what a name is; dir's mu is held, and its names are those of before asking.  A name that is cached, and
 * leads elsewhere, stays what it is: where it is old, it is asked for by itself. */
void ahead_enter_wanted(struct dentry *dir, const struct qstr *q, struct gofer_found *f, const struct gasked *asked);
void ahead_enter(struct dentry *dir, const struct qstr *q, struct gofer_found *f, const struct gasked *asked, unsigned *opened); /* nobody asked for it yet */
void ahead_enter_negative(struct dentry *dir, const struct qstr *name, const struct glist *l, uint32_t age); /* dir's mu is not held: the listing does not have it */

/* --- ahead.c --- */
bool gofer_lookup_ahead(struct dentry *dir, const struct qstr *name, bool last, bool open);
void gofer_open_ahead(struct file *f); /* f needs a descriptor for reading: it may have one then */
#define OPEN_EAGER 8u /* a window of opens so large that lookups bring descriptors, too */
/* How many to ask for (ahead_judge.c). used: of those asked for before, by its own count. */
unsigned ahead_judge(struct ahead *a, _Atomic uint32_t *used, unsigned max);
/* Asks for what follows entry i of dir's listing, without waiting. */
void gofer_names_ahead(struct gofer_super *s, struct gnode *dir, struct glist *l, uint32_t i, enum glist_order order, bool open);

/* --- list_ahead.c --- */
void gofer_lists_ahead(struct gofer_super *s, struct dentry *dir); /* asks for what follows a listed directory, without waiting */
/* The listing of a directory from its beginning (new reference), perhaps not all of it.  -EAGAIN: not in this way. */
int gofer_list_ahead(struct dentry *dir, struct glist **out);

/* --- xattr_known.c --- */
#define XATTR_HAS 0x7fu /* no errno that it may lack one with */
struct xattr_asking { /* when something was asked for */
	uint32_t age, sets;
};
void xattr_begin(struct gofer_super *s);
int xattr_kind(const char *name); /* -1: none */
/* ENODATA or EOPNOTSUPP: it lacks that; XATTR_HAS: it has it, ask for it; 0: not known. */
unsigned xattr_known(struct gnode *n, unsigned kind);
/* The same of what was not known; asks for others too, if that looks worth it. */
unsigned xattr_ahead(struct gnode *n, unsigned kind);
struct xattr_asking xattr_ask(struct gofer_super *s); /* before asking */
void xattr_learn(struct gnode *n, unsigned kind, int error, const struct xattr_asking *a); /* error 0: it has it; others than the two above: nothing */
void xattr_changing(struct gnode *n); /* a program's attribute of it: before and after the request */

/* --- xattr.c --- */
ssize_t gofer_getxattr(struct inode *i, const char *name, void *value, size_t size);
int gofer_setxattr(struct inode *i, const char *name, const void *value, size_t size, int flags);
ssize_t gofer_listxattr(struct inode *i, char *list, size_t size);

#endif
