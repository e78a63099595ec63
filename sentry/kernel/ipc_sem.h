/*
 * ipc_sem.h - semaphore sets, as ipc_sem.c (making, semctl) and ipc_sem_op.c (semop,
 * undo) share them.  All under ns->mu.
 */
#ifndef SENTRY_KERNEL_IPC_SEM_H
#define SENTRY_KERNEL_IPC_SEM_H

#include "kernel/ipc_impl.h"

struct sem {
	int32_t value, pid;
};

/* What one process has to give back to one set. */
struct sem_undo {
	LIST_ENTRY(sem_undo) link;
	const struct thread_group *tg; /* no reference: it removes its records when it ends */
	int16_t adj[];
};

/* A call that sleeps: on the stack of its thread. */
struct sem_wait {
	TAILQ_ENTRY(sem_wait) link;
	struct task *t;
	const struct linux_sembuf *ops;
	size_t n;
	struct sem_undo *undo; /* NULL: none of ops wants it */
	const struct linux_sembuf *blocker; /* the operation that cannot be done yet */
	bool done;
	int result; /* once done */
};

struct sem_set {
	struct ipc_object o;
	int n; /* [I] */
	int64_t otime, ctime;
	TAILQ_HEAD(, sem_wait) waits;
	LIST_HEAD(, sem_undo) undos;
	struct sem sem[]; /* [I] */
};

void sem_update_locked(struct sem_set *s); /* values changed: completes the sleepers that can go on */
void sem_undo_clear_locked(struct sem_set *s, int num); /* SETVAL: nothing is to be given back for it; num -1: all */

#endif
