/*
 * file.h - open files (open file descriptions) and descriptor tables.
 */
#ifndef SENTRY_VFS_FILE_H
#define SENTRY_VFS_FILE_H

#include "vfs/vfs.h"

struct mm;
struct task;
struct file_watch;

/* Called by vfs readdir users: returns non-zero to stop (buffer full). */
struct dirent_sink {
	int (*add)(struct dirent_sink *s, const char *name, size_t len, uint64_t ino, unsigned type /* DT_* */, int64_t next_pos);
};

/* Operations of an open file.  Any slot may be NULL: the answer is then the one
 * in brackets.  pos: the offset to use and to advance; NULL for files without
 * position (pipes).  Blocking calls honour f->flags & LINUX_O_NONBLOCK and return
 * -ERESTARTSYS when interrupted. No locks are held by the caller but, for read,
 * write and readdir with the file's own position, f->pos_mu. */
struct file_ops {
	ssize_t (*read)(struct file *f, struct uio *u, int64_t *pos); /* [EINVAL] */
	ssize_t (*write)(struct file *f, struct uio *u, int64_t *pos); /* [EINVAL]; O_APPEND is the file's duty. -EPIPE: the caller sends SIGPIPE */
	int (*readdir)(struct file *f, struct dirent_sink *s); /* [ENOTDIR]; uses and advances f->pos; includes . and .. */
	int64_t (*llseek)(struct file *f, int64_t off, int whence); /* [generic on inode size; ESPIPE if FILE_STREAM] */
	int (*ioctl)(struct file *f, struct mm *mm, unsigned cmd, uint64_t arg); /* [ENOTTY] */
	/* Ready now (EVENT_*). Waiting is on f->wq. [IN|OUT|RDNORM|WRNORM] */
	uint32_t (*poll)(struct file *f);
	/* Prepares a mapping: may refuse, or replace *obj (NULL: anonymous memory). [f->inode->obj; ENODEV if that is NULL] */
	int (*mmap)(struct file *f, int prot, bool shared, struct memobj **obj /* new reference */);
	int (*fsync)(struct file *f, bool data_only); /* [EINVAL] */
	int (*fallocate)(struct file *f, int mode, int64_t off, int64_t len); /* [EOPNOTSUPP] */
	void (*flush)(struct file *f); /* a descriptor was closed */
	int (*set_flags)(struct file *f, int flags); /* F_SETFL is about to set them */
	void (*release)(struct file *f); /* last reference gone */
	/* How long (ns) its attributes stay as they are known, unless inode_changed tells of it; INT64_MAX. [0] */
	int64_t (*steady)(struct file *f);
	int (*host_fd)(struct file *f); /* a host descriptor whose data splice, sendfile may move; borrowed [-1] */
	/* /proc/PID/fdinfo extra lines */
	int (*show_fdinfo)(struct file *f, char *buf, size_t size);
	bool unsigned_pos; /* positions are 64 bits without a sign */
};

struct file {
	struct ref ref;
	const struct file_ops *ops;
	struct inode *inode; /* owned; may be NULL for anonymous files without one: then use anon_inode helpers */
	struct path path; /* owned references; mnt NULL for anonymous files */
	struct cred *cred; /* of the opener */
	_Atomic uint32_t flags; /* LINUX_O_*: access mode and status */
	uint32_t mode; /* FILE_* */
	struct mutex pos_mu; /* RANK_FILE_POS */
	int64_t pos; /* [pos_mu] */
	struct dentry *listed; /* [pos_mu] dcache_readdir: where the last call ended, not referenced, */
	uint64_t listed_when; /* [pos_mu] and good while nothing was taken out of any directory since this */
	struct waitq *wq; /* [I after open] where changes of readiness are announced; NULL: always ready */
	void *priv;
	/* who is told by a signal (kernel/sigio.c), set by compare-and-swap; NULL, or as epoll_items */
	_Atomic(struct file_watch *) owner;
	/* epoll items that watch this file (fs/epoll), set by compare-and-swap; NULL, or
	 * the last file_put calls epoll_items->gone(f) before ops->release */
	_Atomic(struct file_watch *) epoll_items;
};
/* First member of what watches an open file without holding a reference. */
struct file_watch {
	void (*gone)(struct file *f); /* no locks held; f's count is 0; frees the watch */
};
#define FILE_READ 1u
#define FILE_WRITE 2u
#define FILE_STREAM 4u /* no position */
#define FILE_PATH 8u /* O_PATH */
#define FILE_WRITER 16u /* counts in the inode's write_count */
#define FILE_NOCTTY 32u /* opened with O_NOCTTY */
#define FILE_EXEC 64u /* a running program: nobody may write its inode (inode_deny_write) */
#define FILE_TOUCHES 128u /* wq is touched (waitq_touch) before anybody can see that there is something to read */
#define FILE_UNMOUNT 1024u /* of a detached tree's root: it ends with the file, unless it was attached somewhere */

#define FILE_ASYNC 256u /* takes O_ASYNC: signals tell of its readiness */
#define FILE_QUIET 512u /* nobody is told that it is closed */

/* A file with no name: anon inode called "pipe:", "socket:", "[eventfd]" ...
 * ("NAME" is what readlink of /proc/PID/fd/N shows, with :[ino] appended when it ends in ':').
 * mode: S_IF* type and bits of its inode. */
