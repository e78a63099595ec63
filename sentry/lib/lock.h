/*
 * lock.h - mutexes with ranks.  A thread may take a lock only of a higher rank
 * than those it holds (equal rank: only where stated).  Debug builds
 * (REDOUBT_DEBUG) assert it.  This header is the order of all locks of the
 * sentry: outermost first.
 */
#ifndef SENTRY_LIB_LOCK_H
#define SENTRY_LIB_LOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum lock_rank {
	RANK_NONE = 0,
	RANK_MOUNTING,		/* a file system in the making: a descriptor of fsopen.  Held while it is made: cgroup2 looks at its container */
	RANK_CONTROL,		/* control/: containers */
	RANK_EXEC,		/* a thread group's exec/exit serialisation */
	RANK_FILE_POS,		/* an open file's position.  Held while a file of /proc is read, whose text may be of what follows */
	RANK_MOUNT,		/* mounts' trees */
	RANK_RENAME,		/* vfs: one rename across directories at a time */
	RANK_EPOLL,		/* an epoll instance; nested ones from outer to inner */
	RANK_INODE,		/* an inode's contents: directory or data (two: nearer to the root first, then by address) */
	RANK_OUTSIDE,		/* net/outside: connections and datagrams that leave the sandbox */
	RANK_FILE,		/* pipes, sockets, eventfds, ttys ... : one object's state */
	RANK_FILE2,		/* second such object, by address */
	RANK_FUTEX,		/* a futex bucket (two: by address).  User memory is not touched under it but for resident words */
	RANK_MM,		/* an address space (mm->mu; two on fork: parent, then child) */
	RANK_MEMOBJ,		/* a memory object's page tree */
	RANK_FDTABLE,		/* descriptor table, fs context */
	RANK_DCACHE,		/* dentry hash, tree */
	RANK_DCACHE_LRU,	/* dentries that nobody uses */
	RANK_TASKS,		/* the task list: pids, parents, groups, sessions, signal queues and dispositions */
	RANK_TIMER,		/* timer queue */
	RANK_PLATFORM,		/* platform: address space orders */
	RANK_WAITQ,		/* wait queues: callbacks run under it and may wake sleepers, or take RANK_LEAF */
	RANK_MEMFILE,		/* the memory file's allocator */
	RANK_LEAF,		/* anything that calls nothing under it */
};

struct mutex {
	pthread_mutex_t m;
	enum lock_rank rank;
};

#define MUTEX_INIT(r) { PTHREAD_MUTEX_INITIALIZER, (r) }
void mutex_init(struct mutex *m, enum lock_rank rank);
void mutex_destroy(struct mutex *m);

/* Whoever sleeps on that word of private memory is woken: at once, or when the calling
 * thread holds no lock any more.  One that is woken before that runs at once on the
 * same processor, only to wait for the lock. */
void lock_wake(_Atomic uint32_t *word);
/* The same, but not before the thread waits for something: whoever is woken has to run
 * where it runs itself. */
void lock_wake_later(_Atomic uint32_t *word);
/* The same, but more is to come that the woken had better find at once: so it may wait for a
 * while that the platform knows, as long as the thread does nothing that takes its time. */
void lock_wake_lazily(_Atomic uint32_t *word);
void lock_wake_owed(void); /* all of them now: before a thread waits, or ends */

/* [t] */
extern _Thread_local struct lock_state {
	unsigned held;
	bool owes; /* wake-ups, as soon as it holds none */
	bool owes_later;
	bool lazily; /* what is woken now may wait like that */
	uint64_t lazy; /* ticks: since when it owes such wake-ups; 0: none */
} lock_state;

static inline void lock_wake_lazy(void)
{
	if (lock_state.lazy)
		lock_wake_owed();
}

static inline void lock_taken(void)
{
	lock_state.held++;
}

static inline void lock_given(void)
{
	if (!--lock_state.held && lock_state.owes)
		lock_wake_owed();
}

#ifdef REDOUBT_DEBUG
void mutex_lock(struct mutex *m); /* aborts on a violation, naming both ranks */
void mutex_lock_nested(struct mutex *m); /* equal rank permitted */
void mutex_unlock(struct mutex *m);
void mutex_assert_held(const struct mutex *m);
#else
static inline void mutex_lock(struct mutex *m)
{
	pthread_mutex_lock(&m->m);
	lock_taken();
}

static inline void mutex_lock_nested(struct mutex *m)
{
	mutex_lock(m);
}

static inline void mutex_unlock(struct mutex *m)
{
	pthread_mutex_unlock(&m->m);
	lock_given();
}

static inline void mutex_assert_held(const struct mutex *m) { (void)m; }
#endif

/* A lock that is read often and by many at once, and seldom written.  A reader takes
 * one mutex of several, that of the processor it runs on: two of them neither wait
 * for each other nor write the same cache line.  A writer takes them all.  A reader
 * must not begin again before it has ended, nor become a writer. */
#define BRLOCK_SHARDS 16
struct brlock {
	struct brlock_shard {
		struct mutex mu;
	} __attribute__((aligned(64))) shards[BRLOCK_SHARDS];
	unsigned n; /* [I] in use */
};
void brlock_init(struct brlock *l, enum lock_rank rank, unsigned cpus);
struct mutex *brlock_read(struct brlock *l); /* to be unlocked at the end */
void brlock_write(struct brlock *l);
void brlock_write_end(struct brlock *l);

#endif
