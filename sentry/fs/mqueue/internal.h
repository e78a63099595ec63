/*
 * internal.h - one queue: what super.c (names, limits) and queue.c (messages) share.
 */
#ifndef SENTRY_FS_MQUEUE_INTERNAL_H
#define SENTRY_FS_MQUEUE_INTERNAL_H

#include "abi/fs.h"
#include "abi/fcntl.h"
#include "fs/mqueue/mqueue.h"
#include "kernel/task.h"
#include "vfs/vfs.h"

struct mq_msg {
	TAILQ_ENTRY(mq_msg) link;
	uint32_t prio;
	uint64_t len;
	char text[];
};

/* How a process wants to be told. */
struct mq_notice {
	pid_t pid;
	int how, signo;
	uint64_t value;
	struct socket *sock; /* LINUX_SIGEV_THREAD: referenced */
	uint8_t cookie[LINUX_NOTIFY_COOKIE_LEN];
};

struct mq {
	struct mutex mu; /* RANK_FILE; all below */
	struct waitq wq; /* EVENT_IN: a message; EVENT_OUT: room */
	TAILQ_HEAD(mq_msgs, mq_msg) msgs; /* highest priority first, oldest first in each */
	int64_t max, size, n; /* max, size: [I] */
	uint64_t bytes;
	unsigned receivers; /* waiting */
	/* who is to be told of the next message; pid 0: nobody */
	struct mq_notice notice;
	/* charged to the maker: [I] */
	uint32_t uid;
	uint64_t charge;
};

struct mqueue_fs {
	struct superblock *sb; /* [I] referenced */
	struct fs_context *fs; /* [I] a root of its own, whose only mount is sb */
	struct mutex create_mu; /* RANK_EXEC: one mq_open that may create at a time; before the vfs's locks */
	const struct linux_mq_attr *attr; /* [create_mu] of that one; NULL: defaults */
	_Atomic(struct task *) creator; /* whose attr it is */
	struct mutex mu; /* RANK_LEAF: the two below */
	unsigned n_queues;
	LIST_HEAD(, mq_user) users;
};

/* Bytes that a user's queues may hold at most (RLIMIT_MSGQUEUE). */
struct mq_user {
	LIST_ENTRY(mq_user) link;
	uint32_t uid;
	uint64_t bytes;
};

struct mq *mq_new(int64_t max, int64_t size);
void mq_free(struct mq *q);
extern const struct file_ops mq_file_ops;

#endif