int file_new_anon(struct vfs *v, const struct file_ops *ops, const char *name, uint32_t mode, int flags, const struct cred *c, void *priv, struct file **out);
/* One more open file of f's inode, f being one of file_new_anon(): with the same name and operations. */
int file_new_sibling(struct file *f, int flags, const struct cred *c, void *priv, struct file **out);
/* Opens an inode that has no name in any directory (its ops->open is called); name as above, shown as it is.
 * No permission check. Takes its own references. */
int file_open_inode(struct inode *i, const char *name, int flags, const struct cred *c, struct file **out);
void file_accessed(struct file *f); /* access time, as the mount wants it (relatime) */
bool file_access_is_due(struct file *f); /* file_accessed would change it now */
void file_remove_privs(struct file *f, const struct cred *c); /* before a program writes to a file: set-id bits go */
int64_t file_llseek(struct file *f, int64_t off, int whence); /* lseek(2) but for the descriptor */
/* For file_ops.llseek: with a size, and without holes. */
int64_t llseek_size(struct file *f, int64_t off, int whence, int64_t size);
void file_get(struct file *f);
void file_put(struct file *f);
uint32_t file_poll(struct file *f);
static inline bool file_nonblock(const struct file *f) { return f->flags & 04000; }
bool file_appends(const struct file *f, const struct uio *u); /* O_APPEND, RWF_APPEND: this write goes to the end */
/* Read and write as the system calls do (checks mode, position lock, O_APPEND, file size limit is the caller's). */
ssize_t file_read(struct file *f, struct uio *u);
ssize_t file_write(struct file *f, struct uio *u);
int64_t file_pos(struct file *f); /* its own position now; waits for a transfer there */
ssize_t file_pread(struct file *f, struct uio *u, int64_t pos);
ssize_t file_pwrite(struct file *f, struct uio *u, int64_t pos);
ssize_t file_read_kernel(struct file *f, void *buf, size_t n, int64_t pos); /* exec, loaders */

/* --- locks: vfs/locks.c --------------------------------------------------------
 * POSIX locks (owner: the descriptor table) and OFD locks (owner: the file) on byte ranges; flock. */
struct file_lock {
	int16_t type; /* LINUX_F_RDLCK ... */
	int64_t start, end; /* inclusive; INT64_MAX: to the end */
	int32_t pid; /* who took it, as the kernel numbers: F_GETLK, /proc/locks */
	const void *owner;
	bool ofd;
};
int file_lock_get(struct file *f, struct file_lock *l); /* F_GETLK: l becomes the conflicting lock, or F_UNLCK */
int file_lock_set(struct file *f, const struct file_lock *l, bool wait); /* -EAGAIN, -EDEADLK, -ERESTARTSYS, -ENOLCK */
int file_flock(struct file *f, int op, int32_t pid); /* LINUX_LOCK_*; -EWOULDBLOCK, -ERESTARTSYS */
/* A lock of /proc/locks: held, or waited for behind the one before it that is held.  locks_list.c */
struct lock_seen {
	struct file_lock l;
	struct inode *inode; /* referenced */
	bool flock, waits;
};
int vfs_locks(struct vfs *v, struct lock_seen **out, unsigned *n); /* all of them; free with vfs_locks_free. 0, -ENOMEM */
void vfs_locks_free(struct lock_seen *all, unsigned n);

/* --- descriptor tables --------------------------------------------------------- */
struct fdtable;
struct fdtable *fdtable_new(void);
struct fdtable *fdtable_dup(struct fdtable *t); /* fork */
void fdtable_get_table(struct fdtable *t);
bool fdtable_is_shared(const struct fdtable *t); /* others than the caller have it: tasks, or those who look at a task's */
void fdtable_put_table(struct fdtable *t); /* closes all at the last */
/* New reference, or NULL (EBADF). O_PATH files are returned too: see fd_get_io. */
struct file *fd_get(struct fdtable *t, int fd);
struct file *fd_get_io(struct fdtable *t, int fd); /* NULL for O_PATH files too */
/* A file for the time of one call, which changes no descriptors; O_PATH files too.  It costs
 * no reference while the caller's task is the table's only user: nobody else can close it. */
struct fd_loan {
	struct file *file; /* NULL: EBADF */
	bool referenced;
};
struct fd_loan fd_borrow(struct fdtable *t, int fd);
static inline void fd_give_back(struct fd_loan l)
{
	if (l.referenced)
		file_put(l.file);
}
/* Lowest free number >= min below limit; takes f's reference on success. fd or -EMFILE/-EINVAL/-ENOMEM. */
int fd_install(struct fdtable *t, struct file *f, int min, bool cloexec, uint64_t limit);
int fd_install_at(struct fdtable *t, int fd, struct file *f, bool cloexec, uint64_t limit); /* dup2: replaces; takes the reference */
int fd_close_one(struct fdtable *t, int fd, void *lock_owner);
int fd_close_range(struct fdtable *t, unsigned first, unsigned last, bool cloexec_only);
int fd_get_cloexec(struct fdtable *t, int fd);
int fd_set_cloexec(struct fdtable *t, int fd, bool on);
void fdtable_exec(struct fdtable *t); /* closes the close-on-exec ones */
/* Numbers in order, >= from: the next open one, or -1 (for /proc/PID/fd). */
int fdtable_next(struct fdtable *t, int from);

#endif
